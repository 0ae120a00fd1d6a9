/** A review of one patch as `b4 review` wants its checks: an array of results, empty when there is nothing to say. */
import type { ReviewDocument } from '#review/document.js';
import { cleanLine } from './clean-text.js';
import { countFindings, coverageOf, shownFindings } from './coverage.js';
import { renderText } from './render-text.js';

export interface B4Result {
  readonly tool: string;
  readonly status: 'pass' | 'warn' | 'fail';
  readonly summary: string;
  readonly url: string;
  readonly details: string;
}

/**
 * The result for the first patch of a document. A patch that touches nothing of page tables gives none. What a later
 * patch of the series closes is a warning: only a bisection would meet it.
 */
export function b4Results(document: ReviewDocument): readonly B4Result[] {
  const [patch] = document.patches;
  if (patch === undefined) return [];
  const { touched, decided, undecided } = coverageOf(patch);
  const introduced = shownFindings(patch).filter((f) => f.status === 'introduced' && f.severity !== 'note');
  if (touched === 0 && undecided.length === 0 && introduced.length === 0) return [];
  const lasting = introduced.filter((f) => f.closedBy === null && f.severity === 'error');
  const open =
    decided === touched && undecided.length === 0 ? '' : `; ${decided} of ${touched} functions decided`;
  const first = introduced[0];
  const said =
    first === undefined
      ? countFindings(patch)
      : `${countFindings(patch)}: ${first.hazard} in ${first.function}`;
  return [
    {
      tool: 'shootdown',
      status: lasting.length > 0 ? 'fail' : introduced.length > 0 ? 'warn' : 'pass',
      summary: cleanLine(`${said === '' ? 'no finding' : said}${open}`),
      url: '',
      details: renderText({ ...document, patches: [patch] }, { color: false, width: 80 }),
    },
  ];
}

/** The answer where a patch could not be reviewed, for instance since it does not apply. */
export function b4Unreviewed(reason: string): readonly B4Result[] {
  return [
    {
      tool: 'shootdown',
      status: 'warn',
      summary: cleanLine(`not reviewed: ${reason}`),
      url: '',
      details: '',
    },
  ];
}
