/**
 * A program that runs alone, cut down to what can matter to the witness.
 *
 * 1. `unfold`: the graph is unfolded by what is known of addresses, pointers and memory at each node, so that a round
 *    of a loop at another address stands apart from the witness's own round.
 * 2. `relevantNodes`: events that have no effect there, variables that nothing kept reads, and tests that lead to the
 *    same kept node both ways are left out.
 * 3. `merge`: nodes that do the same and go on alike become one again.
 *
 * The nodes that are left do what they did in the program, with the same choices under the same keys. `origin` says
 * which node of the program each one is.
 */
import type { Event } from '#event/event.js';
import type { Expression } from '#event/expression.js';
import type { EventProgram, NodeId, ProgramNode } from '#event/program.js';
import type { Value } from '#event/value.js';
import { expressionsOf, successorsOf } from '#event/walk-program.js';
import { liveVariables, namesIn, writtenBy } from './liveness.js';
import { type Known, knowledgeOf, knownText, Prober } from './probe.js';
import { hasEffect, looks, resultsOf, surroundingsOf } from './relevance.js';

/** Where a node goes on depends on what it wrote: by the texts of these variables' values. */
export interface Fork {
  readonly names: readonly string[];
  readonly targets: ReadonlyMap<string, NodeId>;
}

export interface SpecialProgram {
  readonly nodes: readonly ProgramNode[];
  readonly origin: readonly NodeId[];
  readonly forks: ReadonlyMap<NodeId, Fork>;
}

/** A larger unfolded graph costs more than it saves. */
const MOST_NODES = 12_000;

/** The key under which a fork finds where to go on. */
export const forkKey = (values: readonly Value[]): string =>
  values.map((value) => knownText(knowledgeOf(value))).join('|');

/** Null when the graph grows too large: then the program runs as it is. */
export function specialize(program: EventProgram): SpecialProgram | null {
  // What several programs have in common is not known from one of them, nor where a number lies that is an address.
  if ((program.shared ?? []).length > 0) return null;
  if (program.nodes.some((node) => node.kind === 'event' && node.event.kind === 'witness')) return null;
  const unfolded = unfold(program);
  return unfolded === null ? null : merge(cut(program, unfolded));
}

/** The program without what can matter to nobody wherever it is about: its graph is not unfolded. */
export function withoutIdle(program: EventProgram): EventProgram {
  const { nodes } = program;
  const graph: Unfolded = {
    origin: nodes.map((_, id) => id),
    known: nodes.map(() => () => null),
    next: nodes.map((node) => [...successorsOf(node)]),
    forks: nodes.map(() => null),
  };
  return { ...program, nodes: merge(cut(program, graph)).nodes };
}

// ---- unfolding

interface Unfolded {
  readonly origin: NodeId[];
  /** What is known at the node of the variables that are told apart. */
  readonly known: ((name: string) => Known)[];
  readonly next: number[][];
  /** Names and texts of the fork behind the node; null where there is one way, or a branch. */
  readonly forks: ({ readonly names: readonly string[]; readonly texts: readonly string[] } | null)[];
}

const PLACES: ReadonlySet<string> = new Set([
  'entry',
  'first-entry',
  'slot',
  'couple',
  'step',
  'addr-end',
  'align-down',
  'align-up',
  'table-holding',
  'page-of',
  'table-of',
  'range-at',
  'range-of',
  'address-of',
  'address-in',
  'entry-above',
  'as-memory',
  'read',
]);
const CARRIED: ReadonlySet<string> = new Set([
  '+',
  '-',
  '&',
  '|',
  'min',
  'max',
  'select',
  '!',
  '==',
  '!=',
  '<',
  '<=',
  '>',
  '>=',
]);

const isPlace = (value: Value): boolean =>
  value.kind === 'address' || value.kind === 'entry-pointer' || value.kind === 'memory';

