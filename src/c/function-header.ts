/**
 * Finds the name in a function's header by the shape of the header alone: attributes before, between and behind,
 * a return type on its own line, and macros in capitals that build a header (`SYSCALL_DEFINE2(name, …)`).
 */
import { MARK, NUMBER, type Tokens, WORD } from './tokens.js';

export interface FunctionHeader {
  /** Token that names the function. */
  readonly name: number;
  /** Token of the parenthesis that opens the parameters (for a header macro: the macro's own). */
  readonly open: number;
  readonly close: number;
  /** Token at which the header starts: behind macro calls that lack a semicolon. */
  readonly first: number;
  /** Set when a macro in capitals builds the header. */
  readonly macro: number | null;
  /** A return type stands before the name. */
  readonly typed: boolean;
}

const NOT_A_TYPE = new Set([
  'static',
  'inline',
  'extern',
  'const',
  'volatile',
  '__inline',
  '__inline__',
  'register',
]);
const NOT_A_NAME = new Set([
  'if',
  'for',
  'while',
  'switch',
  'return',
  'sizeof',
  'typeof',
  '__typeof__',
  'do',
  'else',
]);
const CAPITALS = /^_*[A-Z][A-Z0-9_]*$/;

/** Token that closes the bracket at `open`, or -1. */
function matchBracket(tokens: Tokens, text: string, open: number, limit: number): number {
  let depth = 0;
  for (let i = open; i < limit; i++) {
    if (tokens.kinds[i] !== MARK) continue;
    const code = text.charCodeAt(tokens.starts[i] ?? 0);
    if (code === 40 || code === 91 || code === 123) depth++;
    else if (code === 41 || code === 93 || code === 125) {
      depth--;
      if (depth === 0) return i;
    }
  }
  return -1;
}

/** The header in tokens [from, to), where token `to` is the body's opening brace; null when it is no function. */
export function findFunctionHeader(
  tokens: Tokens,
  text: string,
  from: number,
  to: number,
): FunctionHeader | null {
  const word = (i: number): string => text.slice(tokens.starts[i], tokens.ends[i]);
  const code = (i: number): number => text.charCodeAt(tokens.starts[i] ?? 0);
  let first = from;
  let typed = false;
  let plain: FunctionHeader | null = null;
  let underscored: FunctionHeader | null = null;
  let untyped: FunctionHeader | null = null;
  let macro: FunctionHeader | null = null;
  for (let i = from; i < to; i++) {
    const kind = tokens.kinds[i];
    if (kind === MARK) {
      const mark = code(i);
      if (mark === 61 || mark === 123) return null;
      if (mark === 40) {
        const close = matchBracket(tokens, text, i, to);
        if (close < 0) return null;
        i = close;
      } else if (mark === 42) typed = true;
      continue;
    }
    if (kind !== WORD) continue;
    const name = word(i);
    const called = i + 1 < to && tokens.kinds[i + 1] === MARK && code(i + 1) === 40;
    if (!called) {
      if (!NOT_A_TYPE.has(name) && !name.startsWith('__')) typed = true;
      else if (name.startsWith('__') && /^__[us](8|16|32|64)$|^__[lb]e\d+$|_t$/.test(name)) typed = true;
      continue;
    }
    const close = matchBracket(tokens, text, i + 1, to);
    if (close < 0) return null;
    if (NOT_A_NAME.has(name)) {
      if (name.includes('typeof')) typed = true;
    } else {
      const header: FunctionHeader = { name: i, open: i + 1, close, first, macro: null, typed };
      if (name.startsWith('__')) {
        // `__printf(1, 2)` counts arguments; it declares none.
        if (typed && tokens.kinds[i + 2] !== NUMBER) underscored ??= header;
      } else if (CAPITALS.test(name) && !typed) {
        const argument = i + 2;
        if (close === to - 1 && tokens.kinds[argument] === WORD) {
          macro = { name: argument, open: i + 1, close, first, macro: i, typed: false };
        } else first = close + 1;
      } else if (typed) plain ??= header;
      else {
        untyped ??= header;
        // A macro call that lacks its semicolon, should a better name follow.
        first = close + 1;
      }
    }
    i = close;
  }
  return plain ?? underscored ?? macro ?? untyped;
}
