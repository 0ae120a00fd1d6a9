/**
 * Overwrites, in place and with text of equal length, what the C grammar cannot take: annotations, types as macro
 * arguments, loop macros, `typeof`, asm operands, case ranges, header macros. It goes by shape; it knows no kernel names
 * save for the markers of address spaces. What a rewritten word was is read from the untouched text at the same offset.
 */
import { type FunctionHeader, findFunctionHeader } from './function-header.js';
import { MARK, NUMBER, STRING, scanTokens, type Tokens, WORD } from './tokens.js';

/**
 * @param plain    text without comments and preprocessor lines
 * @param units    code units of `plain`, which are changed
 */
export function rewriteIdioms(plain: string, units: Uint16Array): void {
  new Rewriter(plain, units).run();
}

const CONTROL = new Set(['if', 'while', 'for', 'switch']);
const STATEMENT_WORDS = new Set([
  ...CONTROL,
  'do',
  'else',
  'return',
  'goto',
  'case',
  'default',
  'break',
  'continue',
  'sizeof',
]);
const QUALIFIERS = new Set([
  'const',
  'volatile',
  'static',
  'extern',
  'inline',
  'register',
  'struct',
  'union',
  'enum',
  'typedef',
]);
const BUILTIN_TYPES = new Set([
  'void',
  'char',
  'short',
  'int',
  'long',
  'float',
  'double',
  'signed',
  'unsigned',
  'bool',
  '_Bool',
  '__signed__',
]);
const HEADER_WORDS = new Set([
  'static',
  'inline',
  'extern',
  'const',
  'struct',
  'union',
  'enum',
  ...BUILTIN_TYPES,
]);
/** Words that the grammar takes as types of its own, so that they cannot stand as an argument. */
const GRAMMAR_TYPES = new Set([...BUILTIN_TYPES, 'const', 'volatile', 'struct', 'union', 'enum']);
const GRAMMAR_TYPEDEF = /^(s?size_t|ptrdiff_t|u?intptr_t|(u?int|char)(8|16|32|64)_t)$/;
const ADDRESS_SPACE = new Set([
  '__force',
  '__user',
  '__iomem',
  '__percpu',
  '__rcu',
  '__kernel',
  '__private',
  '__nocast',
]);
const UNDERSCORED_TYPE =
  /^__([us](8|16|32|64|128)|[bl]e(16|32|64)|u?int128(_t)?|auto_type|w?sum(16)?|poll_t|kernel_\w+|builtin_va_list)$|_t$/;
/** Names that are types by their shape. */
const TYPE_NAME = /_t$|^_*[us](8|16|32|64|128)$|^__[bl]e(16|32|64)$/;
const NUMERAL = /^(0[xXbB][\da-fA-F]+|\d+|(\d+\.\d*|\.\d+)([eE][-+]?\d+)?)[uUlLfF]*$/;
const TYPEOF = /^(__)?typeof(__|_unqual)?$/;
const ASM = /^(asm|__asm|__asm__|asm_inline)$|^asm_\w*(goto|volatile)/;
const ASM_QUALIFIER = /^(volatile|__volatile__|inline|__inline__|goto)$/;
/** Operators whose argument is a type or is not evaluated: as one word they cannot be taken for casts. */
const UNEVALUATED = /^(sizeof|offsetof|__builtin_offsetof|_*[aA]lignof(__)?|_Generic)$/;
const CAPITALS = /^_*[A-Z][A-Z0-9_]*$/;

class Rewriter {
  private readonly tokens: Tokens;
  private readonly count: number;
  /** Index of the bracket that belongs to a bracket, -1 where there is none. */
  private readonly partner: Int32Array;
  /** Tokens that were blanked or swallowed by another one. */
  private readonly dead: Uint8Array;

