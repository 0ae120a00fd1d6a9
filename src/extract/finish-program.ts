/**
 * From the builder's draft graph to an event program: arguments get their positions, tests that nothing rests on and
 * variables that guard no event are cut away (a backward slice), what is left is renumbered in a fixed order.
 */
import { constant, type Expression } from '#event/expression.js';
import { TESTS_OF_ENTRIES } from '#event/leaves-entries-alone.js';
import type { EventProgram, GuestWalkers, NodeId, ProgramNode } from '#event/program.js';
import { type EntryPointer, isOwnPage, LEVELS, type Level, type Value } from '#event/value.js';
import { eachPart, expressionsOf, reversed, somePart, successorsOf } from '#event/walk-program.js';
import { simplifyAnswers } from './simplify-program.js';
import { type Kind, kindOf } from './value.js';

interface Draft {
  readonly name: string;
  readonly nodes: readonly ProgramNode[];
  readonly kinds: ReadonlyMap<string, Kind>;
  /** Address arguments with the entries that they are handed on with. */
  readonly beside: ReadonlyMap<string, Expression | null>;
  readonly indexPhis: ReadonlySet<string>;
  /** init_mm was handed to something. */
  readonly kernel: boolean;
  /** A guest's second stage was touched; who walks it in software. */
  readonly guest: boolean;
  readonly walkers: GuestWalkers | null;
  readonly outermost: boolean;
  /** The root returns a truth value that callers may take as "a flush is owed". */
  readonly returnsFlag: boolean;
  readonly assumptions: readonly string[];
  /** Variables of all programs that run together, and those of them that another program reads. */
  readonly shared?: ReadonlySet<string>;
  readonly readElsewhere?: ReadonlySet<string>;
}

export function finishProgram(draft: Draft): EventProgram {
  const positioned = simplifyAnswers(withNull(positions(draft)), mapNode);
  const kept = slice(positioned, draft.returnsFlag, draft.readElsewhere ?? new Set());
  const nodes = framesInOrder(ownSpace(compact(kept)));
  const levels = levelsIn(nodes);
  // A guest's flush is for the pages below a table, even where the program names only the table's entry.
  // So is the flush of who moves a table to another address.
  const moves = movesTable(nodes);
  const below = draft.guest ? levels.includes('pmd') : moves;
  if (below && !levels.includes('pte')) levels.unshift('pte');
  return {
    name: draft.name,
    nodes,
    initial: new Map(),
    levels,
    space: draft.guest && !onlyWalks(nodes) ? 'guest' : spaceOf(nodes, draft.kernel),
    ...(draft.guest && draft.walkers !== null ? { walkers: draft.walkers } : {}),
    ...(moves && !draft.guest ? { movesTable: true } : {}),
    outermost: draft.outermost,
    assumptions: draft.assumptions,
    ...(draft.shared === undefined ? {} : { shared: [...draft.shared].sort() }),
  };
}

/** Variables that a program's nodes read. */
export function readBy(program: EventProgram): ReadonlySet<string> {
  return new Set(program.nodes.flatMap(readsOf));
}

/** Variables that a node reads. */
export function readsOf(node: ProgramNode): string[] {
  const names: string[] = [];
  for (const expr of expressionsOf(node))
    eachPart(expr, (e) => {
      if (e.op === 'var') names.push(e.name);
    });
  return names;
}

// ---- walking

/** As `map`; what `change` leaves alone stays the same object: most of a program does. */
function mapArray<T>(parts: readonly T[], change: (part: T) => T): readonly T[] {
  let result: T[] | null = null;
  for (let n = 0; n < parts.length; n += 1) {
    const part = parts[n] as T;
    const mapped = change(part);
    if (mapped === part) continue;
    result ??= [...parts];
    result[n] = mapped;
  }
  return result ?? parts;
}

function mapFields<T extends object>(record: T, change: (part: unknown, key: string) => unknown): T {
  let result: T | null = null;
  for (const key in record) {
    const part = record[key];
    const mapped = change(part, key) as typeof part;
    if (mapped === part) continue;
    result ??= { ...record };
    result[key] = mapped;
  }
  return result ?? record;
}

