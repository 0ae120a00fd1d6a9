import { type CodeLines, readCodeLines } from './code-lines.js';
import { CodeStack, type OpenKind, type SeenFunction } from './code-stack.js';
import { closedHeader, functionName, isFunctionHeading, openHeader, parenDepth } from './heading.js';
import {
  indentOf,
  isLabel,
  type SegmentStart,
  segmentStart,
  startDepth,
  startsMidStatement,
  unseenBlocks,
} from './segment-start.js';

/** The lines of one state of a file that are known, by 1-based number, and headings by the line whose hunk has them. */
export interface KnownLines {
  readonly lines: ReadonlyMap<number, string>;
  readonly headings: ReadonlyMap<number, HunkHeading>;
}

export interface HunkHeading {
  /** The same on both sides of a change. */
  readonly id: string;
  readonly text: string;
}

export interface RebuiltFile {
  readonly text: string;
  readonly partial: readonly PartlySeen[];
  /** Hunks that go on in the function of the one before them. */
  readonly joined: ReadonlySet<string>;
}

/** A function that is cut, with its known stretches; `hasHeader` when its header is among the known lines. */
export interface PartlySeen {
  readonly name: string;
  readonly lines: readonly (readonly [number, number])[];
  readonly hasHeader: boolean;
}

interface PartialRecord {
  readonly name: string;
  readonly lines: [number, number][];
  readonly hasHeader: boolean;
}

/**
 * A C text in which known lines stand at their places and all others are blank, but for what makes cut functions whole:
 * the heading as header before a hunk that starts in a body, blocks around it as its indentation tells, and what closes
 * brackets after it. Two hunks of one function become one body.
 *
 * @param joined hunks known to go on in the function before them: on the new side of a change the header may be renamed
 */
export function rebuildFile(known: KnownLines, joined: ReadonlySet<string>): RebuiltFile {
  return new Rebuilder(known, joined).rebuild();
}

