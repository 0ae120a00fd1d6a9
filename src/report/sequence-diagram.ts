/** A finding's run as a Mermaid sequence diagram: the picture beside the text trace, never instead of it. */
import type { Finding, TraceLine } from '#review/document.js';
import { cleanLine } from './clean-text.js';
import { missingStep } from './missing-step.js';
import { cutText } from './wrap-text.js';

/** Larger diagrams are unreadable, and GitHub shows them as plain text when they take too long to draw. */
const MOST_MESSAGES = 40;
const WIDEST_LABEL = 110;

/**
 * Lines of the diagram, without fence. Each CPU is a participant, and so is memory: the entries, tables and caches
 * that steps change. At most 40 messages; of a longer run the last ones, which show what goes wrong. Labels are cut
 * down to letters, digits and a little punctuation, since Mermaid reads much else as its own syntax.
 */
export function sequenceDiagram(finding: Finding): readonly string[] {
  const first = Math.max(0, finding.trace.length - MOST_MESSAGES);
  const shown = finding.trace.slice(first);
  if (shown.length === 0) return [];
  const cpus = [...new Set(shown.map((step) => step.cpu))].sort((a, b) => a - b);
  const missing = missingStep(finding);
  const lines = ['sequenceDiagram'];
  for (const cpu of cpus) lines.push(`  participant C${cpu} as ${label(`CPU${cpu} ${ownerOf(cpu, shown)}`)}`);
  lines.push('  participant M as entries, tables and caches');
  if (first > 0) lines.push(`  Note over M: ${label(`${first} steps before these`)}`);
  shown.forEach((step, index) => {
    const number = first + index;
    if (number === missing.before && finding.status !== 'fixed')
      lines.push(`  Note over C${step.cpu}: ${label(`missing, ${missing.what}`)}`);
    const arrow = number === missing.wrong ? '-x' : step.who === 'hardware' ? '-->>' : '->>';
    const target = step.changes.length > 0 || arrow === '-x' ? 'M' : `C${step.cpu}`;
    lines.push(`  C${step.cpu}${arrow}${target}: ${label(`${number + 1} ${textOf(step, finding)}`)}`);
  });
  return lines;
}

function textOf(step: TraceLine, finding: Finding): string {
  const who = step.who === 'hardware' ? 'hardware, ' : '';
  const line = step.line !== null && step.file === finding.file ? ` (line ${step.line})` : '';
  return `${who}${step.what}${line}`;
}

function ownerOf(cpu: number, trace: readonly TraceLine[]): string {
  return trace.find((step) => step.cpu === cpu && step.who !== 'hardware')?.who ?? '';
}

function label(text: string): string {
  const plain = cleanLine(text)
    .replace(/[:;]/g, ',')
    .replace(/[^A-Za-z0-9 .,()_/+-]/g, ' ')
    .replace(/-{2,}/g, '-')
    .replace(/ {2,}/g, ' ')
    .trim();
  return cutText(plain, WIDEST_LABEL);
}
