/**
 * What was known on the day a baseline was written: findings in it are marked, so that only new ones count. A finding
 * is known by its fingerprint and file, never by its line.
 */
import { z } from 'zod';
import { Source } from '#rules/parse-yaml.js';
import type { Finding, ReviewDocument } from './document.js';

export interface Baseline {
  readonly version: 1;
  readonly tool: string;
  readonly findings: readonly {
    readonly fingerprint: string;
    readonly file: string;
    /** For the people who read the file; the match does not depend on them. */
    readonly hazard: string;
    readonly function: string;
  }[];
}

const shape = z.object({
  version: z.literal(1),
  tool: z.string(),
  findings: z.array(
    z.object({
      fingerprint: z.string().min(1),
      file: z.string(),
      hazard: z.string(),
      function: z.string(),
    }),
  ),
});

/** Throws RuleError with line and column when the text is no baseline. */
export function readBaseline(text: string, file: string): Baseline {
  return new Source(file, text).as(shape);
}

/** Everything that a document reports and does not silence by other means, in a stable order, without repeats. */
export function baselineOf(document: ReviewDocument): Baseline {
  const found = new Map<string, Finding>();
  for (const patch of document.patches)
    for (const finding of patch.findings)
      if (isKnowable(finding) && finding.suppressed?.by !== 'suppression') found.set(keyOf(finding), finding);
  const findings = [...found].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, finding]) => finding);
  return {
    version: 1,
    tool: document.tool,
    findings: findings.map((f) => ({
      fingerprint: f.fingerprint,
      file: f.file,
      hazard: f.hazard,
      function: f.function,
    })),
  };
}

/** Marks the findings of the baseline. `gone` counts entries that no finding of the document matches. */
export function applyBaseline(
  document: ReviewDocument,
  baseline: Baseline,
): { readonly document: ReviewDocument; readonly gone: number } {
  const known = new Set(baseline.findings.map(keyOf));
  const seen = new Set<string>();
  const patches = document.patches.map((patch) => ({
    ...patch,
    findings: patch.findings.map((finding): Finding => {
      const key = keyOf(finding);
      if (!isKnowable(finding) || !known.has(key)) return finding;
      seen.add(key);
      return finding.suppressed === undefined
        ? { ...finding, suppressed: { by: 'baseline', reason: 'in the baseline' } }
        : finding;
    }),
  }));
  return { document: { ...document, patches }, gone: known.size - seen.size };
}

const isKnowable = (finding: Finding): boolean => finding.status !== 'fixed';

const keyOf = (f: { readonly file: string; readonly fingerprint: string }): string =>
  `${f.file}\0${f.fingerprint}`;
