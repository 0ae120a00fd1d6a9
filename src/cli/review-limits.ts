import type { ReviewOptions } from '#review/document.js';

/** For one function on one machine. The state limit comes first on any usual computer, so that results do not depend on its speed. */
export const REVIEW_LIMITS: ReviewOptions['limits'] = {
  states: 60_000,
  milliseconds: 20_000,
  // What was there before in a function that the patch leaves as it was is worth no long wait. Machines that many run come first.
  unchangedMilliseconds: 1_500,
};

/** A scan asks the same of hundreds of functions: what is not settled after this many states seldom is at all. */
export const SCAN_LIMITS: ReviewOptions['limits'] = { states: 20_000, milliseconds: 20_000 };
