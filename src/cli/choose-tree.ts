import { dirname, resolve } from 'node:path';
import type { Tree } from '#source/snapshot.js';
import { SourceError } from '#source/snapshot.js';

export interface ChosenTree {
  readonly folder: string;
  readonly tree: Tree;
}

/**
 * The kernel source that the user named, or the one that the current folder stands in, or null. Throws SourceError
 * when the named folder is none.
 */
export async function chooseTree(named: string | null, current: string): Promise<ChosenTree | null> {
  if (named !== null) {
    const { openTree } = await import('#source/series-states.js');
    return { folder: resolve(current, named), tree: openTree(resolve(current, named)) };
  }
  const { openFolder } = await import('#source/folder-tree.js');
  for (let folder = resolve(current); ; folder = dirname(folder)) {
    try {
      return { folder, tree: openFolder(folder) };
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
    }
    if (folder === dirname(folder)) return null;
  }
}
