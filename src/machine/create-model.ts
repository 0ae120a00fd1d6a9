/**
 * Event programs on a machine as a transition system. A step runs one CPU to just after its next event, or to just
 * after the next node where something had to be chosen, whichever comes first: what lies between has one outcome.
 */

import type { Event } from '#event/event.js';
import type { Expression } from '#event/expression.js';
import type { Facts } from '#event/machine-facts.js';
import type { EventProgram, ProgramNode } from '#event/program.js';
import { encodeValue, isOwnPage, LEVELS, type MemoryValue, UNSET, type Value } from '#event/value.js';
import { eachPart, expressionsOf, operandsOf, somePart } from '#event/walk-program.js';
import type { Model, Scopes } from '#explore/model.js';
import { type Assignment, type CompiledProgram, compileProgram } from './compile-program.js';
import { evaluate, isTrue } from './evaluate.js';
import { narrowed } from './narrow.js';
import { checkReturn } from './relies.js';
import type { Action, ChoiceVector, Violation } from './run.js';
import { runEvent } from './run-event.js';
import { forkKey } from './specialize.js';
import {
  ACTING,
  CLASS_BYTES,
  COND,
  CONDITION,
  CPU_BYTES,
  INSIDE,
  KeyTable,
  layoutFor,
  PAGE_REFS,
  STRANGER,
  State,
  ValueTable,
} from './state.js';
import { type Machine, Step } from './step.js';

export type { State } from './state.js';

export interface ModelOptions {
  /** One per CPU, in order. */
  readonly programs: readonly EventProgram[];
  readonly facts: Facts;
  /** Choices that the run must follow where they are asked (DESIGN.md rule 2). */
  readonly fixed?: ChoiceVector;
  /** Did what came before, and do callers, everything right? Default: anything may have been. */
  readonly kind?: boolean;
  /** What to call each program in messages; its own name when absent. */
  readonly names?: readonly string[];
  /** Is there another CPU that runs none of the programs, and are there walkers nobody wrote down? Default: for one program. */
  readonly ambient?: boolean;
  /** What the witness's entries hold at the start, by level; those not named are found out when needed. */
  readonly entries?: ReadonlyMap<number, Value>;
  /** CPUs whose tables never held the witness's: their hardware holds nothing of it. */
  readonly strangers?: readonly number[];
  /**
   * Questions whose answers are remembered. Default: all that have one answer in a run. Fewer allow more runs, those
   * with two answers to one question among them.
   */
  readonly remembered?: ReadonlySet<string>;
  /** Object of which violations are looked for: what goes wrong for another is passed over, and the run goes on. */
  readonly only?: string;
  /** Runs a program that is alone with every node that it has, needed or not: the same verdict with more states. */
  readonly whole?: boolean;
}

/** Told of every node that a step passes: `explainRun` reads along. */
export interface Listener {
  event(node: number, event: Event<Value>): void;
  /** The node found out or did something that shows outside of the program's variables. */
  changed?(node: number): void;
}

/** Nodes without events that one step may pass before it is cut: a loop without events and choices cannot hang it. */
const NODES_PER_STEP = 4000;

/** One way in which a step can go. */
interface Outcome {
  readonly action: Action;
  readonly state: State;
}

export interface MachineModel extends Model<State, Action, Violation> {
  readonly machine: Machine;
  /** Takes one action again and tells `listener` of its events. Null when it is not enabled. */
  take(state: State, action: Action, listener: Listener): State | null;
}

/**
 * The model for `explore/`. Throws when a program's graph is broken or still holds rule parameters: both are bugs of
 * whoever built it.
 */