/** Variables that may hold an address, a pointer or memory, or what a comparison of such says. */
function placedVariables(program: EventProgram): ReadonlySet<string> {
  const placed = new Set<string>();
  for (const [name, value] of program.initial) if (isPlace(value)) placed.add(name);
  const places = (expression: Expression): boolean => {
    switch (expression.op) {
      case 'const':
        return isPlace(expression.value);
      case 'var':
        return placed.has(expression.name);
      case 'param':
        return false;
      case 'choice':
        return expression.of.some(isPlace);
      default:
        return PLACES.has(expression.op) || (CARRIED.has(expression.op) && expression.args.some(places));
    }
  };
  for (let before = -1; before !== placed.size; ) {
    before = placed.size;
    for (const node of program.nodes) {
      if (node.kind === 'assign') {
        for (const set of node.sets) if (places(set.value)) placed.add(set.name);
      } else if (node.kind === 'event') for (const name of writtenBy(node.event)) placed.add(name);
    }
  }
  return placed;
}

const ZERO: Value = { kind: 'int', n: 0 };

/** By container: what its members can be, null when that is not known. */
type Members = (container: Expression) => readonly Known[] | null;

const boxOf = (container: Expression): string | null =>
  container.op === 'const' && container.value.kind === 'symbol' ? container.value.name : null;

function unfold(program: EventProgram): Unfolded | null {
  const { nodes } = program;
  const placed = placedVariables(program);
  const live = liveVariables(program).map((names) => names.filter((name) => placed.has(name)));
  const prober = new Prober();
  const members = membersOf(program);
  const start = (name: string): Known => knowledgeOf(program.initial.get(name) ?? ZERO);

  const result: Unfolded = { origin: [], known: [], next: [], forks: [] };
  const numbers = new Map<string, number>();
  const enter = (origin: NodeId, known: (name: string) => Known): number => {
    const names = live[origin] ?? [];
    const values = names.map(known);
    const key = `${origin}:${values.map(knownText).join('|')}`;
    const seen = numbers.get(key);
    if (seen !== undefined) return seen;
    const number = result.origin.length;
    numbers.set(key, number);
    const table = new Map(names.map((name, n) => [name, values[n] ?? null]));
    result.origin.push(origin);
    result.known.push((name) => table.get(name) ?? null);
    result.next.push([]);
    result.forks.push(null);
    return number;
  };
  enter(0, start);
  for (let at = 0; at < result.origin.length; at += 1) {
    if (result.origin.length > MOST_NODES) return null;
    const node = nodes[result.origin[at] as NodeId] as ProgramNode;
    const known = result.known[at] as (name: string) => Known;
    const valuesOf = (expression: Expression): readonly Known[] | null => prober.values(expression, known);
    switch (node.kind) {
      case 'branch': {
        const ways = prober.ways(node.on, known);
        result.next[at] = [
          ...(ways.yes ? [enter(node.then, known)] : []),
          ...(ways.no ? [enter(node.else, known)] : []),
        ];
        break;
      }
      case 'assign':
      case 'event': {
        const written = new Map<string, readonly Known[] | null>();
        if (node.kind === 'assign')
          for (const set of node.sets)
            written.set(set.name, placed.has(set.name) ? valuesOf(set.value) : null);
        else
          for (const name of writtenBy(node.event))
            written.set(name, resultsOf(node.event, valuesOf, members(prober)));
        goOn(result, at, node.next, written, live[node.next] ?? [], known, enter);
        break;
      }
      case 'return':
      case 'stop':
    }
  }
  return result;
}

