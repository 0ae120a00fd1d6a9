import { parseInputs } from '#patch/parse-patches.js';
import { patchedStates } from '#source/patched-states.js';
import { statesOnTree } from '#source/series-states.js';
import type { PatchedState } from '#source/snapshot.js';
import type { ChosenTree } from './choose-tree.js';
import type { Input } from './read-input.js';

/** Patches with the trees on both sides of each, and what is to be said about them on stderr. */
export interface Changes {
  readonly states: readonly PatchedState[];
  readonly notes: readonly string[];
}

/** The patches that `inputs` hold, on the kernel tree or, where that is null, from their hunks alone. */
export async function patchChanges(inputs: readonly Input[], chosen: ChosenTree | null): Promise<Changes> {
  const { patches, notes } = await parseInputs(inputs);
  if (chosen === null) {
    const unseen = 'no kernel tree (see --tree): only the hunks are reviewed';
    return { states: patchedStates(patches, null), notes: [...notes, unseen] };
  }
  const found = statesOnTree(patches, chosen.tree, chosen.folder);
  return { states: found.states, notes: [...notes, ...found.notes] };
}
