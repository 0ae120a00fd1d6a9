/** What a reply says about a finding: a question about the code, what was seen, the run, what it rests on. */
import type { Finding } from '#review/document.js';
import { cleanLine, cleanSource } from './clean-text.js';
import { cpuColumns } from './cpu-columns.js';
import { missingStep } from './missing-step.js';
import { withoutBranches } from './short-step.js';
import { DIFF_SIGNS, suggestionClaim, suggestionDiff } from './suggestion-diff.js';
import { wrapText } from './wrap-text.js';

const WIDTH = 72;
const INDENT = '    ';
/** Paragraphs of assumptions are for the page and the terminal; a mail names the first ones. */
const MOST_ASSUMPTIONS = 3;
const MOST_BRANCHES = 4;
const LONGEST_BRANCH = 50;

/** Lines of at most 72 columns, code of the suggestion aside. `onItsLine`: the comment stands under the finding's line. */
export function mailComment(
  finding: Finding,
  onItsLine: boolean,
  context: 'tree' | 'hunks',
): readonly string[] {
  const lines = [
    ...paragraph(`${question(finding, onItsLine)} ${observation(finding)}`),
    '',
    ...paragraph(machinesText(finding)),
  ];
  if (finding.trace.length > 0) {
    const { finding: short } = withoutBranches(finding);
    lines.push(
      '',
      ...cpuColumns(short, WIDTH - INDENT.length, (text) => text, 'code').map((l) => INDENT + l),
    );
  }
  const past = branchesText(finding);
  const after = [
    past,

    finding.consequence === '' ? '' : upperFirst(sentence(finding.consequence)),
    restsOn(finding),
  ];
  for (const text of after) if (text !== '') lines.push('', ...paragraph(text));
  if (context === 'hunks')
    lines.push('', ...paragraph('Only the hunks were seen here; the rest of the file may well answer this.'));
  lines.push(...suggestionLines(finding));
  return lines;
}

function paragraph(text: string): readonly string[] {
  return wrapText(sayable(text), WIDTH);
}

/** Text for a list: no back-quotes, and no words that list software takes as commands. */
export function sayable(text: string): string {
  return text.replaceAll('`', '').replace(/\b(pw-bot|patchwork-bot):/gi, '$1 :');
}

/** The question names function and code, since a mail has no line numbers that stay true. */
function question(finding: Finding, onItsLine: boolean): string {
  const code = codeAt(finding);
  const here = onItsLine || code === null ? 'here' : `at ${code}`;
  return `In ${cleanLine(finding.function)}(), ${ask(finding.hazard, here)}`;
}

function codeAt(finding: Finding): string | null {
  const { wrong } = missingStep(finding);
  const step = wrong === null ? undefined : finding.trace[wrong];
  const own = [...finding.related, ...(step === undefined ? [] : [step])].find(
    (r) => r.file === finding.file && r.line === finding.line && r.text,
  );
  const text = own?.text === undefined ? '' : cleanSource(own.text).trim().replace(/;$/, '');
  return text === '' || text.length > 60 ? null : text;
}

function ask(hazard: Finding['hazard'], here: string): string {
  switch (hazard) {
    case 'free-before-clear':
      return `can an entry still lead to what is freed ${here}?`;
    case 'free-before-flush':
      return `can a CPU still hold a translation of what is freed ${here}?`;
    case 'table-free-before-flush':
      return `can a walk cache still lead to the table that is freed ${here}?`;
    case 'table-free-without-sync':
      return `what waits for lockless walkers before the table is freed ${here}?`;
    case 'flush-without-ipi':
      return `what waits for CPUs with interrupts off ${here}, where the flush sends no interrupt?`;
    case 'missing-flush':
      return `which TLB flush covers the change ${here}?`;
    case 'unlock-before-flush':
      return `can somebody take the lock ${here} and rely on the change before the flush?`;
    case 'reuse-under-deferred-flush':
      return `has the flush run on every CPU before the address range is used again ${here}?`;
    case 'table-free-under-deferred-flush':
      return `has the flush run on every CPU before the table is freed ${here}?`;
    case 'torn-pte-read':
      return `what keeps the entry still between the two halves of the read ${here}?`;
    case 'split-pte-write-order':
      return `can hardware walk the entry between the two stores ${here}?`;
    case 'flush-scope-too-narrow':
      return `does the flush reach everything that changed ${here}?`;
    case 'shared-table-walk-race':
      return `what keeps a walker out of the table ${here}?`;
    case 'break-before-make':
      return `is the old entry cleared and flushed before the new one is written ${here}?`;
    case 'notifier-order':
      return `are secondary TLBs told in time ${here}?`;
  }
}

function observation(finding: Finding): string {
  return `On a model of the machine, ${lowerFirst(sentence(finding.message))}`;
}

function machinesText({ machines, safeOn }: Finding): string {
  const fine = safeOn.length === 0 ? '' : `; ${listed(safeOn)} ${safeOn.length === 1 ? 'is' : 'are'} fine`;
  return `This run goes wrong on ${listed(machines)}${fine}:`;
}

/** The way to the step that goes wrong, by its last branches: enough to see which path is meant. */
function branchesText(finding: Finding): string {
  const { branches } = withoutBranches(finding);
  const tests = branches.flatMap((line) => /^(?:\} else )?(if \(.*\))(?: \{)?$/.exec(line)?.[1] ?? []);
  const shown = tests.filter((test) => test.length <= LONGEST_BRANCH).slice(-MOST_BRANCHES);
  if (shown.length === 0) return '';
  return `The way there is past ${shown.join('; ')}.`;
}

function restsOn({ assumptions, confidence, why }: Finding): string {
  if (assumptions.length > 0) {
    const shown = assumptions.slice(0, MOST_ASSUMPTIONS).map(cleanLine);
    const more = assumptions.length - shown.length;
    return `This takes for granted: ${shown.join('; ')}${more > 0 ? `; and ${more} more` : ''}.`;
  }
  if (confidence === 'high') return '';
  return why === '' ? '' : `Confidence is ${confidence}: ${sentence(why)}`;
}

function suggestionLines(finding: Finding): readonly string[] {
  if (finding.suggestion === null) return [];
  return [
    '',
    ...paragraph(`With the change below, the same search has ${suggestionClaim(finding.suggestion)}:`),
    '',
    ...suggestionDiff(finding)
      .filter((d) => d.kind !== 'place')
      .map((d) => (INDENT + DIFF_SIGNS[d.kind] + d.text).trimEnd()),
  ];
}

function listed(names: readonly string[]): string {
  const last = names.at(-1) ?? '';
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} and ${last}`;
}

function sentence(text: string): string {
  const clean = cleanLine(text);
  return /[.?!]$/.test(clean) ? clean : `${clean}.`;
}

const upperFirst = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** A word such as TLB keeps its capitals. */
function lowerFirst(text: string): string {
  return /^[A-Z][a-z]+\b/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}
