/** What a change in a tree that exists in memory alone brings in. */
import { reviewSeries } from '#review/review-series.js';
import { loadRules } from '#rules/load-rules.js';
import { change, type Files } from './memory-tree.js';

const rules = loadRules();

/** `hazard in function` of each finding that the change brings in on the machine, and `undecided: reason` of what is left open. */
export function introducedIn(before: Files, after: Files, machine: string, states = 60_000): string[] {
  const document = reviewSeries([change(before, after)], rules, {
    machines: [machine],
    existing: false,
    limits: { states, milliseconds: 20_000 },
    now: () => 0,
    onProgress: () => {},
  });
  return document.patches.flatMap((patch) => [
    ...patch.findings
      .filter((finding) => finding.status === 'introduced')
      .map((finding) => `${finding.hazard} in ${finding.function}`),
    ...patch.undecided.map((gap) => `undecided: ${gap.reason}`),
  ]);
}
