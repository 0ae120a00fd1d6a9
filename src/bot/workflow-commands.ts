import type { Finding } from '#review/document.js';

/** GitHub shows so many of each kind for a step and drops the others without a word. */
const MOST = 10;

/** Annotations as lines of a workflow's log; worst first, and a last line that says how many are left out. */
export function workflowCommands(findings: readonly Finding[]): readonly string[] {
  const kinds = { error: 'error', warning: 'warning', note: 'notice' } as const;
  const counts = { error: 0, warning: 0, note: 0 };
  const lines: string[] = [];
  let left = 0;
  for (const finding of findings) {
    counts[finding.severity] += 1;
    if (counts[finding.severity] > MOST) {
      left += 1;
      continue;
    }
    const place = `file=${inProperty(finding.file)},line=${finding.line}`;
    const title = `title=${inProperty(`${finding.hazard} in ${finding.function}`)}`;
    const text = `${finding.message} Happens on ${finding.machines.join(', ')}.`;
    lines.push(`::${kinds[finding.severity]} ${place},${title}::${inText(text)}`);
  }
  if (left > 0) lines.push(`shootdown: ${left} more are in the job summary and the SARIF file`);
  return lines;
}

/** What ends a command, or starts another, is written in the way that the runner reads back. */
const inText = (text: string): string =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');

const inProperty = (text: string): string => inText(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
