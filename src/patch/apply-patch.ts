import type { FilePatch, Hunk, HunkLine } from './series.js';

export interface Applied {
  /** The new text; null when the file is gone, or is binary. */
  readonly text: string | null;
  /** For each hunk how many lines below its stated old place it stood. */
  readonly offsets: number[];
  /** For each hunk how many context lines at its edges were left out to find it. */
  readonly fuzz: number[];
}

export interface NotApplied {
  readonly failed: Hunk;
  /** 1-based. */
  readonly number: number;
  readonly reason: string;
}

const noHunk: Hunk = { oldStart: 0, oldLines: 0, newStart: 0, newLines: 0, heading: '', lines: [] };
const maxFuzz = 2;
/** Lines compared while the hunks of one file look for their places; a kernel patch needs a few thousand. */
const maxCompared = 10_000_000;

/**
 * Applies one file of a patch. Each hunk is tried at its place, then ever further away from it, then with up to two
 * context lines less at its edges, as patch(1) does. Carriage returns at line ends do not count; added lines take the
 * line ends of the file.
 *
 * @param before the old text; null when there is no such file
 */
export function applyFile(before: string | null, file: FilePatch): Applied | NotApplied {
  const [first = noHunk] = file.hunks;
  if (file.change === 'binary') return { text: null, offsets: [], fuzz: [] };
  if (file.change === 'add') {
    if (before !== null && before !== '')
      return { failed: first, number: 1, reason: 'the file exists already' };
  } else if (before === null) {
    return { failed: first, number: 1, reason: 'no such file' };
  }
  const target = new Target(before ?? '');
  for (const [index, hunk] of file.hunks.entries()) {
    const reason = target.apply(hunk);
    if (reason !== null) return { failed: hunk, number: index + 1, reason };
  }
  const text = target.text();
  if (file.change !== 'delete') return { text, offsets: target.offsets, fuzz: target.fuzz };
  if (text !== '') return { failed: first, number: 1, reason: 'the file to delete has other lines too' };
  return { text: null, offsets: target.offsets, fuzz: target.fuzz };
}

/** The change that takes a change back. */
export function reverseFile(file: FilePatch): FilePatch {
  const { change } = file;
  return {
    oldPath: file.newPath,
    newPath: change === 'copy' ? null : file.oldPath,
    change: change === 'add' || change === 'copy' ? 'delete' : change === 'delete' ? 'add' : change,
    hunks: file.hunks.map(reverseHunk),
  };
}

function reverseHunk(hunk: Hunk): Hunk {
  const kinds = { add: 'remove', remove: 'add', context: 'context' } as const;
  return {
    oldStart: hunk.newStart,
    oldLines: hunk.newLines,
    newStart: hunk.oldStart,
    newLines: hunk.oldLines,
    heading: hunk.heading,
    lines: hunk.lines.map((line) => ({ ...line, kind: kinds[line.kind] })),
  };
}

/** A text while hunks are applied to it, from its start to its end. */
class Target {
  readonly offsets: number[] = [];
  readonly fuzz: number[] = [];
  readonly #lines: readonly string[];
  readonly #endsInNewline: boolean;
  readonly #result: string[] = [];
  /** Old lines that are copied or replaced already. */
  #done = 0;
  #offset = 0;
  #compared = 0;
  #lastEndsInNewline: boolean;

