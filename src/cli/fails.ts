import type { ReviewDocument, Severity, Status } from '#review/document.js';

export type FailOn = 'error' | 'warning' | 'never';

/** Does a review fail? Only findings of `statuses` that nobody silenced count. */
export function fails(document: ReviewDocument, failOn: FailOn, statuses: readonly Status[]): boolean {
  return document.patches.some((patch) =>
    patch.findings.some(
      (f) => f.suppressed === undefined && statuses.includes(f.status) && reaches(f.severity, failOn),
    ),
  );
}

function reaches(severity: Severity, failOn: FailOn): boolean {
  switch (failOn) {
    case 'never':
      return false;
    case 'error':
      return severity === 'error';
    case 'warning':
      return severity !== 'note';
  }
}
