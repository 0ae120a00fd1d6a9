/** Conditions on machines: whether one holds, and whether one implies another. */
import type { MachineFile } from '#event/machine-facts.js';
import type { MachineCondition } from './rule.js';

/** Does the condition hold on the machine? A configuration symbol that the machine does not state counts as `y`. */
export function conditionHolds(condition: MachineCondition, machine: MachineFile): boolean {
  if (condition.arch !== undefined && !condition.arch.includes(machine.arch)) return false;
  if (condition.notArch?.includes(machine.arch)) return false;
  if (condition.facts !== undefined)
    for (const [name, value] of Object.entries(condition.facts))
      if (machine.facts[name as keyof typeof machine.facts] !== value) return false;
  if (condition.config !== undefined)
    for (const [symbol, value] of Object.entries(condition.config))
      if ((machine.config[symbol] === 'n') !== (value === 'n')) return false;
  return true;
}

/** Does `first` hold wherever `second` does, so that a rule with `second` behind it can never be reached? */
export function covers(first: MachineCondition, second: MachineCondition): boolean {
  if (first.arch !== undefined) {
    if (second.arch === undefined || !second.arch.every((arch) => first.arch?.includes(arch))) return false;
  }
  if (first.notArch !== undefined) {
    const outside = (arch: string): boolean =>
      second.arch !== undefined ? !second.arch.includes(arch) : (second.notArch ?? []).includes(arch);
    if (!first.notArch.every(outside)) return false;
  }
  for (const [name, value] of Object.entries(first.facts ?? {})) {
    if (second.facts?.[name as keyof typeof second.facts] !== value) return false;
  }
  for (const [symbol, value] of Object.entries(first.config ?? {})) {
    if (second.config?.[symbol] !== value) return false;
  }
  return true;
}

/** Can any machine meet the condition? */
export const canHold = (condition: MachineCondition): boolean =>
  condition.arch?.some((arch) => !condition.notArch?.includes(arch)) ?? true;