function mapExpression(expr: Expression, change: (e: Expression) => Expression): Expression {
  if (expr.op === 'const' || expr.op === 'var' || expr.op === 'param' || expr.op === 'choice')
    return change(expr);
  const args = mapArray(expr.args, (arg) => mapExpression(arg, change));
  return change(args === expr.args ? expr : { ...expr, args });
}

function mapOperands<T extends object>(event: T, change: (e: Expression) => Expression): T {
  return mapFields(event, (part) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return 'op' in part ? mapExpression(part as Expression, change) : mapOperands(part, change);
  });
}

export function mapNode(node: ProgramNode, change: (e: Expression) => Expression): ProgramNode {
  switch (node.kind) {
    case 'assign': {
      const sets = mapArray(node.sets, (set) => {
        const value = mapExpression(set.value, change);
        return value === set.value ? set : { name: set.name, value };
      });
      return sets === node.sets ? node : { ...node, sets };
    }
    case 'branch': {
      const on = mapExpression(node.on, change);
      return on === node.on ? node : { ...node, on };
    }
    case 'return': {
      const value = node.value === null ? null : mapExpression(node.value, change);
      return value === node.value ? node : { ...node, value };
    }
    case 'stop':
      return node;
    case 'event': {
      const event = mapOperands(node.event, change);
      return event === node.event ? node : { ...node, event };
    }
  }
}

// ---- arguments and counters as positions

const COMPARED: ReadonlySet<string> = new Set(['<', '<=', '!=', '>', '>=', '-']);

/**
 * Address arguments are `a:argN` until here. How one is used says what it is: compared as the right side, or the end
 * of a range, it lies past the witness; else it lies in one of the witness's granules (a choice); unused as an
 * address it is a plain unknown.
 */
