import { functionName } from './heading.js';

/** What an open bracket belongs to. */
export type OpenKind = 'function' | 'block' | 'do' | 'list' | 'paren';

/** A function that stays open at the end of a stretch of lines, or that was closed in it. */
export interface SeenFunction {
  readonly name: string;
  /** The lines at column 0 that a later hunk's heading may quote. */
  readonly headers: readonly string[];
  readonly first: number;
  /** Null while it is open. */
  readonly last: number | null;
  /** Its header is in the text. */
  readonly hasHeader: boolean;
}

/** Brackets open at a place of a C text, and the statement there so far. */
export class CodeStack {
  readonly #open: OpenKind[];
  #statement = '';
  #headers: string[] = [];
  #header: { name: string; headers: readonly string[]; first: number; hasHeader: boolean } | null = null;
  readonly functions: SeenFunction[] = [];
  /** Closing parentheses without an opening one. */
  excess = 0;

  constructor(
    open: readonly OpenKind[],
    header: { readonly name: string; readonly headers: readonly string[]; readonly first: number } | null,
  ) {
    this.#open = [...open];
    if (header !== null) this.#header = { ...header, hasHeader: false };
  }

  get open(): readonly OpenKind[] {
    return this.#open;
  }

  /** Braces around the place. */
  get depth(): number {
    return this.#open.filter((kind) => kind !== 'paren').length;
  }

  /** The function that is open here. */
  get current(): SeenFunction | null {
    return this.#header === null ? null : { ...this.#header, last: null };
  }

  /** Parameters of a header whose start is not in the text. */
  startHeader(text: string, name: string): void {
    this.#statement = text;
    this.#headers = [text];
    this.#header = null;
    this.#pendingName = name;
  }
  #pendingName: string | null = null;

  /** Goes on over one line of code without comments. */
  read(code: string, line: number): void {
    if (this.#open.length === 0 && /^[A-Za-z_]/.test(code)) this.#headers.push(code.trim());
    for (const char of code) {
      switch (char) {
        case '(':
        case '[':
          this.#open.push('paren');
          this.#statement += char;
          break;
        case ')':
        case ']':
          if (this.#open.at(-1) === 'paren') this.#open.pop();
          else this.excess++;
          this.#statement += char;
          break;
        case '{':
          this.#openBrace(line);
          break;
        case '}':
          this.#closeBrace(line);
          break;
        case ';':
          if (this.#open.at(-1) === 'paren') this.#statement += char;
          else this.#endStatement();
          break;
        default:
          this.#statement += char;
      }
    }
    this.#statement += ' ';
  }

  /**
   * Text that ends the statement here and closes brackets until `depth` braces are left. The stack then stands after it.
   */
  close(depth: number): string {
    let text = '';
    let last = this.#statement.trimEnd().at(-1) ?? ';';
    const pending = this.#statement.trim() !== '';
    if (!pending) last = ';';
    const needsValue = (): boolean => /[-+*/%&|^=<>?,!~]/.test(last);
    while (this.#open.length > 0 && (this.#open.at(-1) === 'paren' || this.depth > depth)) {
      const kind = this.#open.pop();
      if (kind === 'paren') {
        // Outside of braces these are parameters.
        const value = this.depth > 0 ? ' 0)' : last === ',' ? ' ...)' : ' void *)';
        text += needsValue() ? value : ')';
        last = ')';
        continue;
      }
      if (kind !== 'list' && !/[;{}]/.test(last)) text += needsValue() ? ' 0;' : ';';
      text += kind === 'do' ? '} while (unseen);' : '}';
      last = kind === 'list' ? 'x' : '}';
      if (kind === 'function') this.#header = null;
    }
    const afterStatement = /[;{}]/.test(last) || (this.#open.at(-1) === 'list' && depth > 0);
    if (!afterStatement) text += needsValue() ? ' 0;' : ';';
    this.#endStatement();
    return text;
  }

  /** Opens unseen blocks around the place. */
  push(kinds: readonly OpenKind[]): void {
    this.#open.push(...kinds);
  }

  #openBrace(line: number): void {
    const statement = this.#statement.trim();
    const before = statement.at(-1) ?? '';
    let kind: OpenKind = 'block';
    if (this.#open.at(-1) === 'paren') kind = before === '(' ? 'block' : 'list';
    else if (/[=,]$/.test(statement) || this.#open.at(-1) === 'list') kind = 'list';
    else if (/(?:^|\W)do$/.test(statement)) kind = 'do';
    else if (/\b(?:struct|union|enum)\b[^()]*$/.test(statement) || /^return\b|=[^=][^()]*\(/.test(statement))
      kind = 'list';
    else if (this.#open.length === 0 && before !== '') {
      const name = this.#pendingName ?? functionName(statement);
      kind = name === null ? 'list' : 'function';
      if (name !== null)
        this.#header = { name, headers: this.#headers, first: line, hasHeader: this.#pendingName === null };
    }
    this.#pendingName = null;
    this.#open.push(kind);
    if (kind === 'list') this.#statement += '{';
    else this.#endStatement();
  }

  #closeBrace(line: number): void {
    const place = this.#open.findLastIndex((kind) => kind !== 'paren');
    const kind = this.#open[place];
    if (kind === undefined) {
      this.#endStatement();
      return;
    }
    this.#open.splice(place);
    if (kind === 'list') {
      this.#statement += '}';
      return;
    }
    this.#endStatement();
    if (kind === 'function' && this.#header !== null) {
      this.functions.push({ ...this.#header, last: line });
      this.#header = null;
    }
  }

  #endStatement(): void {
    this.#statement = '';
    if (this.#open.length === 0) this.#headers = [];
  }
}
