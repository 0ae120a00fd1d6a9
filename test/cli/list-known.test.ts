import { describe, expect, it } from 'vitest';
import { explainHazard, listHazards, listMachines, listRules } from '#cli/list-known.js';
import type { MachineFile } from '#event/machine-facts.js';
import type { CallRule, RuleSet } from '#rules/rule.js';

const rule: CallRule = {
  name: 'clear_and_flush',
  parameters: ['vma', 'addr', 'ptep'],
  condition: { arch: ['x86'] },
  steps: [
    { kind: 'event', event: { kind: 'clear', entry: { op: 'param', name: 'ptep' }, old: 'old' }, when: null },
    {
      kind: 'event',
      event: {
        kind: 'flush',
        scope: { kind: 'page', address: { op: 'param', name: 'addr' }, stride: 'pte' },
        depth: 'machine',
        reach: 'all',
        timing: 'done',
      },
      when: { op: 'is-present', args: [{ op: 'var', name: 'old' }] },
    },
  ],
  returns: null,
  out: {},
  form: 'call',
  more: null,
  stops: false,
  bodies: [],
  clients: [],
  source: 'mm/generic.c:12',
  at: 'rules/events/a.yaml:3',
};
const machine = {
  name: 'm1',
  title: 'A machine',
  arch: 'x86',
  config: { CONFIG_B: 'y', CONFIG_A: 'n' },
  facts: { 'walk-cache': true, 'remote-flush': 'ipi' },
  sources: { 'remote-flush': 'a manual' },
} as unknown as MachineFile;
const rules = {
  calls: new Map([[rule.name, [rule]]]),
  machines: [machine],
  hazards: [
    {
      id: 'missing-flush',
      title: 'Nothing flushes',
      severity: 'error',
      page: '# missing-flush\n\nText.\n\n',
    },
  ],
} as unknown as RuleSet;

describe('lists', () => {
  it('shows facts with values and sources, then the configuration', () => {
    expect(listMachines(rules.machines)).toBe(
      'm1: A machine (arch/x86)\n  remote-flush  ipi   a manual\n  walk-cache    true\n  CONFIG_A=n\n  CONFIG_B=y\n',
    );
  });
  it('shows a rule as its call, its events and its source', () => {
    expect(listRules(rules, null)).toBe(
      'clear_and_flush(vma, addr, ptep)  where arch x86\n' +
        '    clear: entry ptep, old old\n' +
        '    flush: scope page addr pte, depth machine, reach all, timing done  if is-present(old)\n' +
        '    from mm/generic.c:12\n',
    );
    expect(() => listRules(rules, 'nope')).toThrow('no rule for nope');
  });
  it('shows hazards and their pages', () => {
    expect(listHazards(rules)).toBe('missing-flush  error  Nothing flushes\n');
    expect(explainHazard(rules, 'missing-flush')).toBe('# missing-flush\n\nText.\n');
    expect(() => explainHazard(rules, 'x')).toThrow('no hazard x; known: missing-flush');
  });
});
