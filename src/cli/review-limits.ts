import type { ReviewOptions } from '#review/document.js';

/** For one function on one machine. The state limit comes first on any usual computer, so that results do not depend on its speed. */
export const REVIEW_LIMITS: ReviewOptions['limits'] = { states: 60_000, milliseconds: 20_000 };