function positions(draft: Draft): ProgramNode[] {
  const ends = new Set<string>();
  const starts = new Set<string>();
  /** What stands below something else in a comparison: a start, unless it is the end of something. */
  const lower = new Set<string>();
  const bounds = new Set<string>();
  const defined = new Map<string, Expression>();
  for (const node of draft.nodes)
    if (node.kind === 'assign') for (const { name, value } of node.sets) defined.set(name, value);
  /** An argument, at most aligned down: not what a loop goes through. */
  const ofArgument = (expr: Expression): boolean => {
    if (expr.op === 'var') {
      if (expr.name.startsWith('a:')) return true;
      const value = expr.name.startsWith('p') ? undefined : defined.get(expr.name);
      return value !== undefined && ofArgument(value);
    }
    if (expr.op !== '&' && expr.op !== 'align-down') return false;
    const [aligned] = expr.args;
    return aligned !== undefined && ofArgument(aligned);
  };
  /** What is aligned down for the comparison itself: a loop compares what it goes through as it is. */
  const isAligned = (expr: Expression): boolean => {
    if (expr.op === 'var') {
      const value = expr.name.startsWith('p') ? undefined : defined.get(expr.name);
      return value !== undefined && value.op !== 'var' && isAligned(value);
    }
    return expr.op === '&' || expr.op === 'align-down';
  };
  // Ends reach their uses through phis and copies, so classes are spread backwards over assignments.
  const copies = new Map<string, Set<string>>();
  /** Where a range is kept in variables (an mmu_gather's), an address joins it as either operand of `min` and `max`. */
  const roots = (expr: Expression | undefined): readonly string[] => {
    if (expr === undefined) return [];
    if (expr.op === 'var') return [expr.name];
    if (expr.op === 'align-up' || expr.op === 'align-down') return roots(expr.args[0]);
    return expr.op === 'min' || expr.op === 'max' ? expr.args.flatMap(roots) : [];
  };
  const mark = (set: Set<string>, expr: Expression | undefined): void => {
    for (const name of roots(expr)) set.add(name);
  };
  /** What is only used a constant away from itself (`flush_tlb_page(vma, addr + PAGE_SIZE)`). */
  const shifted = new Set<string>();
  const markShifted = (expr: Expression | undefined): void => {
    if (expr?.op === 'var' && /^t\d/.test(expr.name)) markShifted(defined.get(expr.name));
    if ((expr?.op === '+' || expr?.op === '-') && expr.args[1]?.op === 'const') mark(shifted, expr.args[0]);
  };
  const compare = (e: Expression): void => {
    if (e.op === 'addr-end') {
      mark(starts, e.args[0]);
      mark(ends, e.args[1]);
    } else if (e.op === 'entry' || e.op === 'couple') mark(starts, e.args[1]);
    else if (COMPARED.has(e.op) && 'args' in e) {
      // Only what stands against a position is one: counts compare too.
      const [left, right] = e.args ?? [];
      if (left === undefined || right === undefined) return;
      if (kindOf(left, draft.kinds) !== 'address' || kindOf(right, draft.kinds) !== 'address') return;
      const [low, high] = e.op === '>' || e.op === '>=' || e.op === '-' ? [right, left] : [left, right];
      mark(lower, low);
      // Of two arguments that are compared (`start < floor`), the other is a bound that may lie on either side.
      mark(e.op === '<' && (ofArgument(low) || isAligned(low)) ? bounds : ends, high);
    }
  };
  for (const node of draft.nodes) {
    for (const expr of expressionsOf(node)) eachPart(expr, compare);
    if (node.kind === 'event') {
      const parts = [
        node.event as unknown as Record<string, unknown>,
        ('scope' in node.event ? node.event.scope : {}) as unknown as Record<string, unknown>,
      ];
      for (const part of parts) {
        for (const start of [part['start'], part['address']] as (Expression | undefined)[]) {
          mark(starts, start);
          markShifted(start);
        }
        mark(ends, part['end'] as Expression | undefined);
      }
    }
    if (node.kind === 'assign') {
      for (const set of node.sets) {
        const from = roots(set.value);
        if (from.length === 0) continue;
        const known = copies.get(set.name) ?? new Set();
        for (const name of from) known.add(name);
        copies.set(set.name, known);
      }
    }
  }
  const spread = (set: Set<string>): void => {
    const work = [...set];
    for (let name = work.pop(); name !== undefined; name = work.pop()) {
      for (const from of copies.get(name) ?? []) {
        if (set.has(from)) continue;
        set.add(from);
        work.push(from);
      }
    }
  };
  spread(starts);
  spread(ends);
  spread(lower);
  for (const name of lower) if (!ends.has(name)) starts.add(name);
  spread(bounds);
  spread(shifted);
  for (const name of shifted) if (!ends.has(name) && !bounds.has(name)) starts.add(name);
  const levels = levelsIn(draft.nodes);
  // A table that moves takes every page behind it along, those further on in it too.
  const moves = movesTable(draft.nodes);
  const lowest = moves ? 'pte' : (levels[0] ?? 'pte');
  const gaps = [
    'pte' as Level,
    ...levels.filter((level) => level !== 'pte' && LEVELS.indexOf(level) > LEVELS.indexOf(lowest)),
  ];
  const at = (gap: Level | 'past' | 'far'): Value => ({ kind: 'address', gap });
  // Only where a loop starts can the witness lie further on; elsewhere another address is another witness.
  const moving = new Set([...copies.keys()].filter((name) => name.startsWith('p')));
  spread(moving);
  const change = (expr: Expression): Expression => {
    if (expr.op !== 'var' || !expr.name.startsWith('a:')) return expr;
    const key = expr.name.slice(2);
    if (starts.has(expr.name))
      return gaps.length === 1 || !(moves || moving.has(expr.name))
        ? constant(at('pte'))
        : { op: 'choice', key: `${key} lies`, of: gaps.map(at), stable: true };
    if (ends.has(expr.name)) return constant(at('past'));
    if (bounds.has(expr.name))
      return { op: 'choice', key: `${key} lies`, of: [at('past'), at('far')], stable: true };
    return {
      op: 'choice',
      key,
      of: [
        { kind: 'int', n: 0 },
        { kind: 'some', is: 'nonzero' },
      ],
      stable: true,
    };
  };
  // Of two entries of one type either is the witness's: a flush of the other one's address does nothing for it.
  const inFlush = (expr: Expression): Expression => {
    const placed = change(expr);
    const entry = (expr.op === 'var' && starts.has(expr.name) && draft.beside.get(expr.name)) || null;
    const own = entry === null ? null : ownOfTwo(entry);
    if (entry === null || own === null || placed.op !== 'const') return placed;
    const isOwn: Expression = { op: '==', args: [entry, constant(own)] };
    return { op: 'select', args: [isOwn, placed, constant(at('past'))] };
  };
  return draft.nodes.map((node) => {
    const isFlush = node.kind === 'event' && node.event.kind === 'flush';
    const mapped = mapNode(node, isFlush ? inFlush : change);
    if (mapped.kind !== 'assign' || !mapped.sets.some((set) => draft.indexPhis.has(set.name))) return mapped;
    return {
      ...mapped,
      sets: mapped.sets.map((set) =>
        draft.indexPhis.has(set.name) && set.value.op === 'const' && set.value.value.kind === 'int'
          ? {
              name: set.name,
              value: { op: 'choice' as const, key: 'first slot lies', of: [at('pte'), at('pmd')] },
            }
          : set,
      ),
    };
  });
}