/** One way on for each combination of what the node may have written, as far as that is still read. */
function goOn(
  result: Unfolded,
  at: number,
  next: NodeId,
  written: ReadonlyMap<string, readonly Known[] | null>,
  live: readonly string[],
  known: (name: string) => Known,
  enter: (origin: NodeId, known: (name: string) => Known) => number,
): void {
  const names = live.filter((name) => (written.get(name)?.length ?? 0) > 1);
  const single = (name: string): Known => {
    const values = written.get(name);
    return values === undefined ? known(name) : (values?.[0] ?? null);
  };
  let combinations: Known[][] = [[]];
  for (const name of names)
    combinations = combinations.flatMap((left) => (written.get(name) ?? []).map((value) => [...left, value]));
  const targets = combinations.map((values) =>
    enter(next, (name) => {
      const n = names.indexOf(name);
      return n < 0 ? single(name) : (values[n] ?? null);
    }),
  );
  result.next[at] = targets;
  if (names.length > 0)
    result.forks[at] = {
      names,
      texts: combinations.map((values) => values.map(knownText).join('|')),
    };
}

/** What every container can hold, over the whole program; asked with a prober that knows no variable. */
function membersOf(program: EventProgram): (prober: Prober) => Members {
  const constants: Known[] = [];
  let all = true;
  for (const node of program.nodes) {
    if (node.kind !== 'event') continue;
    const { event } = node;
    const items =
      event.kind === 'container-add'
        ? [event.item]
        : event.kind === 'container-take' && event.unseen !== undefined
          ? [event.unseen]
          : [];
    for (const item of items) {
      if (item.op === 'const') constants.push(item.value);
      else if (item.op !== 'var') all = false;
      else if (!takenOnly(program, item.name)) all = false;
    }
  }
  const found = new Map(constants.map((value) => [knownText(value), value]));
  return () => () => (all ? [...found.values()] : null);
}

/** Is the variable only ever written by taking from a container? */
function takenOnly(program: EventProgram, name: string): boolean {
  return program.nodes.every((node) => {
    if (node.kind === 'assign') return node.sets.every((set) => set.name !== name);
    if (node.kind !== 'event') return true;
    return node.event.kind === 'container-take' || !writtenBy(node.event).includes(name);
  });
}

// ---- what matters

interface Cut {
  readonly origin: readonly NodeId[];
  readonly nodes: readonly ProgramNode[];
  readonly next: readonly (readonly number[])[];
  readonly forks: Unfolded['forks'];
  /** 1 for nodes that are run. */
  readonly held: Uint8Array;
  readonly start: number;
}

/** Where a run ends for good without a return. */
const STOPPED = -2;
const OPEN = -1;

