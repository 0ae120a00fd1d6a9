/**
 * Generic explicit-state search. Knows no TLB, no C, no IO and no clock of its own (the deadline is passed in).
 */

/** What a state is known by. */
export type Key = string | number;

/** A finite transition system. All five functions are deterministic. */
export interface Model<S, A, V> {
  initial(): readonly { readonly action: A; readonly state: S }[];
  /** Every enabled step and where it leads, in a fixed order. */
  expand(state: S): readonly { readonly action: A; readonly state: S }[];
  /** Equal keys exactly for equal states. */
  key(state: S): Key;
  /** What is wrong in this state, or null. A violating state is not expanded. */
  violation(state: S): V | null;
  /** False cuts the search here (the state is out of bounds): the verdict then is at best `cut-off`. */
  inside(state: S): boolean;
  /** Absent: every state is searched as a whole. */
  readonly scopes?: Scopes<S>;
}

/**
 * Parts of a system that leave something of every state alone: nothing that happens while a run stands in one reads or
 * changes it. Scopes lie within each other or apart.
 */
export interface Scopes<S> {
  /** Those that the state stands in, the widest first. */
  of(state: S): readonly number[];
  /** The state without what the scope leaves alone, and that. Null when it is nothing. */
  enter(state: S, scope: number): { readonly state: S; readonly kept: Kept } | null;
  /** The state with that put back. The run may have left the scope by then. */
  leave(state: S, kept: Kept): S;
}

/** Equal keys exactly for equal contents. What is in it is the model's business. */
export interface Kept {
  readonly key: string;
  readonly parts: readonly number[];
}

export interface Path<S, A, V> {
  readonly start: S;
  readonly steps: readonly { readonly action: A; readonly state: S }[];
  readonly violation: V;
}

export interface SearchResult<S, A, V> {
  /** Shortest first. At most `collect` of them, one for each distinct violating state. */
  readonly violations: readonly Path<S, A, V>[];
  /** `exhausted`: every reachable state was seen. `stopped`: `collect` was reached. Else the limit that cut it off. */
  readonly end: 'exhausted' | 'stopped' | 'state-limit' | 'time-limit' | 'boundary';
  readonly states: number;
  /** States seen from which nothing goes on and in which nothing is wrong: runs that come to an end. */
  readonly ends: number;
}

export interface SearchLimits<V = never> {
  readonly states: number;
  /** The same for a search that has found nothing wrong so far. Default: `states`. */
  readonly idle?: number;
  /** Asked every few hundred states; true ends the search with `time-limit`. */
  readonly expired: () => boolean;
  readonly collect: number;
  /** At most `most` of them for each name that `of` gives, none for those in `except`. */
  readonly each?: {
    readonly of: (violation: V) => string;
    readonly most: number;
    readonly except?: ReadonlySet<string>;
  };
}
