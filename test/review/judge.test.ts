import { describe, expect, test } from 'vitest';
import type { Expression } from '#event/expression.js';
import type { EventProgram, ProgramNode } from '#event/program.js';
import { factsOf } from '#machine/facts.js';
import { nothingLearnt } from '#machine/search-program.js';
import { judge } from '#review/judge.js';
import { clear, flushPage, machine, op, program, putOld, v } from '../machine/programs.js';

const ask = (key: string): Expression => ({
  op: 'choice',
  key,
  of: [
    { kind: 'int', n: 0 },
    { kind: 'some', is: 'nonzero' },
  ],
});

/** Clears a present entry, flushes it where the test says so, and drops the page. */
function flushWhere(join: '&&' | '||' | 'first' | 'always'): EventProgram {
  const [one, two] = [ask('several users'), ask('not the current mm')];
  const lines = program([
    clear('pte'),
    { when: op('is-present', v('old')) },
    ['one', one],
    ['two', two],
    [
      'flush',
      join === 'always'
        ? { op: 'const', value: { kind: 'int', n: 1 } }
        : op(
            join === 'first' ? '!' : join,
            ...(join === 'first' ? [op('!', v('one'))] : [v('one'), v('two')]),
          ),
    ],
    flushPage(),
    putOld,
  ]);
  const nodes: ProgramNode[] = [
    ...lines.nodes.slice(0, 5),
    { kind: 'branch', on: v('flush'), then: 6, else: 7, at: null },
    { ...(lines.nodes[5] as Extract<ProgramNode, { kind: 'event' }>), next: 7 },
    { ...(lines.nodes[6] as Extract<ProgramNode, { kind: 'event' }>), next: 8 },
    { kind: 'return', value: null, at: null },
  ];
  nodes[1] = { ...(nodes[1] as Extract<ProgramNode, { kind: 'branch' }>), else: 8 };
  return { ...lines, nodes, space: 'kernel' };
}

const verdict = (before: EventProgram, after: EventProgram) =>
  judge([before], [after], factsOf(machine('x86-64')), { states: 10_000, expired: () => false }, false);

describe('a run that is there on both sides', () => {
  test('does not hide one that meets it in one state by another answer', () => {
    const found = verdict(flushWhere('||'), flushWhere('&&'));
    expect(found.introduced.map((run) => run.violation.hazard)).toEqual(['free-before-flush']);
    expect(verdict(flushWhere('||'), flushWhere('first')).introduced).toHaveLength(1);
  });
  test('is all there is where each answer goes wrong on both', () => {
    expect(verdict(flushWhere('&&'), flushWhere('||')).introduced).toEqual([]);
    expect(verdict(flushWhere('first'), flushWhere('||')).introduced).toEqual([]);
    expect(verdict(flushWhere('&&'), flushWhere('first')).introduced).toEqual([]);
  });
  test('is none where the patch flushes always', () => {
    expect(verdict(flushWhere('&&'), flushWhere('always')).introduced).toEqual([]);
  });
});

describe('code that turns back early', () => {
  /** Clears a kernel entry and frees the page; with `early`, not where the answer is yes. */
  const freeUnless = (early: boolean, flush: 'never' | 'on yes' = 'never'): EventProgram => {
    const lines = program([
      ['early', ask('nothing is mapped')],
      clear('pte'),
      { when: op('is-present', v('old')) },
      flushPage(),
      putOld,
    ]);
    const nodes: ProgramNode[] = [
      { ...(lines.nodes[0] as Extract<ProgramNode, { kind: 'assign' }>), next: 1 },
      early
        ? { kind: 'branch', on: v('early'), then: 7, else: 2, at: null }
        : { kind: 'assign', sets: [], next: 2, at: null },
      { ...(lines.nodes[1] as Extract<ProgramNode, { kind: 'event' }>), next: 3 },
      { ...(lines.nodes[2] as Extract<ProgramNode, { kind: 'branch' }>), then: 4, else: 7 },
      flush === 'on yes'
        ? { kind: 'branch', on: v('early'), then: 5, else: 6, at: null }
        : { kind: 'assign', sets: [], next: 6, at: null },
      { ...(lines.nodes[3] as Extract<ProgramNode, { kind: 'event' }>), next: 6 },
      { ...(lines.nodes[4] as Extract<ProgramNode, { kind: 'event' }>), next: 7 },
      { kind: 'return', value: null, at: null },
    ];
    return { ...lines, nodes, space: 'kernel' };
  };
  test('and no longer does goes wrong in one case more, which is nothing new', () => {
    const found = verdict(freeUnless(true), freeUnless(false));
    expect(found.introduced).toEqual([]);
    expect(found.existing.map((run) => run.violation.hazard)).toContain('free-before-flush');
    expect(verdict(freeUnless(false), freeUnless(true)).fixed).toEqual([]);
  });
  test('and flushed in that case before is another matter', () => {
    const found = verdict(freeUnless(false, 'on yes'), freeUnless(false));
    expect(found.introduced.map((run) => run.violation.hazard)).toEqual(['free-before-flush']);
  });
});

test('what is too much to search is tried by the choices with which it went wrong before', () => {
  const learnt = nothingLearnt();
  const search = (program: EventProgram, states: number) =>
    judge(
      null,
      [program],
      factsOf(machine('x86-64')),
      { states, expired: () => false, kind: true, learnt },
      false,
    );
  const wrong = flushWhere('&&');
  const whole = search(wrong, 10_000);
  expect(whole.introduced.map((run) => run.violation.hazard)).toEqual(['free-before-flush']);
  const few = 6;
  const [again, other] = [search(wrong, few), search(flushWhere('always'), few)];
  expect(again.introduced.map((run) => run.violation.hazard)).toEqual(['free-before-flush']);
  expect(other.introduced).toEqual([]);
  expect(other.cutOff).toBe('state-limit');
  learnt.wrong.clear();
  expect(search(wrong, few)).toMatchObject({ introduced: [], cutOff: 'state-limit' });
});
