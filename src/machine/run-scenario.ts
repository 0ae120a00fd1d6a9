/** Runs one scenario on one machine: verdict, shortest violating run, and whether what must occur does occur. */
import type { MachineFile } from '#event/machine-facts.js';
import type { Model } from '#explore/model.js';
import { search } from '#explore/search.js';
import { createModel, type ModelOptions, type State } from './create-model.js';
import { describeState } from './describe-state.js';
import { explainRun } from './explain-run.js';
import { factsOf } from './facts.js';
import type { Action, TraceStep, Violation } from './run.js';
import type { Scenario } from './scenario.js';

export interface ScenarioResult {
  readonly verdict: string;
  readonly violation: Violation | null;
  /** The shortest violating run, taken again. */
  readonly trace: readonly TraceStep[];
  readonly states: number;
  /** Situations of `sometimes` that no reachable state shows. */
  readonly never: readonly string[];
  /** Every hazard found. */
  readonly hazards: readonly string[];
}

const STATE_LIMIT = 500_000;

export function scenarioOptions(scenario: Scenario, machine: MachineFile): ModelOptions {
  const facts = { ...machine.facts, ...Object.fromEntries(scenario.facts) };
  return {
    programs: scenario.programs,
    facts: factsOf({ ...machine, facts }),
    fixed: scenario.answers,
    names: scenario.names,
    ambient: scenario.ambient,
    entries: scenario.entries,
    strangers: scenario.strangers,
  };
}

/** Throws when a violating run does not replay. A search cut off by the limit has the verdict `not decided`. */
export function runScenario(scenario: Scenario, machine: MachineFile): ScenarioResult {
  const options = scenarioOptions(scenario, machine);
  const model = createModel(options);
  const missing = new Set(scenario.sometimes);
  const look = (state: State): void => {
    if (missing.size === 0) return;
    const shown = describeState(model.machine, state);
    for (const situation of missing)
      if (situation.every(([what, text]) => (shown.get(what) ?? '').includes(text)))
        missing.delete(situation);
  };
  const watched: Model<State, Action, Violation> = {
    ...model,
    violation: (state) => {
      look(state);
      return state.violation;
    },
  };
  const result = search(watched, {
    states: STATE_LIMIT,
    expired: () => false,
    collect: Number.POSITIVE_INFINITY,
  });
  const first = result.violations[0];
  const decided = first !== undefined || result.end === 'exhausted';
  return {
    verdict: first?.violation.hazard ?? (decided ? 'clean' : 'not decided'),
    violation: first?.violation ?? null,
    trace: first === undefined ? [] : explainRun(options, first),
    states: result.states,
    never: [...missing].map((situation) => situation.map(([what, text]) => `${what}: ${text}`).join(' and ')),
    hazards: [...new Set(result.violations.map((path) => path.violation.hazard))].sort(),
  };
}