/** Known lines with blanks between them, for files that are no C. */
export function padLines(known: KnownLines): string {
  const last = Math.max(0, ...known.lines.keys());
  const lines = Array.from({ length: last }, (_, index) => known.lines.get(index + 1) ?? '');
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

interface Segment {
  readonly start: number;
  readonly lines: string[];
  readonly heading: HunkHeading;
}

class Rebuilder {
  readonly #segments: readonly Segment[];
  readonly #known: ReadonlySet<string>;
  readonly #joined = new Set<string>();
  readonly #lines = new Map<number, string>();
  readonly #partial: PartialRecord[] = [];
  #stack = new CodeStack([], null);
  /** Last line of the stretch before, and how many lines after it a macro or `#endif`s take. */
  #end = 0;
  /** How many braces are open around each `#if` that needs an end. */
  #endifs: readonly number[] = [];
  #endsInComment = false;
  #endsInMacro = false;
  /** Whether the function that is open at the end is recorded as partial, and where. */
  #openRecord: PartialRecord | null = null;

  constructor(known: KnownLines, joined: ReadonlySet<string>) {
    this.#segments = segmentsOf(known);
    this.#known = joined;
  }

  rebuild(): RebuiltFile {
    const parts = withRoom(
      this.#segments.map((segment) => ({ segment, code: readCodeLines(segment.lines) })),
    );
    for (const part of parts) this.#segment(part);
    this.#between(Number.POSITIVE_INFINITY, this.#close(0), []);
    const last = Math.max(0, ...this.#lines.keys());
    const lines = Array.from({ length: last }, (_, index) => this.#lines.get(index + 1) ?? '');
    return {
      text: lines.length === 0 ? '' : `${lines.join('\n')}\n`,
      partial: this.#partial,
      joined: this.#joined,
    };
  }

  #segment({ segment, code, conditions }: Part): void {
    const before = this.#stack;
    const { closing, opening, record } = this.#begin(segment, code);
    const stack = this.#stack;
    const depths: number[] = [];
    for (const [index, line] of segment.lines.entries()) {
      const number = segment.start + index;
      depths.push(stack.depth);
      this.#lines.set(number, conditions.lost.has(index) ? '' : line);
      stack.read(code.code[index] ?? '', number);
    }
    const outer = conditions.unopened.filter((index) => depths[index] === 0).length;
    this.#between(segment.start, closing, [
      ...Array.from({ length: outer }, () => '#ifdef CONFIG_UNSEEN'),
      opening,
      ...Array.from({ length: conditions.unopened.length - outer }, () => '#ifdef CONFIG_UNSEEN'),
      ...(code.startsInMacro ? [`#define UNSEEN_${segment.heading.id} \\`] : []),
    ]);
    if (code.startsInComment) this.#put(segment.start - 1, '/*');
    this.#end = segment.start + segment.lines.length - 1;
    this.#endifs = conditions.unclosed.map((index) => depths[index] ?? 0);
    this.#endsInComment = code.endsInComment;
    this.#endsInMacro = endsInMacro(segment);
    this.#record(segment, stack, before === stack ? this.#openRecord : null, record);
  }

  /** Text before the stretch, and the brackets with which it starts. */
  #begin(
    segment: Segment,
    code: CodeLines,
  ): { readonly closing: readonly string[]; readonly opening: string; readonly record: boolean } {
    const heading = segment.heading.text;
    const start = resolveStart(segmentStart(code), heading);
    if (start === 'body') {
      const depth = startDepth(code);
      const name = `unseen_${segment.heading.id}`;
      const current = this.#stack.current;
      if (current !== null && this.#isSame(current, segment.heading)) {
        this.#joined.add(segment.heading.id);
        const closing = this.#close(depth);
        const blocks = unseenBlocks(code, Math.max(0, depth - this.#stack.depth), name);
        this.#stack.push(blocks.map(blockKind));
        return {
          closing,
          opening: [...blocks, this.#lead(code, name, depth)].join(' ').trim(),
          record: true,
        };
      }
      const closing = this.#close(0);
      const blocks = unseenBlocks(code, depth - 1, name);
      const isNamed = isFunctionHeading(heading);
      const header = isNamed ? closedHeader(heading) : `void ${name}(void)`;
      this.#stack = new CodeStack(['function', ...blocks.map(blockKind)], {
        name: (isNamed ? functionName(header) : null) ?? name,
        headers: [heading.trim()],
        first: segment.start,
      });
      return {
        closing,
        opening: [`${header} {`, ...blocks, this.#lead(code, name, depth)].join(' ').trim(),
        record: true,
      };
    }
    const closing = this.#close(0);
    this.#stack = new CodeStack([], null);
    return { closing, opening: this.#beginOutside(start, heading, code), record: start === 'header' };
  }

  #beginOutside(start: SegmentStart, heading: string, code: CodeLines): string {
    const leading = leadingText(code);
    const isOpen = parenDepth(heading) > 0;
    if (start === 'list') {
      const opening = /\{\s*$/.test(heading) ? heading : `${heading === '' ? 'struct unseen' : heading} {`;
      this.#stack.push(['list']);
      return opening;
    }
    const goesOn = parenDepth(leading) < 0;
    if (start === 'header' && (isFunctionHeading(heading) || /^(?:struct|union|enum)\b/.test(heading))) {
      const opening = isOpen && goesOn ? withComma(openHeader(heading)) : closedHeader(heading);
      if (isOpen && goesOn)
        this.#stack.push(Array.from({ length: parenDepth(opening) }, () => 'paren' as const));
      const name = functionName(opening);
      if (name !== null) this.#stack.startHeader(heading.trim(), name);
      return opening;
    }
    if (start === 'declaration' && isOpen && goesOn) {
      const opening = withComma(openHeader(heading));
      this.#stack.push(Array.from({ length: parenDepth(opening) }, () => 'paren' as const));
      return opening;
    }
    return '';
  }

  /** Ends what is open in the stretch before, down to so many braces: each `#if` with the braces in it. */
  #close(depth: number): readonly string[] {
    const texts = this.#endifs
      .toReversed()
      .flatMap((open) => [this.#stack.close(Math.max(open, 0)), '#endif']);
    return [...texts, this.#stack.close(depth)];
  }

  /** The start of a statement whose end is the first thing seen. */
  #lead(code: CodeLines, name: string, depth: number): string {
    const line = code.code.find((text) => text.trim() !== '') ?? '';
    const first = line.trim();
    if (/^else\b/.test(first)) return `if (${name}) ;`;
    const statement = leadingStatement(code);
    const excess = -parenDepth(statement.text);
    const isMiddle = startsMidStatement(first);
    if (excess > 0 && isBalancedFrom(statement.text, excess)) {
      this.#stack.push(Array.from({ length: excess }, () => 'paren' as const));
      return `${isCondition(statement) ? 'if ' : `${name}_call`}${'('.repeat(excess)}${isMiddle ? '0 ' : ''}`;
    }
    if (isMiddle) return first.startsWith(')') ? '' : `${name}_value`;
    // Deeper than its braces: the body of an if or a loop without braces.
    return /^[A-Za-z_*(]/.test(first) && !isLabel(first) && indentOf(line) > depth ? `if (${name})` : '';
  }

  #isSame(current: SeenFunction, heading: HunkHeading): boolean {
    if (this.#known.has(heading.id)) return true;
    const text = heading.text.trim();
    return (
      text !== '' &&
      current.headers.some((header) => header === text || (text.length >= 70 && header.startsWith(text)))
    );
  }

  /** Writes what ends the stretch before and what starts the next into the blank lines between them. */
  #between(next: number, closing: readonly string[], opening: readonly string[]): void {
    if (this.#end > 0) {
      let at = this.#end + (this.#endsInMacro ? 2 : 1);
      const ends = closing.filter((text) => text !== '');
      // The end of a comment comes first: in it, nothing else counts.
      if (this.#endsInComment && ends[0] === '#endif') ends.unshift('*/');
      else if (this.#endsInComment) ends[0] = `*/ ${ends[0] ?? ''}`;
      for (const text of ends) this.#put(Math.min(at++, next - 1), text);
    }
    const starts = opening.filter((text) => text !== '');
    for (const [index, text] of starts.entries()) this.#put(next - starts.length + index, text);
  }

  #put(line: number, text: string): void {
    if (text === '' || line < 1) return;
    const there = this.#lines.get(line);
    this.#lines.set(line, there === undefined || there === '' ? text : `${there} ${text}`);
  }

  #record(segment: Segment, stack: CodeStack, carried: PartialRecord | null, startsPartial: boolean): void {
    let record = carried;
    for (const [index, seen] of stack.functions.splice(0).entries()) {
      if (index > 0 || (seen.hasHeader && record === null)) {
        if (!seen.hasHeader) this.#add(seen.name, segment.start, seen.last ?? this.#end);
        continue;
      }
      if (record !== null) record.lines.push([segment.start, seen.last ?? this.#end]);
      else if (startsPartial) this.#add(seen.name, segment.start, seen.last ?? this.#end);
      record = null;
    }
    const { current } = stack;
    if (current === null) this.#openRecord = null;
    else if (record !== null && record.name === current.name) {
      record.lines.push([segment.start, this.#end]);
      this.#openRecord = record;
    } else
      this.#openRecord = this.#add(
        current.name,
        current.hasHeader ? Math.max(current.first, segment.start) : segment.start,
        this.#end,
        current.hasHeader,
      );
  }

  #add(name: string, first: number, last: number, hasHeader = false): PartialRecord {
    const record: PartialRecord = { name, lines: [[first, last]], hasHeader };
    this.#partial.push(record);
    return record;
  }
}

function segmentsOf({ lines, headings }: KnownLines): Segment[] {
  const segments: Segment[] = [];
  for (const number of [...lines.keys()].toSorted((a, b) => a - b)) {
    const last = segments.at(-1);
    const line = lines.get(number) ?? '';
    if (last !== undefined && last.start + last.lines.length === number) last.lines.push(line);
    else
      segments.push({
        start: number,
        lines: [line],
        heading: headings.get(number) ?? { id: `at_${segments.length}`, text: '' },
      });
  }
  return segments;
}

/** Indented lines alone are in whatever the heading starts. */
function resolveStart(start: SegmentStart, heading: string): SegmentStart {
  if (start !== 'inside') return start;
  if (heading.trim() === '' || isFunctionHeading(heading)) return 'body';
  return /[={]\s*$|^(?:struct|union|enum)\b/.test(heading) ? 'list' : /;\s*$/.test(heading) ? 'top' : 'body';
}

function blockKind(block: string): OpenKind {
  return block === 'do {' ? 'do' : 'block';
}

function withComma(header: string): string {
  return /[(,]\s*$/.test(header) ? header : `${header},`;
}

/** Code up to the first line at column 0, with a closing parenthesis that stands there. */
function leadingText({ code }: CodeLines): string {
  const end = code.findIndex((line) => /^[^\s)]/.test(line));
  return code.slice(0, end < 0 ? undefined : end).join('\n');
}

interface LeadingStatement {
  readonly text: string;
  readonly endsInBrace: boolean;
}

function leadingStatement({ code }: CodeLines): LeadingStatement {
  const text = code.join('\n');
  const end = /[;{}]/.exec(text);
  return end === null
    ? { text, endsInBrace: false }
    : { text: text.slice(0, end.index), endsInBrace: end[0] === '{' };
}

/** What follows the last parenthesis is a statement of its own: the parentheses are those of an if. */
function isCondition({ text, endsInBrace }: LeadingStatement): boolean {
  let depth = -parenDepth(text);
  for (const [index, char] of [...text].entries()) {
    depth += char === '(' ? 1 : char === ')' ? -1 : 0;
    if (depth !== 0 || char !== ')') continue;
    const rest = text.slice(index + 1).trim();
    return rest === '' ? endsInBrace : /^[A-Za-z_*]/.test(rest);
  }
  return false;
}

/** The excess of closing parentheses is all there is: with as many opened before, none is left over in the middle. */
function isBalancedFrom(text: string, excess: number): boolean {
  let depth = excess;
  for (const char of text) {
    depth += char === '(' ? 1 : char === ')' ? -1 : 0;
    if (depth < 0) return false;
  }
  return depth === 0;
}

interface Conditions {
  /** For each `#if` that is not seen, the first line that needs it. */
  readonly unopened: readonly number[];
  /** For each `#endif` that is not seen, the line that needs it. */
  readonly unclosed: readonly number[];
  /** Lines of directives without a partner. */
  readonly lines: ReadonlySet<number>;
}

interface Part {
  readonly segment: Segment;
  readonly code: CodeLines;
  /** `lost` are directives whose partner has no room beside the hunk: they would swallow the rest of the file. */
  readonly conditions: {
    readonly unopened: readonly number[];
    readonly unclosed: readonly number[];
    readonly lost: ReadonlySet<number>;
  };
}

/** Decides which stretches have room around them for the partners of their directives, each on a line of its own. */
function withRoom(stretches: readonly { readonly segment: Segment; readonly code: CodeLines }[]): Part[] {
  const all = stretches.map((stretch) => ({ ...stretch, found: conditionsOf(stretch.code.directives) }));
  const hasRoom = (index: number): boolean => {
    const [left, right] = [all[index - 1], all[index]];
    if (right === undefined) return true;
    const end = left === undefined ? 0 : left.segment.start + left.segment.lines.length - 1;
    const after =
      left === undefined
        ? 0
        : 2 * left.found.unclosed.length +
          1 +
          (endsInMacro(left.segment) ? 1 : 0) +
          (left.code.endsInComment ? 1 : 0);
    const needed = after + right.found.unopened.length + (right.code.startsInMacro ? 1 : 0) + 1;
    return needed <= right.segment.start - end - 1;
  };
  return all.map(({ segment, code, found }, index) => {
    const isFree = found.lines.size === 0 || (hasRoom(index) && hasRoom(index + 1));
    const conditions = isFree
      ? { ...found, lost: new Set<number>() }
      : { unopened: [], unclosed: [], lost: found.lines };
    return { segment, code, conditions };
  });
}

function endsInMacro(segment: Segment): boolean {
  return /\\\s*$/.test(segment.lines.at(-1) ?? '');
}

function conditionsOf(directives: readonly (string | null)[]): Conditions {
  const open: number[] = [];
  const lone: number[] = [];
  const unopened: number[] = [];
  /** The first `#else` of the unseen `#if` that is open here. */
  let unseen: number | null = null;
  for (const [index, directive] of directives.entries()) {
    if (directive === 'if' || directive === 'ifdef' || directive === 'ifndef') open.push(index);
    else if ((directive === 'else' || directive === 'elif') && open.length === 0) {
      lone.push(index);
      unseen ??= index;
    } else if (directive === 'endif' && open.pop() === undefined) {
      lone.push(index);
      unopened.push(unseen ?? index);
      unseen = null;
    }
  }
  // An #else whose #endif is not seen either needs both.
  const both = unseen === null ? [] : [unseen];
  return {
    unopened: [...unopened, ...both].toReversed(),
    unclosed: [...both, ...open],
    lines: new Set([...open, ...lone]),
  };
}
