import type { Patch } from '#patch/series.js';
import { trailerOf } from '#patch/series-trailers.js';
import { openFolder } from './folder-tree.js';
import { runGit } from './git-command.js';
import { idOf, isRepository, openRevision } from './git-tree.js';
import { patchedStates } from './patched-states.js';
import { type PatchedState, SourceError, type Tree } from './snapshot.js';

export interface SeriesStates {
  readonly states: readonly PatchedState[];
  readonly notes: readonly string[];
}

/**
 * Opens what a user calls a kernel tree: a folder with the files, or a repository without a work tree, whose HEAD counts.
 * Throws SourceError as openFolder does.
 */
export function openTree(folder: string): Tree {
  try {
    return openFolder(folder);
  } catch (error) {
    const isBare = error instanceof SourceError && error.code === 'not-a-kernel' && isBareRepository(folder);
    if (!isBare) throw error;
    return openRevision(folder, 'HEAD');
  }
}

/**
 * The states of a series on a tree. Where the series does not apply to the files as they are, and the folder is a git
 * repository that has the commit that the series says it was made on, it is reviewed there, with a note. Throws SourceError
 * `does-not-apply`, saying so where the base is known and not there.
 */
export function statesOnTree(patches: readonly Patch[], tree: Tree, folder: string): SeriesStates {
  try {
    return { states: patchedStates(patches, tree), notes: [] };
  } catch (error) {
    if (!(error instanceof SourceError) || error.code !== 'does-not-apply') throw error;
    const base = baseCommit(patches);
    if (base === null) throw error;
    const id = isRepository(folder) ? idOf(folder, `${base}^{commit}`) : null;
    if (id === null)
      throw new SourceError(
        error.code,
        `${error.message} (it was made on ${base.slice(0, 12)}, which is not here)`,
      );
    const states = patchedStates(patches, openRevision(folder, id));
    return {
      states,
      notes: [
        `the patches do not apply to ${folder} as it is: reviewed on their base-commit ${base.slice(0, 12)}`,
      ],
    };
  }
}

/** The one commit that all patches that name any were made on. */
function baseCommit(patches: readonly Patch[]): string | null {
  const named = new Set(patches.flatMap((patch) => trailerOf(patch, 'base-commit') ?? []));
  const [base] = named;
  return named.size === 1 && base !== undefined && /^[0-9a-f]{12,64}$/.test(base) ? base : null;
}

function isBareRepository(folder: string): boolean {
  const { status, bytes } = runGit(folder, ['rev-parse', '--is-inside-work-tree']);
  return status === 0 && bytes.toString('utf8').trim() === 'false' && idOf(folder, 'HEAD^{tree}') !== null;
}
