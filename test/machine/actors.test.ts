import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { search } from '#explore/search.js';
import { createModel } from '#machine/create-model.js';
import { factsOf } from '#machine/facts.js';
import { compileActor } from '#rules/compile-actor.js';
import { Source } from '#rules/parse-yaml.js';
import type { ActorFile } from '#rules/rule.js';
import { flushRange, freeTable, hazards, machine, op, program, quiet, unlink, v } from './programs.js';

const folder = new URL('../../rules/actors/', import.meta.url);
const actors = readdirSync(folder)
  .sort()
  .flatMap((name) => compileActor(new Source(name, readFileSync(new URL(name, folder), 'utf8')), new Map()));
const actor = (name: string): ActorFile => {
  const found = actors.find((known) => known.name === name);
  if (found === undefined) throw new Error(`no actor ${name}`);
  return found;
};

describe('actors', () => {
  it.each(actors.map((one) => [one.name, one] as const))('%s does nothing wrong alone', (_name, one) => {
    const model = createModel({
      programs: [one.program],
      facts: factsOf(machine('x86-64')),
      ambient: false,
      ...quiet,
    });
    const result = search(model, { states: 10_000, expired: () => false, collect: 1 });
    expect(result.end).toBe('exhausted');
    expect(result.violations).toEqual([]);
  });

  it('meet the code that is checked: GUP-fast in a table that is freed', () => {
    const isTable = { when: op('is-table', v('old')) };
    const free = program([unlink, isTable, flushRange(), freeTable()], {
      levels: ['pte', 'pmd'],
      outermost: false,
    });
    expect(hazards([free, actor('gup-fast').program], 'arm64', quiet)).toEqual([
      'flush-without-ipi table:pte',
    ]);
    expect(hazards([free, actor('gup-fast').program], 'x86-64', quiet)).toEqual([]);
  });

  it('meet the code that is checked: vmalloc in a table that is freed', () => {
    const isTable = { when: op('is-table', v('old')) };
    const all = { ...flushRange(), depth: 'walk' as const };
    const free = program([unlink, isTable, all, freeTable()], {
      levels: ['pte', 'pmd'],
      space: 'kernel',
      outermost: false,
    });
    expect(hazards([free, actor('vmalloc-walker').program], 'arm64')).toEqual([
      'shared-table-walk-race table:pte',
    ]);
  });
});
