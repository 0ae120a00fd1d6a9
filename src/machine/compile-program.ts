/**
 * What the machine needs to know of a program before it runs it: where each variable lives, which variables and stable
 * choices are still wanted at each node (dead ones are dropped, so that states merge), which nodes other CPUs can
 * notice, and which lie on a cycle.
 */
import type { Event } from '#event/event.js';
import type { Expression } from '#event/expression.js';
import type { EventProgram, NodeId, ProgramNode } from '#event/program.js';
import { LEVELS, type Value } from '#event/value.js';
import { expressionsOf, successorsOf } from '#event/walk-program.js';
import { type Bits, backwards, has, members, put, writtenBy } from './liveness.js';
import { type Use, usesOf, withoutIdleNumbers } from './narrow.js';
import { addressIn, firstAddressOf } from './position.js';
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
  /** By variable: what of its value can still be learnt; where nothing stands, all. */
  readonly uses: ReadonlyMap<string, Use>;
  /** Loops, and what each leaves alone; none where other programs run beside. */
  readonly scopes: ProgramScopes;
  /** Per node: does running it touch what other CPUs see? */
  readonly shared: readonly boolean[];
  /** Per node of the whole program: can it run again? */
  readonly cyclic: readonly boolean[];
  /** Kinds of events in the program. */
  readonly kinds: ReadonlySet<string>;
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

/** Gives numbers to names in the order in which they come. */
class Numbers {
  readonly names: string[] = [];
  private readonly numbers = new Map<string, number>();

  of(name: string): number {
    const known = this.numbers.get(name);
    if (known !== undefined) return known;
    this.numbers.set(name, this.names.length);
    this.names.push(name);
    return this.names.length - 1;
  }
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
  const variables = new Numbers();
  const choices = new Numbers();
  for (const name of program.initial.keys()) variables.of(name);

  const kinds = new Set<string>();
  const shared: boolean[] = [];
  const contended = new Set(program.contended ?? program.shared ?? []);
  const uses = nodes.map((node, id) => {
    const found: Uses = { vars: new Set(), choices: new Set(), reads: false };
    for (const expression of expressionsOf(node)) collect(expression, found);
    const defs: number[] = [];
    if (node.kind === 'assign')
      for (const set of node.sets) if (!common.has(set.name)) defs.push(variables.of(set.name));
    if (node.kind === 'event') {
      kinds.add(node.event.kind);
      for (const name of writtenBy(node.event)) defs.push(variables.of(name));
    }
    shared[id] =
      (node.kind === 'event' && !isOwn(node.event)) ||
      node.kind === 'return' ||
      found.reads ||
      [...found.vars].some((name) => contended.has(name)) ||
      (node.kind === 'assign' && node.sets.some((set) => contended.has(set.name)));
    return {
      vars: [...found.vars].filter((name) => !common.has(name)).map((name) => variables.of(name)),
      choices: [...found.choices].map((key) => choices.of(key)),
      defs,
    };
  });

  const live = backwards(
    ways,
    variables.names.length,
    uses.map((use) => use.vars),
    uses.map((use) => use.defs),
  );
  const slots = shareSlots(ways, live, variables.names.length, uses);
  const slotCount = slots.reduce((most, slot) => Math.max(most, slot + 1), 0);
  const deadSlots = live.map((vars) => {
    const free = new Set(Array.from({ length: slotCount }, (_, slot) => slot));
    for (const variable of members(vars)) free.delete(slots[variable] as number);
    return [...free];
  });
  const replaced = nodes.map((node) => {
    if (node.kind !== 'event' || node.event.kind !== 'container-take') return [];
    const { names } = node.event;
    if (names === undefined) return [];
    return choices.names.flatMap((key, number) => (key.includes(names) ? [number] : []));
  });
  const asked = backwards(
    ways,
    choices.names.length,
    uses.map((use) => use.choices),
    replaced,
  );
  const sets = new Map<string, ReadonlySet<string>>();
  const liveChoices = asked.map((keys) => {
    const text = keys.join(' ');
    const known = sets.get(text);
    if (known !== undefined) return known;
    const set = new Set(members(keys).map((key) => choices.names[key] as string));
    sets.set(text, set);
    return set;
  });
  const start = live[0] ?? new Uint32Array(0);
  const initial = [...program.initial].flatMap(([name, value]) => {
    const variable = variables.of(name);
    return has(start, variable) ? [{ slot: slots[variable] as number, value }] : [];
  });
  return {
    program,
    nodes,
    origin: origin ?? nodes.map((_, id) => id),
    forks,
    slots: new Map(variables.names.map((name, variable) => [name, slots[variable] as number])),
    slotCount,
    noVars: new Array<number>(slotCount).fill(0),
    initial,
    deadSlots,
    liveChoices,
    forgets: replaced.map((keys) => new Set(keys.map((key) => choices.names[key] as string))),
    cleared: nodes.map((node, id) => {
      const use = uses[id];
      if (node.kind !== 'event' || use === undefined) return [];
      return use.defs.filter((def) => !use.vars.includes(def)).map((def) => slots[def] as number);
    }),
    uses: narrow,
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

/** A slot for each variable: a write must not touch what is still to be read behind it. */
function shareSlots(
  ways: readonly (readonly NodeId[])[],
  live: readonly Bits[],
  count: number,
  uses: readonly { readonly defs: readonly number[] }[],
): number[] {
  const words = (count + 31) >>> 5;
  const apart: Bits[] = Array.from({ length: count }, () => new Uint32Array(words));
  const together = (variables: readonly number[], others: Bits): void => {
    for (const variable of variables) {
      const own = apart[variable] as Bits;
      for (let word = 0; word < words; word += 1)
        own[word] = (own[word] as number) | (others[word] as number);
    }
  };
  ways.forEach((way, id) => {
    const defs = uses[id]?.defs ?? [];
    if (defs.length === 0) return;
    const others = new Uint32Array(words);
    for (const next of way) {
      const after = live[next] as Bits;
      for (let word = 0; word < words; word += 1)
        others[word] = (others[word] as number) | (after[word] as number);
    }
    for (const def of defs) put(others, def);
    together(defs, others);
  });
  const start = live[0];
  if (start !== undefined) together(members(start), start);
  // Whoever is apart from another has the other apart from it.
  apart.forEach((bits, variable) => {
    for (const other of members(bits)) put(apart[other] as Bits, variable);
  });
  const slots: number[] = [];
  for (let variable = 0; variable < count; variable += 1) {
    const taken = new Set<number>();
    for (const other of members(apart[variable] as Bits))
      if (other < variable) taken.add(slots[other] as number);
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
