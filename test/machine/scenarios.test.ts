import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runScenarios } from '#cli/simulate.js';
import { createModel } from '#machine/create-model.js';
import { runScenario, scenarioOptions } from '#machine/run-scenario.js';
import { parseScenarios, type Scenario } from '#machine/scenario.js';
import { MACHINES, machine } from './programs.js';

const folder = new URL('../../fixtures/scenarios/', import.meta.url);
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .sort()
  .map((name) => ({ name, text: readFileSync(new URL(name, folder), 'utf8') }));
const all = files.flatMap((file) => parseScenarios(file.name, file.text));
const named = (name: string): Scenario => {
  const found = all.find((scenario) => scenario.name === name);
  if (found === undefined) throw new Error(`no scenario ${name}`);
  return found;
};

for (const scenario of all) {
  describe(`${scenario.file}: ${scenario.name}`, () => {
    for (const [name, expected] of scenario.expect) {
      it(`is ${expected} on ${name}`, () => {
        const result = runScenario(scenario, machine(name));
        expect(result.verdict).toBe(expected);
        expect(result.never).toEqual([]);
        if (expected !== 'clean') expect(result.trace.length).toBeGreaterThan(0);
      });
    }
    it('keeps the promise of its name', () => {
      const verdicts = [...scenario.expect.values()];
      if (scenario.name.startsWith('good-'))
        expect(verdicts.every((verdict) => verdict === 'clean')).toBe(true);
      else expect(verdicts.some((verdict) => verdict !== 'clean')).toBe(true);
    });
  });
}

describe('the mail about ptep_get_lockless', () => {
  it('happens as it was told: four threads, three pages, an address that never was', () => {
    const model = createModel(
      scenarioOptions(named('bad-lockless-read-of-changing-entry'), machine('x86-32-pae')),
    );
    let here = model.initial()[0]?.state;
    /** Lets one CPU run until it has taken an event of this kind. */
    const until = (cpu: number, kind: string): void => {
      for (let heard = ''; heard !== kind; ) {
        if (here === undefined) throw new Error('the run ended');
        const next = model.expand(here).find(({ action }) => action.cpu === cpu);
        if (next === undefined) throw new Error(`CPU${cpu} cannot go on to ${kind}`);
        model.take(here, next.action, {
          event: (_node, event) => {
            heard = event.kind;
          },
        });
        here = next.state;
      }
    };
    until(0, 'read-low');
    until(1, 'clear');
    until(1, 'unlock');
    until(2, 'set');
    until(2, 'unlock');
    until(0, 'read-high');
    until(2, 'clear');
    until(2, 'unlock');
    until(3, 'set');
    until(0, 'read-low');
    until(0, 'use-halves');
    if (here === undefined) throw new Error('the run ended');
    expect(model.violation(here)?.hazard).toBe('torn-pte-read');
  });
});

describe('state counts', () => {
  it.each([
    ['good-leaf-clear-flush-free', 'x86-64', 5],
    ['bad-collapse-flush-only', 'arm64', 65],
    ['good-collapse-with-ipi', 'x86-64', 59],
    ['good-touch-after-entry-work', 'x86-64', 36],
    ['good-vmalloc-holds-hotplug-lock', 'arm64', 194],
    ['good-flush-by-interrupt-before-unlock', 'x86-32-pae', 3369],
  ])('%s on %s', (name, on, states) => {
    expect(runScenario(named(name), machine(on)).states).toBe(states);
  });
});

describe('random walks', () => {
  const clean = all.flatMap((scenario) =>
    [...scenario.expect].filter(([, verdict]) => verdict === 'clean').map(([on]) => ({ scenario, on })),
  );
  it('never violate what the search calls clean', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...clean),
        fc.array(fc.nat(), { minLength: 40, maxLength: 40 }),
        ({ scenario, on }, picks) => {
          const model = createModel(scenarioOptions(scenario, machine(on)));
          let here = model.initial()[0]?.state;
          for (const pick of picks) {
            if (here === undefined || model.violation(here) !== null) break;
            const next = model.expand(here);
            if (next.length === 0) break;
            here = next[pick % next.length]?.state;
          }
          return here !== undefined && model.violation(here) === null;
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('simulate', () => {
  it('prints verdicts and runs, and counts what is not as expected', () => {
    const file = files.find((found) => found.name === 'khugepaged.yaml');
    if (file === undefined) throw new Error('no khugepaged.yaml');
    const good = runScenarios([file], MACHINES);
    expect(good.failed).toBe(0);
    expect(good.text).toContain('ok   bad-collapse-flush-only on arm64: flush-without-ipi (65 states)');
    expect(good.text).toContain('CPU1 GUP-fast');
    const bad = runScenarios(
      [{ name: 'x.yaml', text: file.text.replace('arm64: flush-without-ipi', 'arm64: clean') }],
      MACHINES,
    );
    expect(bad.failed).toBe(1);
    expect(bad.text).toContain('FAIL bad-collapse-flush-only on arm64: flush-without-ipi');
    expect(bad.text).toContain('expected clean');
  });
  it('names file and line of a mistake', () => {
    const text = files[0]?.text.replace('interrupts: 1', '') ?? '';
    expect(() => parseScenarios('a.yaml', text.replace('depth: machine', 'depth: deep'))).toThrow(
      /a\.yaml:\d+/,
    );
    expect(() => parseScenarios('a.yaml', text.replace('start: {', 'begin: {'))).toThrow(/a\.yaml:\d+/);
  });
});
