import type { Finding, TraceLine } from '#review/document.js';
import { cleanLine } from './clean-text.js';
import { missingStep } from './missing-step.js';

const LONGEST = 76;
const HEAD = 46;

/**
 * What a step does, for people. A branch is told by the expression that it tests, which can be as long as all the calls
 * behind it: its middle is left out, since the source line beside it says the same. Beginning and answer stay.
 */
export function shortStep(what: string): string {
  const clean = cleanLine(what);
  if (!isBranch(what) || clean.length <= LONGEST) return clean;
  return `${clean.slice(0, HEAD).trimEnd()} ... ${clean.slice(clean.length - (LONGEST - HEAD - 5)).trimStart()}`;
}

/** A step that only finds out which way the program goes. */
export const isBranch = (what: string): boolean => what.startsWith('finds: ');

/**
 * A finding whose run holds what happens, and the branches that lead there apart: a mail has room for the first only.
 * Steps that change something, and the one that goes wrong, always stay.
 */
export function withoutBranches(finding: Finding): {
  readonly finding: Finding;
  /** Source lines of the branches that were left out, in order, without repeats. */
  readonly branches: readonly string[];
} {
  const { wrong } = missingStep(finding);
  const isLeftOut = (step: TraceLine, i: number): boolean =>
    isBranch(step.what) && step.changes.length === 0 && i !== wrong && i !== finding.trace.length - 1;
  const lines = finding.trace
    .filter(isLeftOut)
    .flatMap((step) => (step.text === undefined ? [] : [cleanLine(step.text)]));
  return {
    finding: { ...finding, trace: finding.trace.filter((step, i) => !isLeftOut(step, i)) },
    branches: [...new Set(lines)],
  };
}
