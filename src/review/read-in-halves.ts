/**
 * Loads of entries that are two words: a plain load of one is two loads, and only functions written for it (a `read`
 * event) put them together to a value that the entry held.
 */
import type { Expression } from '#event/expression.js';
import type { EventProgram, ProgramNode } from '#event/program.js';
import { eachPart, operandsOf } from '#event/walk-program.js';

/** Loads whose value leads to memory, or is stored: how many are one load on any machine, and how many are not. */
export function loadsThatMatter(program: EventProgram): { readonly whole: number; readonly plain: number } {
  const used = leadsSomewhere(program);
  let [whole, plain] = [0, 0];
  for (const node of program.nodes) {
    if (node.kind === 'event' && node.event.kind === 'read' && used.has(node.event.into)) whole += 1;
    if (node.kind === 'assign') plain += node.sets.filter((set) => isPlainLoad(set, used)).length;
  }
  return { whole, plain };
}

/** The program with each plain load that matters as the two loads that it is, and the value that they make. */
export function inHalves(program: EventProgram): EventProgram {
  const used = leadsSomewhere(program);
  const nodes = [...program.nodes];
  program.nodes.forEach((node, id) => {
    if (node.kind !== 'assign') return;
    const loads = node.sets.filter((set) => isPlainLoad(set, used));
    if (loads.length === 0) return;
    const kept = node.sets.filter((set) => !loads.includes(set));
    let next = node.next;
    const before = (made: (next: number) => ProgramNode): void => {
      nodes.push(made(next));
      next = nodes.length - 1;
    };
    if (kept.length > 0) before((to) => ({ kind: 'assign', sets: kept, next: to, at: node.at }));
    for (const { name, value } of loads) {
      const [entry] = value.op === 'read' ? value.args : [];
      if (entry === undefined) continue;
      const halves = [`${name} low`, `${name} high`] as const;
      const [low, high] = halves.map((half): Expression => ({ op: 'var', name: half }));
      if (low === undefined || high === undefined) continue;
      const event = (made: Extract<ProgramNode, { kind: 'event' }>['event']): void =>
        before((to) => ({ kind: 'event', event: made, next: to, at: node.at }));
      event({ kind: 'use-halves', low, high, into: name });
      // Which of the two comes first is the compiler's to choose.
      const join = next;
      event({ kind: 'read-high', entry, into: halves[1] });
      event({ kind: 'read-low', entry, into: halves[0] });
      const lowFirst = next;
      next = join;
      event({ kind: 'read-low', entry, into: halves[0] });
      event({ kind: 'read-high', entry, into: halves[1] });
      const highFirst = next;
      nodes.push({ kind: 'branch', on: ORDER, then: highFirst, else: lowFirst, at: node.at });
      next = nodes.length - 1;
    }
    nodes[id] = { kind: 'assign', sets: [], next, at: node.at };
  });
  return { ...program, nodes };
}

/**
 * The program with each two loads of an entry's halves in either order that nothing keeps in theirs: the compiler may
 * swap them, and what is done between them with what was loaded first moves behind both.
 */
export function inAnyOrder(program: EventProgram): EventProgram {
  const nodes = [...program.nodes];
  program.nodes.forEach((first, id) => {
    const load = halfLoad(first);
    if (first.kind !== 'event' || load === null) return;
    const between: Extract<ProgramNode, { kind: 'assign' }>[] = [];
    let second = program.nodes[first.next];
    while (second?.kind === 'assign' && between.length < MOST_BETWEEN) {
      between.push(second);
      second = program.nodes[second.next];
    }
    const other = halfLoad(second);
    if (second?.kind !== 'event' || other === null || other.kind === load.kind) return;
    const push = (node: ProgramNode): number => nodes.push(node) - 1;
    let next = second.next;
    for (const { sets, at } of between.toReversed()) next = push({ kind: 'assign', sets, next, at });
    next = push({ ...first, next });
    const swapped = push({ ...second, next });
    const kept = push(first);
    nodes[id] = { kind: 'branch', on: swapOf(id), then: swapped, else: kept, at: first.at };
  });
  return nodes.length === program.nodes.length ? program : { ...program, nodes };
}

/** Assignments between two loads that are looked through. */
const MOST_BETWEEN = 8;

function halfLoad(node: ProgramNode | undefined): { readonly kind: 'read-low' | 'read-high' } | null {
  if (node?.kind !== 'event') return null;
  return node.event.kind === 'read-low' || node.event.kind === 'read-high' ? node.event : null;
}

const swapOf = (id: number): Expression => ({
  ...ORDER,
  key: `the compiler swaps the loads of the halves (${id})`,
});

const ORDER: Extract<Expression, { op: 'choice' }> = {
  op: 'choice',
  key: 'the compiler loads the high half first',
  of: [
    { kind: 'int', n: 0 },
    { kind: 'int', n: 1 },
  ],
  stable: true,
};

type Assigned = Extract<ProgramNode, { kind: 'assign' }>['sets'][number];

const isPlainLoad = ({ name, value }: Assigned, used: ReadonlySet<string>): boolean =>
  value.op === 'read' && used.has(name);

/** Variables from whose value a page or table is found, or that are stored. */
function leadsSomewhere(program: EventProgram): ReadonlySet<string> {
  const used = new Set<string>();
  const from = new Map<string, string[]>();
  const look = (expression: Expression, leads: boolean): void => {
    if (expression.op === 'var') {
      if (leads) used.add(expression.name);
      return;
    }
    if (expression.op === 'const' || expression.op === 'choice' || expression.op === 'param') return;
    const here = leads || expression.op === 'page-of' || expression.op === 'table-of';
    for (const argument of expression.args) look(argument, here);
  };
  for (const node of program.nodes) {
    if (node.kind === 'branch') look(node.on, false);
    if (node.kind === 'return' && node.value !== null) look(node.value, false);
    if (node.kind === 'event') {
      for (const operand of operandsOf(node.event)) look(operand, false);
      if (node.event.kind === 'set' || node.event.kind === 'change') look(node.event.value, true);
    }
    if (node.kind === 'assign')
      for (const { name, value } of node.sets) {
        look(value, false);
        const names = from.get(name) ?? [];
        eachPart(value, (part) => {
          if (part.op === 'var') names.push(part.name);
        });
        from.set(name, names);
      }
  }
  const work = [...used];
  for (let name = work.pop(); name !== undefined; name = work.pop())
    for (const source of from.get(name) ?? []) {
      if (used.has(source)) continue;
      used.add(source);
      work.push(source);
    }
  return used;
}
