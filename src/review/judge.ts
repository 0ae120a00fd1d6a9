/**
 * One root on one machine: which violations of *after* does the patch bring in, which were there, which are gone
 * (DESIGN.md rule 2).
 *
 * For each violating run of one side, the other side is searched with the choices of that run fixed. Where the other
 * side can go wrong for the same object under them, whatever the hazard, the run says nothing about the patch.
 */

import type { Facts } from '#event/machine-facts.js';
import type { EventProgram } from '#event/program.js';
import type { Path } from '#explore/model.js';
import { search } from '#explore/search.js';
import { programShape } from '#extract/finish-program.js';
import { createModel, type State } from '#machine/create-model.js';
import type { Action, ChoiceVector, Violation } from '#machine/run.js';

export type Run = Path<State, Action, Violation>;

export interface Verdict {
  readonly introduced: readonly Run[];
  readonly fixed: readonly Run[];
  readonly existing: readonly Run[];
  /** Limit that left the question open, or null when it was settled. */
  readonly cutOff: string | null;
  readonly states: number;
  /** Both sides are the same program: nothing to decide. */
  readonly same: boolean;
}

export interface JudgeLimits {
  readonly states: number;
  readonly expired: () => boolean;
}

/** Violating runs looked at for one side; each is one distinct violating state. */
const RUNS = 48;

export function judge(
  before: readonly EventProgram[] | null,
  after: readonly EventProgram[] | null,
  facts: Facts,
  limits: JudgeLimits,
  existing: boolean,
): Verdict {
  const same =
    before !== null &&
    after !== null &&
    before.length === after.length &&
    before.every((program, n) => programShape(program) === programShape(after[n] ?? program));
  if (same && !existing)
    return { introduced: [], fixed: [], existing: [], cutOff: null, states: 0, same: true };
  const now = after === null ? null : runs(after, facts, limits);
  if (same)
    return {
      introduced: [],
      fixed: [],
      existing: now?.violations ?? [],
      cutOff: now?.end ?? null,
      states: now?.states ?? 0,
      same: true,
    };
  const old = before === null ? null : runs(before, facts, limits);
  let states = (now?.states ?? 0) + (old?.states ?? 0);
  const introduced: Run[] = [];
  const kept: Run[] = [];
  let open: string | null = null;
  const compare = (
    side: readonly Run[],
    other: readonly EventProgram[] | null,
    otherClean: boolean,
    into: Run[],
  ): void => {
    for (const run of side) {
      // One run for each thing that goes wrong is enough.
      if (into.some((known) => known.violation.hazard === run.violation.hazard && known.violation.object === run.violation.object))
        continue;
      if (other === null || otherClean) {
        into.push(run);
        continue;
      }
      const replay = runs(other, facts, limits, choicesOf(run));
      states += replay.states;
      if (replay.violations.some((found) => found.violation.object === run.violation.object)) kept.push(run);
      else if (replay.end === null) into.push(run);
      else open = replay.end;
      if (limits.expired()) return;
    }
  };
  compare(
    now?.violations ?? [],
    before,
    old !== null && old.end === null && old.violations.length === 0,
    introduced,
  );
  const fixed: Run[] = [];
  const stays = kept.slice();
  if (after !== null && introduced.length === 0)
    compare(
      old?.violations ?? [],
      after,
      now !== null && now.end === null && now.violations.length === 0,
      fixed,
    );
  const cutOff =
    introduced.length > 0 ? null : (open ?? now?.end ?? (after === null ? null : (old?.end ?? null)));
  return { introduced, fixed, existing: stays, cutOff, states, same: false };
}

function runs(
  programs: readonly EventProgram[],
  facts: Facts,
  limits: JudgeLimits,
  fixed?: ChoiceVector,
): { readonly violations: readonly Run[]; readonly end: string | null; readonly states: number } {
  const model = createModel({ programs, facts, ...(fixed === undefined ? {} : { fixed }) });
  const result = search(model, { states: limits.states, expired: limits.expired, collect: RUNS });
  const end =
    result.end === 'exhausted' || (result.end === 'stopped' && result.violations.length > 0)
      ? null
      : result.end;
  return { violations: result.violations, end, states: result.states };
}

/** Every named choice of a run, by key in order of occurrence. */
export function choicesOf(run: Run): ChoiceVector {
  const vector = new Map<string, string[]>();
  const steps = [...run.steps];
  for (const { action } of steps) {
    for (const made of action.choices) {
      const known = vector.get(made.key);
      if (known === undefined) vector.set(made.key, [made.value]);
      else known.push(made.value);
    }
  }
  return vector;
}
