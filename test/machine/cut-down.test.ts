import { describe, expect, it } from 'vitest';
import type { Event } from '#event/event.js';
import { constant, type Expression, integer } from '#event/expression.js';
import type { EventProgram, ProgramNode } from '#event/program.js';
import { search } from '#explore/search.js';
import { createModel } from '#machine/create-model.js';
import { factsOf } from '#machine/facts.js';
import { searchProgram } from '#machine/search-program.js';
import { addr, flushPage, machine, op, page, program, symbol, v } from './programs.js';

type E = Event<Expression>;

const int = (n: number): { readonly kind: 'int'; readonly n: number } => ({ kind: 'int', n });
const ask = (key: string, stable = true): Expression => ({
  op: 'choice',
  key,
  of: [int(0), int(1)],
  ...(stable ? { stable: true } : {}),
});
const here: Expression = { op: 'entry', args: [symbol('mm'), v('a')], level: 'pte' };
type Placeless<N> = N extends unknown ? Omit<N, 'at'> : never;
const nodes = (list: readonly Placeless<ProgramNode>[]): ProgramNode[] =>
  list.map((node) => ({ ...node, at: null }) as ProgramNode);

/** `for (a = start; a != end; a += PAGE_SIZE) { body }`: the body's nodes are counted from 2 and go on to the one behind them. */
const walk = (body: readonly ProgramNode[]): EventProgram =>
  program([], {
    levels: ['pte'],
    nodes: [
      ...nodes([
        {
          kind: 'assign',
          sets: [
            {
              name: 'a',
              value: {
                op: 'choice',
                key: 'start lies',
                of: [
                  { kind: 'address', gap: 'pte' },
                  { kind: 'address', gap: 'pmd' },
                ],
                stable: true,
              },
            },
          ],
          next: 1,
        },
        { kind: 'branch', on: op('!=', v('a'), addr('past')), then: 2, else: body.length + 3 },
      ]),
      ...body,
      ...nodes([
        { kind: 'assign', sets: [{ name: 'a', value: op('+', v('a'), integer(4096)) }], next: 1 },
        { kind: 'return', value: null },
      ]),
    ],
  });

/** Events one after the other, each behind a question that has one answer in a run. */
const guarded = (events: readonly E[]): ProgramNode[] =>
  events.flatMap((event, n): ProgramNode[] => [
    { kind: 'branch', on: ask(`flag ${n}`), then: 3 + 2 * n, else: 4 + 2 * n, at: null },
    { kind: 'event', event, next: 4 + 2 * n, at: null },
  ]);

const statesOf = (one: EventProgram, whole: boolean): { states: number; ways: string[] } => {
  const result = search(createModel({ programs: [one], facts: factsOf(machine('x86-64')), whole }), {
    states: 300_000,
    expired: () => false,
    collect: Number.POSITIVE_INFINITY,
  });
  expect(result.end).toBe('exhausted');
  return {
    states: result.states,
    ways: [
      ...new Set(result.violations.map(({ violation }) => `${violation.hazard} ${violation.object}`)),
    ].sort(),
  };
};

describe('a round of a loop at another address', () => {
  const many: readonly E[] = [
    { kind: 'read', entry: here, into: 'x' },
    { kind: 'get', memory: op('page-of', v('x')) },
    { kind: 'put', memory: op('page-of', v('x')) },
    { kind: 'read', entry: here, into: 'x' },
    { kind: 'get', memory: op('page-of', v('x')) },
    { kind: 'put', memory: op('page-of', v('x')) },
  ];
  it('is left out where it does nothing that matters', () => {
    const safe = walk(
      guarded([
        ...many,
        { kind: 'clear', entry: here, old: 'old' },
        { ...flushPage(), scope: { kind: 'page', address: v('a'), stride: 'pte' } },
      ]),
    );
    const [all, cut] = [statesOf(safe, true), statesOf(safe, false)];
    expect(cut.ways).toEqual(all.ways);
    expect(cut.states).toBeLessThan(all.states);
  });
  it('is kept where what it does matters: a flag that it sets decides about the flush', () => {
    const flagged = (value: number): EventProgram =>
      walk(
        nodes([
          { kind: 'branch', on: ask('quiet', false), then: 3, else: 4 },
          { kind: 'assign', sets: [{ name: 'late', value: integer(value) }], next: 4 },
          { kind: 'event', event: { kind: 'clear', entry: here, old: 'old' }, next: 5 },
          { kind: 'branch', on: v('late'), then: 7, else: 6 },
          { kind: 'event', event: { ...flushPage(), scope: { kind: 'all' } }, next: 7 },
        ]),
      );
    expect(statesOf(flagged(1), false).ways).toContain('missing-flush entry:pte');
    expect(statesOf(flagged(0), false).ways).toEqual([]);
  });
});

