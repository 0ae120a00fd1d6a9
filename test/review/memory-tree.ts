/** States of a series over a tree that exists in memory alone. */
import { plainPatch } from '#patch/series.js';
import type { PatchedState, Tree, TreeVersions } from '#source/snapshot.js';

export type Files = Readonly<Record<string, string>>;

/** `numbered` counts what is read, and gives files versions as a tree on disk has them: callers can be looked for in it. */
export interface Numbered {
  readonly place: string;
  readonly version: (path: string) => string;
  readonly reads: string[];
}

export const treeOf = (files: Files, numbered: Numbered | null = null): Tree => ({
  ...(numbered === null ? {} : { versions: versionsOf(files, numbered) }),
  read: (path) => {
    numbered?.reads.push(path);
    return files[path] ?? null;
  },
  list: (folder) =>
    [
      ...new Set(
        Object.keys(files)
          .filter((path) => path.startsWith(`${folder}/`))
          .map((path) => path.slice(folder.length + 1).replace(/\/.*/, '/')),
      ),
    ].sort(),
});

function versionsOf(files: Files, { place, version }: Numbered): TreeVersions {
  return {
    place,
    folder: () => null,
    files: (folder) => {
      const found = new Map<string, string>();
      for (const path of Object.keys(files)) {
        if (!path.startsWith(`${folder}/`)) continue;
        const [name = '', ...more] = path.slice(folder.length + 1).split('/');
        if (more.length > 0) found.set(`${name}/`, '');
        else if (/\.[ch]$/.test(name)) found.set(name, version(path));
      }
      return found;
    },
  };
}

/** The same in a tree in which it is known who calls what. `reads` is told of every file that is read. */
export const changeInTree = (before: Files, after: Files, reads: string[] = []): PatchedState => {
  const numbered = { place: 'memory', version: () => '', reads };
  return { ...change(before, after), before: treeOf(before, numbered), after: treeOf(after, numbered) };
};

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
