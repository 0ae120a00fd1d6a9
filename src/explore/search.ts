import type { Model, Path, SearchLimits, SearchResult } from './model.js';

interface Seen<S, A> {
  readonly state: S;
  readonly parent: number;
  readonly action: A;
}

/** How many states are expanded between two looks at the clock. */
const CLOCK_INTERVAL = 256;

/**
 * Breadth-first search over `model`, one visit per key, so that the path to every violating state is a shortest one.
 * Returns the paths to at most `limits.collect` distinct violating states and how the search ended. Never throws of
 * its own; what the model's functions throw passes through.
 */
export function search<S, A, V>(model: Model<S, A, V>, limits: SearchLimits<V>): SearchResult<S, A, V> {
  const seen: Seen<S, A>[] = [];
  const keys = new Set<string>();
  const violations: Path<S, A, V>[] = [];
  const counts = new Map<string, number>();
  let outside = false;
  let ends = 0;

  /** True when enough violations are collected. */
  const visit = (action: A, state: S, parent: number): boolean => {
    const key = model.key(state);
    if (keys.has(key)) return false;
    keys.add(key);
    const index = seen.length;
    seen.push({ state, parent, action });
    const violation = model.violation(state);
    if (violation === null) return false;
    if (limits.each !== undefined) {
      const name = limits.each.of(violation);
      if (limits.each.except?.has(name)) return false;
      const count = counts.get(name) ?? 0;
      if (count >= limits.each.most) return false;
      counts.set(name, count + 1);
    }
    violations.push(pathTo(seen, index, violation));
    return violations.length >= limits.collect;
  };
  const result = (end: SearchResult<S, A, V>['end']): SearchResult<S, A, V> => ({
    violations,
    end,
    states: seen.length,
    ends,
  });

  for (const { action, state } of model.initial()) if (visit(action, state, -1)) return result('stopped');
  for (let at = 0; at < seen.length; at += 1) {
    if (at % CLOCK_INTERVAL === 0 && limits.expired()) return result('time-limit');
    const { state } = seen[at] as Seen<S, A>;
    if (model.violation(state) !== null) continue;
    if (!model.inside(state)) {
      outside = true;
      continue;
    }
    const steps = model.expand(state);
    if (steps.length === 0) ends += 1;
    for (const step of steps) {
      if (visit(step.action, step.state, at)) return result('stopped');
      if (seen.length > limits.states) return result('state-limit');
    }
  }
  return result(outside ? 'boundary' : 'exhausted');
}

function pathTo<S, A, V>(seen: readonly Seen<S, A>[], index: number, violation: V): Path<S, A, V> {
  const steps: { action: A; state: S }[] = [];
  let here = seen[index];
  while (here !== undefined && here.parent >= 0) {
    steps.push({ action: here.action, state: here.state });
    here = seen[here.parent];
  }
  if (here === undefined) throw new Error('a visited state has no way back to an initial one');
  return { start: here.state, steps: steps.reverse(), violation };
}

/**
 * Takes the actions of `path` again from its start. `same` compares actions. Returns the states passed, the start
 * first. Throws when an action is not enabled or leads to another state than the path says: then the model is not
 * deterministic, and nothing that it said can be shown.
 */
export function replay<S, A, V>(
  model: Model<S, A, V>,
  path: Path<S, A, V>,
  same: (a: A, b: A) => boolean,
): readonly S[] {
  const startKey = model.key(path.start);
  const start = model.initial().find(({ state }) => model.key(state) === startKey);
  if (start === undefined) throw new Error('the run does not replay: no initial state is its start');
  const states: S[] = [start.state];
  let here = start.state;
  path.steps.forEach((step, n) => {
    const next = model.expand(here).find(({ action }) => same(action, step.action));
    if (next === undefined) throw new Error(`the run does not replay: step ${n + 1} is not enabled`);
    if (model.key(next.state) !== model.key(step.state))
      throw new Error(`the run does not replay: step ${n + 1} leads elsewhere`);
    here = next.state;
    states.push(here);
  });
  if (model.violation(here) === null)
    throw new Error('the run does not replay: its last state violates nothing');
  return states;
}
