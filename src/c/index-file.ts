/**
 * Finds what stands at the top level of a C file without parsing it: one pass over the text, bodies stepped over.
 * No IO. Unbalanced braces and half a file give fewer definitions, never an exception.
 */
import { findFunctionHeader } from './function-header.js';
import type { Definition, FileIndex } from './ir.js';
import { lineAt, lineStarts } from './line-starts.js';
import {
  isDigit,
  isSpace,
  isWordPart,
  isWordStart,
  MARK,
  markLength,
  NUMBER,
  STRING,
  skipComment,
  skipDirective,
  skipLiteral,
  skipNumber,
  type Tokens,
  WORD,
} from './tokens.js';

/**
 * The definitions and includes of one file.
 * Several definitions of one name are kept in the order of the text, each with the `#if` conditions around it.
 */
export function indexFile(file: string, text: string): FileIndex {
  return new Indexer(file, text).run();
}

/** One open `#if`: the condition of the arm we are in and of those before it. */
interface Arm {
  current: string;
  readonly earlier: string[];
  /** How much of a half-read definition there was at the `#if`. */
  readonly tokens: number;
  readonly when: readonly string[];
}

/** A header read in one arm whose body stands behind the `#endif`. */
interface OtherHeader {
  readonly tokens: Tokens;
  readonly when: readonly string[];
}

interface Include {
  readonly path: string;
  readonly system: boolean;
  readonly when: readonly string[];
}

class Indexer {
  private at = 0;
  private readonly arms: Arm[] = [];
  private when: readonly string[] = [];
  private readonly definitions = new Map<string, Definition[]>();
  private readonly includes: Include[] = [];
  private readonly lines: Uint32Array;
  private kinds: number[] = [];
  private starts: number[] = [];
  private ends: number[] = [];
  private segmentWhen: readonly string[] = [];
  private others: OtherHeader[] = [];
  private parens = 0;

  constructor(
    private readonly file: string,
    private readonly text: string,
  ) {
    this.lines = lineStarts(text);
  }

  run(): FileIndex {
    const { text } = this;
    let lineStart = true;
    while (this.at < text.length) {
      const code = text.charCodeAt(this.at);
      if (code === 10) {
        lineStart = true;
        this.at++;
      } else if (isSpace(code) || code === 92) this.at++;
      else if (code === 47 && skipComment(text, this.at) !== this.at) this.at = skipComment(text, this.at);
      else if (code === 35 && lineStart) this.directive(false);
      else {
        // A brace in column 0 cannot belong to an argument list: whatever was open before it is lost text.
        if (this.parens > 0 && lineStart && code === 123) this.parens = 0;
        lineStart = false;
        this.token(code);
      }
    }
    return { file: this.file, text, definitions: this.definitions, includes: this.includes };
  }

  private token(code: number): void {
    const { text, at } = this;
    if (isWordStart(code)) {
      let behind = at + 1;
      while (isWordPart(text.charCodeAt(behind))) behind++;
      this.push(WORD, behind);
    } else if (isDigit(code)) this.push(NUMBER, skipNumber(text, at));
    else if (code === 34 || code === 39) this.push(STRING, skipLiteral(text, at));
    else if (code === 123 && this.parens === 0) this.openBrace();
    else if (code === 59 && this.parens === 0) {
      this.at++;
      this.reset();
    } else if (code === 125 && this.parens === 0) {
      this.at++;
      this.reset();
    } else {
      if (code === 40) this.parens++;
      else if (code === 41 && this.parens > 0) this.parens--;
      this.push(MARK, at + markLength(text, at));
    }
  }

  private push(kind: number, behind: number): void {
    if (this.kinds.length === 0) this.segmentWhen = this.when;
    this.kinds.push(kind);
    this.starts.push(this.at);
    this.ends.push(behind);
    this.at = behind;
  }

  private reset(): void {
    this.kinds = [];
    this.starts = [];
    this.ends = [];
    this.others = [];
    this.parens = 0;
  }

  private word(i: number): string {
    return this.text.slice(this.starts[i], this.ends[i]);
  }

  private openBrace(): void {
    const body = this.at;
    const count = this.kinds.length;
    const segment: Tokens = { kinds: this.kinds, starts: this.starts, ends: this.ends };
    const equals = this.findMark('=');
    if (equals >= 0) {
      this.table(equals);
      return;
    }
    const header = findFunctionHeader(segment, this.text, 0, count);
    if (header) {
      const heads = [...this.others, { tokens: segment, when: this.segmentWhen }];
      this.at = this.skipBody(body);
      for (const head of heads) {
        if (
          head.tokens === segment ||
          findFunctionHeader(head.tokens, this.text, 0, head.tokens.kinds.length)?.typed
        ) {
          this.addFunction(head, body, this.at);
        }
      }
      this.reset();
      return;
    }
    for (let i = 0; i < count; i++) {
      if (this.word(i) === 'enum') {
        this.enumerators(body);
        return;
      }
    }
    // A type, or something unknown in braces: its declarators follow.
    this.at = this.skipBody(body);
    this.constantsInside(body);
  }

