/** States of a series over a tree that exists in memory alone. */
import { plainPatch } from '#patch/series.js';
import type { PatchedState, Tree } from '#source/snapshot.js';

export type Files = Readonly<Record<string, string>>;

const treeOf = (files: Files): Tree => ({
  read: (path) => files[path] ?? null,
  list: (folder) =>
    [
      ...new Set(
        Object.keys(files)
          .filter((path) => path.startsWith(`${folder}/`))
          .map((path) => path.slice(folder.length + 1).replace(/\/.*/, '/')),
      ),
    ].sort(),
});

/** One patch that turns `before` into `after`. */
export const change = (before: Files, after: Files): PatchedState => ({
  patch: plainPatch({ subject: 'a change', files: [] }),
  context: 'tree',
  before: treeOf(before),
  after: treeOf(after),
  changed: [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (path) => before[path] !== after[path],
  ),
  partial: false,
});
