import { describe, expect, test } from 'vitest';
import { Resolver } from '#extract/resolve.js';
import { Session } from '#review/session.js';
import type { Task } from '#review/task.js';
import { loadRules } from '#rules/load-rules.js';

const session = (allowance?: 'function'): Session =>
  new Session(loadRules(), {
    ...(allowance === undefined ? {} : { allowance }),
    machines: [],
    existing: false,
    limits: { states: 1_000, milliseconds: 1_000 },
    now: () => 0,
    onProgress: () => {},
  });

test('a search that came to its end counts half of what one that was cut off counts', () => {
  const settled = session();
  settled.states += 600;
  settled.spend('f', 600, true);
  expect(settled.spent('f')).toBe(300);

  const open = session();
  open.states += 600;
  open.spend('f', 600, false);
  expect(open.spent('f')).toBe(600);
});

test('what was spent before does not count after a new start', () => {
  const trial = session();
  trial.states += 600;
  trial.spend('f', 600, true);
  trial.startOver();
  expect(trial.spent('f')).toBe(0);
  trial.states += 100;
  trial.spend('f', 100, false);
  expect(trial.spent('f')).toBe(100);
});

describe('a root that is too much to search', () => {
  const changed = { name: 'f', kind: 'function', file: 'mm/a.c' } as const;
  const task = (root: string): Task => ({
    label: root,
    root,
    file: 'mm/a.c',
    changed,
    bodies: new Set(),
    client: null,
    linked: new Map(),
  });

  const bodies = (...names: string[]): ReadonlySet<string> => new Set(names);
  const none = bodies();

  test('is not tried on other machines, where many functions are searched', () => {
    const many = session('function');
    expect([many.isOpen(task('f'), bodies('f'), 10), many.isHopeless(task('f'))]).toEqual([false, false]);
    many.leaveOpen(task('f'), 10, none);
    expect([many.isOpen(task('f'), bodies('f'), 10), many.isHopeless(task('f'))]).toEqual([true, true]);
    expect(many.isHopeless(task('g'))).toBe(false);
  });

  test('leaves little for what contains it, and everything for the rest', () => {
    const many = session('function');
    many.leaveOpen(task('f'), 10, none);
    expect(many.isOpen(task('g'), bodies('g', 'f', 'a', 'b'), 10)).toBe(true);
    expect(many.isOpen(task('g'), bodies('g', 'a', 'b'), 10)).toBe(false);
  });

  test('leaves little for what is no smaller and has most of its functions', () => {
    const many = session('function');
    many.leaveOpen(task('f'), 10, bodies('f', 'a', 'b', 'c'));
    expect(many.isOpen(task('g'), bodies('g', 'a', 'b', 'c'), 10)).toBe(true);
    expect(many.isOpen(task('g'), bodies('g', 'a', 'b', 'c'), 9)).toBe(false);
    expect(many.isOpen(task('g'), bodies('g', 'a', 'b'), 10)).toBe(false);
    many.noteShown(task('g'));
    expect(many.isOpen(task('g'), bodies('g', 'a', 'b', 'c'), 10)).toBe(false);
  });

  test('lets what contains it be, where that is large itself', () => {
    const many = session('function');
    expect(many.isTooLarge(task('g'), bodies('g', 'f'), 601)).toBe(false);
    many.leaveOpen(task('f'), 10, none);
    expect(many.isTooLarge(task('g'), bodies('g', 'f'), 600)).toBe(false);
    expect(many.isTooLarge(task('g'), bodies('g', 'f'), 601)).toBe(true);
    expect(many.isTooLarge(task('g'), bodies('g', 'a'), 601)).toBe(false);
  });

  test('lets what calls it be, where it was large itself', () => {
    const text = 'void f(void)\n{\n}\n\nvoid g(void)\n{\n\tf();\n}\n\nvoid h(void)\n{\n\tg();\n}\n';
    const read = (path: string): string | null => (path === 'mm/a.c' ? text : null);
    const of = (nodes: number): boolean[] => {
      const many = session('function');
      const [machine] = many.rules.machines;
      if (machine === undefined) throw new Error('there are machines');
      const resolver = new Resolver(read, machine, many.cache);
      const before = many.callsLarge(task('g'), resolver);
      many.leaveOpen(task('f'), nodes, none);
      return [before, ...['f', 'g', 'h'].map((name) => many.callsLarge(task(name), resolver))];
    };
    expect(of(601)).toEqual([false, false, true, false]);
    expect(of(600)).toEqual([false, false, false, false]);
  });

  test('gets least where a part of it was too much, and where another machine showed what to look for', () => {
    const many = session('function');
    expect([many.leastStates(task('f'), false), many.leastStates(task('f'), true)]).toEqual([4000, 2000]);
    many.noteShown(task('f'));
    expect([many.leastStates(task('f'), false), many.leastStates(task('g'), false)]).toEqual([500, 4000]);
    const few = session();
    few.noteShown(task('f'));
    expect([few.leastStates(task('f'), false), few.leastStates(task('f'), true)]).toEqual([2000, 2000]);
  });

  test('leaves its share to every other function of a patch', () => {
    const few = session();
    few.leaveOpen(task('f'), 10, none);
    expect(few.isOpen(task('a'), bodies('f', 'a'), 10)).toBe(false);
  });

  test('is where something was found on one of them', () => {
    const many = session('function');
    many.leaveOpen(task('f'), 10, none);
    many.noteShown(task('f'));
    many.leaveOpen(task('f'), 10, none);
    expect(many.isHopeless(task('f'))).toBe(false);
  });

  test('is where the functions of one patch are', () => {
    const few = session();
    few.leaveOpen(task('f'), 10, none);
    few.leaveOpen(task('f'), 10, none);
    expect(few.isHopeless(task('f'))).toBe(false);
  });
});
