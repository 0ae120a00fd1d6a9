import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Model } from '#explore/model.js';
import { replay, search } from '#explore/search.js';

/** Numbers below `size`; from n one may go to 2n and n + 1. */
function numbers(
  size: number,
  bad: (n: number) => boolean,
  inside: (n: number) => boolean = () => true,
): Model<number, string, string> {
  return {
    initial: () => [{ action: 'start', state: 1 }],
    expand: (n) => [
      { action: 'double', state: (2 * n) % size },
      { action: 'next', state: (n + 1) % size },
    ],
    key: String,
    violation: (n) => (bad(n) ? `${n} is bad` : null),
    inside,
  };
}
const limits = { states: 10_000, expired: () => false, collect: 1 };

describe('search', () => {
  it('finds a shortest path', () => {
    const { violations, end } = search(
      numbers(100, (n) => n === 17),
      limits,
    );
    expect(end).toBe('stopped');
    expect(violations[0]?.steps.map((step) => step.action)).toEqual([
      'double',
      'double',
      'double',
      'double',
      'next',
    ]);
    expect(violations[0]?.violation).toBe('17 is bad');
  });
  it('sees every state once', () => {
    expect(
      search(
        numbers(100, () => false),
        limits,
      ),
    ).toEqual({ violations: [], end: 'exhausted', states: 100, ends: 0 });
  });
  it('counts the runs that come to an end', () => {
    const fork: Model<number, string, string> = {
      initial: () => [{ action: 'start', state: 0 }],
      expand: (n) => (n === 0 ? [1, 2, 3].map((state) => ({ action: `to ${state}`, state })) : []),
      key: String,
      violation: (n) => (n === 3 ? '3 is bad' : null),
      inside: () => true,
    };
    expect(search(fork, { ...limits, collect: 2 })).toMatchObject({ end: 'exhausted', ends: 2 });
  });
  it('collects distinct violating states and does not go on from them', () => {
    const { violations, end } = search(
      numbers(20, (n) => n % 5 === 0),
      { ...limits, collect: 10 },
    );
    expect(end).toBe('exhausted');
    expect(violations.map((path) => path.steps.at(-1)?.state)).toEqual([5, 10, 15, 0]);
  });
  it('goes on beyond the idle limit only where something was found', () => {
    const { states, end } = search(
      numbers(100, () => false),
      { ...limits, idle: 10 },
    );
    expect([states, end]).toEqual([11, 'state-limit']);
    const late = search(
      numbers(100, (n) => n === 17),
      { ...limits, collect: 2, idle: 10 },
    );
    expect([late.violations.length, late.end]).toEqual([0, 'state-limit']);
    const early = search(
      numbers(100, (n) => n === 3),
      { ...limits, collect: 2, idle: 10 },
    );
    expect([early.violations.length, early.end]).toEqual([1, 'exhausted']);
    expect(early.states).toBeGreaterThan(11);
  });
  it('says which limit cut it off', () => {
    expect(
      search(
        numbers(100, () => false),
        { ...limits, states: 10 },
      ).end,
    ).toBe('state-limit');
    expect(
      search(
        numbers(100, () => false),
        { ...limits, expired: () => true },
      ).end,
    ).toBe('time-limit');
    expect(
      search(
        numbers(
          100,
          () => false,
          (n) => n < 50,
        ),
        limits,
      ).end,
    ).toBe('boundary');
  });
  it('finds what random walks find', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 5, max: 60 }),
        fc.integer({ min: 2, max: 59 }),
        fc.array(fc.boolean(), { maxLength: 60 }),
        (size, bad, walk) => {
          const model = numbers(size, (n) => n === bad);
          const found = search(model, limits).violations.length > 0;
          let here = 1;
          for (const left of walk) {
            if (here === bad) break;
            here = model.expand(here)[left ? 0 : 1]?.state ?? here;
          }
          return here !== bad || found;
        },
      ),
    );
  });
});

describe('replay', () => {
  const model = numbers(100, (n) => n === 17);
  const path = search(model, limits).violations[0];
  const same = (a: string, b: string): boolean => a === b;
  it('passes the states of the path', () => {
    if (path === undefined) throw new Error('no path');
    expect(replay(model, path, same)).toEqual([1, 2, 4, 8, 16, 17]);
  });
  it('refuses a path that the model does not take', () => {
    if (path === undefined) throw new Error('no path');
    const bent = { ...path, steps: [{ action: 'jump', state: 3 }, ...path.steps] };
    expect(() => replay(model, bent, same)).toThrow('step 1 is not enabled');
    const wrong = { ...path, steps: [{ action: 'next', state: 3 }] };
    expect(() => replay(model, wrong, same)).toThrow('step 1 leads elsewhere');
    expect(() => replay(model, { ...path, steps: path.steps.slice(0, 2) }, same)).toThrow('violates nothing');
  });
});
