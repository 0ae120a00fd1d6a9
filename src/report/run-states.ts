/** The state of the machine at each step of a run, from what the steps change. */
import type { TraceLine } from '#review/document.js';
import { cleanLine } from './clean-text.js';

export type StateGroup = 'TLB' | 'Walk caches' | 'Memory' | 'Entries' | 'CPUs and locks';

export interface StateRow {
  readonly what: string;
  readonly group: StateGroup;
  /** The value after each step. */
  readonly values: readonly string[];
  /** Steps that change it. */
  readonly changedAt: readonly number[];
}

const GROUPS: readonly StateGroup[] = ['TLB', 'Walk caches', 'Memory', 'Entries', 'CPUs and locks'];
const UNKNOWN = '';

/** One row for everything that the run changes, by group, in the order of its first change. */
export function runStates(trace: readonly TraceLine[]): readonly StateRow[] {
  const names = [...new Set(trace.flatMap((step) => step.changes.map((c) => cleanLine(c.what))))];
  const rows = names.map((what): StateRow => {
    const first = trace.flatMap((step) => step.changes).find((change) => cleanLine(change.what) === what);
    let value = first === undefined ? UNKNOWN : cleanLine(first.from);
    const values: string[] = [];
    const changedAt: number[] = [];
    trace.forEach((step, i) => {
      for (const change of step.changes) {
        if (cleanLine(change.what) !== what) continue;
        value = cleanLine(change.to) === '' ? 'nothing' : cleanLine(change.to);
        changedAt.push(i);
      }
      values.push(value);
    });
    return { what, group: groupOf(what), values, changedAt: [...new Set(changedAt)] };
  });
  return GROUPS.flatMap((group) => rows.filter((row) => row.group === group));
}

function groupOf(what: string): StateGroup {
  if (/\bwalk cache/i.test(what)) return 'Walk caches';
  if (/\bTLB/.test(what) || /secondary/i.test(what)) return 'TLB';
  if (/\bentry\b/.test(what)) return 'Entries';
  if (/\b(?:table|page|range|memory|folio)\b/.test(what)) return 'Memory';
  return 'CPUs and locks';
}