/** The witness's own one of the two entries that an argument may be; null where it is no such argument. */
function ownOfTwo(entry: Expression): Value | null {
  const pointers: EntryPointer[] = [];
  const see = (value: Value): void => {
    if (value.kind === 'entry-pointer' && value.gap === 'at') pointers.push(value);
  };
  eachPart(entry, (e) => {
    if (e.op === 'const') see(e.value);
    else if (e.op === 'choice') e.of.forEach(see);
  });
  const own = pointers.find(({ table }) => table === 'W');
  return own !== undefined && pointers.some(({ table }) => table === 'A') ? own : null;
}

/** A page that came in and is tested may be none. */
function withNull(nodes: readonly ProgramNode[]): readonly ProgramNode[] {
  const tested = new Set<string>();
  const test = (e: Expression | undefined): void => {
    if (e === undefined) return;
    if (e.op === 'choice') {
      if (e.stable === true && e.of.some(isOwnPage)) tested.add(e.key);
    } else if (e.op === '!' || e.op === '&&' || e.op === '||') e.args.forEach(test);
  };
  for (const node of nodes) if (node.kind === 'branch') test(node.on);
  if (tested.size === 0) return nodes;
  const none: Value = { kind: 'int', n: 0 };
  return nodes.map((node) =>
    mapNode(node, (e) =>
      e.op === 'choice' && tested.has(e.key) && e.of.some(isOwnPage) ? { ...e, of: [...e.of, none] } : e,
    ),
  );
}

// ---- slice

function reachable(nodes: readonly ProgramNode[]): boolean[] {
  const seen = nodes.map(() => false);
  const work = [0];
  seen[0] = true;
  for (let id = work.pop(); id !== undefined; id = work.pop()) {
    const node = nodes[id];
    if (node === undefined) continue;
    for (const to of successorsOf(node)) {
      if (to >= 0 && seen[to] === false) {
        seen[to] = true;
        work.push(to);
      }
    }
  }
  return seen;
}

/** A test of no entry does not end the run: what BUG_ON() and kin say of it holds. One of an entry tells what it is. */
function withoutStops(nodes: readonly ProgramNode[]): ProgramNode[] {
  const ends = (start: NodeId): boolean => {
    let id = start;
    for (let steps = 0; steps < 8; steps += 1) {
      const node = nodes[id];
      if (node === undefined) return false;
      if (node.kind === 'stop') return true;
      if (node.kind !== 'assign') return false;
      id = node.next;
    }
    return false;
  };
  const tests = testsOfEntries(nodes);
  return nodes.map((node): ProgramNode => {
    if (node.kind !== 'branch') return node;
    if (node.on.op === 'const' && node.on.value.kind === 'int')
      return { kind: 'assign', sets: [], next: node.on.value.n === 0 ? node.else : node.then, at: node.at };
    const [then, other] = [ends(node.then), ends(node.else)];
    if (then === other || tests(node.on)) return node;
    return { kind: 'assign', sets: [], next: then ? node.else : node.then, at: node.at };
  });
}

