import { isDigit, isWordPart, isWordStart, skipComment, skipLiteral, skipNumber } from './tokens.js';

/**
 * Names used in text[start, end): comments, literals and numbers are left out, keywords and preprocessor words are not.
 */
export function identifiersIn(text: string, start: number, end: number): ReadonlySet<string> {
  return namesIn(text, start, end, () => true);
}

/** The same for names with an opening parenthesis behind them: calls, and what looks like one. */
export function calledIn(text: string, start: number, end: number): ReadonlySet<string> {
  return namesIn(text, start, end, (behind) => /^\s*\(/.test(text.slice(behind, behind + 4)));
}

function namesIn(
  text: string,
  start: number,
  end: number,
  counts: (behind: number) => boolean,
): ReadonlySet<string> {
  const names = new Set<string>();
  let i = start;
  while (i < end) {
    const code = text.charCodeAt(i);
    if (isWordStart(code)) {
      let behind = i + 1;
      while (behind < end && isWordPart(text.charCodeAt(behind))) behind++;
      if (counts(behind)) names.add(text.slice(i, behind));
      i = behind;
    } else if (code === 34 || code === 39) {
      i = skipLiteral(text, i);
    } else if (code === 47) {
      const behind = skipComment(text, i);
      i = behind === i ? i + 1 : behind;
    } else if (isDigit(code)) {
      i = skipNumber(text, i);
    } else i++;
  }
  return names;
}
