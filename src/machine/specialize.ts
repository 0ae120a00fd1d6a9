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
import { expressionsOf, operandsOf, successorsOf } from '#event/walk-program.js';
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
/** The same as long as there is a variable that need not be told apart. */
const MANY_NODES = 6_000;

/** The key under which a fork finds where to go on. */
export const forkKey = (values: readonly Value[]): string =>
  values.map((value) => knownText(knowledgeOf(value))).join('|');

/** Null when the graph grows too large: then the program runs as it is. */
export function specialize(program: EventProgram): SpecialProgram | null {
  // What several programs have in common is not known from one of them, nor where a number lies that is an address.
  if ((program.shared ?? []).length > 0) return null;
  if (program.nodes.some((node) => node.kind === 'event' && node.event.kind === 'witness')) return null;
  const placed = placedVariables(program);
  for (;;) {
    const unfolded = unfold(program, placed);
    if (typeof unfolded !== 'string') return unfolded === null ? null : merge(cut(program, unfolded));
    placed.delete(unfolded);
  }
}

/** The program without what can matter to nobody wherever it is about: its graph is not unfolded. */
export function withoutIdle(program: EventProgram): EventProgram {
  const { nodes } = program;
  const graph: Unfolded = {
    origin: nodes.map((_, id) => id),
    values: withoutKnowledge(),
    next: nodes.map((node) => [...successorsOf(node)]),
    forks: nodes.map(() => null),
  };
  return { ...program, nodes: merge(cut(program, graph)).nodes };
}

/** What expressions can be where no variable is known. */
function withoutKnowledge(): Unfolded['values'] {
  const prober = new Prober();
  const possible = remembered((expression, known) => prober.values(expression, known), new Knowledge());
  return (_, expression) => possible(expression, () => 0);
}

// ---- unfolding