function cut(program: EventProgram, graph: Unfolded): Cut {
  const { origin, next, forks } = graph;
  const nodes = origin.map((id) => program.nodes[id] as ProgramNode);
  const prober = new Prober();
  const events = program.nodes.flatMap((node) => (node.kind === 'event' ? [node.event] : []));
  const around = surroundingsOf(events, program);
  const boxes = boxesAreNamed(events);
  const names = new Names();

  // Per node and write: what it reads when it is kept, and what it writes.
  const parts = nodes.map((node, at) => partsOf(node, forks[at]?.names ?? [], boxes, names));
  const kept = new Uint8Array(nodes.length);
  const before: number[][] = nodes.map(() => []);
  next.forEach((ways, at) => {
    for (const to of ways) before[to]?.push(at);
  });
  const words = (names.size + 31) >>> 5;
  const live = nodes.map(() => new Uint32Array(words));
  const keptParts = parts.map(() => new Uint8Array(0));
  parts.forEach((part, at) => {
    keptParts[at] = new Uint8Array(part.writes.length);
  });
  const work: number[] = [];
  const queued = new Uint8Array(nodes.length);
  const queue = (at: number): void => {
    if (queued[at] !== 0) return;
    queued[at] = 1;
    work.push(at);
  };
  const keep = (at: number): void => {
    if (kept[at] !== 0) return;
    kept[at] = 1;
    queue(at);
  };
  const chooseAll = (at: number): void => {
    (keptParts[at] as Uint8Array).fill(1);
  };
  nodes.forEach((node, at) => {
    if (node.kind === 'return') keep(at);
    const known = graph.known[at] as (name: string) => Known;
    if (expressionsOf(node).some((e) => looks(e, (expression) => prober.values(expression, known)))) {
      keep(at);
      chooseAll(at);
    }
    if (node.kind !== 'event') return;
    if (hasEffect(node.event, around, (expression) => prober.values(expression, known))) keep(at);
    else if (!boxes && node.event.kind.startsWith('container-')) keep(at);
  });

  /** Variables that are read later make whoever writes them needed. */
  const spread = (): void => {
    const after = new Uint32Array(words);
    for (let at = work.pop(); at !== undefined; at = work.pop()) {
      queued[at] = 0;
      after.fill(0);
      for (const to of next[at] ?? []) {
        const there = live[to] as Uint32Array;
        for (let word = 0; word < words; word += 1)
          after[word] = (after[word] as number) | (there[word] as number);
      }
      const part = parts[at] as Parts;
      const chosen = keptParts[at] as Uint8Array;
      part.writes.forEach((write, n) => {
        if (chosen[n] !== 0) return;
        const wanted =
          write.names.some((name) => hasBit(after, name)) ||
          (kept[at] !== 0 && (write.forked || nodes[at]?.kind !== 'assign'));
        if (!wanted) return;
        chosen[n] = 1;
        kept[at] = 1;
      });
      for (const name of part.kills) clearBit(after, name);
      part.writes.forEach((write, n) => {
        if (chosen[n] !== 0) for (const name of write.reads) setBit(after, name);
      });
      if (kept[at] !== 0) for (const name of part.reads) setBit(after, name);
      const own = live[at] as Uint32Array;
      let changed = false;
      for (let word = 0; word < words; word += 1) {
        const now = ((own[word] as number) | (after[word] as number)) >>> 0;
        if (now === own[word]) continue;
        own[word] = now;
        changed = true;
      }
      if (changed) for (const from of before[at] ?? []) queue(from);
    }
  };

  // A node matters when its ways lead to different kept nodes.
  const first = new Int32Array(nodes.length).fill(OPEN);
  const observe = (): boolean => {
    first.fill(OPEN);
    const pending: number[] = [];
    const waiting = new Uint8Array(nodes.length);
    const push = (at: number): void => {
      if (waiting[at] !== 0) return;
      waiting[at] = 1;
      pending.push(at);
    };
    let found = false;
    const settle = (at: number, value: number): void => {
      if (first[at] === value) return;
      first[at] = value;
      for (const from of before[at] ?? []) push(from);
    };
    nodes.forEach((node, at) => {
      if (kept[at] !== 0) settle(at, at);
      else if (node.kind === 'stop') settle(at, STOPPED);
    });
    for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
      waiting[at] = 0;
      if (kept[at] !== 0) continue;
      let value = OPEN;
      for (const to of next[at] ?? []) {
        const there = first[to] as number;
        if (there === OPEN || there === value) continue;
        if (value === OPEN) value = there;
        else {
          keep(at);
          found = true;
          value = at;
          break;
        }
      }
      if (value !== OPEN) settle(at, value);
    }
    return found;
  };
  do spread();
  while (observe());

  const target = (at: number): number => first[at] as number;
  const result = nodes.map((node, at): ProgramNode => {
    if (node.kind !== 'assign') return node;
    const chosen = keptParts[at] as Uint8Array;
    return { ...node, sets: node.sets.filter((_, n) => chosen[n] !== 0) };
  });
  return {
    origin,
    nodes: result,
    next: next.map((ways) => ways.map(target)),
    forks,
    held: kept,
    start: target(0),
  };
}

interface Parts {
  /** Read whenever the node is kept. */
  readonly reads: readonly number[];
  /** Overwritten, whether the node is kept or not. */
  readonly kills: readonly number[];
  /** One for each assignment of the node, or one for an event. */
  readonly writes: readonly {
    readonly names: readonly number[];
    readonly reads: readonly number[];
    readonly forked: boolean;
  }[];
}

