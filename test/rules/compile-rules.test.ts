import { describe, expect, test } from 'vitest';
import type { MachineFile } from '#event/machine-facts.js';
import { compileRules } from '#rules/compile-rules.js';
import { ruleFor } from '#rules/load-rules.js';
import { RuleError } from '#rules/rule-error.js';

const machine = (
  arch: string,
  facts: Record<string, unknown> = {},
  config: Record<string, string> = {},
): MachineFile => ({ name: arch, title: arch, arch, config, facts, sources: {} }) as unknown as MachineFile;

const compile = (yaml: string, more: Record<string, string> = {}) =>
  compileRules(new Map(Object.entries({ 'events/t.yaml': yaml, ...more })));

const only = (yaml: string, name = 'f', more: Record<string, string> = {}) => {
  const rule = compile(yaml, more).calls.get(name)?.[0];
  if (rule === undefined) throw new Error(`no rule ${name}`);
  return rule;
};

const failure = (yaml: string, more: Record<string, string> = {}): RuleError => {
  try {
    compile(yaml, more);
  } catch (error) {
    if (error instanceof RuleError) return error;
    throw error;
  }
  throw new Error('compiled');
};

describe('compiling rules', () => {
  test('a call with events, result and place', () => {
    const rule = only(`- call: f(mm, p)
  events:
    - clear: { entry: p, old: old, atomic: true }
  returns: old
  source: mm/x.c:1
`);
    expect(rule).toMatchObject({
      name: 'f',
      parameters: ['mm', 'p'],
      form: 'call',
      steps: [
        {
          kind: 'event',
          event: { kind: 'clear', entry: { op: 'param', name: 'p' }, old: 'old', atomic: true },
          when: null,
        },
      ],
      returns: { op: 'var', name: 'old' },
      source: 'mm/x.c:1',
      at: 'rules/events/t.yaml:1',
    });
  });

  test('let, out through a parameter and a field, guard', () => {
    const rule = only(`- call: f(pmd, addr, ptlp)
  events:
    - let: { p: "entry(pte, pmd, addr)", ok: choice(there) }
    - lock: { lock: p, class: ptl, if: ok }
  out: { ptlp: p, pmd->ptl: p }
  returns: "ok ? p : 0"
`);
    expect(rule.steps.map((step) => step.kind)).toEqual(['let', 'let', 'event']);
    expect(rule.steps[2]).toMatchObject({ when: { op: 'var', name: 'ok' } });
    expect(Object.keys(rule.out)).toEqual(['ptlp', 'pmd->ptl']);
  });

  test('a flush by range with constants', () => {
    const rule = only(
      `- call: f(vma, addr)
  events:
    - flush: { range: [addr, addr + PMD_SIZE], stride: pmd, space: vma, depth: machine, reach: all, timing: done }
`,
      'f',
      { 'constants.yaml': '- { name: PMD_SIZE, value: 2097152 }' },
    );
    expect(rule.steps[0]).toMatchObject({
      event: {
        kind: 'flush',
        scope: {
          kind: 'range',
          start: { op: 'param', name: 'addr' },
          end: { op: '+', args: [{}, { op: 'const', value: { n: 2097152 } }] },
          stride: 'pmd',
        },
      },
    });
  });

  test('each writes the rule once a position', () => {
    const rules = compile(`- each: { L: [pte, pmd], S: [1, 2] }
  call: [$L_x(p), $L_y(p)]
  returns: $S
`);
    expect([...rules.calls.keys()]).toEqual(['pte_x', 'pte_y', 'pmd_x', 'pmd_y']);
    expect(rules.calls.get('pmd_y')?.[0]?.returns).toEqual({ op: 'const', value: { kind: 'int', n: 2 } });
  });

  test('pure gives a stable choice keyed by the call, effect none a zero', () => {
    expect(only('- { call: f(x), pure: true }').returns).toMatchObject({
      op: 'choice',
      key: '',
      stable: true,
    });
    expect(only('- { call: f(x), effect: none }').returns).toEqual({
      op: 'const',
      value: { kind: 'int', n: 0 },
    });
  });

  test('stops always, or when something holds', () => {
    expect(only('- { call: f(), stops: true }').stops).toBe(true);
    const rule = only('- { call: f(c), stops: c }');
    expect(rule.stops).toBe(false);
    expect(rule.stopsIf).toEqual({ op: 'param', name: 'c' });
  });

  test('a loop macro', () => {
    expect(
      only(`- iterate: f(pos, head)
  events: [ { container-take: { container: head, into: item, remove: false } } ]
  more: choice(another)
  out: { pos: item }
`),
    ).toMatchObject({ form: 'iterate', more: { op: 'choice', key: 'another' } });
  });

  test('callbacks', () => {
    expect(
      only('- { call: "f(ops, p)", callbacks: [ { parameter: ops, member: pte_entry, args: [p, 1] } ] }')
        .callbacks,
    ).toEqual([
      {
        parameter: 'ops',
        member: 'pte_entry',
        args: [
          { op: 'param', name: 'p' },
          { op: 'const', value: { kind: 'int', n: 1 } },
        ],
      },
    ]);
  });
});

