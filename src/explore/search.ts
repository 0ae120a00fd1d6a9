import type { Kept, Key, Model, Path, SearchLimits, SearchResult } from './model.js';

/** How a state was come to: by a step, or by coming out of a scope that was searched before. */
type Link<S, A> =
  | { readonly kind: 'step'; readonly from: number; readonly action: A }
  | { readonly kind: 'return'; readonly context: Context<S, A>; readonly exit: Exit<S, A> };

interface Seen<S, A> {
  /** Inside a frame: without what its scope leaves alone. */
  readonly state: S;
  readonly frame: Frame<S, A> | null;
  /** Null for the state in which its frame is entered, and for an initial one. */
  readonly link: Link<S, A> | null;
  readonly depth: number;
}

/** One way in which a scope is entered: what happens from there on is searched once for all who enter it like this. */
interface Frame<S, A> {
  readonly id: number;
  readonly scope: number;
  readonly depth: number;
  readonly contexts: Context<S, A>[];
  /** Keys of the states in it. */
  readonly keys: Set<Key>;
  /** Keys of those who entered it. */
  readonly known: Set<string>;
  /** By key of the state. */
  readonly exits: Map<Key, Exit<S, A>>;
}

/** Who entered the frame, and what of its state the scope leaves alone. */
interface Context<S, A> {
  readonly frame: Frame<S, A> | null;
  readonly state: S;
  readonly link: Link<S, A> | null;
  readonly depth: number;
  readonly kept: Kept;
}

interface Exit<S, A> {
  readonly state: S;
  readonly link: Link<S, A>;
  /** Steps from the entry of the frame. */
  readonly depth: number;
  /** Scopes that the state before stood in. */
  readonly stood: readonly number[];
}

/** How many states are expanded between two looks at the clock. */
const CLOCK_INTERVAL = 256;
/** Comings out of scopes that are put off, by state that may be visited. */
const MOST_WAITING = 16;

/**
 * Breadth-first search over `model`, one visit per key, so that the path to every violating state is a shortest one.
 * Returns the paths to at most `limits.collect` distinct violating states and how the search ended. Never throws of
 * its own; what the model's functions throw passes through.
 *
 * Where the model has scopes, what happens inside one is searched once for each state in which it is entered, without
 * what nothing in the scope reads or writes; that is put back where a run comes out of it again. Everything that can be
 * reached is reached all the same, with fewer states in between.
 */
