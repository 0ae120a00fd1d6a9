import type { MachineFile } from '#event/machine-facts.js';
import { UsageError } from './usage-error.js';

/**
 * Machine names from `--machine` values (each may hold several, with commas). No value and `all` both give an empty
 * list, which means every machine. Throws UsageError that names the known ones.
 */
export function chooseMachines(values: readonly string[], known: readonly MachineFile[]): readonly string[] {
  const names = values.flatMap((v) => v.split(',')).map((n) => n.trim());
  if (names.includes('all')) return [];
  const list = known.map((m) => m.name).join(', ');
  for (const name of names) {
    if (name === '') throw new UsageError(`--machine: an empty name; known: ${list}`);
    if (!known.some((m) => m.name === name))
      throw new UsageError(`no machine ${name}; known: ${list}, or all`);
  }
  // In the order of the rules, so that the order on the command line changes nothing.
  return known.map((m) => m.name).filter((n) => names.includes(n));
}
