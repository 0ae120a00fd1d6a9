/**
 * One root on one machine: which violations of *after* does the patch bring in, which were there, which are gone
 * (DESIGN.md rule 2).
 *
 * For each violating run of one side, the other side is searched with the choices of that run fixed. Where the other
 * side can go wrong for the same object under them, whatever the hazard, the run says nothing about the patch.
 */

import type { EventKind } from '#event/event.js';
import type { Expression } from '#event/expression.js';
import type { Facts } from '#event/machine-facts.js';
import type { EventProgram } from '#event/program.js';
import { expressionsOf } from '#event/walk-program.js';
import { behaveAlike } from '#extract/finish-program.js';
import type { ChoiceVector, Violation } from '#machine/run.js';
import { type Learnt, type ProgramRuns, type Run, searchProgram } from '#machine/search-program.js';
import { KINDEST } from '#machine/surroundings.js';

export interface Verdict {
  readonly introduced: readonly Run[];
  readonly fixed: readonly Run[];
  readonly existing: readonly Run[];
  /** Limit that left the question open, or null when it was settled. */
  readonly cutOff: string | null;
  readonly states: number;
  /** Both sides are the same program: nothing to decide. */
  readonly same: boolean;
  /** Programs that the introduced runs are runs of, where they are not those that were asked about. */
  readonly ran?: readonly EventProgram[];
}

export interface JudgeLimits {
  readonly states: number;
  readonly expired: () => boolean;
  /** Where both sides are one program: whether anything goes wrong is asked, not what. */
  readonly anything?: boolean;
  /** Violations, as `kindOf` names them, that are settled already: other kinds are looked for, and a few runs do. */
  readonly settled?: ReadonlySet<string>;
  /** What no longer goes wrong is asked where the search for what is brought in took no more states than these. */
  readonly fixedWithin?: number;
  /** Do callers out of view do everything right? A scan asks what the code itself does wrong. */
  readonly kind?: boolean;
  /** From searches of the same function on other machines. */
  readonly learnt?: Learnt;
}

/** Violating runs looked at for one side; each is one distinct violating state. */
const RUNS = 64;
/** The same for one kind of them. */
const RUNS_OF_A_KIND = 16;
/** Both where only what is not settled yet is looked for. */
const RUNS_OPEN = 12;
const RUNS_OPEN_OF_A_KIND = 3;

/** One thing that goes wrong. */
export const kindOf = (violation: Violation): string => `${violation.hazard} ${violation.object}`;

/** The same at one place: without a patch, each place that goes wrong is of interest. */
const placeOf = (violation: Violation): string => `${kindOf(violation)} ${violation.node}`;

