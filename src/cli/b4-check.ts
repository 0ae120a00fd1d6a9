import { readFile } from 'node:fs/promises';
import type { ReviewDocument } from '#review/document.js';
import type { PatchedState } from '#source/snapshot.js';
import { chooseCache } from './choose-cache.js';
import { chooseMachines } from './choose-machines.js';
import { chooseTree } from './choose-tree.js';
import { REVIEW_LIMITS } from './review-limits.js';
import { readSilence, type SilenceFlags } from './silence.js';
import { writeOutput } from './write-output.js';

export interface B4Flags extends SilenceFlags {
  readonly tree?: string;
  readonly machine: readonly string[];
}

/**
 * `shootdown b4-check`: one mail on standard input, an array of results on stdout, as `b4 review` wants it. The exit
 * code is 0 whenever there is an answer, since b4 reads the answer and not the code.
 */
export async function b4Check(flags: B4Flags): Promise<number> {
  const [{ readInputs }, { parseInputs }, { PatchError }, { SourceError }, { b4Results, b4Unreviewed }] =
    await Promise.all([
      import('./read-input.js'),
      import('#patch/parse-patches.js'),
      import('#patch/series.js'),
      import('#source/snapshot.js'),
      import('#report/render-b4.js'),
    ]);
  const silence = await readSilence(flags, false);
  const answer = (results: readonly object[]): Promise<void> =>
    writeOutput(`${JSON.stringify(results, null, 2)}\n`, null);
  try {
    const { patches } = await parseInputs(await readInputs(['-']));
    const [patch] = patches;
    if (patch === undefined) {
      await answer([]);
      return 0;
    }
    const folder = flags.tree ?? process.cwd();
    const tracked = await statesFromTracking(folder, patch.messageId);
    const states = tracked ?? (await statesFromTree(flags.tree ?? null, patches.slice(0, 1)));
    const { document } = await silence(await review(states, flags.machine));
    await answer(b4Results(document));
  } catch (error) {
    // A cover letter is handed to the check of a series; it is no patch, and no mistake.
    if (error instanceof PatchError && error.code === 'not-a-patch') await answer([]);
    else if (error instanceof PatchError || error instanceof SourceError)
      await answer(b4Unreviewed(error.message));
    else throw error;
  }
  return 0;
}

/** The first state decides; the ones behind it are looked at only to see whether they close what it opens. */
async function review(states: readonly PatchedState[], machine: readonly string[]): Promise<ReviewDocument> {
  const [{ loadRules }, { reviewSeries }] = await Promise.all([
    import('#rules/load-rules.js'),
    import('#review/review-series.js'),
  ]);
  const rules = loadRules();
  const options = {
    machines: chooseMachines(machine, rules.machines),
    existing: false,
    limits: REVIEW_LIMITS,
    cache: chooseCache(true, process.env),
    now: () => performance.now(),
    onProgress: () => {},
  };
  const alone = reviewSeries(states.slice(0, 1), rules, options);
  const isOpen = alone.patches.some((p) => p.findings.some((f) => f.status === 'introduced'));
  return isOpen && states.length > 1 ? reviewSeries(states, rules, options) : alone;
}

async function statesFromTree(
  named: string | null,
  patches: Parameters<typeof import('#source/patched-states.js').patchedStates>[0],
): Promise<readonly PatchedState[]> {
  const { patchedStates } = await import('#source/patched-states.js');
  const chosen = chooseTree(named, process.cwd());
  return patchedStates(patches, chosen?.tree ?? null);
}

/**
 * b4 keeps a series that it reviews as commits of a branch, and says in B4_TRACKING_FILE which. With it each patch is
 * reviewed on top of the ones before it. Null where there is no such file, or where it does not fit the branch.
 */
async function statesFromTracking(
  folder: string,
  messageId: string | null,
): Promise<readonly PatchedState[] | null> {
  const file = process.env.B4_TRACKING_FILE;
  if (file === undefined || messageId === null) return null;
  const tracking = parseTracking(await readFile(file, 'utf8').catch(() => ''));
  const at = tracking?.messageIds.indexOf(messageId) ?? -1;
  if (tracking === null || at < 0) return null;
  const [{ rangeStates }, { SourceError }] = await Promise.all([
    import('#source/git-states.js'),
    import('#source/snapshot.js'),
  ]);
  try {
    // The branch ends in a commit that holds b4's own notes.
    const { states } = rangeStates(folder, `${tracking.first}~1`, `${tracking.branch}~1`);
    return states.length === tracking.messageIds.length ? states.slice(at) : null;
  } catch (error) {
    if (error instanceof SourceError) return null;
    throw error;
  }
}

interface Tracking {
  readonly branch: string;
  readonly first: string;
  /** Of the patches, in the order of the series. */
  readonly messageIds: readonly string[];
}

/** The fields of b4's tracking data that are used here; null when one is missing. */
export function parseTracking(text: string): Tracking | null {
  const data = parseJson(text);
  const series = field(data, 'series');
  const change = field(series, 'change-id');
  const first = field(series, 'first-patch-commit');
  const patches = field(data, 'patches');
  if (typeof change !== 'string' || typeof first !== 'string' || !Array.isArray(patches)) return null;
  // Both become arguments of git.
  if (!/^[0-9a-f]{7,64}$/.test(first) || !/^\w[\w.-]*$/.test(change)) return null;
  const messageIds = patches.map((patch) => {
    const id = field(field(patch, 'header-info'), 'msgid');
    return typeof id === 'string' ? id.replace(/^<|>$/g, '') : '';
  });
  return { branch: `refs/heads/b4/review/${change}`, first, messageIds };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
