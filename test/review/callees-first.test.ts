import { expect, test } from 'vitest';
import { calleesFirst } from '#review/callees-first.js';

const order = (calls: Readonly<Record<string, readonly string[]>>): readonly string[] =>
  calleesFirst(new Set(Object.keys(calls)), (name) => calls[name] ?? []);

test('what a function calls comes before it', () => {
  expect(order({ a: ['c', 'b'], b: ['c'], c: [] })).toEqual(['c', 'b', 'a']);
  expect(order({ c: [], b: ['c'], a: ['b', 'c'] })).toEqual(['c', 'b', 'a']);
});

test('each name comes once, and nothing that is not among them', () => {
  expect(order({ a: ['printk', 'b'], b: [], d: ['b'] })).toEqual(['b', 'a', 'd']);
});

test('a circle ends where it was begun', () => {
  expect(order({ a: ['b'], b: ['a', 'c'], c: ['b'] })).toEqual(['c', 'b', 'a']);
});

test('a chain may be longer than the stack is deep', () => {
  const length = 200_000;
  const names = new Set(Array.from({ length }, (_, n) => `f${n}`));
  const chain = calleesFirst(names, (name) => [`f${Number(name.slice(1)) + 1}`]);
  expect([chain.length, chain[0], chain.at(-1)]).toEqual([length, `f${length - 1}`, 'f0']);
});