interface Unfolded {
  readonly origin: NodeId[];
  /** What an expression can be at the node by what is known there; null where that is not told. */
  readonly values: (at: number, expression: Expression) => readonly Known[] | null;
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
function placedVariables(program: EventProgram): Set<string> {
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

/** Numbers for what is known of values: 0 is nothing. */
class Knowledge {
  private readonly found: Known[] = [null];
  private readonly texts = ['?'];
  private readonly numbers = new Map<string, number>([['?', 0]]);
  /** The same objects come again and again. */
  private readonly seen = new Map<Value, number>();

  number(known: Known): number {
    if (known === null) return 0;
    const seen = this.seen.get(known);
    if (seen !== undefined) return seen;
    const text = knownText(known);
    let number = this.numbers.get(text);
    if (number === undefined) {
      number = this.found.length;
      this.numbers.set(text, number);
      this.found.push(known);
      this.texts.push(text);
    }
    this.seen.set(known, number);
    return number;
  }

  known(number: number): Known {
    return this.found[number] ?? null;
  }

  text(number: number): string {
    return this.texts[number] ?? '?';
  }
}

/** What `ask` says of an expression, once for all nodes at which the same is known of its variables. */
function remembered<T>(
  ask: (expression: Expression, known: (name: string) => Known) => T,
  knowledge: Knowledge,
): (expression: Expression, number: (name: string) => number) => T {
  const names = new Map<Expression, readonly string[]>();
  const answers = new Map<Expression, Map<string, T>>();
  return (expression, number) => {
    let variables = names.get(expression);
    if (variables === undefined) {
      variables = [...namesIn(expression).variables];
      names.set(expression, variables);
      answers.set(expression, new Map());
    }
    let text = '';
    for (const name of variables) text += String.fromCharCode(number(name));
    const byText = answers.get(expression) as Map<string, T>;
    const known = byText.get(text);
    if (known !== undefined) return known;
    const answer = ask(expression, (name) => knowledge.known(number(name)));
    byText.set(text, answer);
    return answer;
  };
}

/** The graph; or the name of a variable without which it is smaller, where it is large; or null, where there is none. */
function unfold(program: EventProgram, placed: ReadonlySet<string>): Unfolded | string | null {
  const { nodes } = program;
  const live = liveVariables(program).map((names) => names.filter((name) => placed.has(name)));
  const positions = live.map((names) => new Map(names.map((name, n) => [name, n])));
  const prober = new Prober();
  const members = membersOf(program);
  const knowledge = new Knowledge();
  const waysOf = remembered((expression, known) => prober.ways(expression, known), knowledge);
  const possible = remembered((expression, known) => prober.values(expression, known), knowledge);

  const rows: (readonly number[])[] = [];
  const versions = nodes.map(() => new Map<string, number>());
  const result: Unfolded = {
    origin: [],
    values: (at, expression) => possible(expression, numberAt(at)),
    next: [],
    forks: [],
  };
  const numberAt = (at: number): ((name: string) => number) => {
    const position = positions[result.origin[at] as NodeId] as ReadonlyMap<string, number>;
    const row = rows[at] as readonly number[];
    return (name) => {
      const n = position.get(name);
      return n === undefined ? 0 : (row[n] as number);
    };
  };
  const enter = (origin: NodeId, number: (name: string) => number): number => {
    const row = (live[origin] as readonly string[]).map(number);
    const key = String.fromCharCode(...row);
    const known = versions[origin] as Map<string, number>;
    const seen = known.get(key);
    if (seen !== undefined) return seen;
    const at = result.origin.length;
    known.set(key, at);
    result.origin.push(origin);
    rows.push(row);
    result.next.push([]);
    result.forks.push(null);
    return at;
  };
  enter(0, (name) => knowledge.number(knowledgeOf(program.initial.get(name) ?? ZERO)));
  let isLarge = false;
  for (let at = 0; at < result.origin.length; at += 1) {
    if (result.origin.length > MOST_NODES) return null;
    if (result.origin.length > MANY_NODES && !isLarge) {
      isLarge = true;
      const most = multiplying(live, versions);
      if (most !== null) return most;
    }
    const node = nodes[result.origin[at] as NodeId] as ProgramNode;
    const number = numberAt(at);
    const valuesOf = (expression: Expression): readonly Known[] | null => possible(expression, number);
    switch (node.kind) {
      case 'branch': {
        const ways = waysOf(node.on, number);
        result.next[at] = [
          ...(ways.yes ? [enter(node.then, number)] : []),
          ...(ways.no ? [enter(node.else, number)] : []),
        ];
        break;
      }
      case 'assign':
      case 'event': {
        const written = new Map<string, readonly number[] | null>();
        const numbers = (known: readonly Known[] | null): readonly number[] | null =>
          known === null ? null : known.map((value) => knowledge.number(value));
        if (node.kind === 'assign')
          for (const set of node.sets)
            written.set(set.name, placed.has(set.name) ? numbers(valuesOf(set.value)) : null);
        else
          for (const name of writtenBy(node.event))
            written.set(name, numbers(resultsOf(node.event, valuesOf, members(prober))));
        goOn(result, at, node.next, written, live[node.next] ?? [], number, knowledge, enter);
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
  written: ReadonlyMap<string, readonly number[] | null>,
  live: readonly string[],
  number: (name: string) => number,
  knowledge: Knowledge,
  enter: (origin: NodeId, number: (name: string) => number) => number,
): void {
  const names = live.filter((name) => (written.get(name)?.length ?? 0) > 1);
  const single = (name: string): number => {
    const values = written.get(name);
    return values === undefined ? number(name) : (values?.[0] ?? 0);
  };
  let combinations: number[][] = [[]];
  for (const name of names)
    combinations = combinations.flatMap((left) => (written.get(name) ?? []).map((value) => [...left, value]));
  const targets = combinations.map((values) =>
    enter(next, (name) => {
      const n = names.indexOf(name);
      return n < 0 ? single(name) : (values[n] as number);
    }),
  );
  result.next[at] = targets;
  if (names.length > 0)
    result.forks[at] = {
      names,
      texts: combinations.map((values) => values.map((value) => knowledge.text(value)).join('|')),
    };
}

/** Less than this part of the nodes left makes it worth not to tell a variable apart. */
const WORTH = 0.75;

/** The variable that multiplies the nodes most: those that go with another one, as a pointer and its address, do not. */
function multiplying(
  live: readonly (readonly string[])[],
  versions: readonly ReadonlyMap<string, number>[],
): string | null {
  const saved = new Map<string, number>();
  let all = 0;
  versions.forEach((rows, origin) => {
    all += rows.size;
    if (rows.size < 2) return;
    (live[origin] ?? []).forEach((name, n) => {
      const left = new Set<string>();
      for (const row of rows.keys()) left.add(row.slice(0, n) + row.slice(n + 1));
      saved.set(name, (saved.get(name) ?? 0) + rows.size - left.size);
    });
  });
  let most: string | null = null;
  let least = all * (1 - WORTH);
  for (const [name, count] of saved)
    if (count > least) {
      least = count;
      most = name;
    }
  return most;
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
  const events = program.nodes.flatMap((node) => (node.kind === 'event' ? [node.event] : []));
  const around = surroundingsOf(events, program);
  const boxes = boxesAreNamed(events);
  const names = new Names();

  // Per node and write: what it reads when it is kept, and what it writes.
  const known = new Map<string, Parts>();
  const parts = nodes.map((node, at) => {
    const forked = forks[at]?.names ?? [];
    const key = `${origin[at]} ${forked.join(' ')}`;
    const found = known.get(key) ?? partsOf(node, forked, boxes, names);
    known.set(key, found);
    return found;
  });
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
  const queued = new Uint8Array(nodes.length);
  let highest = -1;
  const queue = (at: number): void => {
    queued[at] = 1;
    if (at > highest) highest = at;
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
    const valuesOf = (expression: Expression): readonly Known[] | null => graph.values(at, expression);
    if (expressionsOf(node).some((e) => looks(e, valuesOf))) {
      keep(at);
      chooseAll(at);
    }
    if (node.kind !== 'event') return;
    if (hasEffect(node.event, around, valuesOf)) keep(at);
    else if (!boxes && node.event.kind.startsWith('container-')) keep(at);
  });

  const after = new Uint32Array(words);
  const settleLive = (at: number): void => {
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
  };
  /** Variables that are read later make whoever writes them needed. */
  const spread = (): void => {
    // Nodes were numbered on the way from the start: from the last to the first, most come when their ways on are done.
    while (highest >= 0) {
      const from = highest;
      highest = -1;
      for (let at = from; at >= 0; at -= 1) if (queued[at] !== 0) settleLive(at);
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
      const reads = read(operandsOf(event));
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

  const ways = reached.map((at) =>
    (graph.next[at] ?? []).map((to) => (to < 0 ? -1 : (position.get(to) as number))),
  );
  const own = reached.map((at) => {
    const node = graph.nodes[at] as ProgramNode;
    const sets = node.kind === 'assign' ? node.sets.map((set) => set.name).join(' ') : '';
    return `${graph.origin[at]} ${sets}`;
  });
  const classes = refined(own, ways, (n) => graph.forks[reached[n] as number]?.texts.join(' & ') ?? '');

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
    const cls = classes[position.get(at) as number] as number;
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

/**
 * The coarsest classes in which nodes of one class have the same text of their own, and ways on to the same classes. A
 * class that falls apart keeps its number for the largest part, so that only those are looked at again that lead to
 * another one.
 *
 * @param ways per node: where it goes on, -1 for the end
 * @param forkOf by what it goes on, which counts where its ways lead to different classes
 */
function refined(
  own: readonly string[],
  ways: readonly (readonly number[])[],
  forkOf: (node: number) => string,
): readonly number[] {
  const before: number[][] = ways.map(() => []);
  ways.forEach((next, node) => {
    for (const to of next) if (to >= 0) before[to]?.push(node);
  });
  const classes = new Array<number>(own.length).fill(0);
  const members: number[][] = [];
  const byText = new Map<string, number>();
  own.forEach((text, node) => {
    let found = byText.get(text);
    if (found === undefined) {
      found = members.length;
      byText.set(text, found);
      members.push([]);
    }
    classes[node] = found;
    members[found]?.push(node);
  });
  const signature = (node: number): string => {
    const next = ways[node] as readonly number[];
    const first = next[0] ?? -1;
    const cls = first < 0 ? -1 : (classes[first] as number);
    let text = `${cls}`;
    let alike = true;
    for (let n = 1; n < next.length; n += 1) {
      const to = next[n] as number;
      const other = to < 0 ? -1 : (classes[to] as number);
      if (other !== cls) alike = false;
      text += ` ${other}`;
    }
    if (next.length === 0) return '';
    return alike ? `${cls}` : `${text} ${forkOf(node)}`;
  };
  let dirty = new Set<number>(members.keys());
  while (dirty.size > 0) {
    const moved: number[] = [];
    for (const cls of dirty) {
      const nodes = members[cls] as number[];
      if (nodes.length < 2) continue;
      const parts = new Map<string, number[]>();
      for (const node of nodes) {
        const text = signature(node);
        const part = parts.get(text);
        if (part === undefined) parts.set(text, [node]);
        else part.push(node);
      }
      if (parts.size < 2) continue;
      let largest: number[] = [];
      for (const part of parts.values()) if (part.length > largest.length) largest = part;
      members[cls] = largest;
      for (const part of parts.values()) {
        if (part === largest) continue;
        for (const node of part) {
          classes[node] = members.length;
          moved.push(node);
        }
        members.push(part);
      }
    }
    dirty = new Set(
      moved.flatMap((node) => (before[node] as number[]).map((from) => classes[from] as number)),
    );
  }
  return classes;
}

/** Where every node of the specialised program can go on, its forks included. */
export function waysOn(node: ProgramNode, fork: Fork | undefined): readonly NodeId[] {
  return fork === undefined ? successorsOf(node) : [...new Set(fork.targets.values())];
}