export function createModel(options: ModelOptions): MachineModel {
  const ambient = options.ambient ?? options.programs.length === 1;
  const alone = options.programs.length === 1 && options.whole !== true;
  const programs = options.programs.map((program) =>
    compileProgram(program, alone || program.beside === true),
  );
  const layout = layoutFor(programs.length, programs.length + (ambient ? 1 : 0));
  const values = new ValueTable();
  const keys = new KeyTable();
  const levels = new Set<number>();
  for (const program of options.programs)
    for (const level of program.levels) levels.add(LEVELS.indexOf(level));
  const machine: Machine = {
    programs,
    facts: options.facts,
    fixed: options.fixed ?? new Map(),
    kind: options.kind === true,
    remembered: options.remembered ?? null,
    only: options.only ?? null,
    layout,
    values,
    space: spaceOf(options.programs),
    reclaimed: options.programs.some((program) => program.reclaimed === true),
    unloaded:
      options.kind === true &&
      options.programs.every((program) => program.boot === true || freesDirectory(program)),
    movesTable: options.programs.some((program) => program.movesTable === true),
    given: new Set(options.programs.filter((program) => program.space !== 'guest').flatMap(levelsGiven)),
    walkers: options.programs.find((program) => program.walkers !== undefined)?.walkers ?? 'none',
    levels,
    whole: !alone,
    ambient,
    buffers: programs.length > 1 || options.programs.some(startsFlush),
    pageBrought: options.programs.some(bringsPage),
    bringer: bringerOf(options.programs),
    brought: broughtBy(options.programs),
    names: options.names ?? options.programs.map((program) => program.name),
    shared: new Map(
      [...new Set(options.programs.flatMap((program) => program.shared ?? []))].map((name, slot) => [
        name,
        slot,
      ]),
    ),
  };
  const prepares = options.programs.some((program) =>
    program.nodes.some((node) => node.kind === 'event' && node.event.kind === 'start'),
  );

  const initial = (): Outcome[] => {
    const bytes = new Uint8Array(layout.size);
    if (machine.pageBrought) bytes[PAGE_REFS] = 1;
    const entries = new Array<number>(LEVELS.length * 2).fill(0);
    for (const level of levels) {
      const start = options.entries?.get(level);
      if (start !== undefined) entries[level] = values.id(start);
    }
    const vars = programs.map((program) => {
      const start = new Array<number>(program.slotCount).fill(0);
      for (const { slot, value } of program.initial) start[slot] = values.id(value);
      return start;
    });
    if (machine.shared.size > 0) vars.push(new Array<number>(machine.shared.size).fill(values.id(UNSET)));
    const state = State.fresh(
      keys,
      programs.map(() => 0),
      vars,
      entries,
      new Array<number>(LEVELS.length).fill(0),
      bytes,
    );
    const step = new Step(machine, state, 0, 0);
    for (const level of levels) if (state.entries[level] === 0) step.putEntry(level, step.entry(level));
    for (let cpu = 0; cpu < programs.length; cpu += 1) {
      step.setClassByte(cpu, CONDITION, COND.active);
      state.pc[cpu] = skip(programs[cpu] as CompiledProgram, 0);
    }
    const all = Array.from({ length: layout.classes }, (_, cls) => cls);
    for (const stranger of machine.unloaded ? all : (options.strangers ?? []))
      step.state.note(`${STRANGER}${stranger}`, 'yes');
    for (let cpu = 0; cpu < programs.length; cpu += 1) dropDead(programs[cpu] as CompiledProgram, state, cpu);
    return [{ action: { cpu: 0, node: 0, choices: [] }, state }];
  };

  const actingAt = (cpu: number): number => layout.perCpu + cpu * CPU_BYTES + ACTING;
  /** Not started yet, or in an interrupt that another CPU's program goes through. */
  const stands = (state: State, cpu: number): boolean => {
    if (prepares && cpu > 0 && !state.extra.has('started')) return true;
    for (let other = 0; other < programs.length; other += 1)
      if (other !== cpu && state.bytes[actingAt(other)] === cpu + 1) return true;
    return false;
  };

  const steps: Step[] = [];
  const stepOf = (state: State, cpu: number): Step => {
    steps[cpu] ??= new Step(machine, state, cpu, 0);
    return steps[cpu];
  };
  const expand = (state: State): Outcome[] => {
    // Nodes that nobody else notices need no interleaving: the first CPU that stands at one goes alone.
    for (let cpu = 0; cpu < programs.length && programs.length > 1; cpu += 1) {
      const node = state.pc[cpu] ?? -1;
      if (stands(state, cpu)) continue;
      if (node >= 0 && programs[cpu]?.shared[node] === false) return outcomes(stepOf(state, cpu), state);
    }
    let found: Outcome[] = [];
    for (let cpu = 0; cpu < programs.length; cpu += 1) {
      if ((state.pc[cpu] ?? -1) < 0 || stands(state, cpu)) continue;
      const ways = outcomes(stepOf(state, cpu), state);
      found = found.length === 0 ? ways : [...found, ...ways];
    }
    return found;
  };

  const [first] = programs;
  return {
    machine,
    ...(alone && first !== undefined && first.scopes.idle.length > 0
      ? { scopes: scopesFor(first, values) }
      : {}),
    initial,
    expand,
    key: (state) => state.key(),
    violation: (state) => state.violation,
    inside: () => true,
    take: (state, action, listener) => take(stepOf(state, action.cpu), state, action, listener),
  };
}

