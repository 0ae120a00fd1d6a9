import type { FactName, Facts, FactValue, MachineFile } from '#event/machine-facts.js';

/** The facts of one machine, with a record of those that were read. Throws for a fact that the file does not give. */
export function factsOf(machine: MachineFile): Facts {
  const read = new Set<FactName>();
  return {
    read,
    get(name: FactName): FactValue {
      read.add(name);
      const value = machine.facts[name];
      if (value === undefined) throw new Error(`machine ${machine.name} does not state the fact ${name}`);
      return value;
    },
  };
}
