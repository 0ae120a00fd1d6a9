/**
 * What the machine needs to know of a program before it runs it: where each variable lives, which variables and stable
 * choices are still wanted at each node (dead ones are dropped, so that states merge), which nodes other CPUs can
 * notice, and which lie on a cycle.
 */
import type { Event } from '#event/event.js';
import type { Expression } from '#event/expression.js';
import type { EventProgram, NodeId, ProgramNode } from '#event/program.js';
import { LEVELS, type Value } from '#event/value.js';
import { expressionsOf, operandsOf, successorsOf } from '#event/walk-program.js';
import { backwards, Names, Sets, writtenBy } from './liveness.js';
import { type Use, usesOf, withoutIdleNumbers } from './narrow.js';
import { addressIn, firstAddressOf } from './position.js';
import { Rows } from './rows.js';
import { loopsIn, NO_SCOPES, type ProgramScopes, scopesOf } from './scopes.js';
import { type Fork, specialize, waysOn } from './specialize.js';

export interface CompiledProgram {
  readonly program: EventProgram;
  /** What runs: the program's nodes, or what is left of them where it runs alone. */
  readonly nodes: readonly ProgramNode[];
  /** Per node that runs: the program's node that it is. */
  readonly origin: readonly NodeId[];
  /** Where a node goes on by what it wrote. */
  readonly forks: ReadonlyMap<NodeId, Fork>;
  /** Where each variable is kept. Variables of which never two are wanted at one node share a slot. */
  readonly slots: ReadonlyMap<string, number>;
  readonly slotCount: number;
  /** What the slots hold when the program has ended. */
  readonly noVars: readonly number[];
  /** Values at the start of the slots that are then read, the others hold 0. */
  readonly initial: readonly { readonly slot: number; readonly value: Value }[];
  /** Per node: slots whose value nobody reads from that node on. */
  readonly deadSlots: readonly (readonly number[])[];
  /** Per node: keys of stable choices that may still be asked from that node on; equal sets are one object. */
  readonly liveChoices: readonly ReadonlySet<string>[];
  /** Per node: keys of stable choices whose answers were about something that the node replaces. */
  readonly forgets: readonly ReadonlySet<string>[];
  /** Per node: slots that its event writes and nobody reads before: they hold 0 where it does not write them after all. */
  readonly cleared: readonly (readonly number[])[];
  /** Per node: what an assignment writes. */
  readonly writes: readonly (readonly Assignment[])[];
  /** Loops, and what each leaves alone; none where other programs run beside. */
  readonly scopes: ProgramScopes;
  /** Per node: does running it touch what other CPUs see? */
  readonly shared: readonly boolean[];
  /** Per node of the whole program: can it run again? */
  readonly cyclic: readonly boolean[];
  /** Kinds of events in the program. */
  readonly kinds: ReadonlySet<string>;
}

export interface Assignment {
  readonly name: string;
  readonly value: Expression;
  /** Null for a variable that several programs have in common. */
  readonly slot: number | null;
  /** What of the value can still be learnt; undefined is all. */
  readonly use: Use | undefined;
}

/** What evaluating these may ask once for a run. */
const ADDRESS_QUESTIONS: ReadonlyMap<string, readonly string[]> = new Map([
  ['address-of', LEVELS.map(firstAddressOf)],
  ['address-in', [...LEVELS.map(firstAddressOf), ...LEVELS.map(addressIn)]],
]);

/** Operators that look at the state. */
const READS: ReadonlySet<string> = new Set(['read', 'is-empty', 'next-node']);

interface Uses {
  readonly vars: Set<string>;
  readonly choices: Set<string>;
  reads: boolean;
}

function collect(expression: Expression, uses: Uses): void {
  switch (expression.op) {
    case 'const':
    case 'param':
      return;
    case 'var':
      uses.vars.add(expression.name);
      return;
    case 'choice':
      if (expression.stable === true) uses.choices.add(expression.key);
      for (const arg of expression.args ?? []) collect(arg, uses);
      return;
    default:
      if (READS.has(expression.op)) uses.reads = true;
      for (const key of ADDRESS_QUESTIONS.get(expression.op) ?? []) uses.choices.add(key);
      for (const arg of expression.args) collect(arg, uses);
  }
}

type Part = Expression | Event<Expression>;