  constructor(text: string) {
    const lines = text.split('\n');
    this.#endsInNewline = lines.at(-1) === '';
    if (this.#endsInNewline) lines.pop();
    this.#lines = lines;
    this.#lastEndsInNewline = this.#endsInNewline;
  }

  /** Applies one hunk, or says why it cannot. */
  apply(hunk: Hunk): string | null {
    const edges = contextEdges(hunk.lines);
    const most = Math.min(maxFuzz, Math.max(edges.prefix, edges.suffix));
    for (let fuzz = 0; fuzz <= most; fuzz++) {
      const found = this.#locate(hunk, edges, fuzz);
      if (found === null) continue;
      this.#replace(hunk, found);
      this.fuzz.push(fuzz);
      return null;
    }
    return this.#whyNot(hunk);
  }

  text(): string {
    const lines = [...this.#result, ...this.#lines.slice(this.#done)];
    if (lines.length === 0) return '';
    const ends = this.#done < this.#lines.length ? this.#endsInNewline : this.#lastEndsInNewline;
    return lines.join('\n') + (ends ? '\n' : '');
  }

  #locate(hunk: Hunk, edges: Edges, fuzz: number): Place | null {
    const pattern = hunk.lines.filter((line) => line.kind !== 'add');
    // A hunk without old lines stands after the line that its header names.
    const guess = (pattern.length === 0 ? hunk.oldStart : hunk.oldStart - 1) + this.#offset;
    const length = this.#lines.length;
    if (pattern.length === 0) {
      const at = Math.min(Math.max(guess, this.#done), length);
      return { at, head: 0, tail: 0, guess };
    }
    const context = Math.max(edges.prefix, edges.suffix);
    const [prefixFuzz, suffixFuzz] = [fuzz + edges.prefix - context, fuzz + edges.suffix - context];
    const [head, tail] = [Math.max(0, prefixFuzz), Math.max(0, suffixFuzz)];
    // patch(1) goes on to put lines anywhere when no line is left to match; a review must not.
    if (fuzz > 0 && head + tail >= pattern.length) return null;
    const matches = (at: number): boolean => this.#matches(pattern, at, head, tail);
    // Less context at an edge than at the other means that the hunk touches the file's start or end.
    if (prefixFuzz < 0 && hunk.oldStart <= 1) {
      const isWhole = suffixFuzz >= 0 || pattern.length === length;
      return isWhole && this.#done === 0 && matches(0) ? { at: 0, head, tail, guess } : null;
    }
    if (suffixFuzz < 0) {
      const at = length - pattern.length;
      return at >= 0 && at + head >= this.#done && matches(at) ? { at, head, tail, guess } : null;
    }
    const [lowest, highest] = [this.#done, length - (pattern.length - tail)];
    if (highest < lowest) return null;
    const reach = Math.max(highest - guess, guess - lowest);
    // Headers may name any line: the search starts where the file does.
    for (let distance = Math.max(0, guess - highest, lowest - guess); distance <= reach; distance++) {
      if (this.#compared > maxCompared) return null;
      for (const at of distance === 0 ? [guess] : [guess + distance, guess - distance]) {
        if (at >= lowest && at <= highest && matches(at)) return { at, head, tail, guess };
      }
    }
    return null;
  }

  #matches(pattern: readonly HunkLine[], at: number, head: number, tail: number): boolean {
    for (let index = head; index < pattern.length - tail; index++) {
      if (++this.#compared > maxCompared) return false;
      const line = this.#lines[at + index];
      const expected = pattern[index];
      if (line === undefined || expected === undefined || withoutCr(line) !== withoutCr(expected.text))
        return false;
      if (!this.#endsAlike(at + index, expected)) return false;
    }
    return true;
  }

  /** A line without a line end is another line than the same text with one, and only the last can be one. */
  #endsAlike(line: number, expected: HunkLine): boolean {
    const lacksEnd = !this.#endsInNewline && line === this.#lines.length - 1;
    return lacksEnd === (expected.noNewline === true);
  }

  #replace(hunk: Hunk, { at, head, tail, guess }: Place): void {
    const kept = hunk.lines.slice(head, hunk.lines.length - tail);
    let old = at + head;
    for (; this.#done < old; this.#done++) this.#result.push(this.#lines[this.#done] ?? '');
    // Where mail or checkout changed the line ends, the file's count; else the patch means what it says.
    const isDos = this.#lines[old]?.endsWith('\r') ?? false;
    const isForeign = kept
      .filter((line) => line.kind !== 'add')
      .some((line, index) => this.#lines[old + index]?.endsWith('\r') !== (line.crlf === true));
    let isNewMissing = false;
    for (const line of kept) {
      if (line.kind !== 'add') {
        if (line.kind === 'context') this.#result.push(this.#lines[old] ?? '');
        old++;
      } else {
        const hasCr = isForeign ? isDos : line.crlf === true;
        this.#result.push(hasCr ? `${line.text}\r` : line.text);
      }
      if (line.kind !== 'remove') isNewMissing = line.noNewline === true;
    }
    this.#done = old;
    const isOldMissing = kept.some((line) => line.kind !== 'add' && line.noNewline === true);
    // The patch says how the text ends where it changes that; else the text keeps its end.
    if (old >= this.#lines.length)
      this.#lastEndsInNewline = isNewMissing ? false : isOldMissing || this.#endsInNewline;
    this.offsets.push(at - (guess - this.#offset));
    this.#offset += at - guess;
  }

  /** Would the lines stand somewhere in the file if white space did not count? */
  #differsInSpace(old: readonly HunkLine[]): boolean {
    const squeeze = (text: string): string => text.replace(/\s+/g, '');
    const wanted = old.map((line) => squeeze(line.text));
    const lines = this.#lines.map(squeeze);
    const text = `\n${lines.join('\n')}\n`;
    return wanted.some((line) => line !== '') && text.includes(`\n${wanted.join('\n')}\n`);
  }

  #whyNot(hunk: Hunk): string {
    if (this.#compared > maxCompared) return 'its place is not found in bounded time';
    const after = reverseHunk(hunk);
    const pattern = after.lines.filter((line) => line.kind !== 'add');
    const at = Math.max(0, hunk.oldStart - 1 + this.#offset);
    if (pattern.length > 0 && [at, hunk.newStart - 1].some((place) => this.#matches(pattern, place, 0, 0))) {
      return 'the change is in the file already';
    }
    const old = hunk.lines.filter((line) => line.kind !== 'add');
    const wrong = old.find(
      (line, index) => withoutCr(this.#lines[at + index] ?? '\n') !== withoutCr(line.text),
    );
    const end = old.findIndex((line, index) => !this.#endsAlike(at + index, line));
    if (wrong === undefined && end >= 0)
      return `its line ${JSON.stringify((old[end]?.text ?? '').trim().slice(0, 80))} ends with a line feed on one side only`;
    if (wrong !== undefined && this.#differsInSpace(old))
      return 'its lines are in the file with other white space, as a mailer leaves them that turns tabs into spaces';
    return wrong === undefined
      ? 'its lines overlap those of the hunk before it'
      : `its lines are not in the file, first of all ${JSON.stringify(wrong.text.trim().slice(0, 80))}`;
  }
}

interface Place {
  /** 0-based line of the hunk's first old line, with those that fuzz leaves out. */
  readonly at: number;
  readonly head: number;
  readonly tail: number;
  readonly guess: number;
}

interface Edges {
  readonly prefix: number;
  readonly suffix: number;
}

/** How many context lines stand at the start and the end of a hunk. */
function contextEdges(lines: readonly HunkLine[]): Edges {
  const first = lines.findIndex((line) => line.kind !== 'context');
  const last = lines.findLastIndex((line) => line.kind !== 'context');
  return first < 0 ? { prefix: 0, suffix: 0 } : { prefix: first, suffix: lines.length - 1 - last };
}

function withoutCr(text: string): string {
  return text.endsWith('\r') ? text.slice(0, -1) : text;
}