describe('the rule of a machine', () => {
  const rules = compile(`- { call: f(a), when: { arch: [arm64] }, returns: 1 }
- { call: f(a), when: { facts: { sync-one: true } }, returns: 2 }
- { call: f(a), when: { config: { CONFIG_X: n } }, returns: 3 }
- { call: f(a), returns: 4 }
- { call: "f(a, b)", returns: 5 }
`);
  const value = (m: MachineFile, count?: number) => {
    const returns = ruleFor(rules, 'f', m, count)?.returns;
    return returns?.op === 'const' && returns.value.kind === 'int' ? returns.value.n : null;
  };
  test.each([
    [machine('arm64', { 'sync-one': true }), 1],
    [machine('x86', { 'sync-one': true }), 2],
    [machine('x86', {}, { CONFIG_X: 'n' }), 3],
    [machine('x86'), 4],
  ])('first match wins', (m, n) => {
    expect(value(m)).toBe(n);
  });
  test('the number of arguments decides between versions', () => {
    expect(value(machine('x86'), 2)).toBe(5);
    expect(value(machine('x86'), 7)).toBe(4);
  });
  test('no rule', () => {
    expect(ruleFor(rules, 'g', machine('x86'))).toBeNull();
  });
});

describe('errors name file, line and column', () => {
  test.each([
    ['unknown variable', '- call: f(p)\n  returns: q\n', 'unknown-variable', 2, 12],
    ['unknown event', '- call: f(p)\n  events:\n    - frobnicate: { entry: p }\n', 'unknown-event', 3, 7],
    ['unknown operator', '- call: f(p)\n  returns: frob(p)\n', 'unknown-operator', 2, 12],
    [
      'name used before it exists',
      '- call: f(p)\n  events:\n    - put: { memory: old }\n    - clear: { entry: p, old: old }\n',
      'unknown-variable',
      3,
      22,
    ],
    [
      'same rule twice',
      '- { call: f(p), effect: none }\n- { call: f(q), effect: none }\n',
      'duplicate',
      2,
      3,
    ],
    [
      'rule behind a wider one',
      '- { call: f(p), effect: none }\n- { call: f(p), effect: none, when: { facts: { sync-one: true } } }\n',
      'never-matches',
      2,
      3,
    ],
    [
      'condition that no machine meets',
      '- call: f(p)\n  when: { arch: [x86], not-arch: [x86] }\n  effect: none\n',
      'never-matches',
      2,
      9,
    ],
    ['missing field', '- call: f(p)\n  events:\n    - clear: { old: p }\n', 'shape', 3, 14],
    ['wrong word', '- call: f(p)\n  events:\n    - barrier: { strength: mighty }\n', 'shape', 3, 28],
    ['unknown client', '- call: f(p)\n  clients: [nobody]\n', 'unknown-client', 2, 13],
    ['broken YAML', '- call: f(p\n  - x: [\n', 'syntax', 2, 1],
    ['no call', '- { effect: none }\n', 'shape', 1, 3],
    [
      'flush without scope',
      '- call: f(p)\n  events:\n    - flush: { depth: walk, reach: all, timing: done }\n',
      'shape',
      3,
      14,
    ],
    ['out to nothing', '- call: f(p)\n  out: { q: 1 }\n', 'unknown-variable', 2, 13],
  ])('%s', (_, yaml, code, line, column) => {
    const error = failure(yaml);
    expect(error).toMatchObject({ code, file: 'rules/events/t.yaml', line, column });
    expect(error.message).toContain(`rules/events/t.yaml:${line}:${column}: ${code}: `);
  });

  test('conditions that overlap but do not cover are fine', () => {
    expect(
      compile(
        '- { call: f(p), effect: none, when: { arch: [x86] } }\n- { call: f(p), effect: none, when: { not-arch: [arm64] } }\n',
      ).calls.get('f'),
    ).toHaveLength(2);
  });
});
