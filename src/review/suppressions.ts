/**
 * Findings that somebody decided not to be told of. A suppression names a hazard and says why; it may be bound to a
 * path, a function and a last day. It never removes a finding: it marks it, so that a report can count it. What
 * silences nothing any more is listed, so that the list does not rot.
 */
import { z } from 'zod';
import { HAZARD_IDS } from '#rules/compile-hazard.js';
import { Source } from '#rules/parse-yaml.js';
import type { HazardId } from '#rules/rule.js';
import type { Finding, IdleSuppression, ReviewDocument, ReviewedPatch } from './document.js';
import { matchesGlob } from './match-glob.js';

export interface Suppression {
  readonly hazard: HazardId;
  readonly reason: string;
  /** A path of the kernel tree; `*` stays inside a folder, `**` does not. Null: everywhere. */
  readonly path: string | null;
  /** A function's name, `*` allowed. Null: all. */
  readonly function: string | null;
  /** Last day on which it counts, `YYYY-MM-DD`. */
  readonly expires: string | null;
  readonly file: string;
  readonly line: number;
}

export interface SuppressionOptions {
  /** `YYYY-MM-DD`: passed in, since a review has no clock. */
  readonly today: string;
  /**
   * Does the document hold every finding of the functions that it analysed (a scan, or a check with existing ones)? If
   * not, only a suppression that names an analysed function can be called unused.
   */
  readonly complete: boolean;
}

const entry = z
  .object({
    hazard: z.string(),
    reason: z.string().refine((text) => text.trim() !== '', 'say why'),
    path: z.string().min(1).optional(),
    function: z.string().min(1).optional(),
    expires: z.string().refine(isDay, 'write a day as YYYY-MM-DD').optional(),
  })
  .strict();
const entries = z.array(entry);

/**
 * The list under the key `suppressions` of a YAML text; other keys are other readers' business. Throws RuleError with
 * file, line and column: for YAML that does not parse, a missing list, an unknown hazard, a missing reason, a day that
 * is none, an unknown key, or an entry written twice.
 */
export function readSuppressions(text: string, file: string): readonly Suppression[] {
  const source = new Source(file, text);
  const top = source.as(z.looseObject({ suppressions: z.unknown().optional() }));
  const at = ['suppressions'];
  if (!('suppressions' in top)) throw source.error('shape', 'no list `suppressions`', []);
  const read = source.as(entries, top.suppressions ?? [], at);
  const seen = new Set<string>();
  return read.map((found, index): Suppression => {
    const hazard = HAZARD_IDS.find((id) => id === found.hazard);
    const place = [...at, index];
    if (hazard === undefined)
      throw source.error('unknown-hazard', `no hazard \`${found.hazard}\``, [...place, 'hazard']);
    const key = [hazard, found.path ?? '', found.function ?? ''].join('\0');
    if (seen.has(key)) throw source.error('duplicate', 'the same hazard, path and function twice', place);
    seen.add(key);
    return {
      hazard,
      reason: found.reason.trim(),
      path: found.path ?? null,
      function: found.function ?? null,
      expires: found.expires ?? null,
      file,
      line: source.place(place).line,
    };
  });
}

/**
 * Marks what the suppressions cover; the first that covers a finding gives the reason. One that has expired covers
 * nothing and is listed. What a patch fixes is never silenced.
 */
export function applySuppressions(
  document: ReviewDocument,
  suppressions: readonly Suppression[],
  options: SuppressionOptions,
): ReviewDocument {
  const live = suppressions.filter((s) => !hasExpired(s, options.today));
  const used = new Set<Suppression>();
  const patches = document.patches.map((patch) => ({
    ...patch,
    findings: patch.findings.map((finding): Finding => {
      if (finding.status === 'fixed' || finding.suppressed !== undefined) return finding;
      const covering = live.filter((s) => covers(s, finding));
      for (const s of covering) used.add(s);
      const [first] = covering;
      return first === undefined
        ? finding
        : { ...finding, suppressed: { by: 'suppression', reason: first.reason } };
    }),
  }));
  const idle = suppressions.flatMap((s): IdleSuppression[] => {
    if (hasExpired(s, options.today)) return [{ state: 'expired', ...s }];
    return !used.has(s) && wasSearched(s, document.patches, options.complete)
      ? [{ state: 'unused', ...s }]
      : [];
  });
  const before = document.idleSuppressions ?? [];
  return {
    ...document,
    patches,
    ...(before.length + idle.length === 0 ? {} : { idleSuppressions: [...before, ...idle] }),
  };
}

function covers(suppression: Suppression, finding: Finding): boolean {
  return suppression.hazard === finding.hazard && inScope(suppression, finding.file, finding.function);
}

function inScope(suppression: Suppression, file: string, name: string): boolean {
  return (
    (suppression.path === null || matchesGlob(suppression.path, file)) &&
    (suppression.function === null || matchesGlob(suppression.function, name))
  );
}

/** Could the finding have come up? Only then is a suppression that silenced nothing called unused. */
function wasSearched(s: Suppression, patches: readonly ReviewedPatch[], complete: boolean): boolean {
  if (!complete && s.function === null) return false;
  const covered = patches.flatMap((patch) => {
    const open = (name: string, file: string): boolean =>
      patch.undecided.some((u) => u.file === file && (u.function === name || u.function === ''));
    return patch.analysed
      .filter((a) => inScope(s, a.file, a.function))
      .map((a) => ({ decided: !open(a.function, a.file) }));
  });
  return covered.length > 0 && covered.every((c) => c.decided);
}

const hasExpired = (s: Suppression, today: string): boolean => s.expires !== null && s.expires < today;

function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}