/** Does the value of an expression say what an entry holds? */
function testsOfEntries(nodes: readonly ProgramNode[]): (expression: Expression) => boolean {
  const told = new Set<string>();
  const tells = (expression: Expression): boolean =>
    somePart(
      expression,
      (part) => TESTS_OF_ENTRIES.includes(part.op) || (part.op === 'var' && told.has(part.name)),
    );
  for (let size = -1; size < told.size; ) {
    size = told.size;
    for (const node of nodes)
      if (node.kind === 'assign') for (const { name, value } of node.sets) if (tells(value)) told.add(name);
  }
  return tells;
}

/** Immediate postdominators; index `nodes.length` is the virtual exit. */
function postdominators(nodes: readonly ProgramNode[], live: readonly boolean[]): Int32Array {
  const exit = nodes.length;
  const out = nodes.map((node, id): readonly number[] => {
    if (!live[id]) return [];
    const to = successorsOf(node);
    if (to.length > 0 && to.every((n) => n >= 0)) return to;
    const linked = to.filter((n) => n >= 0);
    return linked.length === 0 ? [exit] : linked;
  });
  const { starts, from } = reversed([...out, []]);
  const left = starts.slice();
  const order: number[] = [];
  const state = new Int8Array(exit + 1);
  const dfs = (start: number): void => {
    const stack = [start];
    state[start] = 1;
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const at = left[top] ?? 0;
      const next = at === starts[top + 1] ? undefined : from[at];
      if (next === undefined) {
        order.push(top);
        stack.pop();
        continue;
      }
      left[top] = at + 1;
      if (state[next] === 0) {
        state[next] = 1;
        stack.push(next);
      }
    }
  };
  dfs(exit);
  // Loops that never end reach no exit: hang the last of each on it.
  for (let id = nodes.length - 1; id >= 0; id -= 1) {
    if (!live[id] || state[id] !== 0) continue;
    out[id] = [...(out[id] ?? []), exit];
    dfs(id);
  }
  const exitAt = order.indexOf(exit);
  if (exitAt >= 0) {
    order.splice(exitAt, 1);
    order.push(exit);
  }
  const rank = new Int32Array(exit + 1).fill(-1);
  order.forEach((id, n) => {
    rank[id] = n;
  });
  const idom = new Int32Array(exit + 1).fill(-1);
  idom[exit] = exit;
  const meet = (a: number, b: number): number => {
    let x = a;
    let y = b;
    while (x !== y) {
      while ((rank[x] ?? 0) < (rank[y] ?? 0)) x = idom[x] ?? exit;
      while ((rank[y] ?? 0) < (rank[x] ?? 0)) y = idom[y] ?? exit;
    }
    return x;
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (let n = order.length - 2; n >= 0; n -= 1) {
      const id = order[n];
      if (id === undefined) continue;
      let best = -1;
      for (const to of out[id] ?? []) {
        if ((idom[to] ?? -1) < 0) continue;
        best = best < 0 ? to : meet(best, to);
      }
      if (best >= 0 && idom[id] !== best) {
        idom[id] = best;
        changed = true;
      }
    }
  }
  return idom;
}

