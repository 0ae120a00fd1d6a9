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
import { expressionsOf, operandsOf, reversed, successorsOf } from '#event/walk-program.js';
import { FromLast, Names, namesIn, type Reads, readsOf, Sets, writtenBy } from './liveness.js';
import { type Known, knowledgeOf, knownText, Prober } from './probe.js';
import { hasEffect, looks, resultsOf, surroundingsOf } from './relevance.js';
import { Rows } from './rows.js';

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
const MANY_NODES = 1_500;

/** The key under which a fork finds where to go on. */
export const forkKey = (values: readonly Value[]): string =>
  values.map((value) => knownText(knowledgeOf(value))).join('|');

/** Null when the graph grows too large: then the program runs as it is. */
export function specialize(program: EventProgram): SpecialProgram | null {
  // What several programs have in common is not known from one of them, nor where a number lies that is an address.
  if ((program.shared ?? []).length > 0) return null;
  if (program.nodes.some((node) => node.kind === 'event' && node.event.kind === 'witness')) return null;
  const placed = placedVariables(program);
  const reads = readsOf(program);
  const answers = new Answers();
  for (;;) {
    const unfolded = unfold(program, reads, answers, placed);
    if (typeof unfolded !== 'string') return unfolded === null ? null : merge(cut(program, unfolded));
    placed.delete(unfolded);
  }
}

/** The program without what can matter to nobody wherever it is about: its graph is not unfolded. */
export function withoutIdle(program: EventProgram): EventProgram {
  const { nodes } = program;
  const answers = new Answers();
  const graph: Unfolded = {
    cases: nodes.map((node, origin) => ({ origin, node, fork: null })),
    caseOf: nodes.map((_, id) => id),
    next: nodes.map(successorsOf),
    values: (_, expression) => answers.values(expression, () => 0),
  };
  return { ...program, nodes: merge(cut(program, graph)).nodes };
}

// ---- unfolding

/** A node of the program with what is known of the variables that it reads. */
interface Case {
  readonly origin: NodeId;
  readonly node: ProgramNode;
  /** Names and texts of the fork behind the node; null where there is one way, or a branch. */
  readonly fork: { readonly names: readonly string[]; readonly texts: readonly string[] } | null;
}