class Names {
  private readonly numbers = new Map<string, number>();

  get size(): number {
    return this.numbers.size;
  }

  of(name: string): number {
    const known = this.numbers.get(name);
    if (known !== undefined) return known;
    this.numbers.set(name, this.numbers.size);
    return this.numbers.size - 1;
  }
}

/** What a node reads and writes; a container is a variable too. */
function partsOf(node: ProgramNode, forked: readonly string[], boxes: boolean, names: Names): Parts {
  const read = (expressions: readonly Expression[]): number[] => {
    const found: number[] = [];
    for (const expression of expressions) {
      const { variables, containers } = namesIn(expression);
      for (const name of variables) found.push(names.of(name));
      if (boxes) for (const box of containers) found.push(names.of(`box:${box}`));
    }
    return found;
  };
  switch (node.kind) {
    case 'assign':
      return {
        reads: [],
        kills: node.sets.map((set) => names.of(set.name)),
        writes: node.sets.map((set) => ({
          names: [names.of(set.name)],
          reads: read([set.value]),
          forked: forked.includes(set.name),
        })),
      };
    case 'branch':
      return { reads: read([node.on]), kills: [], writes: [] };
    case 'return':
      return { reads: node.value === null ? [] : read([node.value]), kills: [], writes: [] };
    case 'stop':
      return { reads: [], kills: [], writes: [] };
    case 'event': {
      const { event } = node;
      const written = writtenBy(event).map((name) => names.of(name));
      const box = (container: Expression): number => names.of(`box:${boxOf(container) ?? '?'}`);
      const writes: number[] = [...written];
      const kills: number[] = [...written];
      const reads = read(operands(event));
      if (boxes)
        switch (event.kind) {
          case 'container-init':
            writes.push(box(event.container));
            kills.push(box(event.container));
            break;
          case 'container-add':
            writes.push(box(event.container));
            reads.push(box(event.container));
            break;
          case 'container-move':
            writes.push(box(event.from), box(event.to));
            kills.push(box(event.from));
            reads.push(box(event.from), box(event.to));
            break;
          case 'container-take':
            if (event.remove) writes.push(box(event.container));
            reads.push(box(event.container));
            break;
          default:
        }
      return { reads, kills, writes: [{ names: writes, reads, forked: true }] };
    }
  }
}

function operands(event: Event<Expression>): Expression[] {
  const found: Expression[] = [];
  const look = (value: unknown): void => {
    if (value === null || typeof value !== 'object') return;
    if ('op' in value) found.push(value as Expression);
    else for (const part of Object.values(value)) look(part);
  };
  look(event);
  return found;
}

/** Is every container of the program named by a constant, so that two of them are known to be two? */
function boxesAreNamed(events: readonly Event<Expression>[]): boolean {
  return events.every((event) => {
    switch (event.kind) {
      case 'container-init':
      case 'container-add':
      case 'container-take':
        return boxOf(event.container) !== null;
      case 'container-move':
        return boxOf(event.from) !== null && boxOf(event.to) !== null;
      default:
        return true;
    }
  });
}

const hasBit = (bits: Uint32Array, n: number): boolean => ((bits[n >>> 5] ?? 0) & (1 << (n & 31))) !== 0;
function setBit(bits: Uint32Array, n: number): void {
  bits[n >>> 5] = (bits[n >>> 5] ?? 0) | (1 << (n & 31));
}
function clearBit(bits: Uint32Array, n: number): void {
  bits[n >>> 5] = (bits[n >>> 5] ?? 0) & ~(1 << (n & 31));
}

// ---- merging

