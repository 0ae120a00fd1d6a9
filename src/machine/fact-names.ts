import type { FactName } from '#event/machine-facts.js';

/** Every fact that a machine file states: the names of event/'s type, as values. */
export const FACT_NAMES = [
  'remote-flush',
  'flush-interrupts-walkers',
  'lazy-cpus',
  'walk-cache',
  'page-flush-depth',
  'range-flush-depth',
  'kernel-range-flush-depth',
  'page-flush-drops-all-walk-caches',
  'table-free',
  'entry-halves',
  'store-order',
  'break-before-make',
  'tlbi-needs-isb',
  'gup-fast',
  'kernel-entry-deferral',
  'sync-one',
  'flush-notifies-secondary',
  'preempted-vcpus',
  'lazy-mmu-batch',
  'top-links-in-registers',
  'table-in-sections',
  'kernel-clear-purges',
  'consequence-stale-page',
  'consequence-stale-table',
  'consequence-live-replace',
] as const satisfies readonly FactName[];

/** Does not compile when event/ gains a fact that the list lacks. */
type Missing = Exclude<FactName, (typeof FACT_NAMES)[number]>;
const complete: [Missing] extends [never] ? true : never = true;
void complete;
