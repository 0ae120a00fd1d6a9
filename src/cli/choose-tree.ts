import { dirname, resolve } from 'node:path';
import { openFolder } from '#source/folder-tree.js';
import { openTree } from '#source/series-states.js';
import { SourceError, type Tree } from '#source/snapshot.js';

export interface ChosenTree {
  readonly folder: string;
  readonly tree: Tree;
}

/**
 * The kernel source that the user named, or the one that the current folder stands in, or null. Throws SourceError
 * when the named folder is none.
 */
export function chooseTree(named: string | null, current: string): ChosenTree | null {
  if (named !== null) return { folder: resolve(current, named), tree: openTree(resolve(current, named)) };
  for (let folder = resolve(current); ; folder = dirname(folder)) {
    try {
      return { folder, tree: openFolder(folder) };
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
    }
    if (folder === dirname(folder)) return null;
  }
}
