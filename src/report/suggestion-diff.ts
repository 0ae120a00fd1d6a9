import type { Finding } from '#review/document.js';
import { cleanSource } from './clean-text.js';

export interface DiffLine {
  readonly kind: 'place' | 'remove' | 'insert';
  readonly text: string;
}

/**
 * A suggestion as a small diff, in the order of the file. A removed line is shown with its text where the finding
 * knows it, else by its number: the document carries no file texts.
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
  for (const edit of order) {
    out.push({ kind: 'place', text: `@@ ${edit.file}:${edit.line} @@` });
    for (let i = 0; i < edit.remove; i++) {
      const text = texts.get(`${edit.file}\0${edit.line + i}`);
      out.push({ kind: 'remove', text: cleanSource(text ?? `(line ${edit.line + i})`) });
    }
    for (const text of edit.insert) out.push({ kind: 'insert', text: cleanSource(text) });
  }
  return shiftLeft(out);
}

function shiftLeft(lines: readonly DiffLine[]): readonly DiffLine[] {
  const code = lines.filter((l) => l.kind !== 'place' && l.text !== '');
  const common = Math.min(...code.map((l) => l.text.length - l.text.trimStart().length));
  return lines.map((l) => (l.kind === 'place' || l.text === '' ? l : { ...l, text: l.text.slice(common) }));
}
