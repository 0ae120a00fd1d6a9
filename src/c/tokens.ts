/**
 * A small C tokenizer: no grammar, only words, numbers, literals and marks, with their places.
 * Comments and preprocessor lines are stepped over.
 */

export const WORD = 0;
export const NUMBER = 1;
export const STRING = 2;
export const MARK = 3;

/** Tokens as parallel arrays; one-character marks only, save for `->`, `...`, `==` and the like, which come as one. */
export interface Tokens {
  readonly kinds: number[];
  readonly starts: number[];
  readonly ends: number[];
}

const SPACE = 1;
const LETTER = 2;
const DIGIT = 4;

const CLASS = new Uint8Array(128);
for (const code of [9, 10, 11, 12, 13, 32]) CLASS[code] = SPACE;
for (let code = 48; code < 58; code++) CLASS[code] = DIGIT;
for (let code = 65; code < 91; code++) CLASS[code] = LETTER;
for (let code = 97; code < 123; code++) CLASS[code] = LETTER;
CLASS[95] = LETTER;
CLASS[36] = LETTER;

export function isWordStart(code: number): boolean {
  return code < 128 ? CLASS[code] === LETTER : code > 0xbf;
}

export function isWordPart(code: number): boolean {
  return code < 128 ? ((CLASS[code] ?? 0) & (LETTER | DIGIT)) !== 0 : code > 0xbf;
}

export function isDigit(code: number): boolean {
  return code < 128 && CLASS[code] === DIGIT;
}

export function isSpace(code: number): boolean {
  return code < 128 && CLASS[code] === SPACE;
}

/** Offset behind the comment that starts at `at`, or `at` where none starts. An open comment runs to the end. */
export function skipComment(text: string, at: number): number {
  const next = text.charCodeAt(at + 1);
  if (next === 42) {
    const close = text.indexOf('*/', at + 2);
    return close < 0 ? text.length : close + 2;
  }
  if (next === 47) {
    const close = text.indexOf('\n', at);
    return close < 0 ? text.length : close;
  }
  return at;
}

/** Offset behind the string or character literal that starts at `at`. It ends at the line's end when it is not closed. */
export function skipLiteral(text: string, at: number): number {
  const quote = text.charCodeAt(at);
  let i = at + 1;
  for (; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 92) i++;
    else if (code === quote) return i + 1;
    else if (code === 10) return i;
  }
  return text.length;
}

/** Offset of the line feed (or the text's end) that ends the preprocessor line starting at `at`; continuation lines belong to it. */
export function skipDirective(text: string, at: number): number {
  let i = at;
  while (i < text.length) {
    const code = text.charCodeAt(i);
    if (code === 10) return i;
    if (code === 92) {
      i += text.charCodeAt(i + 1) === 13 ? 3 : 2;
    } else if (code === 47) {
      const behind = skipComment(text, i);
      i = behind === i ? i + 1 : behind;
    } else if (code === 34) {
      i = skipLiteral(text, i);
    } else i++;
  }
  return text.length;
}

const LONG_MARKS = new Set([
  '->',
  '++',
  '--',
  '<<',
  '>>',
  '<=',
  '>=',
  '==',
  '!=',
  '&&',
  '||',
  '+=',
  '-=',
  '*=',
  '/=',
  '%=',
  '&=',
  '|=',
  '^=',
  '##',
]);

/** Length of the mark at `at`. */
export function markLength(text: string, at: number): number {
  const second = text.charCodeAt(at + 1);
  // Only these can be the second character of a long mark: & + - . < = > | #
  if (
    second !== 61 &&
    second !== 38 &&
    second !== 43 &&
    second !== 45 &&
    second !== 60 &&
    second !== 62 &&
    second !== 124 &&
    second !== 46 &&
    second !== 35
  ) {
    return 1;
  }
  const pair = text.slice(at, at + 2);
  if (pair === '..') return text.charCodeAt(at + 2) === 46 ? 3 : 1;
  if (!LONG_MARKS.has(pair)) return 1;
  return (pair === '<<' || pair === '>>') && text.charCodeAt(at + 2) === 61 ? 3 : 2;
}

/** Offset behind the number that starts at `at` (suffixes, hexadecimal and exponents included). */
export function skipNumber(text: string, at: number): number {
  let i = at + 1;
  for (; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (isWordPart(code)) continue;
    if (code === 46) {
      if (text.charCodeAt(i + 1) === 46) break;
      continue;
    }
    break;
  }
  return i;
}

/** Splits text[start, end) into tokens. Literals keep their quotes; a lone backslash is left out. */
export function scanTokens(text: string, start: number, end: number): Tokens {
  const kinds: number[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  let lineStart = true;
  let i = start;
  while (i < end) {
    const code = text.charCodeAt(i);
    if (code === 10) {
      lineStart = true;
      i++;
      continue;
    }
    if (isSpace(code) || code === 92) {
      i++;
      continue;
    }
    if (code === 47) {
      const behind = skipComment(text, i);
      if (behind !== i) {
        i = behind;
        continue;
      }
    }
    if (code === 35 && lineStart) {
      i = skipDirective(text, i);
      continue;
    }
    lineStart = false;
    let behind: number;
    let kind: number;
    if (isWordStart(code)) {
      behind = i + 1;
      while (isWordPart(text.charCodeAt(behind))) behind++;
      kind = WORD;
    } else if (isDigit(code) || (code === 46 && isDigit(text.charCodeAt(i + 1)))) {
      behind = skipNumber(text, i);
      kind = NUMBER;
    } else if (code === 34 || code === 39) {
      behind = skipLiteral(text, i);
      kind = STRING;
    } else {
      behind = i + markLength(text, i);
      kind = MARK;
    }
    if (behind > end) behind = end;
    kinds.push(kind);
    starts.push(i);
    ends.push(behind);
    i = behind;
  }
  return { kinds, starts, ends };
}
