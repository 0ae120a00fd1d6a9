/** The patches of a series one by one: each is looked up in what was kept, and reviewed where that says nothing. */
import type { ReviewOptions } from '#review/document.js';
import { keptPatch } from '#review/kept-parts.js';
import { TreeIndexes } from '#review/tree-index.js';
import type { RuleSet } from '#rules/rule.js';
import type { Cache } from '#source/cache-folder.js';
import type { PatchedState } from '#source/snapshot.js';
import type { ReviewOne } from './open-work.js';
import { programDigest } from './program-digest.js';

/** Patches after which what is known of the texts of their files is forgotten, so that memory does not grow with a series. */
const REMEMBERED = 16;

/** `onProgress` of the options is not called: each patch comes with its own. The engine is loaded when it is needed. */
export function openSeries(
  states: readonly PatchedState[],
  rules: RuleSet,
  options: ReviewOptions & { readonly cache: Cache | null },
): ReviewOne {
  const { cache } = options;
  const indexes = new TreeIndexes(cache);
  const engine = lazily(async () => {
    const [{ reviewPart }, { Kept }] = await Promise.all([
      import('#review/review-series.js'),
      import('#review/session.js'),
    ]);
    const kept = new Kept();
    kept.indexes = indexes;
    return { reviewPart, kept };
  });
  const task = cache === null ? '' : taskOf(options);
  let reviewed = 0;
  return async (index, onProgress) => {
    const patch = cache === null ? null : keptPatch(states, index, cache, indexes, task);
    if (patch !== null && patch.known !== null) return patch.known;
    const { reviewPart, kept } = await engine();
    kept.onNames = patch?.noteNames ?? null;
    const part = reviewPart(patch?.states ?? states, index, rules, { ...options, onProgress }, kept);
    patch?.keep(part);
    reviewed += 1;
    if (reviewed % REMEMBERED === 0) kept.forget((path) => path.endsWith('.h'));
    return part;
  };
}

/** What the review of a patch depends on, but for the patch and its trees. */
const taskOf = ({ machines, existing, suggestions, limits }: ReviewOptions): string =>
  JSON.stringify([machines, existing, suggestions, limits, programDigest()]);

function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => {
    made ??= make();
    return made;
  };
}