  constructor(
    private readonly plain: string,
    private readonly units: Uint16Array,
  ) {
    this.tokens = scanTokens(plain, 0, plain.length);
    this.count = this.tokens.kinds.length;
    this.partner = new Int32Array(this.count).fill(-1);
    this.dead = new Uint8Array(this.count);
    const stack: number[] = [];
    for (let i = 0; i < this.count; i++) {
      if (this.tokens.kinds[i] !== MARK) continue;
      const code = this.code(i);
      if (code === 40 || code === 91 || code === 123) stack.push(i);
      else if (code === 41 || code === 93 || code === 125) {
        const open = stack[stack.length - 1];
        if (open === undefined || !isPair(this.code(open), code)) continue;
        stack.pop();
        this.partner[open] = i;
        this.partner[i] = open;
      }
    }
  }

  run(): void {
    let segment = 0;
    let functions = 0;
    for (let i = 0; i < this.count; i++) {
      if (this.tokens.kinds[i] !== MARK) continue;
      const code = this.code(i);
      if (code === 59) segment = i + 1;
      else if (code === 125) segment = i + 1;
      else if (code === 40 || code === 91) {
        const close = this.partner[i] ?? -1;
        if (close > i) i = close;
      } else if (code === 123) {
        const header = findFunctionHeader(this.tokens, this.plain, segment, i);
        let close = this.partner[i] ?? -1;
        if (close < 0) close = this.count;
        if (header) {
          functions++;
          this.header(header, i);
          this.body(i + 1, close);
          segment = close + 1;
        }
        i = close;
      }
    }
    // No function in it: the text is a macro's body or a piece of one.
    if (functions === 0) this.body(0, this.count);
  }

  private word(i: number): string {
    return this.plain.slice(this.tokens.starts[i], this.tokens.ends[i]);
  }

  private code(i: number): number {
    return this.plain.charCodeAt(this.tokens.starts[i] ?? 0);
  }

  private isMark(i: number, code: number): boolean {
    return this.tokens.kinds[i] === MARK && this.code(i) === code && this.length(i) === 1;
  }

  private length(i: number): number {
    return (this.tokens.ends[i] ?? 0) - (this.tokens.starts[i] ?? 0);
  }

  private next(i: number): number {
    let k = i + 1;
    while (k < this.count && this.dead[k]) k++;
    return k;
  }

  private previous(i: number): number {
    let k = i - 1;
    while (k >= 0 && this.dead[k]) k--;
    return k;
  }

  private put(offset: number, text: string): void {
    for (let i = 0; i < text.length; i++) this.units[offset + i] = text.charCodeAt(i);
  }

  private blankText(from: number, to: number): void {
    for (let i = from; i < to; i++) {
      const code = this.units[i];
      if (code !== 10 && code !== 13) this.units[i] = 32;
    }
  }

  /** Blanks tokens [from, to]. */
  private blank(from: number, to: number): void {
    this.blankText(this.tokens.starts[from] ?? 0, this.tokens.ends[to] ?? 0);
    for (let i = from; i <= to; i++) this.dead[i] = 1;
  }

  /** Turns tokens [from, to] into one identifier. */
  private join(from: number, to: number): void {
    const start = this.tokens.starts[from] ?? 0;
    const end = this.tokens.ends[to] ?? 0;
    let i = start;
    let capital = true;
    for (; i < end; i++) {
      const code = this.units[i] ?? 32;
      if (code === 10 || code === 13) break;
      const letter = code >= 97 && code <= 122;
      if (letter && capital) {
        // A capital keeps the word from being a keyword.
        this.units[i] = code - 32;
        capital = false;
      } else if (!(letter || (code >= 65 && code <= 90) || (code >= 48 && code <= 57))) this.units[i] = 95;
    }
    this.blankText(i, end);
    for (let k = from + 1; k <= to; k++) this.dead[k] = 1;
  }

