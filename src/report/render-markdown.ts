import type { Finding, ReviewDocument, ReviewedPatch } from '#review/document.js';
import { cleanLine } from './clean-text.js';
import { codeFrame } from './code-frame.js';
import { countFindings, coverageOf, shownFindings } from './coverage.js';
import { cpuColumns } from './cpu-columns.js';
import { code, fenced, plain } from './markdown-text.js';
import { DIFF_SIGNS, suggestionClaim, suggestionDiff } from './suggestion-diff.js';

/** A review as GitHub-flavoured Markdown: one section a patch, one subsection a finding, long parts folded away. */
export function renderMarkdown(document: ReviewDocument): string {
  const lines = document.patches.flatMap((patch) => [...renderPatch(patch), '']);
  if (lines.length === 0) lines.push('Nothing to review.', '');
  return `${lines.join('\n').trimEnd()}\n`;
}

function renderPatch(patch: ReviewedPatch): readonly string[] {
  const subject = cleanLine(patch.subject);
  const lines = [`## ${plain(subject === '' ? patch.files.join(', ') : subject)}`, ''];
  for (const finding of shownFindings(patch)) lines.push(...renderFinding(finding), '');
  const { touched, decided, undecided } = coverageOf(patch);
  const counts = countFindings(patch);
  const seen = patch.context === 'hunks' ? ' Only the hunks were seen.' : '';
  lines.push(
    `${counts === '' ? 'No finding' : counts}; ${decided} of ${touched} touched functions analysed.${seen}`,
  );
  if (undecided.length > 0) {
    lines.push('', 'Not decided:', '');
    for (const u of undecided) {
      const place = u.function === '' ? code(u.file) : `${code(u.function)} (${code(u.file)})`;
      lines.push(`- ${place}: ${plain(u.kind)}: ${plain(u.reason)}`);
    }
  }
  return lines;
}

function renderFinding(finding: Finding): readonly string[] {
  const lines = [
    `### ${finding.severity}: ${code(finding.hazard)} (${finding.status})`,
    '',
    `${code(`${finding.file}:${finding.line}`)}${finding.side === 'old' ? ' (before the patch)' : ''} in ${code(finding.function)}`,
    '',
    `**${plain(finding.message)}**`,
    '',
  ];
  for (const { file, lines: shown } of codeFrame(finding)) {
    const body = shown.map((l) => {
      const label = l.label === '' ? '' : `  /* ${l.label.replaceAll('*/', '* /')} */`;
      return `${l.primary ? '>' : ' '}${l.side === 'old' ? '-' : ' '}${String(l.line).padStart(5)}  ${l.text ?? ''}${label}`.trimEnd();
    });
    lines.push(`${code(file)}:`, '', ...fenced('c', body), '');
  }
  if (finding.trace.length > 0 && finding.status !== 'fixed') {
    const trace = cpuColumns(finding, 100, (text) => text);
    lines.push(
      '<details><summary>How it goes wrong, step by step</summary>',
      '',
      ...fenced('text', trace),
      '',
      '</details>',
      '',
    );
  }
  const item = (label: string, text: string): void => {
    if (text !== '') lines.push(`- ${label}: ${text}`);
  };
  item(finding.status === 'fixed' ? 'Happened on' : 'Happens on', names(finding.machines));
  item('Clean on', names(finding.safeOn));
  item('Not built on', names(finding.notBuiltOn));
  item('Consequence', plain(finding.consequence));
  for (const text of finding.assumptions) item('Assumes', plain(text));
  item('Confidence', `${finding.confidence}${finding.why === '' ? '' : `: ${plain(finding.why)}`}`);
  if (finding.closedBy !== null) item('Closed by a later patch', plain(finding.closedBy));
  if (finding.suggestion !== null) {
    lines.push('', `Suggested edit: ${suggestionClaim(finding.suggestion)}.`, '');
    lines.push(
      ...fenced(
        'diff',
        suggestionDiff(finding).map((d) => DIFF_SIGNS[d.kind] + d.text),
      ),
    );
  }
  return lines;
}

const names = (list: readonly string[]): string => list.map(code).join(', ');