  /** Values of a field are often named right below it. Conditions inside a type are not followed. */
  private constantsInside(open: number): void {
    const inside = this.text.slice(open, this.at);
    if (!inside.includes('#') || /^[ \t]*#[ \t]*(?:if|el|endif)/m.test(inside)) return;
    for (const match of inside.matchAll(/^[ \t]*(?=#[ \t]*define\b)/gm)) {
      const behind = this.at;
      this.at = open + match.index + match[0].length;
      this.directive(true);
      this.at = behind;
    }
  }

  private findMark(mark: string): number {
    let depth = 0;
    for (let i = 0; i < this.kinds.length; i++) {
      if (this.kinds[i] !== MARK) continue;
      const word = this.word(i);
      if (word === '(') depth++;
      else if (word === ')') depth--;
      else if (depth === 0 && word === mark) return i;
    }
    return -1;
  }

  private addFunction(head: OtherHeader, body: number, end: number): void {
    const { tokens } = head;
    const header = findFunctionHeader(tokens, this.text, 0, tokens.kinds.length);
    if (!header) return;
    const word = (i: number): string => this.text.slice(tokens.starts[i], tokens.ends[i]);
    let isStatic = false;
    let inline = false;
    let weak = false;
    for (let i = header.first; i < tokens.kinds.length; i++) {
      if (i > header.open && i < header.close) continue;
      const text = word(i);
      if (text === 'static') isStatic = true;
      else if (text.includes('inline') && !text.includes('noinline')) inline = true;
      else if (text === '__weak') weak = true;
    }
    const start = tokens.starts[header.first] ?? body;
    this.add({
      kind: 'function',
      name: word(header.name),
      ...this.place(start, end),
      body,
      when: head.when,
      static: isStatic,
      inline,
      weak,
    });
  }

  private place(start: number, end: number) {
    return {
      file: this.file,
      firstLine: lineAt(this.lines, start),
      lastLine: lineAt(this.lines, Math.max(start, end - 1)),
      start,
      end,
    };
  }

  private add(definition: Definition): void {
    const known = this.definitions.get(definition.name);
    if (known) known.push(definition);
    else this.definitions.set(definition.name, [definition]);
  }

  /**
   * Offset behind the brace that closes the one at `open`. Arms of an `#if` are taken to open and close the same braces;
   * where they do not, a closing brace in column 0 ends the body.
   */
  private skipBody(open: number): number {
    const { text } = this;
    const atMargin = open === 0 || text.charCodeAt(open - 1) === 10;
    const outer = this.arms.length;
    const depths: number[] = [];
    let depth = 0;
    let arms = false;
    let lineStart = false;
    let i = open;
    while (i < text.length) {
      const code = text.charCodeAt(i);
      if (code === 123) depth++;
      else if (code === 125) {
        depth--;
        // A local type or initialiser may close in column 0 too, with a semicolon.
        const margin = text.charCodeAt(i - 1) === 10 && !(depth > 0 && text.charCodeAt(i + 1) === 59);
        if (margin && (atMargin || depth <= 0 || arms)) {
          this.arms.length = Math.min(this.arms.length, outer);
          this.refresh();
          return i + 1;
        }
        if (depth <= 0 && !(atMargin && arms)) {
          return i + 1;
        }
      } else if (code === 34 || code === 39) {
        i = skipLiteral(text, i);
        lineStart = false;
        continue;
      } else if (code === 47) {
        const behind = skipComment(text, i);
        if (behind !== i) {
          i = behind;
          continue;
        }
      } else if (code === 35 && lineStart) {
        const behind = skipDirective(text, i);
        const name = /^#\s*([a-z]+)/.exec(text.slice(i, Math.min(behind, i + 24)))?.[1];
        if (name === 'if' || name === 'ifdef' || name === 'ifndef') {
          arms = true;
          depths.push(depth);
        } else if (name === 'else' || name === 'elif') {
          if (depths.length > 0) depth = depths[depths.length - 1] ?? depth;
          else {
            // The body opened in an arm that ends here: what stands up to the `#endif` is the other arm's header.
            i = this.skipToEndif(behind);
            this.arms.pop();
            this.refresh();
            lineStart = true;
            continue;
          }
        } else if (name === 'endif') {
          if (depths.length > 0) depths.pop();
          else if (this.arms.length > 0) {
            this.arms.pop();
            this.refresh();
          }
        }
        i = behind;
        continue;
      }
      if (code === 10) lineStart = true;
      else if (!isSpace(code)) lineStart = false;
      i++;
    }
    return text.length;
  }

  private skipToEndif(from: number): number {
    const pattern = /^[ \t]*#[ \t]*(if|endif)/gm;
    pattern.lastIndex = from;
    let depth = 1;
    for (let match = pattern.exec(this.text); match; match = pattern.exec(this.text)) {
      depth += match[1] === 'if' ? 1 : -1;
      if (depth === 0) return skipDirective(this.text, match.index);
    }
    return this.text.length;
  }

  /** `… name = { .member = name, … }`: members of inner braces get dotted names. */
  private table(equals: number): void {
    const body = this.at;
    let name = equals - 1;
    let array = false;
    // Step over `[…]` and attributes between the name and the `=`.
    while (name >= 0) {
      const word = this.word(name);
      if (word === ']') {
        array = true;
        while (name >= 0 && this.word(name) !== '[') name--;
        name--;
      } else if (word === ')') {
        while (name >= 0 && this.word(name) !== '(') name--;
        name -= 2;
      } else if (
        this.kinds[name] === WORD &&
        word.startsWith('__') &&
        name > 0 &&
        this.kinds[name - 1] === WORD
      ) {
        name--;
      } else break;
    }
    const first = this.starts[0] ?? body;
    const when = this.segmentWhen;
    let type = '';
    let constant = false;
    for (let i = 0; i < name; i++) {
      const word = this.word(i);
      if (word === 'const') constant = true;
      else if (word === 'struct' || word === 'union') type = `${word} ${this.word(i + 1)}`;
      else if (type === '' && i === name - 1 && this.kinds[i] === WORD) type = word;
    }
    const isTable = name > 0 && this.kinds[name] === WORD && type !== '';
    const members: Record<string, string> = {};
    this.tableMembers(isTable && !array ? members : null);
    if (isTable) {
      this.add({
        kind: 'table',
        name: this.word(name),
        ...this.place(first, this.at),
        body,
        when,
        type,
        const: constant,
        members,
      });
    }
    // The declaration goes on to its semicolon.
    this.kinds = [];
    this.starts = [];
    this.ends = [];
  }

  /** Reads an initialiser from its opening brace to behind its closing one. */
  private tableMembers(members: Record<string, string> | null): void {
    const { text } = this;
    const path: string[] = [];
    let depth = 0;
    let lineStart = false;
    const openConditions = this.arms.length;
    while (this.at < text.length) {
      const code = text.charCodeAt(this.at);
      if (code === 10) {
        lineStart = true;
        this.at++;
        continue;
      }
      if (isSpace(code)) {
        this.at++;
        continue;
      }
      if (code === 47 && skipComment(text, this.at) !== this.at) {
        this.at = skipComment(text, this.at);
        continue;
      }
      if (code === 35 && lineStart) {
        this.directive(true);
        continue;
      }
      if (code === 34 || code === 39) {
        this.at = skipLiteral(text, this.at);
        lineStart = false;
        continue;
      }
      if (code === 125 && lineStart && text.charCodeAt(this.at - 1) === 10) {
        this.at++;
        if (this.arms.length > openConditions) {
          this.arms.length = openConditions;
          this.refresh();
        }
        return;
      }
      lineStart = false;
      if (code === 123) {
        depth++;
        this.at++;
        if (depth > 1 && path.length < depth - 1) path.push('');
        continue;
      }
      if (code === 125) {
        depth--;
        this.at++;
        path.length = Math.max(0, depth - 1);
        if (depth <= 0) return;
        continue;
      }
      if (code === 46 && members) {
        MEMBER.lastIndex = this.at;
        const match = MEMBER.exec(text);
        if (match) {
          this.at = MEMBER.lastIndex;
          const member = match[1] ?? '';
          if (match[3] === '{') {
            this.at--;
            path.length = depth - 1;
            path.push(member);
          } else if (match[2] !== undefined) {
            members[[...path, member].filter((part) => part !== '').join('.')] = match[2];
          }
          continue;
        }
      }
      this.at++;
    }
  }

  private enumerators(open: number): void {
    const { text } = this;
    const end = this.skipBody(open);
    const inside = text.slice(open + 1, end - 1);
    let value: number | null = -1;
    const plain = inside.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, (comment) => comment.replace(/[^\n]/g, ' '));
    // Conditions inside the list only make values uncountable: every name is kept.
    for (const match of plain.matchAll(
      /^[ \t]*#[^\n]*|([A-Za-z_]\w*)\s*(?:=\s*((?:[^,({#\n]|\([^()]*\))*))?\s*(?:,|$|(?=#))/gm,
    )) {
      const name = match[1];
      if (name === undefined) {
        value = null;
        continue;
      }
      const given = match[2]?.trim();
      if (given !== undefined) value = /^(0x[\da-fA-F]+|-?\d+)$/.test(given) ? Number(given) : null;
      else if (value !== null) value++;
      const start = open + 1 + match.index + match[0].indexOf(name);
      const length = match[0].slice(match[0].indexOf(name)).replace(/[\s,]+$/, '').length;
      this.add({
        kind: 'enumerator',
        name,
        ...this.place(start, start + length),
        body: start,
        when: this.when,
        value,
      });
    }
    this.at = end;
  }

  private refresh(): void {
    this.when = this.arms.map((arm) => arm.current);
  }

  /** Reads one preprocessor line. Inside an initialiser (`inner`) no half-read header is set aside. */
  private directive(inner: boolean): void {
    const { text } = this;
    const start = this.at;
    const end = skipDirective(text, start);
    this.at = end;
    DIRECTIVE.lastIndex = start;
    const match = DIRECTIVE.exec(text);
    if (!match) return;
    const rest = DIRECTIVE.lastIndex;
    switch (match[1]) {
      case 'if':
        this.openArm(foldCondition(text.slice(rest, end)));
        break;
      case 'ifdef':
        this.openArm(`defined(${foldCondition(text.slice(rest, end))})`);
        break;
      case 'ifndef':
        this.openArm(`!defined(${foldCondition(text.slice(rest, end))})`);
        break;
      case 'elif':
      case 'else': {
        const arm = this.arms[this.arms.length - 1];
        if (!arm) break;
        if (!inner) this.setAside(arm);
        if (arm.earlier.length === 0) arm.earlier.push(arm.current);
        const negated = arm.earlier.map((condition) => `!(${condition})`).join(' && ');
        if (match[1] === 'elif') {
          const condition = foldCondition(text.slice(rest, end));
          arm.earlier.push(condition);
          arm.current = `${negated} && (${condition})`;
        } else arm.current = negated;
        this.refresh();
        break;
      }
      case 'endif':
        this.arms.pop();
        this.refresh();
        break;
      case 'define':
        this.define(start, rest, end);
        break;
      case 'include':
        this.include(text.slice(rest, end));
        break;
      default:
        break;
    }
  }

  private openArm(condition: string): void {
    this.arms.push({ current: condition, earlier: [], tokens: this.kinds.length, when: this.segmentWhen });
    this.refresh();
  }

  /** A header begun in the arm that ends here may have its body behind the `#endif`. */
  private setAside(arm: Arm): void {
    if (this.kinds.length <= arm.tokens) return;
    this.others.push({
      tokens: { kinds: [...this.kinds], starts: [...this.starts], ends: [...this.ends] },
      when: arm.tokens === 0 ? this.segmentWhen : [...arm.when, arm.current],
    });
    this.kinds.length = arm.tokens;
    this.starts.length = arm.tokens;
    this.ends.length = arm.tokens;
    this.parens = 0;
    for (let i = 0; i < arm.tokens; i++) {
      const word = this.word(i);
      if (word === '(') this.parens++;
      else if (word === ')') this.parens--;
    }
  }

  private define(start: number, rest: number, end: number): void {
    NAME.lastIndex = rest;
    const match = NAME.exec(this.text);
    if (!match) return;
    const name = match[1] ?? '';
    let body = NAME.lastIndex;
    let parameters: string[] | null = null;
    if (this.text.charCodeAt(body) === 40) {
      const close = this.text.indexOf(')', body);
      if (close < 0 || close > end) return;
      parameters = this.text
        .slice(body + 1, close)
        .split(',')
        .map((parameter) => parameter.replace(/[\s\\]+/g, ''))
        .filter((parameter) => parameter !== '');
      body = close + 1;
    }
    while (body < end) {
      const code = this.text.charCodeAt(body);
      if (isSpace(code) || (code === 92 && /^\\\r?\n/.test(this.text.slice(body, body + 3)))) body++;
      else break;
    }
    this.add({ kind: 'macro', name, ...this.place(start, end), body, when: this.when, parameters });
  }

  private include(line: string): void {
    const match = /^\s*(?:<([^>\n]+)>|"([^"\n]+)")/.exec(line);
    const path = match?.[1] ?? match?.[2];
    if (path !== undefined) this.includes.push({ path, system: match?.[1] !== undefined, when: this.when });
  }
}

const DIRECTIVE = /#[ \t]*([a-z]+)/y;
const NAME = /[ \t]+([A-Za-z_]\w*)/y;
const MEMBER = /\.\s*([A-Za-z_]\w*)\s*=\s*(?:([A-Za-z_]\w*)\s*(?=[,}\n/])|(\{)|)/y;

function foldCondition(text: string): string {
  if (text.includes('/') || text.includes('\\')) {
    text = text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|\\\r?\n/g, ' ');
  }
  return text.replace(/\s+/g, ' ').trim();
}
