/**
 * What the machine needs to know of a program before it runs it: where each variable lives, which variables and stable
 * choices are still wanted at each node (dead ones are dropped, so that states merge), which nodes other CPUs can
 * notice, and which lie on a cycle.
 */
import type { Event } from '#event/event.js';
import type { Expression } from '#event/expression.js';
import type { EventProgram, NodeId, ProgramNode } from '#event/program.js';

export interface CompiledProgram {
  readonly program: EventProgram;
  readonly slots: ReadonlyMap<string, number>;
  readonly slotNames: readonly string[];
  /** Per node: slots whose value may still be read from that node on. */
  readonly liveSlots: readonly ReadonlySet<number>[];
  /** Per node: keys of stable choices that may still be asked from that node on. */
  readonly liveChoices: readonly ReadonlySet<string>[];
  /** Per node: does running it touch what other CPUs see? */
  readonly shared: readonly boolean[];
  /** Per node: can it run again? */
  readonly cyclic: readonly boolean[];
  /** Kinds of events in the program. */
  readonly kinds: ReadonlySet<string>;
}

const WRITTEN_FIELDS = new Set(['into', 'old']);

/** Every expression among an event's operands. */
export function operandsOf(event: Event<Expression>): Expression[] {
  const found: Expression[] = [];
  const look = (value: unknown): void => {
    if (value === null || typeof value !== 'object') return;
    if ('op' in value) {
      found.push(value as Expression);
      return;
    }
    for (const part of Object.values(value)) look(part);
  };
  for (const [field, value] of Object.entries(event)) if (!WRITTEN_FIELDS.has(field)) look(value);
  return found;
}

function writtenBy(event: Event<Expression>): string[] {
  const names: string[] = [];
  if ('into' in event && typeof event.into === 'string') names.push(event.into);
  if ('old' in event && typeof event.old === 'string') names.push(event.old);
  return names;
}

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
      if (expression.op === 'read' || expression.op === 'is-empty') uses.reads = true;
      for (const arg of expression.args) collect(arg, uses);
  }
}

function expressionsOf(node: ProgramNode): Expression[] {
  switch (node.kind) {
    case 'event':
      return operandsOf(node.event);
    case 'assign':
      return node.sets.map((set) => set.value);
    case 'branch':
      return [node.on];
    case 'return':
      return node.value === null ? [] : [node.value];
    case 'stop':
      return [];
  }
}

function successorsOf(node: ProgramNode): readonly NodeId[] {
  switch (node.kind) {
    case 'event':
    case 'assign':
      return [node.next];
    case 'branch':
      return [node.then, node.else];
    case 'return':
    case 'stop':
      return [];
  }
}

/** Throws when a node's successor does not exist: such a program is a bug of whoever built it. */
export function compileProgram(program: EventProgram): CompiledProgram {
  const { nodes } = program;
  const slots = new Map<string, number>();
  const slotNames: string[] = [];
  const slot = (name: string): number => {
    const known = slots.get(name);
    if (known !== undefined) return known;
    slots.set(name, slotNames.length);
    slotNames.push(name);
    return slotNames.length - 1;
  };
  for (const name of program.initial.keys()) slot(name);

  const kinds = new Set<string>();
  const shared: boolean[] = [];
  const uses: { vars: number[]; choices: string[]; defs: number[] }[] = nodes.map((node, id) => {
    const found: Uses = { vars: new Set(), choices: new Set(), reads: false };
    for (const expression of expressionsOf(node)) collect(expression, found);
    const defs: number[] = [];
    if (node.kind === 'assign') for (const set of node.sets) defs.push(slot(set.name));
    if (node.kind === 'event') {
      kinds.add(node.event.kind);
      for (const name of writtenBy(node.event)) defs.push(slot(name));
    }
    for (const next of successorsOf(node))
      if (nodes[next] === undefined)
        throw new Error(`${program.name}: node ${id} goes on to node ${next}, which does not exist`);
    shared[id] = node.kind === 'event' || node.kind === 'return' || found.reads;
    return { vars: [...found.vars].map(slot), choices: [...found.choices], defs };
  });

  const predecessors: number[][] = nodes.map(() => []);
  nodes.forEach((node, id) => {
    for (const next of successorsOf(node)) predecessors[next]?.push(id);
  });
  const live = nodes.map(() => new Set<number>());
  const liveChoices = nodes.map(() => new Set<string>());
  const work: number[] = nodes.map((_, id) => id);
  const queued = nodes.map(() => true);
  for (let id = work.pop(); id !== undefined; id = work.pop()) {
    queued[id] = false;
    const node = nodes[id] as ProgramNode;
    const use = uses[id] as (typeof uses)[number];
    const vars = live[id] as Set<number>;
    const choices = liveChoices[id] as Set<string>;
    const before = vars.size + choices.size;
    for (const next of successorsOf(node)) {
      for (const v of live[next] as Set<number>) if (!use.defs.includes(v)) vars.add(v);
      for (const c of liveChoices[next] as Set<string>) choices.add(c);
    }
    for (const v of use.vars) vars.add(v);
    for (const c of use.choices) choices.add(c);
    if (vars.size + choices.size === before) continue;
    for (const from of predecessors[id] ?? []) {
      if (queued[from]) continue;
      queued[from] = true;
      work.push(from);
    }
  }
  return {
    program,
    slots,
    slotNames,
    liveSlots: live,
    liveChoices,
    shared,
    cyclic: cyclicNodes(nodes),
    kinds,
  };
}

/** Nodes on a cycle: strongly connected components of more than one node (Tarjan, without recursion). */
function cyclicNodes(nodes: readonly ProgramNode[]): boolean[] {
  const index = nodes.map(() => -1);
  const low = nodes.map(() => 0);
  const onStack = nodes.map(() => false);
  const cyclic = nodes.map(() => false);
  const stack: number[] = [];
  let counter = 0;
  for (let root = 0; root < nodes.length; root += 1) {
    if (index[root] !== -1) continue;
    const calls: { id: number; child: number }[] = [{ id: root, child: 0 }];
    while (calls.length > 0) {
      const call = calls[calls.length - 1] as { id: number; child: number };
      const { id } = call;
      if (call.child === 0) {
        index[id] = low[id] = counter++;
        stack.push(id);
        onStack[id] = true;
      }
      const next = successorsOf(nodes[id] as ProgramNode)[call.child];
      if (next !== undefined) {
        call.child += 1;
        if (next === id) cyclic[id] = true;
        if (index[next] === -1) calls.push({ id: next, child: 0 });
        else if (onStack[next]) low[id] = Math.min(low[id] as number, index[next] as number);
        continue;
      }
      calls.pop();
      const parent = calls[calls.length - 1];
      if (parent !== undefined) low[parent.id] = Math.min(low[parent.id] as number, low[id] as number);
      if (low[id] !== index[id]) continue;
      const component: number[] = [];
      for (let member = stack.pop(); member !== undefined; member = stack.pop()) {
        onStack[member] = false;
        component.push(member);
        if (member === id) break;
      }
      if (component.length > 1) for (const member of component) cyclic[member] = true;
    }
  }
  return cyclic;
}