  private header(header: FunctionHeader, brace: number): void {
    if (header.close + 1 < brace) this.blank(header.close + 1, brace - 1);
    if (header.macro !== null) {
      this.headerMacro(header, header.macro);
      return;
    }
    // Keep the last plain name as the type unless a built-in or tagged type is there; all else is annotation.
    const { first, name } = header;
    let builtin = false;
    let type = -1;
    for (let i = first; i < name; i++) {
      if (this.isMark(i, 40)) {
        i = Math.max(i, this.partner[i] ?? i);
        continue;
      }
      if (this.tokens.kinds[i] !== WORD) continue;
      const word = this.word(i);
      if (BUILTIN_TYPES.has(word)) builtin = true;
      else if (word === 'struct' || word === 'union' || word === 'enum') {
        builtin = true;
        i++;
      } else if (TYPEOF.test(word)) type = i;
      else if (!HEADER_WORDS.has(word) && (!word.startsWith('__') || UNDERSCORED_TYPE.test(word))) type = i;
    }
    if (builtin) type = -1;
    let star = false;
    let tag = false;
    for (let i = first; i < name; i++) {
      if (this.isMark(i, 42)) {
        star = true;
        continue;
      }
      if (this.isMark(i, 40)) {
        const close = Math.max(i, this.partner[i] ?? i);
        this.blank(i, close);
        i = close;
        continue;
      }
      const word = this.tokens.kinds[i] === WORD ? this.word(i) : '';
      if (i === type) {
        if (TYPEOF.test(word) && this.isMark(i + 1, 40)) {
          const close = Math.max(i, this.partner[i + 1] ?? i);
          this.join(i, close);
          i = close;
        }
        continue;
      }
      if (tag) {
        tag = false;
        continue;
      }
      tag = word === 'struct' || word === 'union' || word === 'enum';
      if (HEADER_WORDS.has(word) && !(star && word !== 'const')) continue;
      this.blank(i, i);
    }
    this.body(header.open + 1, header.close);
  }

  /** `DEFINE2(name, type, a, type, b)` becomes `long name(type a, type b)`. */
  private headerMacro(header: FunctionHeader, macro: number): void {
    const { open, close, name } = header;
    if (header.first < macro) this.blank(header.first, macro - 1);
    const start = this.tokens.starts[macro] ?? 0;
    this.blank(macro, open);
    if ((this.tokens.starts[open] ?? 0) - start >= 5) this.put(start, 'long');
    const commas: number[] = [];
    for (let i = open + 1; i < close; i++) {
      if (this.isMark(i, 40)) i = Math.max(i, this.partner[i] ?? i);
      else if (this.isMark(i, 44)) commas.push(i);
    }
    const firstComma = commas[0];
    if (firstComma === undefined) {
      const text = this.word(name);
      const at = this.tokens.starts[name] ?? 0;
      this.put(at - 1, `${text}(`);
      return;
    }
    this.put(this.tokens.starts[firstComma] ?? 0, '(');
    if (commas.length % 2 === 0) {
      for (let k = 1; k < commas.length; k += 2) {
        const comma = commas[k];
        if (comma !== undefined) this.blank(comma, comma);
      }
    }
    this.body(firstComma + 1, close);
  }