/** The loops of a program that runs alone. */
function scopesFor(program: CompiledProgram, values: ValueTable): Scopes<State> {
  const { of, idle } = program.scopes;
  const nowhere: readonly number[] = [];
  const lasting: boolean[] = [];
  const lasts = (id: number): boolean => {
    lasting[id] ??= isLasting(values.value(id));
    return lasting[id];
  };
  return {
    of: (state) => of[state.pc[0] ?? -1] ?? nowhere,
    enter: (state, scope) => {
      const [rest, parts] = state.split(0, idle[scope] ?? nowhere, lasts);
      return parts.length === 0 ? null : { state: rest, kept: { key: parts.join(' '), parts } };
    },
    leave: (state, { parts }) => {
      const whole = state.joined(0, parts);
      dropDead(program, whole, 0);
      return whole;
    },
  };
}

/** Does the value stay what it is while nobody writes it? What entries hold is found out, and then holds for all copies. */
function isLasting(value: Value): boolean {
  switch (value.kind) {
    case 'entry-value':
      return false;
    case 'entry-pointer':
      return value.gap !== '?';
    case 'int':
    case 'some':
    case 'address':
    case 'opaque':
    case 'symbol':
    case 'memory':
      return true;
  }
}

function spaceOf(programs: readonly EventProgram[]): Machine['space'] {
  return programs.find((program) => program.space !== 'unknown')?.space ?? 'unknown';
}

/** The witness's memory that the programs name by constants: it was not found by walking. */
function broughtBy(programs: readonly EventProgram[]): MemoryValue[] {
  const found = new Map<string, MemoryValue>();
  const see = (value: Value): void => {
    if (value.kind === 'memory' && value.who === 'W') found.set(encodeValue(value), value);
  };
  const visit = (expression: Expression): void => {
    switch (expression.op) {
      case 'const':
        see(expression.value);
        return;
      case 'choice':
        expression.of.forEach(see);
        return;
      case 'var':
      case 'param':
        return;
      default:
        expression.args.forEach(visit);
    }
  };
  for (const program of programs)
    for (const node of program.nodes) if (node.kind === 'event') operandsOf(node.event).forEach(visit);
  return [...found.values()];
}

/**
 * Levels of the witness's entries that a program has pointers to without a walk of its own. A pointer to a table that it
 * links is none of them: the table hangs nowhere yet.
 */
export function levelsGiven(program: EventProgram): number[] {
  const found = new Set<number>();
  const links = new Set<number>();
  const visit = (expression: Expression, into: Set<number> = found): void => {
    switch (expression.op) {
      case 'const': {
        const { value } = expression;
        if (value.kind === 'entry-pointer' && value.table === 'W' && value.gap === 'at')
          into.add(LEVELS.indexOf(value.level));
        return;
      }
      case 'choice':
      case 'var':
      case 'param':
        return;
      // Where an entry's addresses lie is known of one that nobody came to, too.
      case 'address-of':
        return;
      case 'numbered-entry':
        found.add(LEVELS.indexOf(expression.level ?? 'pte'));
        return;
      default:
        for (const argument of expression.args)
          visit(argument, expression.op === 'make-table' ? links : into);
    }
  };
  for (const node of program.nodes) {
    switch (node.kind) {
      case 'event':
        for (const operand of operandsOf(node.event)) visit(operand);
        break;
      case 'assign':
        for (const { value } of node.sets) visit(value);
        break;
      case 'branch':
        visit(node.on);
        break;
      case 'return':
        if (node.value !== null) visit(node.value);
        break;
      case 'stop':
        break;
    }
  }
  return [...found].filter((level) => !links.has(level));
}

/** Does it free the page directory that it was handed? Then the directory is in use no more, or not yet. */
function freesDirectory(program: EventProgram): boolean {
  return program.nodes.some((node) => {
    if (node.kind !== 'event' || node.event.kind !== 'free') return false;
    const { memory } = node.event;
    const held = memory.op === 'table-holding' ? memory.args[0] : undefined;
    if (held?.op !== 'const' || held.value.kind !== 'entry-pointer') return false;
    return held.value.level === 'pgd' && held.value.table === 'W';
  });
}

const startsFlush = (program: EventProgram): boolean =>
  program.nodes.some(
    (node) => node.kind === 'event' && node.event.kind === 'flush' && node.event.timing === 'started',
  );