describe('a search that forgets answers', () => {
  const facts = (): ReturnType<typeof factsOf> => factsOf(machine('x86-64'));
  const free: E = { kind: 'free', memory: op('page-of', v('old')) };
  const order = (first: string, second: string): EventProgram =>
    program([], {
      levels: ['pte'],
      space: 'kernel',
      outermost: false,
      nodes: nodes([
        {
          kind: 'event',
          event: {
            kind: 'clear',
            entry: constant({ kind: 'entry-pointer', level: 'pte', table: 'W', gap: 'at' }),
            old: 'old',
          },
          next: 1,
        },
        { kind: 'branch', on: ask(first), then: 2, else: 3 },
        { kind: 'event', event: { ...flushPage(), scope: { kind: 'all' }, reach: 'all' }, next: 3 },
        { kind: 'branch', on: ask(second), then: 4, else: 5 },
        { kind: 'event', event: free, next: 5 },
        { kind: 'return', value: null },
      ]),
    });
  const each = { of: ({ object }: { readonly object: string }) => object, most: 16 };
  const limits = { states: 10_000, expired: () => false, collect: 64, each, small: 0 };

  it('finds nothing where the flush and the free hang on one answer', () => {
    const result = searchProgram({ programs: [order('both', 'both')], facts: facts() }, limits);
    expect(result.end).toBe(null);
    expect(result.violations.map((run) => run.violation.hazard)).toEqual([]);
  });
  it('finds the free before the flush where they hang on two', () => {
    const result = searchProgram({ programs: [order('flush', 'free')], facts: facts() }, limits);
    expect(result.violations.map((run) => run.violation.hazard)).toContain('free-before-flush');
  });
});

describe('answers about a member of a list', () => {
  const take: E = {
    kind: 'container-take',
    container: symbol('list'),
    into: 'p',
    remove: false,
    unseen: constant(page),
    names: 'first(list)',
  };
  const busy = (name: string): Expression => ({ ...ask(`busy(${name})`), stable: true }) as Expression;
  /** Takes a member, leaves when it is not busy, takes another, and frees that if the answer about it is that it is not. */
  const twice = (second: string): EventProgram =>
    program([], {
      levels: ['pte'],
      nodes: nodes([
        { kind: 'event', event: take, next: 1 },
        { kind: 'branch', on: busy('first(list)'), then: 2, else: 5 },
        { kind: 'event', event: take, next: 3 },
        { kind: 'branch', on: busy(second), then: 5, else: 4 },
        { kind: 'event', event: { kind: 'free', memory: v('p') }, next: 5 },
        { kind: 'return', value: null },
      ]),
    });
  it('are asked again about the next', () => {
    expect(statesOf(twice('first(list)'), false).ways).toContain('free-before-clear page');
  });
  it('stay where they are about something else', () => {
    const other = twice('elsewhere');
    const same: EventProgram = {
      ...other,
      nodes: other.nodes.map((node, id) =>
        id === 1 && node.kind === 'branch' ? { ...node, on: busy('elsewhere') } : node,
      ),
    };
    expect(statesOf(same, false).ways).toEqual([]);
  });
});

describe('the last granule of a larger one', () => {
  /** `addr |= PUD_SIZE - PMD_SIZE`, then a step of PMD_SIZE. */
  const skip = (next: Expression): EventProgram =>
    program(
      [
        ['a', addr('pmd')],
        ['a', op('|', v('a'), integer(2 ** 30 - 2 ** 21))],
        ['a', next],
        { when: op('!=', v('a'), addr('past')) },
        { kind: 'clear', entry: here, old: 'old' },
      ],
      { levels: ['pte'], space: 'kernel' },
    );
  it('leads past the address with one step more', () => {
    expect(statesOf(skip(op('+', v('a'), integer(2 ** 21))), false).ways).toEqual([]);
  });
  it('may still be the one that holds the address', () => {
    expect(statesOf(skip(v('a')), false).ways).toEqual(['missing-flush entry:pte']);
  });
});
