import type { HazardId } from '#rules/rule.js';

/** The order in which ids are given (docs/model.md, What is wrong): the first that any machine shows names the finding. */
const RANK: readonly HazardId[] = [
  'torn-pte-read',
  'split-pte-write-order',
  'break-before-make',
  'notifier-order',
  'free-before-clear',
  'shared-table-walk-race',
  'flush-without-ipi',
  'table-free-without-sync',
  'table-free-under-deferred-flush',
  'reuse-under-deferred-flush',
  'flush-scope-too-narrow',
  'table-free-before-flush',
  'free-before-flush',
  'unlock-before-flush',
  'missing-flush',
];

/** Which of two hazards names the finding: below zero for the first. */
export function compareHazards(a: HazardId, b: HazardId): number {
  return RANK.indexOf(a) - RANK.indexOf(b);
}