/** Is the witness's page named by a constant? Then it came in as an argument. */
function bringsPage(program: EventProgram): boolean {
  const names = (expression: Expression): boolean =>
    somePart(
      expression,
      (part) =>
        (part.op === 'const' && isOwnPage(part.value)) || (part.op === 'choice' && part.of.some(isOwnPage)),
    );
  for (const value of program.initial.values()) if (isOwnPage(value)) return true;
  return program.nodes.some((node) => {
    switch (node.kind) {
      case 'event':
        return operandsOf(node.event).some(names);
      case 'assign':
        return node.sets.some((set) => names(set.value));
      case 'branch':
        return names(node.on);
      case 'return':
      case 'stop':
        return false;
    }
  });
}

function bringerOf(programs: readonly EventProgram[]): string | null {
  const keys = new Set<string | null>();
  const see = (expression: Expression): void => {
    if (expression.op === 'const' && isOwnPage(expression.value)) keys.add(null);
    else if (expression.op === 'choice' && expression.of.some(isOwnPage))
      keys.add(expression.stable === true ? expression.key : null);
  };
  for (const program of programs)
    for (const node of program.nodes) for (const expression of expressionsOf(node)) eachPart(expression, see);
  const [only] = keys;
  return keys.size === 1 && only !== undefined ? only : null;
}

/** All ways in which the CPU's next step can go, in the order of their choices. */
function outcomes(step: Step, state: State): Outcome[] {
  const found: Outcome[] = [];
  step.startOver();
  do {
    const action = act(step, state, null);
    if (action !== null) found.push({ action, state: step.state });
  } while (step.goesOn());
  return found;
}

/** The way that has the wanted choices. */
function take(step: Step, state: State, wanted: Action, listener: Listener): State | null {
  step.startOver();
  do {
    const heard: { node: number; event: Event<Value> }[] = [];
    const changed: number[] = [];
    const action = act(step, state, {
      event: (node, event) => heard.push({ node, event }),
      changed: (node) => changed.push(node),
    });
    if (action === null || !sameAction(action, wanted)) continue;
    for (const { node, event } of heard) listener.event(node, event);
    for (const node of changed) listener.changed?.(node);
    return step.state;
  } while (step.goesOn());
  return null;
}

/** Takes the step in one way. Null: it cannot be taken now. */
function act(step: Step, state: State, listener: Listener | null): Action | null {
  step.begin(state.copy());
  const node = runStep(step, listener);
  if (step.blocked) return null;
  const { cpu, choices, assumptions } = step;
  return assumptions.length === 0 ? { cpu, node, choices } : { cpu, node, choices, assumes: assumptions };
}

export function sameAction(a: Action, b: Action): boolean {
  return (
    a.cpu === b.cpu &&
    a.node === b.node &&
    a.choices.length === b.choices.length &&
    a.choices.every((choice, n) => choice.key === b.choices[n]?.key && choice.value === b.choices[n]?.value)
  );
}

/** Runs nodes until an event was taken or a choice was made. Returns the last node run. */
function runStep(step: Step, listener: Listener | null): number {
  const { program } = step;
  const { state, cpu } = step;
  const start = state.pc[cpu] ?? -1;
  for (let count = 0; ; count += 1) {
    const id = state.pc[cpu] ?? -1;
    const node = program.nodes[id];
    if (node === undefined) throw new Error(`${program.program.name}: no node ${id}`);
    step.node = program.origin[id] as number;
    const machine = state.machinePart();
    const event = runNode(step, id, node, listener);
    if (step.blocked) return step.node;
    if (state.machinePart() !== machine) listener?.changed?.(step.node);
    const next = state.pc[cpu] ?? -1;
    const done =
      next < 0 || state.violation !== null || event || step.choices.length > 0 || count > NODES_PER_STEP;
    const shared = next >= 0 && step.machine.layout.programs > 1 && program.shared[next] === true;
    const left = next >= 0 && leaves(program, start, next);
    if (!done && !shared && !left) continue;
    const last = step.node;
    if (next >= 0 && state.violation === null) {
      state.pc[cpu] = skip(program, next);
      if (!step.machine.whole && !left) runOn(step, listener, start);
    }
    dropDead(program, step.state, cpu);
    return last;
  }
}

/**
 * Goes on through nodes that do nothing but compute, up to the next one that asks something: where several answers lead
 * to the same place, they meet there. A loop ends it, too: what comes round to a state that was met stops there. With
 * several programs, another CPU may come in between.
 */
