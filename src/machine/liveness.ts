/** Which variables of a program are still read at each node; sets of small numbers for that. */
import type { Event } from '#event/event.js';
import type { Expression } from '#event/expression.js';
import type { EventProgram, NodeId } from '#event/program.js';
import { type Before, expressionsOf, reversed, successorsOf } from '#event/walk-program.js';

/** Names that the event gives a value to. */
export function writtenBy(event: Event<Expression>): string[] {
  const names: string[] = [];
  if ('into' in event && typeof event.into === 'string') names.push(event.into);
  if ('old' in event && typeof event.old === 'string') names.push(event.old);
  return names;
}

/** Variables that an expression reads, and containers that it asks about by name. */
export function namesIn(expression: Expression): {
  readonly variables: ReadonlySet<string>;
  readonly containers: ReadonlySet<string>;
} {
  const variables = new Set<string>();
  const containers = new Set<string>();
  const look = (e: Expression): void => {
    switch (e.op) {
      case 'const':
      case 'param':
        return;
      case 'var':
        variables.add(e.name);
        return;
      case 'choice':
        e.args?.forEach(look);
        return;
      default: {
        const [first] = e.args;
        if (e.op === 'is-empty' && first?.op === 'const' && first.value.kind === 'symbol')
          containers.add(first.value.name);
        e.args.forEach(look);
      }
    }
  };
  look(expression);
  return { variables, containers };
}

/** Gives numbers to names in the order in which they come. */
export class Names {
  readonly all: string[] = [];
  private readonly numbers = new Map<string, number>();

  get size(): number {
    return this.all.length;
  }

  of(name: string): number {
    const known = this.numbers.get(name);
    if (known !== undefined) return known;
    this.numbers.set(name, this.all.length);
    this.all.push(name);
    return this.all.length - 1;
  }
}

export interface Reads {
  readonly names: Names;
  /** Per node: numbers of the variables that it reads. */
  readonly uses: readonly (readonly number[])[];
  /** Per node: those that may be read from there on before they are written. */
  readonly live: readonly (readonly number[])[];
}

export function readsOf(program: EventProgram): Reads {
  const names = new Names();
  const uses = program.nodes.map((node) => [
    ...new Set(
      expressionsOf(node).flatMap((expression) =>
        [...namesIn(expression).variables].map((name) => names.of(name)),
      ),
    ),
  ]);
  const defs = program.nodes.map((node) => {
    if (node.kind === 'assign') return node.sets.map((set) => names.of(set.name));
    return node.kind === 'event' ? writtenBy(node.event).map((name) => names.of(name)) : [];
  });
  const live = backwards(program.nodes.map(successorsOf), names.size, uses, defs);
  return { names, uses, live: uses.map((_, id) => live.members(id)) };
}

// ---- sets of small numbers

/** Sets of numbers below a size, all in one array. */
export class Sets {
  readonly words: number;
  readonly bits: Uint32Array;

  constructor(
    readonly count: number,
    size: number,
  ) {
    this.words = (size + 31) >>> 5;
    this.bits = new Uint32Array(count * this.words);
  }

  has(set: number, n: number): boolean {
    return ((this.bits[set * this.words + (n >>> 5)] as number) & (1 << (n & 31))) !== 0;
  }

  put(set: number, n: number): void {
    const word = set * this.words + (n >>> 5);
    this.bits[word] = (this.bits[word] as number) | (1 << (n & 31));
  }

  remove(set: number, n: number): void {
    const word = set * this.words + (n >>> 5);
    this.bits[word] = (this.bits[word] as number) & ~(1 << (n & 31));
  }

  clear(set: number): void {
    this.bits.fill(0, set * this.words, (set + 1) * this.words);
  }

  /** Adds what another one of these sets holds; false where that was all there. */
  join(set: number, sets: Sets, other: number): boolean {
    let grew = false;
    const from = other * this.words;
    const to = set * this.words;
    for (let word = 0; word < this.words; word += 1) {
      const before = this.bits[to + word] as number;
      const now = (before | (sets.bits[from + word] as number)) >>> 0;
      if (now === before) continue;
      this.bits[to + word] = now;
      grew = true;
    }
    return grew;
  }

  members(set: number): number[] {
    const found: number[] = [];
    for (let word = 0; word < this.words; word += 1) {
      for (let rest = this.bits[set * this.words + word] as number; rest !== 0; rest &= rest - 1)
        found.push(word * 32 + 31 - Math.clz32(rest & -rest));
    }
    return found;
  }
}

// ---- what holds from a node on

/**
 * Nodes that are to be looked at again, the last first: nodes are numbered on the way from the start, so that most come
 * when their ways on are done.
 */
export class FromLast {
  private readonly queued: Uint8Array;
  private highest = -1;

  constructor(private readonly before: Before) {
    this.queued = new Uint8Array(before.starts.length);
  }

  add(at: number): void {
    this.queued[at] = 1;
    if (at > this.highest) this.highest = at;
  }

  /** @param look says whether those must be looked at that come to the node */
  run(look: (at: number) => boolean): void {
    const { starts, from } = this.before;
    while (this.highest >= 0) {
      const last = this.highest;
      this.highest = -1;
      for (let at = last; at >= 0; at -= 1) {
        if (this.queued[at] === 0) continue;
        this.queued[at] = 0;
        if (!look(at)) continue;
        const end = starts[at + 1] as number;
        for (let n = starts[at] as number; n < end; n += 1) this.add(from[n] as number);
      }
    }
  }
}

/** Per node: what is used from that node on before it is defined anew. */
export function backwards(
  ways: readonly (readonly NodeId[])[],
  size: number,
  uses: readonly (readonly number[])[],
  defs: readonly (readonly number[])[],
): Sets {
  const live = new Sets(ways.length, size);
  const after = new Sets(1, size);
  const work = new FromLast(reversed(ways));
  uses.forEach((used, id) => {
    for (const n of used) live.put(id, n);
    work.add(id);
  });
  work.run((id) => {
    after.clear(0);
    for (const next of ways[id] as readonly NodeId[]) after.join(0, live, next);
    for (const n of defs[id] as readonly number[]) after.remove(0, n);
    return live.join(id, after, 0);
  });
  return live;
}