export function judge(
  before: readonly EventProgram[] | null,
  after: readonly EventProgram[] | null,
  facts: Facts,
  limits: JudgeLimits,
  existing: boolean,
): Verdict {
  const same = before !== null && behaveAlike(before, after);
  if (same && !existing)
    return { introduced: [], fixed: [], existing: [], cutOff: null, states: 0, same: true };
  if (same) {
    const now = runs(after ?? [], facts, limits, limits.anything === true ? 1 : RUNS);
    return { introduced: [], fixed: [], existing: now.violations, cutOff: now.end, states: now.states, same };
  }
  const { settled: _, ...whole } = limits;
  const nameOf = limits.kind === true ? placeOf : kindOf;
  let states = 0;
  let open: string | null = null;
  const kept: Run[] = [];
  /** Runs of one side that the other cannot follow into a violation of the same object. */
  const only = (side: readonly EventProgram[] | null, other: readonly EventProgram[] | null): Run[] => {
    const found: Run[] = [];
    if (side === null) return found;
    const tried = new Set<string>();
    const all = runs(side, facts, limits, limits.settled === undefined ? RUNS : RUNS_OPEN);
    states += all.states;
    /** By run that is there on both sides: a run of the other one under the same choices. */
    const counterparts = new Map<Run, Run>();
    /** Is it a violation that the other side cannot come to under the same choices? Null: not decided. */
    const isNew = (run: Run, vector: ChoiceVector): boolean | null => {
      if (other === null) return true;
      // What goes wrong earlier for another object must not hide whether this one does, too.
      const replay = runs(other, facts, whole, 1, { fixed: vector, only: run.violation.object });
      states += replay.states;
      const [match] = replay.violations;
      if (match !== undefined) {
        counterparts.set(run, match);
        return false;
      }
      // Choices under which the other side never comes to an end are none that its code can meet.
      if (replay.end === null) return replay.ends > 0;
      open = replay.end;
      return null;
    };
    /** Does it go wrong under these choices once nothing is flushed or waited for? */
    const makesUp = (programs: readonly EventProgram[], vector: ChoiceVector): boolean => {
      const bare = runs(programs.map(withoutMending), facts, whole, 1, { fixed: vector });
      states += bare.states;
      return bare.violations.length > 0;
    };
    const old: Run[] = [];
    for (const run of all.violations) {
      const what = nameOf(run.violation);
      // One run for each thing that goes wrong is enough.
      if (found.some((known) => nameOf(known.violation) === what)) continue;
      const vector = choicesOf(run);
      const key = `${what} ${JSON.stringify([...vector])}`;
      if (tried.has(key)) continue;
      tried.add(key);
      const fresh = isNew(run, vector);
      if (fresh === true) found.push(run);
      else if (fresh === false) old.push(run);
      if (limits.expired()) break;
    }
    // What is too much to search may go wrong by the choices that made it do so on another machine.
    if (all.end !== null && limits.kind === true)
      for (const [name, vector] of limits.learnt?.wrong ?? []) {
        if (limits.expired()) break;
        if (found.some((known) => nameOf(known.violation) === name)) continue;
        const again = runs(side, facts, limits, RUNS, { fixed: vector });
        states += again.states;
        for (const run of again.violations) {
          const what = nameOf(run.violation);
          if (found.some((known) => nameOf(known.violation) === what)) continue;
          if (isNew(run, choicesOf(run)) === true) found.push(run);
        }
      }
    if (limits.kind === true)
      for (const run of found) limits.learnt?.wrong.set(nameOf(run.violation), choicesOf(run));
    // Runs that are shown are runs of the code as it is now.
    if (side === after) kept.push(...old);
    // Answers that nothing reads any more are forgotten: a run that is there on both sides may stand for another one
    // that came to the same state by another answer. That one is looked for by its answer.
    if (found.length === 0 && limits.settled === undefined) {
      const turned = turnsOf(old, tried);
      for (const { what, vector } of turned) {
        if (limits.expired() || found.length > 0) break;
        const again = runs(
          side,
          facts,
          { ...limits, states: Math.min(limits.states, TURNED_STATES) },
          RUNS_OPEN,
          { fixed: vector },
        );
        states += again.states;
        for (const run of again.violations) {
          if (kindOf(run.violation) !== what || found.length > 0) continue;
          const own = choicesOf(run);
          const key = `${what} ${JSON.stringify([...own])}`;
          if (tried.has(key)) continue;
          tried.add(key);
          if (isNew(run, own) === true) found.push(run);
        }
      }
    }
    // The other side may ask more before it goes wrong. Where this side asks nothing that the other does not, what it
    // no longer asks has an answer all the same: it goes wrong whatever that is, the other side perhaps not. That counts
    // where the other side does the same there and makes up for it. Where it turns back before it did anything, what
    // was wrong is reached in one case more, and is the same thing.
    if (found.length === 0 && limits.settled === undefined && other !== null && asksNoMore(side, other))
      for (const run of old) {
        const counterpart = counterparts.get(run);
        if (counterpart === undefined) continue;
        const vector = choicesOf(run);
        const extra = [...choicesOf(counterpart)].filter(([key]) => !vector.has(key));
        for (const [key, turned] of extra.flatMap(turnOf).slice(0, TURNS)) {
          if (limits.expired() || found.length > 0) break;
          const next = new Map(vector).set(key, [turned]);
          if (makesUp(other, next) && isNew(run, next) === true) found.push(run);
        }
      }
    if (found.length === 0) open ??= all.end;
    return found;
  };
  const introduced = only(after, before);
  if (introduced.length === 0 && open === null && before !== null && after !== null) {
    const strict = [before, after].map((side) => side.map(withoutAnswer));
    const [was, is] = strict;
    if (was !== undefined && is !== undefined && after.some((program, n) => program !== is[n])) {
      // Who never comes back with a flush owed does not say by the answer that one is.
      const owes = runs(was, facts, limits, 1);
      states += owes.states;
      if (owes.end === null && owes.violations.length === 0) {
        const owing = only(is, was);
        if (owing.length > 0)
          return { introduced: owing, fixed: [], existing: kept, cutOff: null, states, same: false, ran: is };
        open = null;
      }
    }
  }
  const cutOff = introduced.length > 0 ? null : open;
  const settled = introduced.length > 0 || limits.fixedWithin === 0;
  const fixed = settled || states > (limits.fixedWithin ?? Infinity) ? [] : only(before, after);
  return { introduced, fixed, existing: kept, cutOff, states, same: false };
}

/** The program with answers that callers learn nothing from. */
function withoutAnswer(program: EventProgram): EventProgram {
  if (!program.nodes.some((node) => node.kind === 'return' && node.value !== null)) return program;
  return {
    ...program,
    nodes: program.nodes.map((node) => (node.kind === 'return' ? { ...node, value: null } : node)),
  };
}

