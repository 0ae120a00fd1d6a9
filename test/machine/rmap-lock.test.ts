import { describe, expect, it } from 'vitest';
import type { Event } from '#event/event.js';
import type { Expression } from '#event/expression.js';
import { integer } from '#event/expression.js';
import { clear, entry, flushPage, gather, hazards, op, program, quiet, symbol, v } from './programs.js';

type E = Event<Expression>;

const lock = (mode: 'read' | 'write' = 'write'): E => ({
  kind: 'lock',
  lock: symbol('mapping'),
  class: 'rmap',
  mode,
});
const unlock = (mode: 'read' | 'write' = 'write'): E => ({
  kind: 'unlock',
  lock: symbol('mapping'),
  class: 'rmap',
  mode,
});
const open: E = { kind: 'gather-start', gather, full: integer(0) };
const track: E = { kind: 'gather-track', gather, address: op('address-of', entry('pte')), stride: 'pte' };
const flush: E = { kind: 'gather-flush', gather };
const end: E = { kind: 'gather-end', gather };
const protect = [
  clear('pte'),
  { when: op('is-present', v('old')) },
  { kind: 'set' as const, entry: entry('pte'), value: op('with-write', v('old'), integer(0)) },
  track,
];

const found = (lines: Parameters<typeof program>[0]): string[] => hazards(program(lines), 'x86-64', quiet);
const EARLY = ['unlock-before-flush entry:pte'];

describe('an entry write-protected under the lock of the other mappings of its page', () => {
  it('is flushed before that lock is dropped, an open gather or not', () => {
    expect(found([open, lock(), ...protect, unlock(), end])).toEqual(EARLY);
    expect(found([open, lock(), ...protect, flush, unlock(), end])).toEqual([]);
  });
  it('may be flushed by anything that covers it', () => {
    expect(found([open, lock(), ...protect, flushPage(), unlock(), end])).toEqual([]);
    expect(found([open, lock(), ...protect, flushPage('past'), unlock(), end])).toEqual(EARLY);
  });
  it('is no matter of who shares the lock, nor of a section that began later', () => {
    expect(found([open, lock('read'), ...protect, unlock('read'), end])).toEqual([]);
    expect(found([open, ...protect, lock(), unlock(), end])).toEqual([]);
  });
  it('is another thing than one that was cleared: nobody finds the page through that', () => {
    const drop: E = { kind: 'gather-page', gather, memory: op('page-of', v('old')) };
    expect(
      found([open, lock(), clear('pte'), { when: op('is-present', v('old')) }, track, drop, unlock(), end]),
    ).toEqual([]);
  });
});