function slice(
  draft: readonly ProgramNode[],
  returnsFlag: boolean,
  readElsewhere: ReadonlySet<string>,
): ProgramNode[] {
  const nodes = withoutStops(draft);
  const live = reachable(nodes);
  const idom = postdominators(nodes, live);
  const controls = new Map<number, number[]>();
  nodes.forEach((node, id) => {
    if (node.kind !== 'branch' || !live[id]) return;
    for (const side of [node.then, node.else]) {
      for (let at = side; at !== idom[id] && at >= 0 && at < nodes.length; at = idom[at] ?? -1) {
        const known = controls.get(at);
        if (known === undefined) controls.set(at, [id]);
        else if (known[known.length - 1] !== id) known.push(id);
      }
    }
  });
  const definitions = new Map<string, number[]>();
  nodes.forEach((node, id) => {
    if (!live[id] || node.kind !== 'assign') return;
    for (const set of node.sets) {
      const known = definitions.get(set.name);
      if (known === undefined) definitions.set(set.name, [id]);
      else known.push(id);
    }
  });
  const keep = new Set<number>();
  const needed = new Set<string>();
  const work: number[] = [];
  const add = (id: number): void => {
    if (keep.has(id)) return;
    keep.add(id);
    work.push(id);
  };
  const need = (expr: Expression): void => {
    if (expr.op === 'var') {
      if (needed.has(expr.name)) return;
      needed.add(expr.name);
      for (const id of definitions.get(expr.name) ?? []) add(id);
    } else if (expr.op !== 'const' && expr.op !== 'param' && expr.op !== 'choice') expr.args.forEach(need);
  };
  for (const name of readElsewhere) need({ op: 'var', name });
  nodes.forEach((node, id) => {
    if (live[id] && (node.kind === 'event' || node.kind === 'return')) add(id);
  });
  for (let id = work.pop(); id !== undefined; id = work.pop()) {
    const node = nodes[id];
    if (node === undefined) continue;
    if (node.kind === 'assign') {
      for (const set of node.sets) if (needed.has(set.name)) need(set.value);
    } else if (node.kind === 'return') {
      if (returnsFlag && node.value !== null) need(node.value);
    } else for (const expr of expressionsOf(node)) need(expr);
    if (node.kind !== 'return') for (const branch of controls.get(id) ?? []) add(branch);
  }
  // A set that became needed after its node was visited.
  for (let changed = true; changed; ) {
    const before = needed.size + keep.size;
    for (const id of [...keep]) {
      const node = nodes[id];
      if (node?.kind === 'assign') for (const set of node.sets) if (needed.has(set.name)) need(set.value);
    }
    for (let id = work.pop(); id !== undefined; id = work.pop()) {
      const node = nodes[id];
      if (node === undefined) continue;
      if (node.kind === 'branch') need(node.on);
      if (node.kind === 'assign') for (const set of node.sets) if (needed.has(set.name)) need(set.value);
      for (const branch of controls.get(id) ?? []) add(branch);
    }
    changed = needed.size + keep.size !== before;
  }
  return nodes.map((node, id): ProgramNode => {
    if (!live[id]) return { kind: 'stop', at: null };
    switch (node.kind) {
      case 'event':
      case 'stop':
        return node;
      case 'return':
        return returnsFlag ? node : { ...node, value: null };
      case 'assign':
        if (keep.has(id) ? node.sets.every((set) => needed.has(set.name)) : node.sets.length === 0)
          return node;
        return { ...node, sets: keep.has(id) ? node.sets.filter((set) => needed.has(set.name)) : [] };
      case 'branch': {
        if (keep.has(id)) return node;
        const next = idom[id] ?? -1;
        if (next < 0 || next >= nodes.length) return { kind: 'stop', at: null };
        return { kind: 'assign', sets: [], next, at: node.at };
      }
    }
  });
}

// ---- whose address space

/**
 * A flush of the running task's mm does nothing for another mm whose lock the program takes to change it: only then
 * are two names known to mean two address spaces.
 */
function ownSpace(nodes: ProgramNode[]): ProgramNode[] {
  const locked = new Set<string>();
  for (const node of nodes)
    if (node.kind === 'event' && node.event.kind === 'lock' && node.event.class === 'mmap') {
      const lock = node.event.lock;
      if (lock.op === 'const' && lock.value.kind === 'symbol') locked.add(lock.value.name);
    }
  const runs = (name: string): boolean => /^\*current\.(active_)?mm$/.test(name);
  if (locked.size === 0 || [...locked].some(runs)) return nodes;
  return nodes.map((node): ProgramNode => {
    if (node.kind !== 'event' || node.event.kind !== 'flush' || node.event.space === undefined) return node;
    const { space } = node.event;
    if (space.op !== 'const' || space.value.kind !== 'symbol' || !runs(space.value.name)) return node;
    return { ...node, event: { ...node.event, space: constant({ kind: 'symbol', name: 'another mm' }) } };
  });
}

// ---- renumbering