  /** Walks statements and expressions in tokens [from, to). */
  private body(from: number, to: number): void {
    let statement = true;
    let inCase = false;
    const controls = new Set<number>();
    for (let i = from; i < to; i++) {
      if (this.dead[i]) continue;
      const kind = this.tokens.kinds[i];
      if (kind === NUMBER || kind === STRING) {
        if (kind === NUMBER && !NUMERAL.test(this.word(i))) {
          // Part of a name that a macro pastes together, such as `3DNOW`.
          this.put(this.tokens.starts[i] ?? 0, '0'.padEnd(this.length(i)));
        }
        statement = false;
        continue;
      }
      if (kind === MARK) {
        const code = this.code(i);
        if (this.length(i) === 1) {
          if (code === 59 || code === 123 || code === 125) statement = true;
          else if (code === 58) {
            statement = true;
            inCase = false;
          } else if (code === 41) statement = controls.has(i);
          else if (code === 40) {
            this.functionPointer(i);
            this.parentheses(i);
            statement = false;
          } else if (code === 35) this.blank(i, i);
          else statement = false;
          continue;
        }
        if (inCase && this.word(i) === '...') this.put(this.tokens.starts[i] ?? 0, ' | ');
        else if (code === 35) this.paste(i);
        statement = false;
        continue;
      }
      const word = this.word(i);
      const called = this.isMark(i + 1, 40) && !this.dead[i + 1];
      const close = called ? (this.partner[i + 1] ?? -1) : -1;
      // `type (*name)(…)` and `type (*)(…)`: what follows is a declarator, no argument.
      if (close > 0 && this.isMark(i + 2, 42) && this.isMark(close + 1, 40) && this.isDeclarator(i, close)) {
        const before = this.previous(i);
        if (
          word.startsWith('__') &&
          this.tokens.kinds[before] === WORD &&
          !QUALIFIERS.has(this.word(before))
        ) {
          this.blank(i, i);
        }
        statement = false;
        continue;
      }
      if (CONTROL.has(word)) {
        if (close > 0) controls.add(close);
        statement = false;
      } else if (word === 'do' || word === 'else') {
        statement = true;
        if (word === 'do' && this.isMark(i + 1, 123)) this.doMacro(this.partner[i + 1] ?? -1);
      } else if (word === 'case') inCase = true;
      else if (TYPEOF.test(word) && close > 0) {
        this.join(i, close);
        statement = false;
      } else if (close > 0 && UNEVALUATED.test(word)) {
        this.join(i, close);
        statement = false;
      } else if (
        close > 0 &&
        (this.tokens.kinds[close + 1] === STRING || this.tokens.kinds[this.previous(i)] === STRING)
      ) {
        // A macro that yields a string, next to a string.
        this.join(i, close);
        statement = false;
      } else if (ASM.test(word)) {
        this.asm(i);
        statement = false;
      } else if (word === '__attribute__' || word === '__extension__') {
        this.blank(i, word === '__attribute__' && close > 0 ? close : i);
      } else if (word === 'static' && statement && this.isStaticMacro(i)) this.blank(i, i);
      else if (word.startsWith('__') && this.isAnnotation(i, word, close)) {
        this.blank(i, close > 0 ? close : i);
      } else if (close > 0 && !STATEMENT_WORDS.has(word)) {
        if (statement && this.startsStatement(close + 1, to) && !GRAMMAR_TYPES.has(word)) {
          this.loopMacro(i, close);
          controls.add(close);
        }
        this.callArguments(i + 1, close);
        if (statement) this.blankInitializer(close + 1);
        statement = false;
      } else statement = false;
    }
  }

  /**
   * `(name) - x` is a cast for the grammar now and a difference then. Names that are no types lose their parentheses,
   * types become a built-in one.
   */
  private parentheses(open: number): void {
    if (this.tokens.kinds[open + 1] !== WORD || this.partner[open] !== open + 2) return;
    const after = open + 3;
    if (after >= this.count || this.tokens.kinds[after] !== MARK) return;
    const code = this.code(after);
    if (code !== 40 && code !== 42 && code !== 43 && code !== 45 && code !== 38) return;
    if (this.length(after) > 1 && this.word(after) !== '++' && this.word(after) !== '--') return;
    if (!this.isOperandPosition(open)) return;
    const name = this.word(open + 1);
    if (GRAMMAR_TYPES.has(name) || GRAMMAR_TYPEDEF.test(name)) return;
    const start = this.tokens.starts[open + 1] ?? 0;
    const end = this.tokens.ends[open + 1] ?? 0;
    if (TYPE_NAME.test(name)) {
      if (end - start < 3) return;
      this.blankText(start, end);
      this.put(start, 'int');
      return;
    }
    this.blankText(this.tokens.starts[open] ?? 0, start);
    this.blankText(end, this.tokens.ends[open + 2] ?? 0);
  }