/** Nodes that do the same and whose ways on lead to nodes of one class become one (partition refinement). */
function merge(graph: Cut): SpecialProgram {
  const reached: number[] = [];
  const position = new Map<number, number>();
  const reach = (at: number): void => {
    if (at < 0 || position.has(at)) return;
    position.set(at, reached.length);
    reached.push(at);
  };
  reach(graph.start);
  for (let n = 0; n < reached.length; n += 1)
    for (const to of graph.next[reached[n] as number] ?? []) reach(to);

  const own = reached.map((at) => {
    const node = graph.nodes[at] as ProgramNode;
    const sets = node.kind === 'assign' ? node.sets.map((set) => set.name).join(' ') : '';
    return `${graph.origin[at]} ${sets}`;
  });
  let classes = numbered(own);
  for (let count = -1; count !== classes.count; ) {
    count = classes.count;
    const current = classes.of;
    const classOf = (at: number): number => (at < 0 ? -1 : (current[position.get(at) as number] as number));
    classes = numbered(
      reached.map((at, n) => {
        const ways = (graph.next[at] ?? []).map(classOf);
        const fork = graph.forks[at];
        const alike = ways.every((way) => way === ways[0]);
        const texts = fork === null || fork === undefined || alike ? '' : fork.texts.join(' & ');
        return `${current[n]} ${alike ? (ways[0] ?? '') : ways.join(' ')} ${texts}`;
      }),
    );
  }

  const nodes: ProgramNode[] = [];
  const origin: NodeId[] = [];
  const forks = new Map<NodeId, Fork>();
  const numbers = new Map<number, NodeId>();
  const order: number[] = [];
  let stopped: NodeId | null = null;
  const enter = (at: number): NodeId => {
    if (at < 0) {
      if (stopped === null) {
        stopped = order.length;
        order.push(-1);
      }
      return stopped;
    }
    const cls = classes.of[position.get(at) as number] as number;
    const known = numbers.get(cls);
    if (known !== undefined) return known;
    numbers.set(cls, order.length);
    order.push(at);
    return order.length - 1;
  };
  enter(graph.start);
  for (let n = 0; n < order.length; n += 1) {
    const at = order[n] as number;
    if (at < 0) {
      nodes.push({ kind: 'stop', at: null });
      origin.push(0);
      continue;
    }
    const node = graph.nodes[at] as ProgramNode;
    const ways = (graph.next[at] ?? []).map(enter);
    const [way] = ways;
    origin.push(graph.origin[at] as NodeId);
    const alike = ways.every((other) => other === way);
    switch (node.kind) {
      case 'return':
      case 'stop':
        nodes.push(node);
        break;
      case 'branch':
        if (way !== undefined && graph.held[at] !== 0)
          nodes.push({ ...node, then: way, else: ways[1] ?? way });
        else if (alike || way === undefined || ways[1] === undefined)
          nodes.push({ kind: 'assign', sets: [], next: way ?? n, at: node.at });
        else nodes.push({ ...node, then: way, else: ways[1] });
        break;
      case 'assign':
      case 'event': {
        nodes.push({ ...node, next: way ?? n });
        const fork = graph.forks[at];
        if (!alike && fork !== null && fork !== undefined)
          forks.set(n, {
            names: fork.names,
            targets: new Map(fork.texts.map((text, k) => [text, ways[k] as NodeId])),
          });
      }
    }
  }
  return { nodes, origin, forks };
}

function numbered(texts: readonly string[]): { readonly of: readonly number[]; readonly count: number } {
  const numbers = new Map<string, number>();
  const of = texts.map((text) => {
    const known = numbers.get(text);
    if (known !== undefined) return known;
    numbers.set(text, numbers.size);
    return numbers.size - 1;
  });
  return { of, count: numbers.size };
}

/** Where every node of the specialised program can go on, its forks included. */
export function waysOn(node: ProgramNode, fork: Fork | undefined): readonly NodeId[] {
  return fork === undefined ? successorsOf(node) : [...new Set(fork.targets.values())];
}
