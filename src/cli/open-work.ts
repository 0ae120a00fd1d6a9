import type { Progress, ReviewOptions } from '#review/document.js';
import type { ReviewPart } from '#review/join-parts.js';
import type { PatchedState } from '#source/snapshot.js';
import { chooseCache } from './choose-cache.js';
import { programDigest } from './program-digest.js';
import { REVIEW_LIMITS, SCAN_LIMITS } from './review-limits.js';
import type { Source, Work } from './work.js';

const SCAN = { limits: SCAN_LIMITS, allowance: 'function', kindCallers: true } as const;

/** Reviews one part: a patch, or a file of a scan. */
export type ReviewOne = (
  index: number,
  onProgress: (event: Progress) => void,
) => ReviewPart | Promise<ReviewPart>;

/**
 * Opens what is to be reviewed on this thread. Throws what opening it on another one threw, too.
 *
 * @param now the time in milliseconds, asked for often: what it throws ends the review of the part
 */
export async function openWork(work: Work, now: () => number): Promise<ReviewOne> {
  const { loadRules } = await import('#rules/load-rules.js');
  const rules = loadRules();
  const cache = chooseCache(work.cache, process.env);
  const options = (onProgress: (event: Progress) => void): ReviewOptions => ({
    machines: work.machines,
    existing: work.existing,
    suggestions: work.suggestions,
    limits: REVIEW_LIMITS,
    cache,
    now,
    onProgress,
  });
  const { source } = work;
  if (source.kind === 'scan') {
    const [{ openTree }, { scanFile }, { KeptParts }, { Kept }, { TreeIndexes }] = await Promise.all([
      import('#source/series-states.js'),
      import('#review/review-files.js'),
      import('#review/kept-parts.js'),
      import('#review/session.js'),
      import('#review/tree-index.js'),
    ]);
    const kept = new Kept();
    const plain = openTree(source.folder);
    const indexes = new TreeIndexes(cache);
    kept.indexes = indexes;
    const task = cache === null ? '' : JSON.stringify([work.machines, SCAN, programDigest()]);
    const parts = cache === null ? null : new KeptParts(cache, [plain], indexes, task);
    if (parts !== null) kept.onNames = parts.noteNames;
    const tree = parts?.trees[0] ?? plain;
    return (index, onProgress) => {
      const file = source.files[index];
      if (file === undefined) throw new Error(`no file ${index}: the pool counts them`);
      const name = `${file} ${parts?.textOf(file) ?? ''}`;
      const known = parts?.find(name) ?? null;
      if (known !== null) return known;
      const part = scanFile(tree, file, rules, { ...options(onProgress), ...SCAN }, kept);
      parts?.keep(name, part);
      return part;
    };
  }
  const states = await openStates(source);
  const { openSeries } = await import('./open-series.js');
  return openSeries(states, rules, { ...options(() => {}), cache });
}

async function openStates(source: Exclude<Source, { kind: 'scan' }>): Promise<readonly PatchedState[]> {
  if (source.kind === 'range') {
    const { rangeChanges } = await import('./git-changes.js');
    return (await rangeChanges(source.folder, source.range)).states;
  }
  const [{ patchChanges }, { openTree }] = await Promise.all([
    import('./patch-changes.js'),
    import('#source/series-states.js'),
  ]);
  const { inputs, folder } = source;
  return (await patchChanges(inputs, folder === null ? null : { folder, tree: openTree(folder) })).states;
}
