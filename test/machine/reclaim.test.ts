import { describe, expect, it } from 'vitest';
import type { Event } from '#event/event.js';
import type { Expression } from '#event/expression.js';
import {
  clear,
  entry,
  flushPage,
  flushRange,
  gather,
  hazards,
  op,
  program,
  quiet,
  symbol,
  v,
} from './programs.js';

type E = Event<Expression>;

const lock: E = { kind: 'lock', lock: symbol('ptl'), class: 'ptl' };
const unlock: E = { kind: 'unlock', lock: symbol('ptl'), class: 'ptl' };
const others: E = { kind: 'batch-flush', others: true };
const own: E = { kind: 'batch-flush' };
const look = ['seen', op('is-present', op('read', entry('pte')))] as const;
const asked = { when: op('!', v('seen')) };

/** What goes wrong when reclaim may have emptied the entry before the program looks at it. */
const beside = (lines: Parameters<typeof program>[0], outermost = true): string[] =>
  hazards(program(lines, { reclaimed: true, outermost }), 'x86-64', quiet);

const OWED = ['reuse-under-deferred-flush entry:pte'];

describe('an entry that reclaim emptied while its flush is batched', () => {
  it('is owed that flush by who is through with the range', () => {
    expect(beside([lock, look, asked, unlock])).toEqual(OWED);
    expect(beside([lock, look, asked, unlock], false)).toEqual([]);
  });
  it('is flushed with what reclaim has batched for the mm, before the look or behind it', () => {
    expect(beside([lock, others, look, asked, unlock])).toEqual([]);
    expect(beside([lock, look, asked, others, unlock])).toEqual([]);
    expect(beside([lock, look, asked, unlock, others])).toEqual([]);
  });
  it('may come into being between that flush and the lock', () => {
    expect(beside([others, lock, look, asked, unlock])).toEqual(OWED);
    expect(beside([lock, others, unlock, lock, look, asked, unlock])).toEqual(OWED);
  });
  it('cannot while the lock of the caller is held', () => {
    expect(beside([others, look, asked])).toEqual([]);
    expect(beside([others, look, asked, unlock])).toEqual([]);
  });
  it('cannot while another page-table lock is taken on top', () => {
    const nested: E = { kind: 'lock', lock: symbol('new_ptl'), class: 'ptl' };
    expect(beside([lock, others, nested, look, asked, unlock])).toEqual([]);
  });
  it('stays in the batch of the CPU that emptied it', () => {
    expect(beside([lock, look, asked, own, unlock])).toEqual(OWED);
  });
  it('is flushed by any flush that covers it', () => {
    expect(beside([lock, look, asked, flushPage(), unlock])).toEqual([]);
    expect(beside([lock, look, asked, flushRange('past', 'past'), unlock])).toEqual(OWED);
  });
  it('is left to the gather in whose range it is', () => {
    const open: E = {
      kind: 'gather-start',
      gather,
      full: op('!', op('is-present', op('read', entry('pmd')))),
    };
    const track: E = { kind: 'gather-track', gather, address: op('address-of', entry('pte')), stride: 'pte' };
    const end: E = { kind: 'gather-end', gather };
    expect(beside([open, lock, look, asked, track, unlock, end])).toEqual([]);
    expect(beside([open, lock, look, asked, unlock, end])).toEqual(OWED);
  });
  it('is nothing to code on whose both sides nobody flushes for reclaim', () => {
    expect(hazards(program([lock, look, asked, unlock]), 'x86-64', quiet)).toEqual([]);
  });
  it('is no reason to break before make: the page stays locked until the flush', () => {
    const set: E = {
      kind: 'set',
      entry: entry('pte'),
      value: op('with-write', op('read', entry('pte')), v('seen')),
    };
    expect(
      beside([lock, clear('pte'), set, flushPage(), unlock]).filter((id) => id.startsWith('break')),
    ).toEqual([]);
  });
});
