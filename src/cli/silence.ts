import { readFile } from 'node:fs/promises';
import type { IdleSuppression, ReviewDocument } from '#review/document.js';
import { writeOutput } from './write-output.js';

/** Options by which findings are silenced, as commander gives them. */
export interface SilenceFlags {
  readonly suppressions?: string;
  readonly baseline?: string;
  readonly writeBaseline?: string;
}

interface Silenced {
  readonly document: ReviewDocument;
  /** Lines for stderr. */
  readonly notes: readonly string[];
}

/**
 * What the options ask to be silenced; the files are read at once, so that a mistake in one is said before any work
 * is done. `complete` is whether documents will hold existing findings too. Throws RuleError and system errors.
 */
export async function readSilence(
  flags: SilenceFlags,
  complete: boolean,
): Promise<(document: ReviewDocument) => Promise<Silenced>> {
  if (flags.suppressions === undefined && flags.baseline === undefined && flags.writeBaseline === undefined) {
    return async (document) => ({ document, notes: [] });
  }
  const [{ readSuppressions, applySuppressions }, { readBaseline, applyBaseline, baselineOf }] =
    await Promise.all([import('#review/suppressions.js'), import('#review/baseline.js')]);
  const suppressions =
    flags.suppressions === undefined
      ? []
      : readSuppressions(await readText(flags.suppressions), flags.suppressions);
  const baseline =
    flags.baseline === undefined ? null : readBaseline(await readText(flags.baseline), flags.baseline);
  return async (document) => {
    const today = new Date().toISOString().slice(0, 10);
    let silenced = applySuppressions(document, suppressions, { today, complete });
    const notes = (silenced.idleSuppressions ?? []).map(describeIdle);
    if (baseline !== null) {
      const applied = applyBaseline(silenced, baseline);
      silenced = applied.document;
      // A patch shows a small part of what a baseline holds; a scan is written anew to shrink it.
      if (complete && applied.gone > 0)
        notes.push(
          `${flags.baseline}: ${applied.gone} of ${baseline.findings.length} entries not found here any more`,
        );
    }
    if (flags.writeBaseline !== undefined) {
      const written = baselineOf(silenced);
      await writeOutput(`${JSON.stringify(written, null, 2)}\n`, flags.writeBaseline);
      notes.push(`${flags.writeBaseline}: ${written.findings.length} findings written`);
    }
    return { document: silenced, notes };
  };
}

function readText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw error instanceof Error ? Object.assign(error, { path: file }) : error;
  });
}

function describeIdle(idle: IdleSuppression): string {
  const ended = idle.state === 'expired' ? `ended on ${idle.expires}` : 'silences nothing here';
  const scope = [idle.path, idle.function].filter((part) => part !== null).join(', ');
  return `${idle.file}:${idle.line}: suppression of ${idle.hazard}${scope === '' ? '' : ` (${scope})`} ${ended}`;
}
