/**
 * The loops of a program as scopes of its search (`explore/model.ts`): which variables no node of a loop reads or
 * writes. Around a loop that walks a table they are where the loops above it stand, and what was found out before it.
 */
import type { NodeId } from '#event/program.js';

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
      pending.push(withoutEntries(loop, ways));
    }
  }
  return { of, idle };
}

/** A loop without the nodes by which it is entered: what still goes round there are the loops inside. */
function withoutEntries(loop: readonly NodeId[], ways: readonly (readonly NodeId[])[]): readonly NodeId[] {
  const inside = new Set(loop);
  const entries = new Set<NodeId>();
  ways.forEach((next, id) => {
    if (inside.has(id)) return;
    for (const to of next) if (inside.has(to)) entries.add(to);
  });
  // A loop that nothing leads into starts the program.
  if (entries.size === 0) entries.add(Math.min(...loop));
  return loop.filter((id) => !entries.has(id));
}

/** Strongly connected components of more than one node, or of one that goes on to itself (Tarjan, without recursion). */
export function loopsIn(
  nodes: readonly NodeId[],
  ways: readonly (readonly NodeId[])[],
): readonly (readonly NodeId[])[] {
  const inside = new Set(nodes);
  const index = new Map<NodeId, number>();
  const low = new Map<NodeId, number>();
  const onStack = new Set<NodeId>();
  const stack: NodeId[] = [];
  const found: NodeId[][] = [];
  for (const root of nodes) {
    if (index.has(root)) continue;
    const calls: { readonly id: NodeId; child: number }[] = [{ id: root, child: 0 }];
    for (let call = calls.at(-1); call !== undefined; call = calls.at(-1)) {
      const { id } = call;
      if (call.child === 0) {
        low.set(id, index.size);
        index.set(id, index.size);
        stack.push(id);
        onStack.add(id);
      }
      const next = ways[id]?.[call.child];
      if (next !== undefined) {
        call.child += 1;
        if (!inside.has(next)) continue;
        if (!index.has(next)) calls.push({ id: next, child: 0 });
        else if (onStack.has(next)) low.set(id, Math.min(numberOf(low, id), numberOf(index, next)));
        continue;
      }
      calls.pop();
      const parent = calls.at(-1);
      if (parent !== undefined) low.set(parent.id, Math.min(numberOf(low, parent.id), numberOf(low, id)));
      if (numberOf(low, id) !== numberOf(index, id)) continue;
      const component: NodeId[] = [];
      for (let member = stack.pop(); member !== undefined; member = stack.pop()) {
        onStack.delete(member);
        component.push(member);
        if (member === id) break;
      }
      if (component.length > 1 || ways[id]?.includes(id) === true) found.push(component);
    }
  }
  return found;
}

function numberOf(numbers: ReadonlyMap<NodeId, number>, id: NodeId): number {
  const number = numbers.get(id);
  if (number === undefined) throw new Error(`node ${id} was never numbered`);
  return number;
}
