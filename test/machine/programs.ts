/** Hand-built event programs, and the machines of rules/machines, for the tests of this folder. */
import type { Event, Flush } from '#event/event.js';
import { constant, type Expression } from '#event/expression.js';
import type { MachineFile } from '#event/machine-facts.js';
import type { EventProgram, ProgramNode } from '#event/program.js';
import type { Gap, Level, Value } from '#event/value.js';
import { search } from '#explore/search.js';
import { createModel, type ModelOptions } from '#machine/create-model.js';
import { explainRun } from '#machine/explain-run.js';
import { factsOf } from '#machine/facts.js';
import { loadRules } from '#rules/load-rules.js';

type E = Event<Expression>;

export const MACHINES = loadRules().machines;

export function machine(name: string): MachineFile {
  const found = MACHINES.find((known) => known.name === name);
  if (found === undefined) throw new Error(`no machine ${name}`);
  return found;
}

export const v = (name: string): Expression => ({ op: 'var', name });
export const entry = (level: Level): Expression =>
  constant({ kind: 'entry-pointer', level, table: 'W', gap: 'at' });
export const addr = (gap: Gap | '?'): Expression => constant({ kind: 'address', gap });
export const page: Value = { kind: 'memory', what: 'page', level: 'pte', who: 'W' };
export const tableOf = (level: Level): Expression =>
  constant({ kind: 'memory', what: 'table', level, who: 'W' });
export const newPage: Expression = constant({ kind: 'memory', what: 'page', level: 'pte', who: 'new' });
export const range: Expression = constant({ kind: 'memory', what: 'range', level: 'pte', who: 'W' });
export const gather: Expression = constant({ kind: 'symbol', name: 'tlb' });
export const symbol = (name: string): Expression => constant({ kind: 'symbol', name });
export const op = (
  name: Extract<Expression, { args: readonly Expression[]; op: string }>['op'],
  ...args: Expression[]
): Expression => ({ op: name, args }) as Expression;
export const leaf = (memory: Expression): Expression => ({ op: 'make-leaf', args: [memory], level: 'pte' });

export const clear = (level: Level, old = 'old'): E => ({ kind: 'clear', entry: entry(level), old });
/** A pmd that is known to point to a table. */
export const unlink: E = { kind: 'clear', entry: entry('pmd'), old: 'old', was: 'table' };
export const flushPage = (gap: Gap | '?' = 'pte'): Flush<Expression> => ({
  kind: 'flush',
  scope: { kind: 'page', address: addr(gap), stride: 'pte' },
  depth: 'machine',
  reach: 'all-but-lazy',
  timing: 'done',
});
export const flushRange = (start: Gap = 'pte', end: Gap = 'past'): Flush<Expression> => ({
  kind: 'flush',
  scope: { kind: 'range', start: addr(start), end: addr(end), stride: 'pte' },
  depth: 'machine',
  reach: 'all',
  timing: 'done',
});
export const putOld: E = { kind: 'put', memory: op('page-of', v('old')) };
export const freeTable = (when: 'now' | 'rcu' = 'now'): E => ({
  kind: 'free',
  memory: op('table-of', v('old')),
  when,
});

/** Step of a straight program: an event, an assignment `[name, value]`, or `unless` that leaves when its test is false. */
export type Line = E | readonly [string, Expression] | { readonly when: Expression };

export function program(lines: readonly Line[], options: Partial<EventProgram> = {}): EventProgram {
  const end = lines.length;
  const nodes: ProgramNode[] = lines.map((line, n): ProgramNode => {
    if ('when' in line && !('kind' in line))
      return { kind: 'branch', on: line.when, then: n + 1, else: end, at: null };
    if ('kind' in line) return { kind: 'event', event: line, next: n + 1, at: null };
    return { kind: 'assign', sets: [{ name: line[0], value: line[1] }], next: n + 1, at: null };
  });
  nodes.push({ kind: 'return', value: null, at: null });
  return {
    name: 'test',
    nodes,
    initial: new Map(),
    levels: ['pte'],
    space: 'user',
    outermost: true,
    assumptions: [],
    ...options,
  };
}

/** Hazards found, each once, with the objects; explains every run on the way, so that each is replayed. */
export function hazards(
  programs: EventProgram | readonly EventProgram[],
  name = 'x86-64',
  more: Partial<ModelOptions> = {},
): string[] {
  const options: ModelOptions = {
    programs: Array.isArray(programs) ? programs : [programs as EventProgram],
    facts: factsOf(machine(name)),
    ...more,
  };
  const result = search(createModel(options), { states: 200_000, expired: () => false, collect: 500 });
  if (result.end !== 'exhausted') throw new Error(`search ended with ${result.end}`);
  for (const run of result.violations) explainRun(options, run);
  return [
    ...new Set(result.violations.map((run) => `${run.violation.hazard} ${run.violation.object}`)),
  ].sort();
}

/** The caller opened a notifier section, raised tlb_flush_pending: questions beside the point of most tests. */
const QUIET: ReadonlyMap<string, readonly string[]> = new Map([
  ['mmu notifier section open at entry', ['yes']],
  ['tlb_flush_pending raised at entry', ['no']],
  ['mmap_lock held for write at entry', ['no']],
]);
export const quiet = { fixed: QUIET };