  /** `(void (*)(int))f` becomes `(void *)f`. */
  private functionPointer(open: number): void {
    if (!this.isMark(open + 1, 42) || !this.isMark(open + 2, 41) || !this.isMark(open + 3, 40)) return;
    const close = this.partner[open + 3] ?? -1;
    if (close < 0) return;
    this.blank(open, open);
    this.blank(open + 2, close);
  }

  /** `(*)` or `(*name)` behind a word that can be a type. */
  private isDeclarator(i: number, close: number): boolean {
    if (STATEMENT_WORDS.has(this.word(i))) return false;
    return close === i + 3 || (close === i + 4 && this.tokens.kinds[i + 3] === WORD);
  }

  /** An operand may start here: the token before is no operand itself. */
  private isOperandPosition(i: number): boolean {
    const before = this.previous(i);
    if (before < 0) return true;
    const kind = this.tokens.kinds[before];
    if (kind === WORD) return this.word(before) === 'return' || this.word(before) === 'case';
    if (kind !== MARK) return false;
    const code = this.code(before);
    if (code === 93) return false;
    if (code !== 41) return true;
    const open = this.partner[before] ?? -1;
    if (open < 0 || this.tokens.kinds[open + 1] !== WORD) return false;
    const first = this.word(open + 1);
    const isType =
      GRAMMAR_TYPES.has(first) ||
      this.isMark(before - 1, 42) ||
      (before === open + 2 && TYPE_NAME.test(first));
    return isType && this.isOperandPosition(open);
  }

  /** `DECLARE_X(name, n) = { 0 };` declares through a macro: the initialiser has no place in a call. */
  private blankInitializer(i: number): void {
    if (i + 1 >= this.count || !this.isMark(i, 61) || !this.isMark(i + 1, 123)) return;
    const close = this.partner[i + 1] ?? -1;
    if (close > 0) this.blank(i, close);
  }

  private startsStatement(i: number, to: number): boolean {
    if (i >= to) return false;
    if (this.tokens.kinds[i] === WORD || this.isMark(i, 123)) return true;
    if (this.isMark(i, 40)) return this.word(i + 1) === 'void' && this.isMark(i + 2, 41);
    const word = this.word(i);
    if (word !== '*' && word !== '++' && word !== '--') return false;
    return this.plain.slice(this.tokens.ends[i - 1], this.tokens.starts[i]).includes('\n');
  }

  /** `do { … } for_each_rest(p);`: the macro stands where `while` does. */
  private doMacro(close: number): void {
    const word = close + 1;
    if (close < 0 || this.tokens.kinds[word] !== WORD || !this.isMark(word + 1, 40)) return;
    const text = this.word(word);
    const end = this.partner[word + 1] ?? -1;
    if (text === 'while' || text.length < 5 || !this.isMark(end + 1, 59)) return;
    this.callArguments(word + 1, end);
    this.blankText(this.tokens.starts[word] ?? 0, this.tokens.ends[word] ?? 0);
    this.put(this.tokens.starts[word] ?? 0, 'while');
    this.dead[word] = 1;
  }

  private isStaticMacro(i: number): boolean {
    const next = this.next(i);
    return this.tokens.kinds[next] === WORD && this.isMark(next + 1, 40) && CAPITALS.test(this.word(next));
  }

  /** `a ## b` becomes one word. */
  private paste(i: number): void {
    const before = this.previous(i);
    const after = this.next(i);
    const start = before >= 0 ? (this.tokens.ends[before] ?? 0) : (this.tokens.starts[i] ?? 0);
    const end = after < this.count ? (this.tokens.starts[after] ?? 0) : (this.tokens.ends[i] ?? 0);
    const joins =
      this.tokens.kinds[before] === WORD && /^[\w]/.test(after < this.count ? this.word(after) : '');
    if (joins && !this.plain.slice(start, end).includes('\n')) this.put(start, '_'.repeat(end - start));
    else this.blank(i, i);
  }

