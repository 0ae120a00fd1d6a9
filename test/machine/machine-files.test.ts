import { describe, expect, test } from 'vitest';
import { FACT_NAMES } from '#machine/fact-names.js';
import { loadRules } from '#rules/load-rules.js';

const { machines } = loadRules();
const named = (name: string) => {
  const found = machines.find((machine) => machine.name === name);
  if (found === undefined) throw new Error(`no machine ${name}`);
  return found;
};

describe('machine files', () => {
  test.each(machines.map((machine) => [machine.name, machine] as const))(
    '%s states every fact, each with its source',
    (_, machine) => {
      expect(Object.keys(machine.facts).sort()).toEqual([...FACT_NAMES].sort());
      expect(Object.keys(machine.sources).sort()).toEqual([...FACT_NAMES].sort());
      for (const [name, source] of Object.entries(machine.sources)) expect(source, name).not.toBe('');
    },
  );

  test.each(machines.map((machine) => [machine.name, machine] as const))(
    '%s sets the symbols of one architecture',
    (_, { arch, config }) => {
      const own: Readonly<Record<string, string>> = {
        x86: 'CONFIG_X86',
        arm64: 'CONFIG_ARM64',
        arm: 'CONFIG_ARM',
        riscv: 'CONFIG_RISCV',
        s390: 'CONFIG_S390',
        mips: 'CONFIG_MIPS',
        loongarch: 'CONFIG_LOONGARCH',
        sh: 'CONFIG_SUPERH',
        powerpc: 'CONFIG_PPC',
        sparc: 'CONFIG_SPARC',
      };
      expect(Object.values(own).filter((symbol) => config[symbol] === 'y')).toEqual([own[arch]]);
    },
  );

  test('what GUP-fast and table frees need of the build agrees with the facts', () => {
    for (const { name, config, facts } of machines) {
      expect(facts['sync-one'], name).toBe(config['CONFIG_MMU_GATHER_RCU_TABLE_FREE'] === 'y');
      if (facts['table-free'] === 'rcu') expect(config['CONFIG_MMU_GATHER_RCU_TABLE_FREE'], name).toBe('y');
      if (facts['remote-flush'] !== 'ipi') expect(facts['flush-interrupts-walkers'], name).toBe(false);
      expect(facts['entry-halves'], name).toBe(config['CONFIG_GUP_GET_PXX_LOW_HIGH'] === 'y');
    }
  });

  test('a machine that is like another keeps what it does not restate', () => {
    const [interrupts, firmware] = [named('riscv64'), named('riscv64-sbi')];
    expect(firmware.arch).toBe('riscv');
    expect(firmware.config).toEqual(interrupts.config);
    const different = FACT_NAMES.filter((name) => firmware.facts[name] !== interrupts.facts[name]);
    expect(different).toEqual(['remote-flush', 'flush-interrupts-walkers', 'table-free']);
    for (const name of different) expect(firmware.sources[name]).not.toBe(interrupts.sources[name]);
  });
});
