/**
 * A review as text for a terminal or a mail. `report/` turns the published document into other formats: pure
 * functions, no IO, no clock, no environment. Everything comes from the document; no file is opened.
 */
import { createColors } from 'picocolors';
import type { Finding, ReviewDocument, ReviewedPatch, Severity } from '#review/document.js';
import { cleanLine } from './clean-text.js';
import { codeFrame, type FrameFile, type FrameLine } from './code-frame.js';
import { countFindings, coverageOf, shownFindings } from './coverage.js';
import { cpuColumns, type Tone } from './cpu-columns.js';
import { suggestionClaim, suggestionDiff } from './suggestion-diff.js';
import { cutText, wrapText } from './wrap-text.js';

export interface TextOptions {
  readonly color: boolean;
  /** Columns; less than 40 is taken as 40. */
  readonly width: number;
}

type Paint = ReturnType<typeof createColors>;

/** Renders a document. The same document and options give the same text; the last line ends in a newline. */
export function renderText(document: ReviewDocument, options: TextOptions): string {
  const paint = createColors(options.color);
  const width = Math.max(40, options.width);
  const lines: string[] = [];
  document.patches.forEach((patch, i) => {
    if (lines.length > 0) lines.push('');
    lines.push(...renderPatch(patch, i, document.patches.length, width, paint));
  });
  if (document.patches.length === 0) lines.push('Nothing to review.');
  return `${lines.join('\n')}\n`;
}

function renderPatch(
  patch: ReviewedPatch,
  index: number,
  of: number,
  width: number,
  paint: Paint,
): readonly string[] {
  const lines: string[] = [];
  const subject = cleanLine(patch.subject);
  const number = of > 1 ? `${index + 1}/${of} ` : '';
  lines.push(
    ...wrapText(`${number}${subject === '' ? patch.files.join(', ') : subject}`, width).map(paint.bold),
    '',
  );
  for (const finding of shownFindings(patch)) lines.push(...renderFinding(finding, width, paint), '');
  lines.push(...renderFooter(patch, width, paint));
  return lines;
}

function renderFinding(finding: Finding, width: number, paint: Paint): readonly string[] {
  const lines: string[] = [];
  const hue = severityPaint(finding.severity, paint);
  const place = `${finding.file}:${finding.line}${finding.side === 'old' ? ' (before the patch)' : ''}`;
  lines.push(...headerLines(finding, place, width, paint));
  lines.push(...indented(wrapText(cleanLine(finding.message), width - 2), 2).map(paint.bold), '');

  for (const file of codeFrame(finding)) lines.push(...renderFrame(file, width, hue, paint), '');

  // What a patch repairs needs no proof: the run is shown for what is, or stays, wrong.
  if (finding.trace.length > 0 && finding.status !== 'fixed') {
    lines.push(`  ${paint.bold('How it goes wrong')}`);
    const tone = (text: string, t: Tone): string => paintTone(text, t, hue, paint);
    lines.push(...indented(cpuColumns(finding, width - 2, tone), 2), '');
  }

  const field = (label: string, text: string): void => {
    if (text === '') return;
    wrapText(text, width - 17).forEach((line, i) => {
      lines.push(`  ${i === 0 ? paint.cyan(label.padEnd(15)) : ' '.repeat(15)}${line}`);
    });
  };
  field(finding.status === 'fixed' ? 'Happened on' : 'Happens on', finding.machines.join(', '));
  field('Clean on', finding.safeOn.join(', '));
  field('Not built on', finding.notBuiltOn.join(', '));
  field('Consequence', cleanLine(finding.consequence));
  finding.assumptions.forEach((text, i) => {
    field(i === 0 ? 'Assumes' : '', `- ${cleanLine(text)}`);
  });
  field('Confidence', `${finding.confidence}${finding.why === '' ? '' : `: ${cleanLine(finding.why)}`}`);
  if (finding.closedBy !== null) field('Closed by', `a later patch: ${cleanLine(finding.closedBy)}`);
  lines.push(...renderSuggestion(finding, width, paint));
  return lines;
}

/** Function and status go to a second line when the place leaves no room for them. */
function headerLines(finding: Finding, place: string, width: number, paint: Paint): readonly string[] {
  const hue = severityPaint(finding.severity, paint);
  const head = `${finding.severity}[${finding.hazard}]`;
  const rest = `in ${cleanLine(finding.function)} (${finding.status})`;
  const painted = paint.bold(hue(head));
  if (head.length + place.length + rest.length + 2 <= width) return [`${painted} ${place} ${rest}`];
  return [`${painted} ${place}`, ...indented(wrapText(rest, width - 2), 2)];
}

