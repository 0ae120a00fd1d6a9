/** Scopes change how much is searched, and nothing that is found. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Model, Scopes } from '#explore/model.js';
import { replay, search } from '#explore/search.js';
import { scopesOf } from '#machine/scopes.js';

/** A small program: each node changes or tests one of four variables and goes on to one of two nodes. */
interface Line {
  readonly reads: number;
  readonly writes: number;
  readonly does: 'copy' | 'count' | 'test' | 'ask';
  readonly ways: readonly [number, number];
  readonly bad: number | null;
}

interface At {
  readonly pc: number;
  readonly vars: readonly number[];
}

const VARIABLES = 5;
const VALUES = 3;

const programs = fc.integer({ min: 4, max: 14 }).chain((size) =>
  fc.array(
    fc.record<Line>({
      reads: fc.nat(VARIABLES - 1),
      writes: fc.nat(VARIABLES - 1),
      does: fc.constantFrom(
        'copy' as const,
        'count' as const,
        'test' as const,
        'test' as const,
        'ask' as const,
      ),
      ways: fc.tuple(fc.nat(size - 1), fc.nat(size - 1)),
      bad: fc.option(fc.nat(VALUES - 1), { freq: 8 }),
    }),
    { minLength: size, maxLength: size },
  ),
);

/** `scoped`: with the loops as scopes, each of which hides what it does not touch. */
function modelOf(lines: readonly Line[], scoped: boolean): Model<At, string, string> {
  const line = ({ pc }: At): Line => lines[pc] as Line;
  const { of, idle } = scopesOf(
    lines.map(({ ways }) => ways),
    lines.map(({ reads, writes, does }) => (does === 'test' || does === 'ask' ? [reads] : [reads, writes])),
    VARIABLES,
    1,
  );
  const scopes: Scopes<At> = {
    of: ({ pc }) => of[pc] ?? [],
    enter: (state, scope) => {
      const parts = (idle[scope] ?? []).flatMap((slot) =>
        state.vars[slot] === 0 ? [] : [slot, state.vars[slot] as number],
      );
      if (parts.length === 0) return null;
      const vars = state.vars.map((value, slot) => (idle[scope]?.includes(slot) === true ? 0 : value));
      return { state: { ...state, vars }, kept: { key: parts.join(' '), parts } };
    },
    leave: (state, { parts }) => {
      const vars = [...state.vars];
      for (let at = 0; at < parts.length; at += 2) vars[parts[at] as number] = parts[at + 1] as number;
      return { ...state, vars };
    },
  };
  const put = (state: At, pc: number, value: number): At => ({
    pc,
    vars: state.vars.map((old, slot) => (slot === line(state).writes ? value : old)),
  });
  return {
    initial: () => [{ action: 'start', state: { pc: 0, vars: [1, 2, 1, 2, 1] } }],
    expand: (state) => {
      const { reads, does, ways } = line(state);
      const value = state.vars[reads] ?? 0;
      switch (does) {
        case 'copy':
          return [{ action: 'copies', state: put(state, ways[0], value) }];
        case 'count':
          return [{ action: 'counts', state: put(state, ways[0], (value + 1) % VALUES) }];
        case 'test':
          return [{ action: 'tests', state: { ...state, pc: ways[value === 0 ? 0 : 1] } }];
        case 'ask':
          return ways.map((pc, n) => ({ action: `answer ${n}`, state: { ...state, pc } }));
      }
    },
    key: ({ pc, vars }) => `${pc}:${vars.join('')}`,
    // Where a run goes wrong, it is not asked any more where it stands.
    violation: (state) => (line(state).bad === state.vars[line(state).reads] ? `at ${state.pc}` : null),
    inside: () => true,
    ...(scoped ? { scopes } : {}),
  };
}

const limits = { states: 50_000, expired: () => false, collect: Number.POSITIVE_INFINITY };

describe('scopes', () => {
  it('leave every violating state where it is, and every shortest path as long as it is', () => {
    let [wrong, less] = [0, 0];
    fc.assert(
      fc.property(programs, (lines) => {
        const [plain, scoped] = [modelOf(lines, false), modelOf(lines, true)];
        const found = [plain, scoped].map((model) => {
          const result = search(model, limits);
          expect(result.end).toBe('exhausted');
          const ways = result.violations.map(
            ({ start, steps }) => `${plain.key(steps.at(-1)?.state ?? start)} after ${steps.length}`,
          );
          return { ...result, ways };
        });
        const [all, split] = found;
        expect([...(split?.ways ?? [])].sort()).toEqual([...(all?.ways ?? [])].sort());
        expect((split?.ends ?? 0) > 0).toBe((all?.ends ?? 0) > 0);
        for (const path of split?.violations ?? []) replay(plain, path, (a, b) => a === b);
        if ((all?.ways.length ?? 0) > 0) wrong += 1;
        if ((split?.states ?? 0) < (all?.states ?? 0)) less += 1;
      }),
      { numRuns: 3_000, seed: 3 },
    );
    expect(wrong).toBeGreaterThan(600);
    expect(less).toBeGreaterThan(15);
  });

  it('search a loop within a loop once for all who come to it', () => {
    // Three answers are asked before a loop that touches none of them, and tested behind it.
    const ask = (slot: number, next: number): Line[] => [
      { reads: slot, writes: slot, does: 'ask', ways: [next - 1, next], bad: null },
      { reads: slot, writes: slot, does: 'count', ways: [next, next], bad: null },
    ];
    const lines: readonly Line[] = [
      ...ask(0, 2),
      ...ask(1, 4),
      ...ask(2, 6),
      ...Array.from(
        { length: 20 },
        (_, n): Line => ({
          reads: 3,
          writes: 3,
          does: 'ask',
          ways: [7 + n, n === 0 ? 26 : 7 + n],
          bad: null,
        }),
      ),
      { reads: 3, writes: 3, does: 'ask', ways: [6, 27], bad: null },
      { reads: 0, writes: 0, does: 'test', ways: [27, 28], bad: 0 },
      { reads: 1, writes: 1, does: 'test', ways: [27, 28], bad: null },
    ];
    const [all, split] = [false, true].map((scoped) => search(modelOf(lines, scoped), limits));
    expect(split?.violations.map(({ steps }) => steps.length)).toEqual(
      all?.violations.map(({ steps }) => steps.length),
    );
    expect(split?.states).toBeLessThan((all?.states ?? 0) / 2);
  });
});
