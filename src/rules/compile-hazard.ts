/** A hazard's Markdown page: front matter and fixed headings. */
import { Source } from './parse-yaml.js';
import type { HazardId, HazardPage } from './rule.js';
import { RuleError } from './rule-error.js';
import { hazardHead } from './rule-file.js';

/** Every hazard, in the order of the catalogue. */
export const HAZARD_IDS = [
  'free-before-clear',
  'free-before-flush',
  'table-free-before-flush',
  'table-free-without-sync',
  'flush-without-ipi',
  'missing-flush',
  'unlock-before-flush',
  'reuse-under-deferred-flush',
  'table-free-under-deferred-flush',
  'torn-pte-read',
  'split-pte-write-order',
  'flush-scope-too-narrow',
  'shared-table-walk-race',
  'break-before-make',
  'notifier-order',
] as const satisfies readonly HazardId[];

export const HEADINGS = [
  'What it is',
  'Why it bites',
  'Wrong order',
  'Right order',
  'When not to trust it',
  'Sources',
] as const;

/** Throws RuleError where the front matter or a heading is missing, or the id is unknown. */
export function compileHazard(file: string, text: string): HazardPage {
  const match = /^---\n([\s\S]*?)\n---\n/.exec(text);
  if (match === null)
    throw new RuleError('shape', 'the page starts with front matter between --- lines', file, 1, 1);
  const source = new Source(file, match[1] ?? '', 2);
  const head = source.as(hazardHead);
  const id = HAZARD_IDS.find((known) => known === head.id);
  if (id === undefined) throw source.error('unknown-hazard', `no hazard \`${head.id}\``, ['id']);
  const found = [...text.matchAll(/^## (.*)$/gm)].map((heading) => heading[1]);
  const wrong = HEADINGS.findIndex((heading, n) => found[n] !== heading);
  if (wrong >= 0 || found.length !== HEADINGS.length)
    throw new RuleError('shape', `expected the headings ${HEADINGS.join(', ')}, in this order`, file, 1, 1);
  const page = `# ${head.title}\n${text.slice(match[0].length)}`;
  return { id, title: head.title, severity: head.severity, page };
}
