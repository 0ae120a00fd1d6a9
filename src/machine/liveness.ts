/** Which variables of a program are still read at each node; sets of small numbers for that. */
import type { Event } from '#event/event.js';
import type { Expression } from '#event/expression.js';
import type { EventProgram, NodeId } from '#event/program.js';
import { expressionsOf, successorsOf } from '#event/walk-program.js';

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

/** Per node: the variables that may be read from there on before they are written. */
export function liveVariables(program: EventProgram): readonly (readonly string[])[] {
  const numbers = new Map<string, number>();
  const names: string[] = [];
  const number = (name: string): number => {
    const known = numbers.get(name);
    if (known !== undefined) return known;
    numbers.set(name, names.length);
    names.push(name);
    return names.length - 1;
  };
  const uses = program.nodes.map((node) =>
    expressionsOf(node).flatMap((expression) => [...namesIn(expression).variables].map(number)),
  );
  const defs = program.nodes.map((node) => {
    if (node.kind === 'assign') return node.sets.map((set) => number(set.name));
    return node.kind === 'event' ? writtenBy(node.event).map(number) : [];
  });
  return backwards(program.nodes.map(successorsOf), names.length, uses, defs).map((bits) =>
    members(bits).map((n) => names[n] as string),
  );
}

// ---- sets of small numbers

export type Bits = Uint32Array;

export const has = (bits: Bits, n: number): boolean => ((bits[n >>> 5] ?? 0) & (1 << (n & 31))) !== 0;

export function put(bits: Bits, n: number): void {
  bits[n >>> 5] = (bits[n >>> 5] ?? 0) | (1 << (n & 31));
}

export function members(bits: Bits): number[] {
  const found: number[] = [];
  for (let word = 0; word < bits.length; word += 1) {
    for (let rest = bits[word] ?? 0; rest !== 0; rest &= rest - 1)
      found.push(word * 32 + 31 - Math.clz32(rest & -rest));
  }
  return found;
}

/** Per node: what is used from that node on before it is defined anew. */
export function backwards(
  ways: readonly (readonly NodeId[])[],
  size: number,
  uses: readonly (readonly number[])[],
  defs: readonly (readonly number[])[],
): Bits[] {
  const words = (size + 31) >>> 5;
  const predecessors: number[][] = ways.map(() => []);
  ways.forEach((next, id) => {
    for (const to of next) predecessors[to]?.push(id);
  });
  const live: Bits[] = uses.map((used) => {
    const bits = new Uint32Array(words);
    for (const n of used) put(bits, n);
    return bits;
  });
  const kept: Bits[] = defs.map((defined) => {
    const bits = new Uint32Array(words).fill(0xffffffff);
    for (const n of defined) bits[n >>> 5] = (bits[n >>> 5] ?? 0) & ~(1 << (n & 31));
    return bits;
  });
  const work: number[] = ways.map((_, id) => id);
  const queued = ways.map(() => true);
  const changed = ways.map(() => true);
  for (let id = work.pop(); id !== undefined; id = work.pop()) {
    queued[id] = false;
    const own = live[id] as Bits;
    const keep = kept[id] as Bits;
    for (const next of ways[id] ?? []) {
      const after = live[next] as Bits;
      for (let word = 0; word < words; word += 1) {
        const before = own[word] as number;
        const now = (before | ((after[word] as number) & (keep[word] as number))) >>> 0;
        if (now === before) continue;
        own[word] = now;
        changed[id] = true;
      }
    }
    if (!changed[id]) continue;
    changed[id] = false;
    for (const from of predecessors[id] ?? []) {
      if (queued[from]) continue;
      queued[from] = true;
      work.push(from);
    }
  }
  return live;
}