function compact(nodes: readonly ProgramNode[]): ProgramNode[] {
  const target = (start: NodeId): NodeId => {
    let id = start;
    for (let steps = 0; steps <= nodes.length; steps += 1) {
      const node = nodes[id];
      if (node === undefined || node.kind !== 'assign' || node.sets.length > 0 || node.next < 0) return id;
      id = node.next;
    }
    return id;
  };
  const numbers = new Map<NodeId, NodeId>();
  const order: NodeId[] = [];
  const enter = (id: NodeId): NodeId => {
    const to = target(id);
    const known = numbers.get(to);
    if (known !== undefined) return known;
    numbers.set(to, order.length);
    order.push(to);
    return order.length - 1;
  };
  enter(0);
  const result: ProgramNode[] = [];
  for (let n = 0; n < order.length; n += 1) {
    const node = nodes[order[n] ?? 0];
    if (node === undefined) result.push({ kind: 'stop', at: null });
    else if (node.kind === 'branch') {
      const then = enter(node.then);
      const other = enter(node.else);
      result.push(
        then === other
          ? { kind: 'assign', sets: [], next: then, at: node.at }
          : { ...node, then, else: other },
      );
    } else if (node.kind === 'event' || node.kind === 'assign')
      result.push(node.next < 0 ? { kind: 'stop', at: node.at } : { ...node, next: enter(node.next) });
    else result.push(node);
  }
  return result;
}

/** A local's frame, in variables and in what choices are called. */
const FRAME = /\bL(\d+)\.(?=local)/g;

/**
 * Frames of inlined calls are counted by what is left of them, so that a call more or less beside them, of which
 * nothing is left, changes no name of a choice.
 */
function framesInOrder(nodes: readonly ProgramNode[]): ProgramNode[] {
  const numbers = new Map<string, string>();
  const renamed = new Map<string, string>();
  const rename = (text: string): string => {
    const known = renamed.get(text);
    if (known !== undefined) return known;
    const result = text.replace(FRAME, (_, frame: string) => {
      const number = numbers.get(frame) ?? `L${numbers.size + 1}.`;
      numbers.set(frame, number);
      return number;
    });
    renamed.set(text, result);
    return result;
  };
  const walk = (value: unknown, key: string): unknown => {
    if (typeof value === 'string') return NAMES.has(key) ? rename(value) : value;
    if (typeof value !== 'object' || value === null || key === 'at') return value;
    return Array.isArray(value) ? mapArray<unknown>(value, (part) => walk(part, '')) : mapFields(value, walk);
  };
  return nodes.map((node) => walk(node, '') as ProgramNode);
}

/** Fields that hold a name of a variable or a choice. */
const NAMES: ReadonlySet<string> = new Set(['name', 'key', 'into', 'old', 'names']);

/** Is a table that an entry pointed to linked by an entry? */
function movesTable(nodes: readonly ProgramNode[]): boolean {
  const tables = new Set<string>();
  for (const node of nodes)
    if (node.kind === 'assign')
      for (const { name, value } of node.sets) if (value.op === 'table-of') tables.add(name);
  const wasLinked = (memory: Expression | undefined): boolean =>
    memory?.op === 'table-of' || (memory?.op === 'var' && tables.has(memory.name));
  return nodes.some(
    (node) =>
      node.kind === 'event' &&
      node.event.kind === 'set' &&
      node.event.value.op === 'make-table' &&
      wasLinked(node.event.value.args[0]),
  );
}

/** Operators with a level that give a pointer to an entry. */
const POINTS: ReadonlySet<string> = new Set(['entry', 'first-entry', 'numbered-entry']);

function levelsIn(nodes: readonly ProgramNode[]): Level[] {
  const seen = new Set<Level>();
  for (const node of nodes) {
    for (const expr of expressionsOf(node)) {
      eachPart(expr, (e) => {
        if (e.op === 'const' && (e.value.kind === 'entry-pointer' || e.value.kind === 'entry-value'))
          seen.add(e.value.level);
        else if (e.op === 'choice') {
          for (const option of e.of) if (option.kind === 'entry-pointer') seen.add(option.level);
        } else if (POINTS.has(e.op) && 'level' in e && e.level !== undefined) seen.add(e.level);
      });
    }
  }
  return LEVELS.filter((level) => seen.has(level));
}

/** Is it an entry that is found from the kernel's own root? */
function fromKernelRoot(expression: Expression): boolean {
  if (expression.op === 'const' || expression.op === 'var' || expression.op === 'param') return false;
  if (expression.op === 'choice') return (expression.args ?? []).some(fromKernelRoot);
  const [root] = expression.args;
  if (expression.op === 'entry' && root?.op === 'const' && root.value.kind === 'symbol')
    return root.value.name === 'kernel' || root.value.name.includes('init_mm');
  return expression.args.some(fromKernelRoot);
}