interface Unfolded {
  readonly cases: readonly Case[];
  /** Per unfolded node: its case, and where it goes on. */
  readonly caseOf: readonly number[];
  readonly next: readonly (readonly number[])[];
  /** What an expression can be in a case; null where that is not told. */
  readonly values: (which: number, expression: Expression) => readonly Known[] | null;
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

/** What can be told of expressions of one program, however it is unfolded. */
class Answers {
  readonly knowledge = new Knowledge();
  private readonly prober = new Prober();
  readonly values = remembered((expression, known) => this.prober.values(expression, known), this.knowledge);
  readonly ways = remembered((expression, known) => this.prober.ways(expression, known), this.knowledge);
}

/** How a case goes on. */
interface Onward {
  readonly fork: Case['fork'];
  readonly ways: readonly Way[];
}

interface Way {
  readonly to: NodeId;
  /** Variables that were written and are still read, and numbers of what is known of them. */
  readonly written: readonly number[];
  readonly values: readonly number[];
}

/** The graph; or the name of a variable without which it is smaller, where it is large; or null, where there is none. */
function unfold(
  program: EventProgram,
  { names, uses, live }: Reads,
  { knowledge, ways: waysOf, values: possible }: Answers,
  placed: ReadonlySet<string>,
): Unfolded | string | null {
  const { nodes } = program;
  const isPlaced = names.all.map((name) => placed.has(name));
  const told = (variables: readonly number[]): number[] =>
    variables.filter((variable) => isPlaced[variable] === true);
  const toldOn = live.map(told);
  const toldIn = uses.map(told);
  const members = membersOf(program);

  /** Unfolded nodes: the node, and what is known of each variable that is read from there on. */
  const unfolded = new Rows();
  const caseOf: number[] = [];
  const next: number[][] = [];
  /** Cases: the node, and what is known of each variable that it reads. */
  const rows = new Rows();
  const cases: Case[] = [];
  const onwards: Onward[] = [];
  /** By variable, where it is still read: what is known of it. */
  const now = new Int32Array(names.size);
  const number = (name: string): number => (placed.has(name) ? (now[names.of(name)] as number) : 0);
  const valuesOf = (expression: Expression): readonly Known[] | null => possible(expression, number);

  const onward = (node: ProgramNode): Onward => {
    switch (node.kind) {
      case 'branch': {
        const { yes, no } = waysOf(node.on, number);
        const targets = [...(yes ? [node.then] : []), ...(no ? [node.else] : [])];
        return { fork: null, ways: targets.map((to) => ({ to, written: [], values: [] })) };
      }
      case 'assign': {
        const written = new Map(
          node.sets.flatMap(({ name, value }) => (placed.has(name) ? [[name, valuesOf(value)]] : [])),
        );
        return behind(node.next, written);
      }
      case 'event': {
        const names = writtenBy(node.event);
        const results = names.length === 0 ? null : resultsOf(node.event, valuesOf, members);
        return behind(node.next, new Map(names.map((name) => [name, results])));
      }
      case 'return':
      case 'stop':
        return { fork: null, ways: [] };
    }
  };
  /** One way on for each combination of what was written, as far as that is still read. */
  const behind = (to: NodeId, results: ReadonlyMap<string, readonly Known[] | null>): Onward => {
    const written = (toldOn[to] ?? []).filter((variable) => results.has(names.all[variable] as string));
    const values = written.map((variable) => {
      const known = results.get(names.all[variable] as string) ?? [];
      return known.length === 0 ? [0] : known.map((value) => knowledge.number(value));
    });
    let ways: number[][] = [[]];
    for (const each of values) ways = ways.flatMap((left) => each.map((value) => [...left, value]));
    const open = written.flatMap((_, n) => ((values[n]?.length ?? 0) > 1 ? [n] : []));
    return {
      fork:
        open.length === 0
          ? null
          : {
              names: open.map((n) => names.all[written[n] as number] as string),
              texts: ways.map((way) => open.map((n) => knowledge.text(way[n] as number)).join('|')),
            },
      ways: ways.map((way) => ({ to, written, values: way })),
    };
  };
  const enter = ({ to, written, values }: Way): number => {
    for (let n = 0; n < written.length; n += 1) now[written[n] as number] = values[n] as number;
    unfolded.push(to);
    for (const variable of toldOn[to] ?? []) unfolded.push(now[variable] as number);
    return unfolded.close();
  };

  for (const variable of toldOn[0] ?? [])
    now[variable] = knowledge.number(knowledgeOf(program.initial.get(names.all[variable] as string) ?? ZERO));
  enter({ to: 0, written: [], values: [] });
  let isLarge = false;
  for (let at = 0; at < unfolded.size; at += 1) {
    if (unfolded.size > MOST_NODES) return null;
    if (unfolded.size > MANY_NODES && !isLarge) {
      isLarge = true;
      const most = multiplying(toldOn, unfolded);
      if (most !== null) return names.all[most] as string;
    }
    const origin = unfolded.at(at, 0);
    const known = toldOn[origin] as number[];
    for (let n = 0; n < known.length; n += 1) now[known[n] as number] = unfolded.at(at, n + 1);
    rows.push(origin);
    for (const variable of toldIn[origin] as number[]) rows.push(now[variable] as number);
    const which = rows.close();
    caseOf.push(which);
    let on = onwards[which];
    if (on === undefined) {
      const node = nodes[origin] as ProgramNode;
      on = onward(node);
      onwards.push(on);
      cases.push({ origin, node, fork: on.fork });
    }
    next.push(on.ways.map(enter));
  }
  return {
    cases,
    caseOf,
    next,
    values: (which, expression) => {
      const variables = toldIn[rows.at(which, 0)] as number[];
      return possible(expression, (name) => {
        const n = variables.indexOf(names.of(name));
        return n < 0 ? 0 : rows.at(which, n + 1);
      });
    },
  };
}

/** Less than this part of the nodes left makes it worth not to tell a variable apart. */
const WORTH = 0.75;

/** The variable that multiplies the nodes most: those that go with another one, as a pointer and its address, do not. */
function multiplying(toldOn: readonly (readonly number[])[], unfolded: Rows): number | null {
  const versions: number[][] = toldOn.map(() => []);
  for (let at = 0; at < unfolded.size; at += 1) versions[unfolded.at(at, 0)]?.push(at);
  const saved = new Map<number, number>();
  toldOn.forEach((variables, origin) => {
    const rows = versions[origin] as readonly number[];
    if (rows.length < 2) return;
    const alike = alikeBut(unfolded, rows, variables.length + 1);
    variables.forEach((variable, n) => {
      saved.set(variable, (saved.get(variable) ?? 0) + alike(n + 1));
    });
  });
  let most: number | null = null;
  let least = unfolded.size * (1 - WORTH);
  for (const [variable, count] of saved)
    if (count > least) {
      least = count;
      most = variable;
    }
  return most;
}

/** How many of some rows of one length are like an earlier one of them but for a column. */
function alikeBut(rows: Rows, some: readonly number[], length: number): (column: number) => number {
  const mixed = (row: number, n: number): number => {
    const hash = Math.imul(rows.at(row, n) + (n << 16), 0x9e3779b1);
    return Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  };
  // Sums, so that what a column adds can be taken off again.
  const sums = some.map((row) => {
    let sum = 0;
    for (let n = 0; n < length; n += 1) sum = (sum + mixed(row, n)) | 0;
    return sum;
  });
  const table = new Int32Array(2 ** (33 - Math.clz32(some.length)));
  return (column) => {
    table.fill(0);
    let count = 0;
    some.forEach((row, n) => {
      const sum = (sums[n] as number) - mixed(row, column);
      let at = (sum ^ (sum >>> 16)) & (table.length - 1);
      while (table[at] !== 0 && !rows.alikeBut((table[at] as number) - 1, row, column))
        at = (at + 1) & (table.length - 1);
      if (table[at] === 0) table[at] = row + 1;
      else count += 1;
    });
    return count;
  };
}

/** What every container can hold, over the whole program. */
function membersOf(program: EventProgram): Members {
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
  return () => (all ? [...found.values()] : null);
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
  readonly graph: Unfolded;
  /** Per node: the kept node that comes first behind it, or itself. */
  readonly first: Int32Array;
  /** Which of the node's writes are wanted. */
  readonly isWanted: (at: number, write: number) => boolean;
}

/** Where a run ends for good without a return. */
const STOPPED = -2;
const OPEN = -1;

function cut(program: EventProgram, graph: Unfolded): Cut {
  const { cases, caseOf, next } = graph;
  const count = next.length;
  const events = program.nodes.flatMap((node) => (node.kind === 'event' ? [node.event] : []));
  const around = surroundingsOf(events, program);
  const boxes = boxesAreNamed(events);
  const names = new Names();

  // Per case: what it reads when it is kept, and what it writes.
  const parts = cases.map(({ node, fork }) => partsOf(node, fork?.names ?? [], boxes, names));
  const kept = new Uint8Array(count);
  const before = reversed(next);
  const live = new Sets(count, names.size);
  /** Per node: where its writes begin in `chosen`. */
  const writesAt = new Int32Array(count + 1);
  let writes = 0;
  caseOf.forEach((which, at) => {
    writes += (parts[which] as Parts).writes.length;
    writesAt[at + 1] = writes;
  });
  const chosen = new Uint8Array(writes);
  const work = new FromLast(before);
  const keep = (at: number): void => {
    if (kept[at] !== 0) return;
    kept[at] = 1;
    work.add(at);
  };
  const looked = cases.map(({ node }, which) =>
    expressionsOf(node).some((e) => looks(e, (part) => graph.values(which, part))),
  );
  const needed = cases.map(
    ({ node }, which) =>
      node.kind === 'return' ||
      (node.kind === 'event' &&
        (hasEffect(node.event, around, (part) => graph.values(which, part)) ||
          (!boxes && node.event.kind.startsWith('container-')))),
  );
  caseOf.forEach((which, at) => {
    if (looked[which] === true) chosen.fill(1, writesAt[at], writesAt[at + 1]);
    if (looked[which] === true || needed[which] === true) keep(at);
  });

  const after = new Sets(1, names.size);
  /** Variables that are read later make whoever writes them needed. */
  const settleLive = (at: number): boolean => {
    after.clear(0);
    for (const to of next[at] as readonly number[]) after.join(0, live, to);
    const part = parts[caseOf[at] as number] as Parts;
    const from = writesAt[at] as number;
    for (let n = 0; n < part.writes.length; n += 1) {
      if (chosen[from + n] !== 0) continue;
      const write = part.writes[n] as Write;
      if (!(kept[at] !== 0 && write.forked) && !write.names.some((name) => after.has(0, name))) continue;
      chosen[from + n] = 1;
      kept[at] = 1;
    }
    for (const name of part.kills) after.remove(0, name);
    for (let n = 0; n < part.writes.length; n += 1)
      if (chosen[from + n] !== 0) for (const name of (part.writes[n] as Write).reads) after.put(0, name);
    if (kept[at] !== 0) for (const name of part.reads) after.put(0, name);
    return live.join(at, after, 0);
  };

  // A node matters when its ways lead to different kept nodes.
  const first = new Int32Array(count);
  const waiting = new Uint8Array(count);
  const observe = (): boolean => {
    first.fill(OPEN);
    const pending: number[] = [];
    let found = false;
    const settle = (at: number, value: number): void => {
      if (first[at] === value) return;
      first[at] = value;
      const end = before.starts[at + 1] as number;
      for (let n = before.starts[at] as number; n < end; n += 1) {
        const from = before.from[n] as number;
        if (waiting[from] !== 0) continue;
        waiting[from] = 1;
        pending.push(from);
      }
    };
    for (let at = 0; at < count; at += 1) {
      if (kept[at] !== 0) settle(at, at);
      else if (cases[caseOf[at] as number]?.node.kind === 'stop') settle(at, STOPPED);
    }
    for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
      waiting[at] = 0;
      if (kept[at] !== 0) continue;
      let value = OPEN;
      for (const to of next[at] as readonly number[]) {
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
  do work.run(settleLive);
  while (observe());
  return {
    graph,
    first,
    isWanted: (at, write) => chosen[(writesAt[at] as number) + write] !== 0,
  };
}

interface Parts {
  /** Read whenever the node is kept. */
  readonly reads: readonly number[];
  /** Overwritten, whether the node is kept or not. */
  readonly kills: readonly number[];
  /** One for each assignment of the node, or one for an event. */
  readonly writes: readonly Write[];
}

interface Write {
  readonly names: readonly number[];
  readonly reads: readonly number[];
  /** Is it wanted wherever the node is kept? */
  readonly forked: boolean;
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

// ---- merging

/** Nodes that do the same and whose ways on lead to nodes of one class become one (partition refinement). */
function merge({ graph, first, isWanted }: Cut): SpecialProgram {
  const { cases, caseOf, next } = graph;
  const caseAt = (at: number): Case => cases[caseOf[at] as number] as Case;
  const reached: number[] = [];
  const position = new Int32Array(next.length).fill(-1);
  const reach = (at: number): number => {
    if (at < 0) return -1;
    if (position[at] === -1) {
      position[at] = reached.length;
      reached.push(at);
    }
    return position[at] as number;
  };
  const start = reach(first[0] as number);
  const ways: number[][] = [];
  for (let n = 0; n < reached.length; n += 1)
    ways.push((next[reached[n] as number] as readonly number[]).map((to) => reach(first[to] as number)));

  const alike = new Rows();
  const own = reached.map((at) => {
    const { origin, node } = caseAt(at);
    alike.push(origin);
    if (node.kind === 'assign')
      for (let set = 0; set < node.sets.length; set += 1) if (isWanted(at, set)) alike.push(set);
    return alike.close();
  });
  const texts = new Names();
  const forks = cases.map(({ fork }) => (fork === null ? -1 : texts.of(fork.texts.join(' & '))));
  const classes = refined(own, ways, (n) => forks[caseOf[reached[n] as number] as number] as number);

  const nodes: ProgramNode[] = [];
  const origins: NodeId[] = [];
  const forksOf = new Map<NodeId, Fork>();
  const numbers = new Map<number, NodeId>();
  const order: number[] = [];
  let stopped: NodeId | null = null;
  const enter = (n: number): NodeId => {
    if (n < 0) {
      if (stopped === null) {
        stopped = order.length;
        order.push(-1);
      }
      return stopped;
    }
    const cls = classes[n] as number;
    const known = numbers.get(cls);
    if (known !== undefined) return known;
    numbers.set(cls, order.length);
    order.push(n);
    return order.length - 1;
  };
  enter(start);
  for (let id = 0; id < order.length; id += 1) {
    const n = order[id] as number;
    if (n < 0) {
      nodes.push({ kind: 'stop', at: null });
      origins.push(0);
      continue;
    }
    const at = reached[n] as number;
    const { origin, node, fork } = caseAt(at);
    const on = (ways[n] as readonly number[]).map(enter);
    const [way] = on;
    origins.push(origin);
    switch (node.kind) {
      case 'return':
      case 'stop':
        nodes.push(node);
        break;
      case 'branch':
        if (way === undefined) nodes.push({ kind: 'assign', sets: [], next: id, at: node.at });
        else nodes.push({ ...node, then: way, else: on[1] ?? way });
        break;
      case 'assign':
        nodes.push({ ...node, sets: node.sets.filter((_, set) => isWanted(at, set)), next: way ?? id });
        break;
      case 'event':
        nodes.push({ ...node, next: way ?? id });
    }
    if (fork !== null && on.some((other) => other !== way))
      forksOf.set(id, {
        names: fork.names,
        targets: new Map(fork.texts.map((text, k) => [text, on[k] as NodeId])),
      });
  }
  return { nodes, origin: origins, forks: forksOf };
}

/**
 * The coarsest classes in which nodes of one class have the same number of their own, and ways on to the same classes. A
 * class that falls apart keeps its number for the largest part, so that only those are looked at again that lead to
 * another one.
 *
 * @param own given in order from 0 on
 * @param ways per node: where it goes on, -1 for the end
 * @param forkOf by what it goes on, which counts where its ways lead to different classes
 */
function refined(
  own: readonly number[],
  ways: readonly (readonly number[])[],
  forkOf: (node: number) => number,
): readonly number[] {
  const before = reversed(ways);
  const classes = [...own];
  const members: number[][] = [];
  own.forEach((cls, node) => {
    if (cls === members.length) members.push([node]);
    else members[cls]?.push(node);
  });
  const classAt = (to: number): number => (to < 0 ? -1 : (classes[to] as number));
  const signatures = new Rows();
  const signature = (node: number): number => {
    const next = ways[node] as readonly number[];
    const cls = classAt(next[0] ?? -1);
    if (next.length > 0) signatures.push(cls);
    if (next.some((to) => classAt(to) !== cls)) {
      for (let n = 1; n < next.length; n += 1) signatures.push(classAt(next[n] as number));
      signatures.push(forkOf(node));
    }
    return signatures.close();
  };
  let dirty = new Set<number>(members.keys());
  while (dirty.size > 0) {
    const moved: number[] = [];
    for (const cls of dirty) {
      const nodes = members[cls] as number[];
      if (nodes.length < 2) continue;
      const parts = new Map<number, number[]>();
      for (const node of nodes) {
        const number = signature(node);
        const part = parts.get(number);
        if (part === undefined) parts.set(number, [node]);
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
    dirty = new Set();
    for (const node of moved) {
      const end = before.starts[node + 1] as number;
      for (let n = before.starts[node] as number; n < end; n += 1)
        dirty.add(classes[before.from[n] as number] as number);
    }
  }
  return classes;
}

/** Where every node of the specialised program can go on, its forks included. */
export function waysOn(node: ProgramNode, fork: Fork | undefined): readonly NodeId[] {
  return fork === undefined ? successorsOf(node) : [...new Set(fork.targets.values())];
}
