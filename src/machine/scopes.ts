/**
 * The loops of a program as scopes of its search (`explore/model.ts`): which variables no node of a loop reads or
 * writes. Around a loop that walks a table they are where the loops above it stand, and what was found out before it.
 */
import type { NodeId } from '#event/program.js';
import { type Before, reversed } from '#event/walk-program.js';

export interface ProgramScopes {
  /** Per node: the loops that it lies in, the widest first. */
  readonly of: readonly (readonly number[])[];
  /** Per scope: slots of variables that it leaves alone. */
  readonly idle: readonly (readonly number[])[];
}

/** A loop is entered in many states: where it leaves little alone, these are more than what it leaves alone. */
const LEAST_IDLE = 3;

export const NO_SCOPES: ProgramScopes = { of: [], idle: [] };

/** `ways`: where each node can go on. `touched`: slots that it reads or writes. Loops that leave less than `least` alone are none. */
export function scopesOf(
  ways: readonly (readonly NodeId[])[],
  touched: readonly (readonly number[])[],
  slotCount: number,
  least = LEAST_IDLE,
): ProgramScopes {
  const of: number[][] = ways.map(() => []);
  const idle: (readonly number[])[] = [];
  const before = reversed(ways);
  const pending: (readonly NodeId[])[] = [ways.map((_, id) => id)];
  for (let nodes = pending.pop(); nodes !== undefined; nodes = pending.pop()) {
    for (const loop of loopsIn(nodes, ways)) {
      const used = new Set<number>();
      for (const id of loop) for (const slot of touched[id] ?? []) used.add(slot);
      const free = Array.from({ length: slotCount }, (_, slot) => slot).filter((slot) => !used.has(slot));
      if (free.length >= least) {
        for (const id of loop) of[id]?.push(idle.length);
        idle.push(free);
      }
      pending.push(withoutEntries(loop, before));
    }
  }
  return { of, idle };
}

/** A loop without the nodes by which it is entered: what still goes round there are the loops inside. */
function withoutEntries(loop: readonly NodeId[], { starts, from }: Before): readonly NodeId[] {
  const inside = new Set(loop);
  const entries = new Set<NodeId>();
  for (const id of loop)
    if (from.subarray(starts[id], starts[id + 1]).some((other) => !inside.has(other))) entries.add(id);
  // A loop that nothing leads into starts the program.
  if (entries.size === 0) entries.add(Math.min(...loop));
  return loop.filter((id) => !entries.has(id));
}

/** Strongly connected components of more than one node, or of one that goes on to itself (Tarjan, without recursion). */
export function loopsIn(
  nodes: readonly NodeId[],
  ways: readonly (readonly NodeId[])[],
): readonly (readonly NodeId[])[] {
  /** By node: in which order it was come to, from 1 on; 0 for those that are not asked about any more. */
  const index = new Int32Array(ways.length);
  for (const id of nodes) index[id] = AHEAD;
  const low = new Int32Array(ways.length);
  const stack: number[] = [];
  const found: NodeId[][] = [];
  let count = 0;
  for (const root of nodes) {
    if (index[root] !== AHEAD) continue;
    const calls: { readonly id: NodeId; child: number }[] = [{ id: root, child: 0 }];
    for (let call = calls.at(-1); call !== undefined; call = calls.at(-1)) {
      const { id } = call;
      if (call.child === 0) {
        count += 1;
        low[id] = count;
        index[id] = count;
        stack.push(id);
      }
      const next = ways[id]?.[call.child];
      if (next !== undefined) {
        call.child += 1;
        const there = index[next] as number;
        if (there === AHEAD) calls.push({ id: next, child: 0 });
        else if (there !== 0) low[id] = Math.min(low[id] as number, there);
        continue;
      }
      calls.pop();
      const parent = calls.at(-1);
      if (parent !== undefined) low[parent.id] = Math.min(low[parent.id] as number, low[id] as number);
      if (low[id] !== index[id]) continue;
      const component: NodeId[] = [];
      for (let member = stack.pop(); member !== undefined; member = stack.pop()) {
        index[member] = 0;
        component.push(member);
        if (member === id) break;
      }
      if (component.length > 1 || ways[id]?.includes(id) === true) found.push(component);
    }
  }
  return found;
}

const AHEAD = -1;
