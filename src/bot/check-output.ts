/** A review as the output of a check run: title, summary, details, annotations and conclusion. */
import { type FailOn, fails } from '#cli/fails.js';
import { coverageOf, shownFindings } from '#report/coverage.js';
import { cpuColumns } from '#report/cpu-columns.js';
import { code, plain } from '#report/markdown-text.js';
import { renderComment } from '#report/render-comment.js';
import type { Finding, ReviewDocument, ReviewedPatch } from '#review/document.js';
import { cutSections } from './cut-sections.js';
import { byWeight } from './plan-comments.js';

export interface Annotation {
  readonly path: string;
  readonly line: number;
  readonly column: number | null;
  readonly level: 'failure' | 'warning' | 'notice';
  readonly title: string;
  readonly message: string;
  readonly details: string;
}

export type Conclusion = 'success' | 'neutral' | 'failure' | 'action_required' | 'cancelled';

export interface CheckOutput {
  readonly conclusion: Conclusion;
  readonly title: string;
  readonly summary: string;
  readonly text: string;
  readonly annotations: readonly Annotation[];
}

/** GitHub shows only so many in a useful way; each request takes 50. */
const MOST_ANNOTATIONS = 500;
const MOST_DETAILS = 30_000;

/** Findings that a review posts: what the pull request brings in and nobody silenced. */
export function postedFindings(document: ReviewDocument): readonly Finding[] {
  return document.patches
    .flatMap(shownFindings)
    .filter((finding) => finding.status === 'introduced')
    .sort(byWeight);
}

export function checkOutput(document: ReviewDocument, failOn: FailOn): CheckOutput {
  const findings = postedFindings(document);
  const fixed = document.patches.flatMap((patch) => patch.findings.filter((f) => f.status === 'fixed'));
  const undecided = document.patches.flatMap((patch) => coverageOf(patch).undecided);
  const title = titleOf(document, findings);
  const head = [
    `${title}.`,
    '',
    ...document.patches.map(coverageLine),
    ...(fixed.length === 0
      ? []
      : ['', 'Fixed by this pull request:', '', ...fixed.map((f) => `- ${placeLine(f)}`)]),
    ...silencedLines(document),
    ...(findings.length === 0 ? [] : ['', 'Findings:', '']),
  ];
  const lines = findings.map((f) => `- ${f.severity}: ${placeLine(f)}: ${plain(f.message)}\n`);
  const open = undecided.map((u) => {
    const place = u.function === '' ? code(u.file) : `${code(u.function)} (${code(u.file)})`;
    return `- ${place}: ${plain(u.kind)}: ${plain(u.reason)}\n`;
  });
  const summary = cutSections(
    `${head.join('\n')}\n`,
    [...lines, ...(open.length === 0 ? [] : ['\nNot decided:\n\n']), ...open],
    (n) => `\n${n} more are left out: this summary is full.`,
  );
  const text = cutSections(
    '',
    findings.map((finding) => `${renderComment(finding, null, true)}\n---\n\n`),
    (n) => `${n} more are left out: this text is full. \`shootdown check\` shows all.`,
  );
  return {
    conclusion: conclusionOf(document, findings, undecided.length, failOn),
    title,
    summary,
    text,
    annotations: findings.slice(0, MOST_ANNOTATIONS).map(annotation),
  };
}

/** Neutral where there is something to say: blocking a merge is the repository's decision. */
function conclusionOf(
  document: ReviewDocument,
  findings: readonly Finding[],
  undecided: number,
  failOn: FailOn,
): Conclusion {
  if (fails(document, failOn, ['introduced'])) return 'failure';
  return findings.length > 0 || undecided > 0 ? 'neutral' : 'success';
}

function titleOf(document: ReviewDocument, findings: readonly Finding[]): string {
  const [errors, warnings, notes] = (['error', 'warning', 'note'] as const).map((severity) => {
    const n = findings.filter((finding) => finding.severity === severity).length;
    return n === 0 ? '' : `${n} ${severity}${n === 1 ? '' : 's'}`;
  });
  const counts = [errors, warnings, notes].filter((count) => count !== '').join(', ');
  if (counts !== '') return counts;
  const covered = document.patches.map(coverageOf);
  const touched = covered.reduce((sum, one) => sum + one.touched, 0);
  const decided = covered.reduce((sum, one) => sum + one.decided, 0);
  if (decided < touched) return `Nothing found; ${touched - decided} of ${touched} functions not decided`;
  return covered.some((one) => one.undecided.length > 0)
    ? 'Nothing found; not everything was decided'
    : 'Nothing found';
}

function coverageLine(patch: ReviewedPatch): string {
  const { touched, decided } = coverageOf(patch);
  return `${decided} of ${touched} touched functions analysed.`;
}

/** What was silenced stays countable, and a suppression that does nothing any more is named. */
function silencedLines(document: ReviewDocument): readonly string[] {
  const silenced = document.patches
    .flatMap((patch) => patch.findings)
    .flatMap((f) =>
      f.suppressed === undefined ? [] : [`- ${placeLine(f)}: silenced: ${plain(f.suppressed.reason)}`],
    );
  const idle = (document.idleSuppressions ?? []).map((s) => {
    const scope = [s.path, s.function].filter((part) => part !== null).map(code);
    const why = s.state === 'expired' ? `ended on ${s.expires ?? ''}` : 'silenced nothing';
    return `- ${code(`${s.file}:${s.line}`)}: the suppression of ${[code(s.hazard), ...scope].join(', ')} ${why}`;
  });
  return [
    ...(silenced.length === 0 ? [] : ['', 'Silenced:', '', ...silenced]),
    ...(idle.length === 0 ? [] : ['', 'Suppressions without effect:', '', ...idle]),
  ];
}

const placeLine = (f: Finding): string =>
  `${code(f.hazard)} at ${code(`${f.file}:${f.line}`)} in ${code(f.function)}`;

function annotation(finding: Finding): Annotation {
  const levels = { error: 'failure', warning: 'warning', note: 'notice' } as const;
  const trace = cpuColumns(finding, 100, (text) => text).join('\n');
  return {
    path: finding.file,
    line: finding.line,
    column: null,
    level: levels[finding.severity],
    title: `${finding.hazard} in ${finding.function}`.slice(0, 255),
    message: [
      finding.message,
      `Happens on ${finding.machines.join(', ')}${finding.safeOn.length === 0 ? '' : `; clean on ${finding.safeOn.join(', ')}`}.`,
    ].join('\n'),
    details: trace.length <= MOST_DETAILS ? trace : 'The run is too long for an annotation.',
  };
}
