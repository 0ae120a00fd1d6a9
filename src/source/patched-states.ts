import { applyFile } from '#patch/apply-patch.js';
import type { FilePatch, Patch } from '#patch/series.js';
import { maxFileBytes } from './file-text.js';
import { hunkStates } from './hunk-tree.js';
import { overlay } from './overlay-tree.js';
import { type PatchedState, SourceError, type Tree } from './snapshot.js';

/**
 * The trees on both sides of each patch, each patch on top of the one before. Without a base the hunks are all there is.
 * Throws SourceError `does-not-apply` with file, hunk and subject.
 */
export function patchedStates(patches: readonly Patch[], base: Tree | null): PatchedState[] {
  if (base === null) return hunkStates(patches);
  const states: PatchedState[] = [];
  let before = base;
  for (const patch of patches) {
    const { texts, offsets, skipped } = applyPatch(patch, before);
    const after = overlay(before, texts);
    states.push({
      patch,
      context: 'tree',
      before,
      after,
      changed: [...texts.keys()],
      partial: false,
      partialFunctions: [],
      offsets,
      skipped,
    });
    before = after;
  }
  return states;
}

interface PatchResult {
  readonly texts: ReadonlyMap<string, string | null>;
  readonly offsets: ReadonlyMap<string, readonly number[]>;
  readonly skipped: readonly string[];
}

function applyPatch(patch: Patch, before: Tree): PatchResult {
  const texts = new Map<string, string | null>();
  const offsets = new Map<string, readonly number[]>();
  const skipped: string[] = [];
  // What a patch moves away or deletes may come anew in the same patch, in any order.
  const gone = new Set(
    patch.files
      .filter(({ change }) => change === 'rename' || change === 'delete')
      .map(({ oldPath }) => oldPath),
  );
  for (const file of patch.files) {
    const path = file.newPath ?? file.oldPath;
    if (path === null) continue;
    const old = oldText(file, before, texts, gone);
    if (
      file.change === 'binary' ||
      (old === null && file.change !== 'add' && isThere(before, file.oldPath ?? path))
    ) {
      skipped.push(path);
      continue;
    }
    const result = applyFile(old, file);
    if ('failed' in result)
      throw doesNotApply(
        patch,
        path,
        result.failed.lines.length === 0 ? null : result.number,
        file,
        result.reason,
      );
    if (result.text !== null && result.text.length > maxFileBytes) {
      skipped.push(path);
      continue;
    }
    if (file.change === 'rename' && file.oldPath !== null && !texts.has(file.oldPath))
      texts.set(file.oldPath, null);
    if (file.change !== 'mode' || texts.has(path)) texts.set(path, result.text);
    offsets.set(path, result.offsets);
  }
  return { texts, offsets, skipped };
}

/** Moves and copies start from the files before the patch; a file that comes twice goes on from what it became. */
function oldText(
  file: FilePatch,
  before: Tree,
  texts: ReadonlyMap<string, string | null>,
  gone: ReadonlySet<string | null>,
): string | null {
  if (file.change === 'add')
    return gone.has(file.newPath) ? null : (texts.get(file.newPath ?? '') ?? before.read(file.newPath ?? ''));
  const path = file.oldPath ?? '';
  const text = file.change === 'rename' || file.change === 'copy' ? undefined : texts.get(path);
  return text === undefined ? before.read(path) : text;
}

/** The file exists, yet is no text that a tree reads: binary or too large. */
function isThere(tree: Tree, path: string): boolean {
  const slash = path.lastIndexOf('/');
  return (
    tree.list(slash < 0 ? '' : path.slice(0, slash)).includes(path.slice(slash + 1)) &&
    tree.read(path) === null
  );
}

function doesNotApply(
  patch: Patch,
  path: string,
  number: number | null,
  file: FilePatch,
  reason: string,
): SourceError {
  const hunk = number === null ? undefined : file.hunks[number - 1];
  const header =
    hunk === undefined
      ? ''
      : `: hunk ${number} (@@ -${hunk.oldStart},${hunk.oldLines} +${hunk.newStart},${hunk.newLines} @@${hunk.heading === '' ? '' : ` ${hunk.heading}`})`;
  return new SourceError(
    'does-not-apply',
    `"${patch.subject}" does not apply to the tree: ${path}${header}: ${reason}`,
  );
}