  /** A word with two leading underscores that can be neither a type nor a name where it stands. */
  private isAnnotation(i: number, word: string, close: number): boolean {
    if (ADDRESS_SPACE.has(word)) return true;
    if (UNDERSCORED_TYPE.test(word)) return false;
    const after = close > 0 ? close + 1 : this.next(i);
    const before = this.previous(i);
    const beforeWord = before >= 0 && this.tokens.kinds[before] === WORD ? this.word(before) : null;
    if (beforeWord !== null && STATEMENT_WORDS.has(beforeWord)) return false;
    if (beforeWord === 'struct' || beforeWord === 'union' || beforeWord === 'enum') return false;
    const afterIsWord = this.tokens.kinds[after] === WORD;
    if (close > 0) {
      if (beforeWord === null) {
        if (before >= 0 && this.isMark(before, 93)) return true;
        return afterIsWord && HEADER_WORDS.has(this.word(after));
      }
      return (
        this.namesVariable(before) ||
        (afterIsWord && !QUALIFIERS.has(beforeWord)) ||
        QUALIFIERS.has(beforeWord)
      );
    }
    if (afterIsWord) {
      if (before >= 0 && this.isMark(before, 42)) return true;
      if (beforeWord !== null && !QUALIFIERS.has(beforeWord)) return true;
      if (HEADER_WORDS.has(this.word(after))) return true;
      const second = this.next(after);
      return this.tokens.kinds[second] === WORD || this.isMark(second, 42) || this.isMark(second, 41);
    }
    if (beforeWord === null) return before >= 0 && this.isMark(before, 93);
    if (QUALIFIERS.has(beforeWord)) return false;
    if (this.isMark(after, 42)) return true;
    return this.namesVariable(before);
  }

  /** The word at `i` is a declared name: a type or a star stands before it. */
  private namesVariable(i: number): boolean {
    const word = this.word(i);
    if (GRAMMAR_TYPES.has(word) || GRAMMAR_TYPEDEF.test(word)) return false;
    const before = this.previous(i);
    if (before < 0) return false;
    if (this.isMark(before, 42)) return true;
    if (this.isMark(before, 44)) {
      // One more variable of the same declaration, but not the type of a parameter.
      const last = this.next(this.next(i));
      return this.isMark(last, 59) || this.isMark(last, 61);
    }
    if (this.tokens.kinds[before] !== WORD) return false;
    const beforeWord = this.word(before);
    return !STATEMENT_WORDS.has(beforeWord) && !QUALIFIERS.has(beforeWord);
  }

  /** `for_each_x(p, head) …` becomes `while (p, head) …`. */
  private loopMacro(i: number, close: number): void {
    const start = this.tokens.starts[i] ?? 0;
    const end = this.tokens.ends[i] ?? 0;
    if (end - start < 5) return;
    this.blankText(start, end);
    this.put(start, 'while');
    if (close !== i + 2 || end - start === 5) return;
    const open = this.tokens.starts[i + 1] ?? 0;
    if (open !== end) return;
    this.put(open - 1, '(0');
  }

  /** Types, statements, operators and nothing at all cannot be arguments of a call in the grammar. */
  private callArguments(open: number, close: number): void {
    let start = open + 1;
    let depth = 0;
    if (close === start) return;
    for (let i = open + 1; i <= close; i++) {
      if (this.tokens.kinds[i] !== MARK) continue;
      const code = this.code(i);
      if (depth === 0 && (i === close || (code === 44 && this.length(i) === 1))) {
        if (start < i || this.code(start - 1) !== 59) this.argument(start, i);
        start = i + 1;
      } else if (depth === 0 && code === 59) {
        // Statements as an argument become a list of expressions.
        if (start < i) this.argument(start, i);
        const last = i + 1 === close || this.isMark(i + 1, 44);
        this.put(this.tokens.starts[i] ?? 0, last ? ' ' : ',');
        start = i + 1;
      } else if (code === 40 || code === 91 || code === 123) depth++;
      else if (code === 41 || code === 93 || code === 125) depth--;
    }
  }