/** What a node computes with, events whole. */
function partsOf(node: ProgramNode): readonly Part[] {
  return node.kind === 'event' ? [node.event] : expressionsOf(node);
}

interface Needs {
  readonly vars: readonly number[];
  readonly choices: readonly number[];
  /** Does it look at what other CPUs may change? */
  readonly shared: boolean;
}

/** Programs are searched again and again: as they were written, and along each run that raised something. */
const compiled = new WeakMap<EventProgram, CompiledProgram>();
const compiledAlone = new WeakMap<EventProgram, CompiledProgram>();

/**
 * `alone`: no other program runs beside it, so that what nobody notices may be left out.
 * Throws when a node's successor does not exist: such a program is a bug of whoever built it.
 */
export function compileProgram(program: EventProgram, alone: boolean): CompiledProgram {
  const cache = alone ? compiledAlone : compiled;
  const known = cache.get(program);
  if (known !== undefined) return known;
  program.nodes.forEach((node, id) => {
    for (const next of successorsOf(node))
      if (program.nodes[next] === undefined)
        throw new Error(`${program.name}: node ${id} goes on to node ${next}, which does not exist`);
  });
  const special = alone ? specialize(program) : null;
  const result = compile(
    program,
    special?.nodes ?? program.nodes,
    special?.forks ?? new Map(),
    special?.origin ?? null,
    alone,
  );
  cache.set(program, result);
  return result;
}

/** Only the compiler sees it: other CPUs do not. */
const isOwn = (event: Event<Expression>): boolean =>
  event.kind === 'barrier' && event.strength === 'compiler';

function compile(
  program: EventProgram,
  written: readonly ProgramNode[],
  forks: ReadonlyMap<NodeId, Fork>,
  origin: readonly NodeId[] | null,
  alone: boolean,
): CompiledProgram {
  const common = new Set(program.shared ?? []);
  const narrow = new Map(alone ? usesOf(written, common) : []);
  // Where a node goes on by what it wrote, all of that is read.
  for (const { names } of forks.values()) for (const name of names) narrow.delete(name);
  const nodes = withoutIdleNumbers(written, narrow);
  const ways = nodes.map((node, id) => waysOn(node, forks.get(id)));
  const variables = new Names();
  const choices = new Names();
  for (const name of program.initial.keys()) variables.of(name);

  const kinds = new Set<string>();
  const shared: boolean[] = [];
  const contended = new Set(program.contended ?? program.shared ?? []);
  // Nodes have their parts from the program: many have the same.
  const known = new Map<Part, Needs>();
  const needsOf = (part: Part): Needs => {
    let needs = known.get(part);
    if (needs === undefined) {
      const found: Uses = { vars: new Set(), choices: new Set(), reads: false };
      for (const expression of 'kind' in part ? operandsOf(part) : [part]) collect(expression, found);
      const vars = [...found.vars];
      needs = {
        vars: vars.filter((name) => !common.has(name)).map((name) => variables.of(name)),
        choices: [...found.choices].map((key) => choices.of(key)),
        shared: found.reads || vars.some((name) => contended.has(name)),
      };
      known.set(part, needs);
    }
    return needs;
  };
  const uses = nodes.map((node, id) => {
    const defs: number[] = [];
    if (node.kind === 'assign')
      for (const set of node.sets) if (!common.has(set.name)) defs.push(variables.of(set.name));
    if (node.kind === 'event') {
      kinds.add(node.event.kind);
      for (const name of writtenBy(node.event)) defs.push(variables.of(name));
    }
    const needs = partsOf(node).map(needsOf);
    shared[id] =
      (node.kind === 'event' && !isOwn(node.event)) ||
      node.kind === 'return' ||
      needs.some((each) => each.shared) ||
      (node.kind === 'assign' && node.sets.some((set) => contended.has(set.name)));
    return {
      vars: needs.flatMap((each) => each.vars),
      choices: needs.flatMap((each) => each.choices),
      defs,
    };
  });

  const live = backwards(
    ways,
    variables.size,
    uses.map((use) => use.vars),
    uses.map((use) => use.defs),
  );
  const slots = shareSlots(ways, live, variables.size, uses);
  const slotCount = slots.reduce((most, slot) => Math.max(most, slot + 1), 0);
  const deadSlots = eachOnce(live, (vars) => {
    const used = new Set(vars.map((variable) => slots[variable] as number));
    return Array.from({ length: slotCount }, (_, slot) => slot).filter((slot) => !used.has(slot));
  });
  const replaced = nodes.map((node) => {
    if (node.kind !== 'event' || node.event.kind !== 'container-take') return [];
    const { names } = node.event;
    if (names === undefined) return [];
    return choices.all.flatMap((key, number) => (key.includes(names) ? [number] : []));
  });
  const asked = backwards(
    ways,
    choices.size,
    uses.map((use) => use.choices),
    replaced,
  );
  const named = (keys: readonly number[]): ReadonlySet<string> =>
    new Set(keys.map((key) => choices.all[key] as string));
  const initial = [...program.initial].flatMap(([name, value]) => {
    const variable = variables.of(name);
    return nodes.length > 0 && live.has(0, variable) ? [{ slot: slots[variable] as number, value }] : [];
  });
  return {
    program,
    nodes,
    origin: origin ?? nodes.map((_, id) => id),
    forks,
    slots: new Map(variables.all.map((name, variable) => [name, slots[variable] as number])),
    slotCount,
    noVars: new Array<number>(slotCount).fill(0),
    initial,
    deadSlots,
    liveChoices: eachOnce(asked, named),
    forgets: replaced.map((keys) => (keys.length === 0 ? NO_CHOICES : named(keys))),
    cleared: nodes.map((node, id) => {
      const use = uses[id];
      if (node.kind !== 'event' || use === undefined) return [];
      return use.defs.filter((def) => !use.vars.includes(def)).map((def) => slots[def] as number);
    }),
    writes: nodes.map((node) =>
      node.kind !== 'assign'
        ? []
        : node.sets.map(({ name, value }): Assignment => {
            const slot = common.has(name) ? null : (slots[variables.of(name)] as number);
            return { name, value, slot, use: narrow.get(name) };
          }),
    ),
    scopes:
      alone && program.beside !== true
        ? scopesOf(
            ways,
            uses.map(({ vars, defs }) => [...vars, ...defs].map((variable) => slots[variable] as number)),
            slotCount,
          )
        : NO_SCOPES,
    shared,
    cyclic: cyclicNodes(program.nodes),
    kinds,
  };
}

