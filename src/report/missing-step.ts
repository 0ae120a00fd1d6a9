import type { Finding } from '#review/document.js';

export interface MissingStep {
  /** What would have to happen, in words that follow "missing:". */
  readonly what: string;
  /** Index into the trace of the step before which it is missing, or null when the trace is empty. */
  readonly before: number | null;
  /** Index of the step that goes wrong. */
  readonly wrong: number | null;
}

/**
 * Which step the run lacks, and where. The wrong step is the last one at the finding's line; a missing flush is
 * reported at the change that needs it, but it goes wrong where the run ends.
 */
export function missingStep(finding: Finding): MissingStep {
  const last = finding.trace.length - 1;
  const place = finding.trace.findLastIndex(
    (step) => step.line === finding.line && step.file === finding.file,
  );
  const wrong = last < 0 ? null : finding.hazard === 'missing-flush' || place < 0 ? last : place;
  return { what: describe(finding.hazard), before: wrong, wrong };
}

function describe(hazard: Finding['hazard']): string {
  switch (hazard) {
    case 'free-before-clear':
      return 'clearing every entry that leads here';
    case 'free-before-flush':
      return 'a TLB flush that covers the entry';
    case 'table-free-before-flush':
      return 'a flush of the walk caches';
    case 'table-free-without-sync':
      return 'an IPI to every CPU, or an RCU grace period';
    case 'flush-without-ipi':
      return 'an IPI or RCU grace period of its own';
    case 'missing-flush':
      return 'a TLB flush, or handing the duty on';
    case 'unlock-before-flush':
      return 'the TLB flush, before the unlock';
    case 'reuse-under-deferred-flush':
      return 'a flush that has run on every CPU';
    case 'table-free-under-deferred-flush':
      return 'a flush that has run on every CPU';
    case 'torn-pte-read':
      return 'what keeps the entry still between the halves';
    case 'split-pte-write-order':
      return 'the present half in its right turn, with a barrier';
    case 'flush-scope-too-narrow':
      return 'a flush that reaches what was changed';
    case 'shared-table-walk-race':
      return 'a lock that the walker takes too';
    case 'break-before-make':
      return 'clear and flush before the new value';
    case 'notifier-order':
      return 'invalidating secondary TLBs';
  }
}
