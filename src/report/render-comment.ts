/** One finding as the Markdown of a review comment: the statement first, what proves it folded away below. */
import type { Finding } from '#review/document.js';
import { cpuColumns } from './cpu-columns.js';
import { code, fenced, plain } from './markdown-text.js';
import { sequenceDiagram } from './sequence-diagram.js';
import { DIFF_SIGNS, suggestionClaim, suggestionDiff } from './suggestion-diff.js';

/** New lines for a stretch of the changed file, ready for a suggestion block. */
export interface SuggestedLines {
  readonly lines: readonly string[];
}

/**
 * @param suggested the finding's suggestion where it fits the lines that the comment stands at; without it a
 *   suggestion is shown as a small diff
 * @param withPlace names file and line, for a comment that does not stand at them
 */
export function renderComment(
  finding: Finding,
  suggested: SuggestedLines | null = null,
  withPlace = false,
): string {
  const place = withPlace ? `${code(`${finding.file}:${finding.line}`)} in ` : 'in ';
  const lines = [
    `**${finding.severity}: ${code(finding.hazard)}** ${place}${code(finding.function)}`,
    '',
    plain(finding.message),
    '',
    `Happens on ${names(finding.machines)}${also('; clean on ', finding.safeOn)}${also('; not built on ', finding.notBuiltOn)}.`,
  ];
  if (finding.consequence !== '')
    lines.push(`Consequence: ${plain(finding.consequence.replace(/\.$/, ''))}.`);
  lines.push(
    `Confidence: ${finding.confidence}${finding.why === '' ? '' : ` (${plain(finding.why)})`}.`,
    '',
    ...suggestion(finding, suggested),
    ...run(finding),
  );
  if (finding.assumptions.length > 0) {
    lines.push(
      '<details><summary>What this rests on</summary>',
      '',
      ...finding.assumptions.map((text) => `- ${plain(text)}`),
      '',
      '</details>',
      '',
    );
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

/** The text trace, then the same run as a diagram, which not every reader can show. */
function run(finding: Finding): readonly string[] {
  if (finding.trace.length === 0) return [];
  return [
    '<details><summary>How it goes wrong, step by step</summary>',
    '',
    ...fenced(
      'text',
      cpuColumns(finding, 100, (text) => text),
    ),
    '',
    '</details>',
    '',
    '<details><summary>The same run as a diagram</summary>',
    '',
    ...fenced('mermaid', sequenceDiagram(finding)),
    '',
    '</details>',
    '',
  ];
}

function suggestion(finding: Finding, suggested: SuggestedLines | null): readonly string[] {
  if (finding.suggestion === null) return [];
  const replayed = `Suggested edit: ${suggestionClaim(finding.suggestion)}.`;
  if (suggested !== null) return [replayed, '', ...fenced('suggestion', suggested.lines), ''];
  const diff = suggestionDiff(finding).map((line) => DIFF_SIGNS[line.kind] + line.text);
  return [replayed, '', ...fenced('diff', diff), ''];
}

const names = (list: readonly string[]): string => list.map(code).join(', ');

const also = (words: string, list: readonly string[]): string =>
  list.length === 0 ? '' : `${words}${names(list)}`;