function runOn(step: Step, listener: Listener | null, start: number): void {
  const { program, state, cpu } = step;
  for (;;) {
    const id = state.pc[cpu] ?? -1;
    if (leaves(program, start, id)) return;
    const node = program.nodes[id];
    if (node === undefined || (node.kind !== 'assign' && node.kind !== 'branch')) return;
    if (!step.passes(id)) return;
    const machine = state.machinePart();
    step.node = program.origin[id] as number;
    step.beQuiet();
    runNode(step, id, node, null);
    if (!step.staysQuiet()) return;
    if (state.machinePart() !== machine) listener?.changed?.(step.node);
    state.pc[cpu] = skip(program, state.pc[cpu] ?? -1);
  }
}

/** Does a step that began at `start` come out of a loop with `node`? What the loop leaves alone is not there before. */
function leaves({ scopes }: CompiledProgram, start: number, node: number): boolean {
  const inner = scopes.of[start]?.at(-1);
  return inner !== undefined && scopes.of[node]?.includes(inner) !== true;
}

/** Runs one node and moves on. True: it was an event or the end. */
function runNode(step: Step, id: number, node: ProgramNode, listener: Listener | null): boolean {
  const { state, cpu } = step;
  switch (node.kind) {
    case 'event': {
      const event = runEvent(step, node.event, step.program.cleared[id] ?? []);
      listener?.event(step.node, event);
      forgetStrangers(step);
      if (step.machine.layout.programs === 1) state.forgetChoices(step.program.forgets[id] ?? new Set());
      state.pc[cpu] = wayOn(step, id, node.next);
      return true;
    }
    case 'assign': {
      // All at once: phis of one block read the values from before.
      const writes = step.program.writes[id] as readonly Assignment[];
      const values = new Array<Value>(writes.length);
      for (let n = 0; n < writes.length; n += 1) values[n] = evaluate(step, (writes[n] as Assignment).value);
      if (step.hasAsked()) return false;
      for (let n = 0; n < writes.length; n += 1) {
        const write = writes[n] as Assignment;
        step.write(write, narrowed(values[n] as Value, write.use));
      }
      state.pc[cpu] = wayOn(step, id, node.next);
      return false;
    }
    case 'branch':
      state.pc[cpu] = isTrue(step, node.on) ? node.then : node.else;
      return false;
    case 'return': {
      const value = node.value === null ? null : evaluate(step, node.value);
      const handsOn =
        value !== null &&
        ((value.kind === 'int' && value.n > 0) || (value.kind === 'some' && value.is !== 'negative'));
      checkReturn(step, step.program.program.outermost, handsOn);
      step.setCpuByte(cpu, INSIDE, 0);
      state.pc[cpu] = -1;
      return true;
    }
    case 'stop':
      step.setCpuByte(cpu, INSIDE, 0);
      state.pc[cpu] = -1;
      return true;
  }
}

/** The node behind `id`: for some it depends on what was written. */
function wayOn(step: Step, id: number, next: number): number {
  const fork = step.program.forks.get(id);
  if (fork === undefined || step.state.violation !== null) return next;
  const key = forkKey(fork.names.map((name) => step.variable(name)));
  const target = fork.targets.get(key);
  if (target === undefined)
    throw new Error(`${step.program.program.name}: node ${step.node} wrote ${key}, which was not foreseen`);
  return target;
}

/** CPUs whose tables never held the witness's hold nothing, whatever changed. */
function forgetStrangers(step: Step): void {
  for (const cls of step.state.strangers)
    for (let at = 1; at < CLASS_BYTES; at += 1) step.setClassByte(cls, at, 0);
}

/** Empty assignments only join paths: standing before or behind one is the same. */
function skip(program: CompiledProgram, from: number): number {
  let at = from;
  for (let count = 0; count < program.nodes.length; count += 1) {
    const node = program.nodes[at];
    if (node?.kind !== 'assign' || node.sets.length > 0) return at;
    at = node.next;
  }
  return at;
}

/** Variables and stable choices that nobody reads any more are forgotten, so that states merge. */
function dropDead(program: CompiledProgram, state: State, cpu: number): void {
  const pc = state.pc[cpu] ?? -1;
  if (pc < 0) state.shareVars(cpu, program.noVars);
  else state.clearVars(cpu, program.deadSlots[pc] ?? []);
  if (state.pc.length > 1) return;
  state.keepChoices(pc < 0 ? null : (program.liveChoices[pc] ?? null));
}
