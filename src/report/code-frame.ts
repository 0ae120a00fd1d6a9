import type { Finding, Side } from '#review/document.js';
import { cleanLine, cleanSource } from './clean-text.js';
import { missingStep } from './missing-step.js';

/** One source line of a finding, ready to be drawn. */
export interface FrameLine {
  readonly line: number;
  readonly side: Side;
  /** Null: the review does not know the line's text. */
  readonly text: string | null;
  readonly label: string;
  /** The line at which the finding is reported. */
  readonly primary: boolean;
}

/** Lines of one file, in order; lines that only the old file has come after the new file's. */
export interface FrameFile {
  readonly file: string;
  readonly lines: readonly FrameLine[];
}

/**
 * The lines that matter for a finding, from its related lines and trace alone: the finding's own file first, then
 * others by first appearance. Common indentation is taken off per file.
 */
export function codeFrame(finding: Finding): readonly FrameFile[] {
  const found = new Map<
    string,
    { file: string; side: Side; line: number; text: string | null; labels: string[] }
  >();
  const note = (file: string, side: Side, line: number, text: string | undefined, label: string): void => {
    const key = `${file}\0${side}\0${line}`;
    const known = found.get(key) ?? { file, side, line, text: null, labels: [] };
    known.text ??= text === undefined ? null : cleanSource(text);
    if (label !== '' && !known.labels.includes(label)) known.labels.push(label);
    found.set(key, known);
  };
  note(finding.file, finding.side, finding.line, undefined, '');
  for (const r of finding.related) note(r.file, r.side, r.line, r.text, cleanLine(r.what));
  // The finding's own line is described by the step that goes wrong there.
  const described = finding.related.some(
    (r) => r.file === finding.file && r.side === finding.side && r.line === finding.line && r.what !== '',
  );
  const { wrong } = missingStep(finding);
  finding.trace.forEach((step, i) => {
    if (step.file !== finding.file || step.line !== finding.line) return;
    note(
      finding.file,
      finding.side,
      finding.line,
      step.text,
      i === wrong && !described ? cleanLine(step.what) : '',
    );
  });
  const files = new Map<string, FrameLine[]>();
  for (const { file, side, line, text, labels } of found.values()) {
    const primary = file === finding.file && side === finding.side && line === finding.line;
    const lines = files.get(file) ?? [];
    lines.push({ line, side, text, label: labels.join('; '), primary });
    files.set(file, lines);
  }
  return [...files].map(([file, lines]) => ({ file, lines: shiftLeft(lines.sort(byPlace)) }));
}

function byPlace(a: FrameLine, b: FrameLine): number {
  return a.side === b.side ? a.line - b.line : a.side === 'new' ? -1 : 1;
}

function shiftLeft(lines: readonly FrameLine[]): readonly FrameLine[] {
  const indents = lines.flatMap((l) => (l.text ? [l.text.length - l.text.trimStart().length] : []));
  const common = indents.length === 0 ? 0 : Math.min(...indents);
  return lines.map((l) => ({ ...l, text: l.text === null ? null : l.text.slice(common) }));
}
