/** What was not decided, told once for all machines on which it was not. */
import type { Undecided } from './document.js';

/** An undecided function with the limit that a search of it met on one machine. */
export interface Open extends Undecided {
  readonly limit?: { readonly what: string; readonly machine: string; readonly states: number };
}

/** One entry for each function, kind and reason; for limits the machines and the largest search are named. */
export function mergeUndecided(open: readonly Open[]): readonly Undecided[] {
  const groups = new Map<string, Open[]>();
  for (const one of open) {
    const key = [one.function, one.file, one.kind, one.limit?.what ?? one.reason].join('\n');
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()].flatMap((group): Undecided[] => {
    const [first] = group;
    if (first === undefined) return [];
    const { limit, ...told } = first;
    if (limit === undefined) return [told];
    const limits = group.flatMap((one) => (one.limit === undefined ? [] : [one.limit]));
    const machines = [...new Set(limits.map((met) => met.machine))];
    const states = Math.max(...limits.map((met) => met.states));
    return [{ ...told, reason: `${limit.what} on ${machines.join(', ')} after ${states} states` }];
  });
}