const NO_CHOICES: ReadonlySet<string> = new Set();

/** What comes of each set, one object for equal sets. */
function eachOnce<T>(sets: Sets, make: (members: readonly number[]) => T): T[] {
  const rows = new Rows();
  const made: T[] = [];
  return Array.from({ length: sets.count }, (_, set) => {
    for (let word = 0; word < sets.words; word += 1) rows.push(sets.bits[set * sets.words + word] as number);
    const row = rows.close();
    if (row === made.length) made.push(make(sets.members(set)));
    return made[row] as T;
  });
}

/** A slot for each variable: a write must not touch what is still to be read behind it. */
function shareSlots(
  ways: readonly (readonly NodeId[])[],
  live: Sets,
  count: number,
  uses: readonly { readonly defs: readonly number[] }[],
): number[] {
  const apart = new Sets(count, count);
  const others = new Sets(1, count);
  ways.forEach((way, id) => {
    const defs = uses[id]?.defs ?? [];
    if (defs.length === 0) return;
    others.clear(0);
    for (const next of way) others.join(0, live, next);
    for (const def of defs) others.put(0, def);
    for (const def of defs) apart.join(def, others, 0);
  });
  if (live.count > 0) for (const variable of live.members(0)) apart.join(variable, live, 0);
  // Whoever is apart from another has the other apart from it.
  for (let variable = 0; variable < count; variable += 1)
    for (const other of apart.members(variable)) apart.put(other, variable);
  const slots: number[] = [];
  for (let variable = 0; variable < count; variable += 1) {
    const taken = new Set<number>();
    for (const other of apart.members(variable)) if (other < variable) taken.add(slots[other] as number);
    let slot = 0;
    while (taken.has(slot)) slot += 1;
    slots.push(slot);
  }
  return slots;
}

/** Per node: does it lie on a cycle? */
function cyclicNodes(nodes: readonly ProgramNode[]): boolean[] {
  const cyclic = nodes.map(() => false);
  const ways = nodes.map(successorsOf);
  for (const loop of loopsIn(
    nodes.map((_, id) => id),
    ways,
  ))
    for (const id of loop) cyclic[id] = true;
  return cyclic;
}
