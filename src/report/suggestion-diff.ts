import type { Finding, SuggestedEdit } from '#review/document.js';
import { cleanSource } from './clean-text.js';

export interface DiffLine {
  readonly kind: 'place' | 'keep' | 'remove' | 'insert';
  readonly text: string;
}

/** What stands in front of a line of a diff. */
export const DIFF_SIGNS: Readonly<Record<DiffLine['kind'], string>> = {
  place: '',
  keep: '  ',
  remove: '- ',
  insert: '+ ',
};

/** What is said for a suggestion, and no more: what the search did with it. */
export function suggestionClaim(suggestion: NonNullable<Finding['suggestion']>): string {
  const count = (n: number, what: string): string =>
    `${String(n).replace(/\B(?=(?:\d{3})+$)/g, ',')} ${what}${n === 1 ? '' : 's'}`;
  const { states, machines } = suggestion;
  return `no new violation found in ${count(states, 'state')} on ${count(machines.length, 'machine')}`;
}

/**
 * A suggestion as a small diff, in the order of the file, with the lines around that the document knows. A removed line
 * is shown with its text where the edit or the finding knows it, else by its number.
 */
export function suggestionDiff(finding: Finding): readonly DiffLine[] {
  if (finding.suggestion === null) return [];
  const texts = new Map<string, string>();
  for (const r of finding.related) if (r.side === 'new' && r.text) texts.set(`${r.file}\0${r.line}`, r.text);
  for (const s of finding.trace)
    if (s.file && s.line !== null && s.text) texts.set(`${s.file}\0${s.line}`, s.text);
  const order = [...finding.suggestion.edits].sort((a, b) =>
    a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1,
  );
  const out: DiffLine[] = [];
  const keep = (text: string): void => void out.push({ kind: 'keep', text: cleanSource(text) });
  // The line up to which the file has been shown.
  let shown = 0;
  for (const [n, edit] of order.entries()) {
    const above = edit.above ?? [];
    const first = edit.line - above.length;
    const goesOn = order[n - 1]?.file === edit.file && first <= shown + 1;
    if (!goesOn) out.push({ kind: 'place', text: `@@ ${edit.file}:${edit.line} @@` });
    for (const text of above.slice(goesOn ? shown + 1 - first : 0)) keep(text);
    for (let i = 0; i < edit.remove; i++) {
      const text = edit.removed?.[i] ?? texts.get(`${edit.file}\0${edit.line + i}`);
      out.push({ kind: 'remove', text: cleanSource(text ?? `(line ${edit.line + i})`) });
    }
    for (const text of edit.insert) out.push({ kind: 'insert', text: cleanSource(text) });
    const below = belowOf(edit, order[n + 1]);
    for (const text of below) keep(text);
    shown = edit.line + edit.remove - 1 + below.length;
  }
  return shiftLeft(out);
}

/** The lines behind an edit, as far as the next one. */
function belowOf(edit: SuggestedEdit, next: SuggestedEdit | undefined): readonly string[] {
  const below = edit.below ?? [];
  if (next === undefined || next.file !== edit.file) return below;
  return below.slice(0, Math.max(0, next.line - edit.line - edit.remove));
}

function shiftLeft(lines: readonly DiffLine[]): readonly DiffLine[] {
  const code = lines.filter((l) => l.kind !== 'place' && l.text !== '');
  const common = Math.min(...code.map((l) => l.text.length - l.text.trimStart().length));
  return lines.map((l) => (l.kind === 'place' || l.text === '' ? l : { ...l, text: l.text.slice(common) }));
}