function renderFrame(
  file: FrameFile,
  width: number,
  hue: (s: string) => string,
  paint: Paint,
): readonly string[] {
  const digits = Math.max(4, ...file.lines.map((l) => String(l.line).length));
  const gutter = ' '.repeat(digits + 4);
  const room = width - gutter.length - 3;
  const lines = [`${gutter}${paint.dim('--> ')}${cleanLine(file.file)}`];
  let last: FrameLine | null = null;
  for (const line of file.lines) {
    if (last !== null && (last.side !== line.side || line.line > last.line + 1))
      lines.push(`${gutter}${paint.dim('...')}`);
    last = line;
    const mark = line.primary ? hue('>') : ' ';
    const sign = line.side === 'old' ? '-' : ' ';
    const text = line.text === null ? '' : cutText(line.text, room);
    const shown = line.side === 'old' ? paint.red(text) : text;
    lines.push(`${mark} ${sign}${String(line.line).padStart(digits)} ${paint.dim('|')} ${shown}`.trimEnd());
    lines.push(
      ...underline(line, text, room, line.primary ? hue : paint.cyan).map(
        (l) => `${gutter}${paint.dim('|')} ${l}`,
      ),
    );
  }
  return lines;
}

/** `^^^^ label` under the code; the label moves below when there is no room beside the marks. */
function underline(
  line: FrameLine,
  text: string,
  room: number,
  hue: (s: string) => string,
): readonly string[] {
  const label = line.label === '' && line.side === 'old' ? 'before the patch' : line.label;
  if (label === '' && !line.primary) return [];
  const start = text.length - text.trimStart().length;
  const marks = (line.primary ? '^' : '-').repeat(text.length - start);
  const blank = ' '.repeat(start);
  if (label === '') return marks === '' ? [] : [blank + hue(marks)];
  if (marks !== '' && start + marks.length + 1 + label.length <= room)
    return [blank + hue(`${marks} ${label}`)];
  const below = wrapText(label, Math.max(20, room - start)).map((l) => blank + hue(l));
  return marks === '' ? below : [blank + hue(marks), ...below];
}

function renderSuggestion(finding: Finding, width: number, paint: Paint): readonly string[] {
  if (finding.suggestion === null) return [];
  const proof = `Suggested edit: ${suggestionClaim(finding.suggestion)}`;
  const lines = ['', ...indented(wrapText(proof, width - 2), 2).map(paint.bold)];
  for (const { kind, text } of suggestionDiff(finding)) {
    switch (kind) {
      case 'place':
        lines.push(`    ${paint.cyan(text)}`);
        break;
      case 'keep':
        lines.push(`      ${text}`.trimEnd());
        break;
      case 'remove':
        lines.push(`    ${paint.red(`- ${text}`)}`);
        break;
      case 'insert':
        lines.push(`    ${paint.green(`+ ${text}`)}`);
        break;
    }
  }
  return lines;
}

function renderFooter(patch: ReviewedPatch, width: number, paint: Paint): readonly string[] {
  const { touched, decided, undecided } = coverageOf(patch);
  const lines: string[] = [];
  const counts = countFindings(patch);
  const searched =
    touched === 0
      ? 'no touched function bears on page tables'
      : touched === 1 && decided === 1
        ? 'the one touched function analysed'
        : decided === touched
          ? `all ${touched} touched functions analysed`
          : `${decided} of ${touched} touched functions analysed`;
  const seen = patch.context === 'hunks' ? '; only the hunks were seen' : '';
  lines.push(...wrapText(`${counts === '' ? 'No finding' : counts}; ${searched}${seen}.`, width));
  for (const u of undecided) {
    const place = u.function === '' ? cleanLine(u.file) : `${cleanLine(u.function)} (${cleanLine(u.file)})`;
    const text = `${place}: ${reasonWord(u.kind)}: ${cleanLine(u.reason)}`;
    wrapText(text, width - 15).forEach((line, i) => {
      lines.push(`${i === 0 ? paint.yellow('  not decided: ') : ' '.repeat(15)}${line}`);
    });
  }
  return lines;
}

function reasonWord(kind: ReviewedPatch['undecided'][number]['kind']): string {
  switch (kind) {
    case 'parse':
      return 'not parsed';
    case 'limit':
      return 'limit reached';
    case 'resolve':
      return 'not resolved';
  }
}

function severityPaint(severity: Severity, paint: Paint): (text: string) => string {
  switch (severity) {
    case 'error':
      return paint.red;
    case 'warning':
      return paint.yellow;
    case 'note':
      return paint.blue;
  }
}

function paintTone(text: string, tone: Tone, hue: (s: string) => string, paint: Paint): string {
  switch (tone) {
    case 'head':
      return paint.bold(text);
    case 'step':
      return text;
    case 'change':
      return paint.dim(text);
    case 'source':
      return paint.dim(text);
    case 'missing':
      return paint.bold(hue(text));
    case 'wrong':
      return hue(text);
  }
}

function indented(lines: readonly string[], by: number): string[] {
  return lines.map((l) => (l === '' ? l : ' '.repeat(by) + l));
}