/** Events that make up for what was done to an entry, and give no result that other nodes read. */
const MENDING: ReadonlySet<EventKind> = new Set<EventKind>([
  'flush',
  'isb',
  'ipi-all',
  'rcu-wait',
  'gather-track',
  'batch-add',
  'batch-flush',
  'pending',
  'notify-invalidate',
]);

/** The program with nothing that makes up for what it does. */
function withoutMending(program: EventProgram): EventProgram {
  return {
    ...program,
    nodes: program.nodes.map((node) =>
      node.kind === 'event' && MENDING.has(node.event.kind)
        ? { kind: 'assign', sets: [], next: node.next, at: node.at }
        : node,
    ),
  };
}

function runs(
  programs: readonly EventProgram[],
  facts: Facts,
  limits: JudgeLimits,
  collect: number,
  under: { readonly fixed?: ChoiceVector; readonly only?: string } = {},
): ProgramRuns {
  return searchProgram(
    { programs, facts, kind: limits.kind === true, ...under },
    {
      states: limits.states,
      expired: limits.expired,
      collect,
      ...(limits.learnt === undefined ? {} : { learnt: limits.learnt }),
      each:
        limits.settled === undefined
          ? { of: limits.kind === true ? placeOf : kindOf, most: limits.kind === true ? 1 : RUNS_OF_A_KIND }
          : { of: kindOf, most: RUNS_OPEN_OF_A_KIND, except: limits.settled },
    },
  );
}

/** Runs in which one answer is another one, at most, and the states that one search for them may take. */
const TURNS = 24;
const TURNED_STATES = 2_000;

/** The choices of these runs with one answer to a question turned round, the answers behind it left open. */
function turnsOf(
  old: readonly Run[],
  tried: ReadonlySet<string>,
): readonly { readonly what: string; readonly vector: ChoiceVector }[] {
  const turns: { what: string; vector: ChoiceVector }[] = [];
  const seen = new Set(tried);
  for (const run of old) {
    const what = kindOf(run.violation);
    const vector = choicesOf(run);
    for (const [key, turned] of [...vector].flatMap(turnOf)) {
      const next = new Map(vector).set(key, [turned]);
      const name = `${what} ${JSON.stringify([...next])}`;
      if (seen.has(name)) continue;
      seen.add(name);
      turns.push({ what, vector: next });
      if (turns.length === TURNS) return turns;
    }
  }
  return turns;
}

/** The question and its other answer, where code asks it and it was asked once. */
function turnOf([key, values]: readonly [string, readonly string[]]): readonly (readonly [string, string])[] {
  const [value, ...rest] = values;
  const turned = value === undefined || rest.length > 0 ? undefined : OPPOSITE.get(value);
  const ofMachine = /^(entry|history|cpu\d+|pte|pmd|pud|p4d|pgd) /.test(key) || key.endsWith(' at entry');
  return turned === undefined || ofMachine ? [] : [[key, turned]];
}

/** Is every question of the one also one of the other? Else it may have put another question in place of one. */
function asksNoMore(one: readonly EventProgram[], other: readonly EventProgram[]): boolean {
  const known = questionsOf(other);
  return [...questionsOf(one)].every((key) => known.has(key));
}

function questionsOf(programs: readonly EventProgram[]): ReadonlySet<string> {
  const keys = new Set<string>();
  const look = (expression: Expression): void => {
    if (expression.op === 'const' || expression.op === 'var' || expression.op === 'param') return;
    if (expression.op === 'choice') keys.add(expression.key);
    expression.args?.forEach(look);
  };
  for (const program of programs) for (const node of program.nodes) expressionsOf(node).forEach(look);
  return keys;
}

const OPPOSITE: ReadonlyMap<string, string> = new Map([
  ['0', 'some:nonzero'],
  ['some:nonzero', '0'],
  ['1', '0'],
  ['yes', 'no'],
  ['no', 'yes'],
]);

/** Every named choice of a run, by key in order of occurrence. */
function choicesOf(run: Run): ChoiceVector {
  const vector = new Map<string, string[]>();
  const steps = [...run.steps];
  for (const { action } of steps) {
    for (const made of action.choices) {
      const known = vector.get(made.key);
      if (known === undefined) vector.set(made.key, [made.value]);
      else known.push(made.value);
    }
  }
  // What the run never asked about its surroundings does not matter to it: it goes wrong in the kindest ones too, and
  // only there is the other side's silence a difference that the patch makes.
  for (const [key, values] of KINDEST) if (!vector.has(key)) vector.set(key, [...values]);
  return vector;
}
