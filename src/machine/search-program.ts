/**
 * The violating runs of programs on a machine.
 *
 * A large program asks many things that stay the same in one run, and to remember every answer multiplies its states.
 * So the answers are forgotten first: that allows all runs and some more. Where such a run goes wrong and was given two
 * answers to one question, these questions are remembered and the search starts over, until every run found is one
 * that can happen. What goes wrong in no run of a search that forgets goes wrong in none.
 */
import { leavesEntriesAlone } from '#event/leaves-entries-alone.js';
import type { Path, SearchLimits } from '#explore/model.js';
import { search } from '#explore/search.js';
import { createModel, type MachineModel, type ModelOptions, type State } from './create-model.js';
import type { Action, ChoiceVector, Violation } from './run.js';

/** A run, and the questions whose answers its model remembers: `explainRun` takes it again on such a model. */
export interface Run extends Path<State, Action, Violation> {
  readonly remembered: ReadonlySet<string> | null;
}

export interface ProgramRuns {
  /** One for each distinct violating state, shortest first. */
  readonly violations: readonly Run[];
  /** The limit that ended the search; null when everything was seen, or `collect` runs were found. */
  readonly end: string | null;
  /** States of all searches together. */
  readonly states: number;
  /** Runs that come to an end in which nothing is wrong. */
  readonly ends: number;
}

export interface ProgramLimits {
  readonly states: number;
  readonly expired: () => boolean;
  readonly collect: number;
  readonly each: SearchLimits<Violation>['each'] & object;
  /** States up to which every answer is remembered at once. Default: as many as most programs have. */
  readonly small?: number;
  readonly learnt?: Learnt;
}

/**
 * What searches of one function found out that the next one need not find out again: the function before and after a
 * patch and on another machine asks the same things. Each search adds to it. It decides nothing, it only saves work.
 */
export interface Learnt {
  /** Questions that were given two answers where something went wrong. */
  readonly confused: Set<string>;
  /** Did it have more states than are searched with every answer remembered? */
  large: boolean;
  /** Choices of runs that go wrong, by what goes wrong. */
  readonly wrong: Map<string, ChoiceVector>;
}

export const nothingLearnt = (): Learnt => ({ confused: new Set(), large: false, wrong: new Map() });

/** Most programs have less states. */
const SMALL = 2_000;
/** All searches for one program together take at most so many times the limit of one. */
const SEARCHES = 2;

/**
 * A scan asks the same of hundreds of functions. What goes wrong does so before every node was met a few times: where
 * nothing has, further states are worth little.
 */
const IDLE_STATES = 4_000;
const IDLE_STATES_A_NODE = 8;

const idleStates = ({ machine }: MachineModel): number =>
  Math.max(IDLE_STATES, ...machine.programs.map(({ nodes }) => IDLE_STATES_A_NODE * nodes.length));

/** Throws what `createModel` throws. */
export function searchProgram(options: ModelOptions, limits: ProgramLimits): ProgramRuns {
  const alone = options.programs.length === 1;
  // What is fixed leaves few states of a large program.
  const fixed = options.fixed !== undefined && options.fixed.size > 0;
  // A scan finds little: what is clean with answers forgotten is so at less cost.
  const bold = options.kind === true && alone && !fixed;
  const once = (remembered: ReadonlySet<string> | null, states: number): ProgramRuns => {
    const model = createModel(remembered === null ? options : { ...options, remembered });
    const result = search(model, {
      states,
      ...(remembered?.size === 0 && bold ? { idle: idleStates(model) } : {}),
      expired: limits.expired,
      collect: limits.collect,
      each: limits.each,
    });
    return {
      violations: result.violations.map((run) => ({ ...run, remembered })),
      end: result.end === 'exhausted' || result.end === 'stopped' ? null : result.end,
      states: result.states,
      ends: result.ends,
    };
  };
  if (options.kind === true && alone && options.programs.every(({ nodes }) => leavesEntriesAlone(nodes)))
    return { violations: [], end: null, states: 0, ends: 1 };
  const small = limits.small ?? SMALL;
  const learnt = limits.learnt ?? nothingLearnt();
  let states = 0;
  /** With every answer remembered: null where that is too much. */
  const exactly = (): ProgramRuns | null => {
    const result = once(null, alone ? Math.min(small, limits.states) : limits.states);
    states += result.states;
    if (!alone || result.end === null || limits.states <= small) return { ...result, states };
    if (!fixed) learnt.large = true;
    return null;
  };
  const isSmall = !alone || fixed || !learnt.large || limits.states <= small;
  if (isSmall && !bold) {
    const result = exactly();
    if (result !== null) return result;
  }
  let remembered: ReadonlySet<string> = new Set(learnt.confused);
  for (;;) {
    const result = once(remembered, limits.states);
    states += result.states;
    const confused = new Set<string>();
    const sound = result.violations.filter((run) => {
      const contradicted = contradictions(run);
      for (const key of contradicted) confused.add(key);
      return contradicted.length === 0;
    });
    if (confused.size === 0) return { ...result, states };
    for (const key of confused) learnt.confused.add(key);
    if (result.end === 'time-limit') return { ...result, violations: sound, states };
    if (bold && isSmall && remembered.size === 0) {
      const exact = exactly();
      if (exact !== null) return exact;
    }
    if (states >= SEARCHES * limits.states)
      return { ...result, violations: sound, end: 'state-limit', states };
    remembered = new Set([...remembered, ...confused]);
  }
}

/** Questions that have one answer in a run and were given two. */
function contradictions(run: Path<State, Action, Violation>): string[] {
  const answers = new Map<string, string>();
  const found = new Set<string>();
  for (const { action } of run.steps)
    for (const { key, value, stable } of action.choices) {
      if (stable !== true) continue;
      const known = answers.get(key);
      if (known === undefined) answers.set(key, value);
      else if (known !== value) found.add(key);
    }
  return [...found];
}
