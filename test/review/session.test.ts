import { describe, expect, test } from 'vitest';
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

  test('is not tried on other machines, where many functions are searched', () => {
    const many = session('function');
    expect([many.isOpen(bodies('f')), many.isHopeless(task('f'))]).toEqual([false, false]);
    many.leaveOpen(task('f'));
    expect([many.isOpen(bodies('f')), many.isHopeless(task('f'))]).toEqual([true, true]);
    expect(many.isHopeless(task('g'))).toBe(false);
  });

  test('leaves little for what contains it, and everything for the rest', () => {
    const many = session('function');
    many.leaveOpen(task('f'));
    expect(many.isOpen(bodies('g', 'f', 'a', 'b'))).toBe(true);
    expect(many.isOpen(bodies('g', 'a', 'b'))).toBe(false);
  });

  test('leaves its share to every other function of a patch', () => {
    const few = session();
    few.leaveOpen(task('f'));
    expect(few.isOpen(bodies('f', 'a'))).toBe(false);
  });

  test('is where something was found on one of them', () => {
    const many = session('function');
    many.leaveOpen(task('f'));
    many.noteShown(task('f'));
    many.leaveOpen(task('f'));
    expect(many.isHopeless(task('f'))).toBe(false);
  });

  test('is where the functions of one patch are', () => {
    const few = session();
    few.leaveOpen(task('f'));
    few.leaveOpen(task('f'));
    expect(few.isHopeless(task('f'))).toBe(false);
  });
});