/** Does the program only look at tables that lie below an mm? KVM does, to know how a guest's memory is mapped. */
function onlyWalks(nodes: readonly ProgramNode[]): boolean {
  const events = nodes.flatMap((node) => (node.kind === 'event' ? [node.event] : []));
  return events.some(({ kind }) => kind === 'visit') && events.every(({ kind }) => LOOKING.has(kind));
}

const LOOKING: ReadonlySet<string> = new Set([
  'visit',
  'read',
  'interrupts',
  'rcu-read',
  'barrier',
  'lock',
  'unlock',
]);

function spaceOf(nodes: readonly ProgramNode[], hint: boolean): EventProgram['space'] {
  let user = false;
  let kernel = false;
  for (const node of nodes) {
    if (node.kind !== 'event') continue;
    const event = node.event;
    if (event.kind === 'flush' || event.kind === 'clear-range') {
      if (event.space !== undefined && event.space.op === 'const' && event.space.value.kind === 'symbol') {
        if (event.space.value.name === 'kernel' || /init_mm/.test(event.space.value.name)) kernel = true;
        else user = true;
      }
    } else if (
      event.kind.startsWith('gather') ||
      event.kind.startsWith('notify') ||
      event.kind.startsWith('batch') ||
      event.kind === 'pending'
    )
      user = true;
    else if (event.kind === 'visit') {
      if (nodes.some((other) => expressionsOf(other).some(fromKernelRoot))) kernel = true;
      else user = true;
    } else if ((event.kind === 'lock' || event.kind === 'unlock') && event.class === 'ptl') user = true;
    else if ((event.kind === 'lock' || event.kind === 'unlock') && event.class === 'kernel-ptl')
      kernel = true;
  }
  // Areas of addresses that are given out and taken back are the kernel's.
  if (!user && !kernel) return hint || nodes.some(namesArea) ? 'kernel' : 'unknown';
  return user === kernel ? 'unknown' : user ? 'user' : 'kernel';
}

const namesArea = (node: ProgramNode): boolean => expressionsOf(node).some(isArea);

function isArea(expression: Expression): boolean {
  const area = (value: Value): boolean => value.kind === 'memory' && value.what === 'range';
  switch (expression.op) {
    case 'const':
      return area(expression.value);
    case 'choice':
      return expression.of.some(area);
    case 'var':
    case 'param':
      return false;
    default:
      return expression.args.some(isArea);
  }
}

// ---- comparison

const shapes = new WeakMap<EventProgram, string>();

/** Do the programs, one for each CPU, behave alike? Places in the source and names of variables do not count. */
export function behaveAlike(
  first: readonly EventProgram[] | null,
  second: readonly EventProgram[] | null,
): boolean {
  if (first === null || second === null) return first === second;
  return first.length === second.length && first.every((one, n) => isAlike(one, second[n] ?? one));
}

const isAlike = (one: EventProgram, other: EventProgram): boolean =>
  one === other || (one.nodes.length === other.nodes.length && programShape(one) === programShape(other));

/** A text that is equal for programs that behave alike. */
function programShape(program: EventProgram): string {
  const known = shapes.get(program);
  if (known !== undefined) return known;
  const shape = shapeOf(program);
  shapes.set(program, shape);
  return shape;
}

function shapeOf(program: EventProgram): string {
  const names = new Map<string, string>();
  const shared = new Set(program.shared ?? []);
  const rename = (name: string): string => {
    if (shared.has(name)) return name;
    const known = names.get(name);
    if (known !== undefined) return known;
    const fresh = `v${names.size}`;
    names.set(name, fresh);
    return fresh;
  };
  return JSON.stringify(
    [program.space, program.walkers ?? null, program.outermost, program.levels, program.nodes],
    (key, value: unknown) => {
      if (key === 'at' || key === 'text') return undefined;
      if (
        (key === 'name' || key === 'into' || key === 'old') &&
        typeof value === 'string' &&
        /^([tpma]:?|result|[rt]\d|p\d|m:)/.test(value)
      )
        return rename(value);
      return value;
    },
  );
}
