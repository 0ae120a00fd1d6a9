import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Event, Flush } from '#event/event.js';
import { constant, type Expression, integer } from '#event/expression.js';
import { ANY, type Value } from '#event/value.js';
import { compute } from '#machine/numbers.js';
import { clear, freeTable, hazards, type Line, op, program, putOld, quiet, unlink, v } from './programs.js';

const MB2 = 2 ** 21;
const base = 2 ** 30;
const present = { when: op('is-present', v('old')) };
const witness = (address: number, asid = 0): Event<Expression> => ({
  kind: 'witness',
  address: integer(address),
  asid: integer(asid),
});
const flush = (
  start: number,
  end: number,
  more: Partial<Flush<Expression>> & { readonly stride?: number } = {},
): Flush<Expression> => {
  const { stride = 4096, ...rest } = more;
  return {
    kind: 'flush',
    scope: { kind: 'range', start: integer(start), end: integer(end), stride: 'pte' },
    bytes: integer(stride),
    depth: 'leaf',
    reach: 'all',
    timing: 'done',
    ...rest,
  };
};
const afterFlush = (at: number, ...lines: Line[]): string[] =>
  hazards(program([witness(at), clear('pte'), present, ...lines, putOld]), 'arm64', quiet);
const MISSES = ['flush-scope-too-narrow page'];

describe('a range of numbers', () => {
  it('covers the pages from its start up to its end', () => {
    expect(afterFlush(base + 4096, flush(base, base + 8192))).toEqual([]);
    expect(afterFlush(base, flush(base, base + 4096))).toEqual([]);
    expect(afterFlush(base + 8191, flush(base, base + 8192))).toEqual([]);
  });
  it('misses the page behind it and the one before it', () => {
    expect(afterFlush(base + 8192, flush(base, base + 8192))).toEqual(MISSES);
    expect(afterFlush(base, flush(base + 4096, base + 8192))).toEqual(MISSES);
  });
  it('with a stride visits leaves of that size and larger ones only', () => {
    expect(afterFlush(base + 8192, flush(base, base + MB2, { stride: 65536 }))).toEqual(MISSES);
    expect(afterFlush(base + 8192, flush(base, base + MB2, { stride: MB2 }))).toEqual(MISSES);
    expect(afterFlush(base, flush(base, base + MB2, { stride: MB2 }))).toEqual([]);
  });
});

describe('a level hint', () => {
  it('reaches leaves of its level', () => {
    expect(afterFlush(base, flush(base, base + 4096, { ttl: integer(3) }))).toEqual([]);
    expect(afterFlush(base, flush(base, base + 4096, { ttl: integer(2) }))).toEqual(MISSES);
  });
  it('that is none reaches all', () => {
    for (const none of [0, 9, 2 ** 31 - 1, -1])
      expect(afterFlush(base, flush(base, base + 4096, { ttl: integer(none) }))).toEqual([]);
  });
  it('reaches the links above the leaf, not a table entry at its own level', () => {
    const free = (ttl: number): string[] =>
      hazards(
        program(
          [
            witness(base),
            unlink,
            flush(base, base + MB2, { ttl: integer(ttl), depth: 'walk' }),
            { kind: 'ipi-all' },
            freeTable(),
          ],
          { levels: ['pte', 'pmd'] },
        ),
        'arm64',
        quiet,
      );
    expect(free(3)).toEqual([]);
    expect(free(9)).toEqual([]);
    expect(free(2)).toEqual(['flush-scope-too-narrow table:pte']);
  });
});

it('an invalidation for another address space number removes nothing', () => {
  const lines = (asid: number): string[] =>
    hazards(
      program([
        witness(base, 3),
        clear('pte'),
        present,
        flush(base, base + 4096, { asid: integer(asid) }),
        putOld,
      ]),
      'arm64',
      quiet,
    );
  expect(lines(3)).toEqual([]);
  expect(lines(2)).toEqual(MISSES);
});

describe('arithmetic of registers', () => {
  const small = fc.integer({ min: -(2 ** 40), max: 2 ** 40 });
  const int = (n: number): Value => ({ kind: 'int', n });
  const of = (operation: string, a: number, b: number): Value | null => compute(operation, int(a), int(b));
  it('is that of integers where the result fits', () => {
    fc.assert(
      fc.property(small, small, (a, b) => {
        expect(of('+', a, b)).toEqual(int(a + b));
        expect(of('-', a, b)).toEqual(int(a - b));
        expect(of('&', a, b)).toEqual(int(Number(BigInt(a) & BigInt(b))));
        expect(of('|', a, b)).toEqual(int(Number(BigInt(a) | BigInt(b))));
      }),
    );
  });
  it('takes shift counts modulo 64', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 20), fc.integer({ min: -200, max: 200 }), (a, n) => {
        expect(of('>>', a, n)).toEqual(of('>>', a, n + 64));
      }),
    );
    expect(of('>>', 2 ** 21, -4)).toEqual(int(0));
    expect(of('<<', 1, 63)).toEqual(int(2 ** 63));
  });
  it('keeps words that need more digits than a number has', () => {
    const bit = fc.integer({ min: 0, max: 63 }).map((n) => 2 ** n);
    fc.assert(
      fc.property(fc.uniqueArray(bit, { minLength: 2, maxLength: 8 }), (bits) => {
        const all = bits.map(int).reduce((a, b) => compute('|', a, b) ?? ANY);
        const without = bits
          .slice(1)
          .map(int)
          .reduce((a, b) => compute('|', a, b) ?? ANY);
        expect(compute('&', all, int(bits[0] ?? 0))).toEqual(int(bits[0] ?? 0));
        expect(compute('^', all, int(bits[0] ?? 0))).toEqual(without);
        expect(compute('^', all, all)).toEqual(int(0));
      }),
    );
  });
  it('has flags by name, with their numbers or as bits of their own', () => {
    const flag = (name: string): Value => ({ kind: 'symbol', name });
    expect(compute('|', flag('bit:present:1'), int(2))).toEqual(int(3));
    const word = compute('|', flag('bit:write'), int(255)) ?? ANY;
    expect(compute('&', word, flag('not:write'))).toEqual(int(255));
    expect(compute('&', word, flag('bit:dirty'))).toEqual(int(0));
    expect(compute('&', word, flag('lock'))).toBeNull();
  });
  it('knows nothing of what C leaves open', () => {
    expect(of('/', 1, 0)).toEqual(ANY);
  });
});

it('numbers are addresses only where the program says so', () => {
  const lines = [clear('pte'), present, flush(base, base + 4096), putOld];
  expect(hazards(program(lines), 'arm64', quiet)).toEqual([]);
  expect(constant({ kind: 'int', n: base })).toEqual(integer(base));
});
