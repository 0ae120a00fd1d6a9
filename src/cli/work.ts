/**
 * What a worker thread needs to know to open what is reviewed by itself: trees and states hold open files and caches,
 * and stay on the thread that made them.
 */
import type { ReviewOptions } from '#review/document.js';
import type { Input } from './read-input.js';

/** Where the parts of a review come from. */
export type Source =
  | { readonly kind: 'scan'; readonly folder: string; readonly files: readonly string[] }
  | { readonly kind: 'patches'; readonly inputs: readonly Input[]; readonly folder: string | null }
  | { readonly kind: 'range'; readonly folder: string; readonly range: string };

/** The same for every part of a review. */
export interface Work {
  readonly source: Source;
  readonly machines: ReviewOptions['machines'];
  readonly existing: boolean;
  readonly suggestions: boolean;
  /** Is what is found kept for later runs? */
  readonly cache: boolean;
}

/** What a thread of the pool is started with. */
export interface ThreadData {
  readonly work: Work;
  /** Its first number is 1 once the user interrupted. */
  readonly stop: Int32Array;
}
