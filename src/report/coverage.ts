import type { Finding, ReviewedPatch, Undecided } from '#review/document.js';

/** How much of a patch was decided: silence about a function must mean that it was searched. */
export interface Coverage {
  /** Functions that the patch touches and that bear on page tables. */
  readonly touched: number;
  readonly decided: number;
  /** Everything that was not decided, callees and helpers of touched functions too. */
  readonly undecided: readonly Undecided[];
}

/** A touched function with any undecided part does not count as decided. */
export function coverageOf(patch: ReviewedPatch): Coverage {
  const key = (x: { readonly function: string; readonly file: string }): string => `${x.file}\0${x.function}`;
  const open = new Set(patch.undecided.map(key));
  const touched = new Set(patch.analysed.map(key));
  // Without any analysed function, what is undecided is all that is known of what was touched.
  if (touched.size === 0) return { touched: open.size, decided: 0, undecided: patch.undecided };
  return {
    touched: touched.size,
    decided: [...touched].filter((k) => !open.has(k)).length,
    undecided: patch.undecided,
  };
}

/** The findings to show: those that nobody silenced. */
export function shownFindings(patch: ReviewedPatch): readonly Finding[] {
  return patch.findings.filter((f) => f.suppressed === undefined);
}

/** `1 error, 2 warnings`: counts of the findings that this patch brings in, then of the others. Empty without findings. */
export function countFindings(patch: ReviewedPatch): string {
  const parts: string[] = [];
  const add = (n: number, one: string, many: string): void => {
    if (n > 0) parts.push(`${n} ${n === 1 ? one : many}`);
  };
  const shown = shownFindings(patch);
  const introduced = shown.filter((f) => f.status === 'introduced');
  add(introduced.filter((f) => f.severity === 'error').length, 'error', 'errors');
  add(introduced.filter((f) => f.severity === 'warning').length, 'warning', 'warnings');
  add(introduced.filter((f) => f.severity === 'note').length, 'note', 'notes');
  add(shown.filter((f) => f.status === 'existing').length, 'existing', 'existing');
  add(shown.filter((f) => f.status === 'fixed').length, 'fixed', 'fixed');
  add(patch.findings.length - shown.length, 'silenced', 'silenced');
  return parts.join(', ');
}