export function search<S, A, V>(model: Model<S, A, V>, limits: SearchLimits<V>): SearchResult<S, A, V> {
  const { scopes } = model;
  const seen: Seen<S, A>[] = [];
  const keys = new Set<Key>();
  /** By scope, and by key of the state in which it is entered. */
  const frames: Map<Key, Frame<S, A>>[] = [];
  let frameCount = 0;
  const waiting: (() => boolean)[][] = [];
  const violations: Path<S, A, V>[] = [];
  const counts = new Map<string, number>();
  let outside = false;
  let ends = 0;
  let put = 0;
  /** Steps from the start of the states that are being entered. */
  let depth = 0;

  /** True when enough violations are collected. */
  const visit = (state: S, frame: Frame<S, A> | null, link: Link<S, A> | null): boolean => {
    const key = model.key(state);
    const known = frame === null ? keys : frame.keys;
    if (known.has(key)) return false;
    known.add(key);
    seen.push({ state, frame, link, depth });
    const violation = model.violation(state);
    if (violation === null) return false;
    if (limits.each !== undefined) {
      const name = limits.each.of(violation);
      if (limits.each.except?.has(name)) return false;
      const count = counts.get(name) ?? 0;
      if (count >= limits.each.most) return false;
      counts.set(name, count + 1);
    }
    violations.push(pathTo(model, seen, seen.length - 1, violation));
    return violations.length >= limits.collect;
  };

  /** The state stands where it stands: inside of further scopes, or outside of the frame's. */
  const arrive = (
    state: S,
    frame: Frame<S, A> | null,
    link: Link<S, A> | null,
    stood: readonly number[],
  ): boolean => {
    if (scopes === undefined) return visit(state, frame, link);
    const nest = model.violation(state) === null ? scopes.of(state) : [];
    if (frame !== null && !nest.includes(frame.scope)) {
      if (link === null) throw new Error('a scope is left where it is entered');
      return leave(state, frame, link, stood);
    }
    for (const scope of nest.slice(frame === null ? 0 : nest.indexOf(frame.scope) + 1)) {
      if (stood.includes(scope)) continue;
      const split = scopes.enter(state, scope);
      if (split === null) continue;
      const key = model.key(split.state);
      frames[scope] ??= new Map();
      const known = frames[scope].get(key);
      const from = `${frame?.id ?? ''}<${split.kept.key}`;
      if (known?.known.has(from) === true) return false;
      const context = { frame, state, link, depth, kept: split.kept };
      if (known !== undefined) {
        known.known.add(from);
        known.contexts.push(context);
        for (const exit of known.exits.values()) if (comeOut(context, exit)) return true;
        return false;
      }
      const next: Frame<S, A> = {
        id: frameCount,
        scope,
        depth,
        contexts: [context],
        keys: new Set(),
        known: new Set([from]),
        exits: new Map(),
      };
      frameCount += 1;
      frames[scope].set(key, next);
      return arrive(split.state, next, null, [...stood, scope]);
    }
    return visit(state, frame, link);
  };

  /** Everybody who entered the frame comes out of it. */
  const leave = (state: S, frame: Frame<S, A>, link: Link<S, A>, stood: readonly number[]): boolean => {
    const key = model.key(state);
    if (frame.exits.has(key)) return false;
    const exit: Exit<S, A> = { state, link, depth: depth - frame.depth, stood };
    frame.exits.set(key, exit);
    for (const context of frame.contexts) if (comeOut(context, exit)) return true;
    return false;
  };

  /** At once, or when states of so many steps are entered. */
  const comeOut = (context: Context<S, A>, exit: Exit<S, A>): boolean => {
    const act = (): boolean => {
      if (scopes === undefined) return false;
      const state = scopes.leave(exit.state, context.kept);
      return arrive(state, context.frame, { kind: 'return', context, exit }, exit.stood);
    };
    const at = context.depth + exit.depth;
    if (at <= depth) return act();
    waiting[at] ??= [];
    waiting[at]?.push(act);
    put += 1;
    return false;
  };

  const result = (end: SearchResult<S, A, V>['end']): SearchResult<S, A, V> => ({
    violations,
    end,
    states: seen.length,
    ends,
  });

  const isTooMuch = (): boolean => {
    const most =
      violations.length > 0 ? limits.states : Math.min(limits.states, limits.idle ?? limits.states);
    return seen.length > most || put > MOST_WAITING * most;
  };

  for (const { state } of model.initial()) if (arrive(state, null, null, [])) return result('stopped');
  let at = 0;
  for (let steps = 0; at < seen.length || steps < waiting.length; steps += 1) {
    depth = steps;
    for (const act of waiting[steps] ?? []) {
      if (act()) return result('stopped');
      if (isTooMuch()) return result('state-limit');
    }
    put -= waiting[steps]?.length ?? 0;
    delete waiting[steps];
    depth = steps + 1;
    for (const end = seen.length; at < end; at += 1) {
      if (at % CLOCK_INTERVAL === 0 && limits.expired()) return result('time-limit');
      const { state, frame } = seen[at] as Seen<S, A>;
      if (model.violation(state) !== null) continue;
      if (!model.inside(state)) {
        outside = true;
        continue;
      }
      const ways = model.expand(state);
      if (ways.length === 0) ends += 1;
      const stood = scopes?.of(state) ?? [];
      for (const way of ways) {
        if (arrive(way.state, frame, { kind: 'step', from: at, action: way.action }, stood))
          return result('stopped');
        if (isTooMuch()) return result('state-limit');
      }
    }
  }
  return result(outside ? 'boundary' : 'exhausted');
}

/** The steps to a state that stands in no frame, each with the whole state that it leads to. */
function pathTo<S, A, V>(
  model: Model<S, A, V>,
  seen: readonly Seen<S, A>[],
  index: number,
  violation: V,
): Path<S, A, V> {
  const steps: { action: A; state: S }[] = [];
  /** Adds the steps to `target`, the last one first, and returns the state that they start from. */
  const walk = (link: Link<S, A> | null, target: S, whole: (state: S) => S): S => {
    let [here, state] = [link, target];
    while (here !== null) {
      if (here.kind === 'step') {
        steps.push({ action: here.action, state: whole(state) });
        const from = seen[here.from];
        if (from === undefined) throw new Error('a visited state has no way back to an initial one');
        [here, state] = [from.link, from.state];
        continue;
      }
      const { context, exit } = here;
      walk(exit.link, exit.state, (part) => whole(model.scopes?.leave(part, context.kept) ?? part));
      [here, state] = [context.link, context.state];
    }
    return state;
  };
  const end = seen[index];
  if (end === undefined) throw new Error('a visited state has no way back to an initial one');
  const start = walk(end.link, end.state, (state) => state);
  return { start, steps: steps.reverse(), violation };
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
