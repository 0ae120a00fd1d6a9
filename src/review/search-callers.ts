/**
 * What a function's callers say about a change to it: they may make up for what it leaves, or go wrong by what it hands
 * on. The nearest come first; who calls those is asked only where they leave the question open.
 */
import { type CallerView, callersInTree, type TreeCaller } from './callers-in-tree.js';

/**
 * What a search of one caller showed. `clean`: the change is in it, it was searched to the end and goes wrong in none of
 * the ways that are asked about; `wrong`: it does so, with the patch or anyway; `open`: neither is known.
 */
export type CallerAnswer = 'clean' | 'wrong' | 'open';

/** A function whose callers are asked for, and how it leads to the changed one. */
export type From = Pick<TreeCaller, 'root' | 'file'> & Partial<TreeCaller>;

/** Searches for one changed function on one machine, all callers together. */
const MOST_SEARCHES = 6;
/** Callers of callers. */
const MOST_STEPS = 2;

const keyOf = ({ file, root }: TreeCaller): string => `${file}\n${root}`;

/** Does every caller that can come to the function make up for what it leaves? Without callers nobody does. */
export function excused(from: From, view: CallerView, search: (caller: TreeCaller) => CallerAnswer): boolean {
  let left = MOST_SEARCHES;
  const seen = new Set<string>();
  /** Those that were asked already did not say no; a cycle comes back to one of them. */
  const allDo = (callers: readonly TreeCaller[], step: number): boolean => {
    const fresh = callers.filter((caller) => !seen.has(keyOf(caller)));
    if (fresh.length > left) return false;
    return fresh.every((caller) => {
      seen.add(keyOf(caller));
      if (left === 0) return false;
      left -= 1;
      const answer = search(caller);
      return answer === 'clean' || (answer === 'wrong' && step < MOST_STEPS && up(caller, step + 1));
    });
  };
  const up = (at: From, step: number): boolean => {
    // Mostly one that is near does not make up for it: then the rest of the tree need not be read.
    const near = callersInTree(at, view, 'near');
    if (!near.all || !allDo(near.callers, step)) return false;
    const { callers, all } = callersInTree(at, view);
    return all && callers.length > 0 && allDo(callers, step);
  };
  return up(from, 1);
}

/** What the search of a caller showed about what a changed function hands on. */
export interface Handed<T> {
  /** What is to be reported; null: nothing. */
  readonly shown: T | null;
  /** Does the caller hand on something that the patch changed, too? */
  readonly on: boolean;
}

/**
 * Goes through the callers of a function that hands something on, until it is not handed on any further. `left` names
 * those that were too many, or that `search` gave up (null).
 */
export function shownByCallers<T>(
  from: From,
  view: CallerView,
  search: (caller: TreeCaller) => Handed<T> | null,
): { readonly shown: readonly T[]; readonly left: readonly string[] } {
  let budget = MOST_SEARCHES;
  const left: string[] = [];
  const seen = new Set<string>();
  const shown: T[] = [];
  const up = (at: From, step: number): void => {
    const around = callersInTree(at, view);
    left.push(...around.cut);
    for (const caller of around.callers) {
      const key = keyOf(caller);
      if (seen.has(key)) continue;
      seen.add(key);
      if (budget === 0) {
        left.push(caller.root);
        continue;
      }
      budget -= 1;
      const handed = search(caller);
      if (handed === null) left.push(caller.root);
      else if (handed.shown !== null) shown.push(handed.shown);
      else if (handed.on && step < MOST_STEPS) up(caller, step + 1);
    }
  };
  up(from, 1);
  return { shown, left: [...new Set(left)] };
}
