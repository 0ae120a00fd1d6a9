/** Edits of whole lines, in the form in which suggestions are published. */
import type { PlacedStatement } from '#c/statements.js';
import type { SuggestedEdit } from './document.js';

export type Edit = Pick<SuggestedEdit, 'file' | 'line' | 'remove' | 'insert'>;

/** The text with the edits made. They name lines of `text` and do not overlap. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  const lines = text.split('\n');
  for (const edit of inOrder(edits).reverse()) lines.splice(edit.line - 1, edit.remove, ...edit.insert);
  return lines.join('\n');
}

/** Lines around an edit that are shown with it. */
const AROUND = 2;

/** The edits with the texts that they take away and stand between. */
export function quoted(edits: readonly Edit[], text: string): SuggestedEdit[] {
  const lines = text.split('\n');
  return inOrder(edits).map((edit) => {
    const [first, behind] = [edit.line - 1, edit.line - 1 + edit.remove];
    let [from, to] = [Math.max(0, first - AROUND), Math.min(lines.length, behind + AROUND)];
    while (from < first && lines[from]?.trim() === '') from += 1;
    while (to > behind && lines[to - 1]?.trim() === '') to -= 1;
    return {
      ...edit,
      removed: lines.slice(first, behind),
      above: lines.slice(from, first),
      below: lines.slice(behind, to),
    };
  });
}

const inOrder = (edits: readonly Edit[]): Edit[] => [...edits].sort((a, b) => a.line - b.line);

/** In order, and those that touch made one. */
export function joined(edits: readonly Edit[]): Edit[] {
  const result: Edit[] = [];
  for (const edit of inOrder(edits)) {
    const last = result.at(-1);
    if (last === undefined || last.line + last.remove < edit.line) result.push(edit);
    else
      result[result.length - 1] = {
        file: last.file,
        line: last.line,
        remove: Math.max(last.remove, edit.line + edit.remove - last.line),
        insert: [...last.insert, ...edit.insert],
      };
  }
  return result;
}

/** Does the statement fill its lines, comments aside, so that they can be moved whole? */
export function fillsItsLines(lines: readonly string[], text: string, statement: PlacedStatement): boolean {
  const before = text.slice(text.lastIndexOf('\n', statement.start - 1) + 1, statement.start);
  const end = text.indexOf('\n', statement.end);
  const behind = text.slice(statement.end, end < 0 ? text.length : end);
  return (
    before.trim() === '' &&
    /^\s*(?:\/\*(?:(?!\*\/).)*\*\/)?\s*$/.test(behind) &&
    !lines.slice(statement.firstLine - 1, statement.lastLine).some((line) => /^\s*#/.test(line))
  );
}

/** The statement's lines as they stand, indented like `like`, a line that stands where they are to go. */
export function linesOf(lines: readonly string[], statement: PlacedStatement, like: string): string[] {
  const own = lines.slice(statement.firstLine - 1, statement.lastLine);
  const was = indentOf(own[0] ?? '');
  return own.map((line) => (line.startsWith(was) ? like + line.slice(was.length) : line));
}

export const indentOf = (line: string): string => /^\s*/.exec(line)?.[0] ?? '';

/** Takes a statement's lines out, with a blank line that would be left double or at a block's edge. */
export function removal(file: string, lines: readonly string[], statement: PlacedStatement): Edit {
  let first = statement.firstLine;
  let last = statement.lastLine;
  const above = lines[first - 2] ?? '';
  const below = lines[last] ?? '';
  if (above.trim() === '' && (below.trim() === '' || /^\s*}/.test(below))) first -= 1;
  else if (/{\s*$/.test(above) && below.trim() === '') last += 1;
  return { file, line: first, remove: last - first + 1, insert: [] };
}