  private argument(from: number, to: number): void {
    if (from === to) {
      // An empty argument: there is room for a number only where somebody put a blank.
      const at = (this.tokens.starts[to] ?? 0) - 1;
      if (this.units[at] === 32) this.units[at] = 48;
      return;
    }
    const first = this.tokens.kinds[from] === WORD ? this.word(from) : '';
    if (first === 'return' || first === 'goto' || first === 'break' || first === 'continue') {
      this.blank(from, from);
      if (to === from + 1) this.put(this.tokens.starts[from] ?? 0, '0');
      return;
    }
    if (this.tokens.kinds[from] === MARK && to === from + 1 && this.partner[from] === -1) {
      this.blank(from, from);
      this.put(this.tokens.starts[from] ?? 0, '0');
      return;
    }
    if (this.isMark(from, 91)) {
      // The symbolic name of an asm operand.
      const bracket = this.partner[from] ?? -1;
      if (bracket > 0) this.blank(from, bracket);
      return;
    }
    if (first === '') return;
    if (this.tokens.kinds[from + 1] === WORD && from + 1 < to && CAPITALS.test(first)) {
      // Macros that are strings, side by side.
      this.blank(from, from);
      return;
    }
    let i = from;
    let type = false;
    while (i < to && this.tokens.kinds[i] === WORD) {
      const word = this.word(i);
      if (word === 'struct' || word === 'union' || word === 'enum') {
        i += 2;
        type = true;
      } else if (GRAMMAR_TYPES.has(word) || GRAMMAR_TYPEDEF.test(word)) {
        i++;
        type = true;
      } else if (ADDRESS_SPACE.has(word)) i++;
      else break;
    }
    if (!type) {
      if (i >= to || this.tokens.kinds[i] !== WORD) return;
      if (TYPEOF.test(first) && this.isMark(i + 1, 40)) i = Math.max(i, this.partner[i + 1] ?? i) + 1;
      else i++;
      if (i >= to) return;
    }
    while (
      i < to &&
      (this.isMark(i, 42) || (this.tokens.kinds[i] === WORD && ADDRESS_SPACE.has(this.word(i))))
    )
      i++;
    if (i === to) this.join(from, to - 1);
  }

  /** An asm statement becomes a call whose arguments are its operands' expressions. */
  private asm(i: number): void {
    let open = i + 1;
    while (open < this.count && this.tokens.kinds[open] === WORD && ASM_QUALIFIER.test(this.word(open)))
      open++;
    if (!this.isMark(open, 40)) return;
    const close = this.partner[open] ?? -1;
    if (close < 0) return;
    this.join(i, open - 1);
    const end = this.tokens.starts[close] ?? 0;
    this.blankText(this.tokens.ends[open] ?? 0, end);
    let section = 0;
    let operands = 0;
    for (let k = open + 1; k < close; k++) {
      this.dead[k] = 1;
      if (this.tokens.kinds[k] !== MARK) continue;
      const code = this.code(k);
      if (code === 58) section++;
      const last = this.partner[k] ?? -1;
      if ((code !== 40 && code !== 91) || last <= k) continue;
      const isOperand =
        code === 40 &&
        (section === 1 || section === 2) &&
        (last + 1 === close || !this.isOperandPart(last + 1));
      if (isOperand) {
        const from = this.tokens.starts[k] ?? 0;
        const to = this.tokens.ends[last] ?? 0;
        this.put(from, this.plain.slice(from, to));
        if (operands++ > 0) this.put(this.tokens.starts[k - 1] ?? from, ',');
      } else for (let d = k; d <= last; d++) this.dead[d] = 1;
      k = last;
    }
  }

  private isOperandPart(i: number): boolean {
    return this.tokens.kinds[i] === STRING || this.isMark(i, 40);
  }
}

function isPair(open: number, close: number): boolean {
  return close === (open === 40 ? 41 : open + 2);
}
