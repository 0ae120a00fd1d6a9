import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileText, isSource, maxFileBytes, pathParts, sortedNames } from './file-text.js';
import { requireKernel } from './kernel-check.js';
import { SourceError, type Tree } from './snapshot.js';

/**
 * A plain unpacked kernel, or the files of a git work tree as they are on disk. What was read stays as it was then.
 * Throws SourceError `no-tree` (nothing there, or a file), `unreadable`, `not-a-kernel`.
 */
export function openFolder(folder: string): Tree {
  const root = rootOf(folder);
  const texts = new Map<string, string | null>();
  const lists = new Map<string, readonly string[]>();
  const versions = new Map<string, ReadonlyMap<string, string>>();
  const tree: Tree = {
    read(path) {
      let text = texts.get(path);
      if (text === undefined) {
        text = readInside(root, path);
        texts.set(path, text);
      }
      return text;
    },
    list(path) {
      let names = lists.get(path);
      if (names === undefined) {
        names = listInside(root, path);
        lists.set(path, names);
      }
      return names;
    },
    versions: {
      place: `folder ${root}`,
      folder: () => null,
      files(path) {
        let files = versions.get(path);
        if (files === undefined) {
          files = versionsInside(root, path);
          versions.set(path, files);
        }
        return files;
      },
    },
  };
  requireKernel(tree, folder);
  return tree;
}

function rootOf(folder: string): string {
  try {
    const root = realpathSync(folder);
    if (!statSync(root).isDirectory())
      throw new SourceError('no-tree', `${folder}: a file, not a kernel folder`);
    readdirSync(root);
    return root;
  } catch (error) {
    if (error instanceof SourceError) throw error;
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOENT') throw new SourceError('no-tree', `${folder}: no such folder`);
    throw new SourceError('unreadable', `${folder}: cannot be read (${String(code)})`);
  }
}

function readInside(root: string, path: string): string | null {
  try {
    const real = inside(root, path);
    if (real === null) return null;
    const status = statSync(real);
    return status.isFile() && status.size <= maxFileBytes ? fileText(readFileSync(real)) : null;
  } catch {
    // No such file, or one that cannot be read: the same to a reader.
    return null;
  }
}

function listInside(root: string, path: string): readonly string[] {
  try {
    const real = inside(root, path);
    if (real === null) return [];
    return sortedNames(
      readdirSync(real, { withFileTypes: true }).map((entry) =>
        entry.isDirectory() ? `${entry.name}/` : entry.name,
      ),
    );
  } catch {
    return [];
  }
}

/** How old a file must be for its time and size to tell it from what it may become next. */
const SETTLED_MILLISECONDS = 3_000;

/** Size and time of each C file; links are left to who reads them. */
function versionsInside(root: string, path: string): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  try {
    const real = inside(root, path);
    if (real === null) return files;
    const now = Date.now();
    for (const entry of readdirSync(real, { withFileTypes: true })) {
      if (entry.isDirectory()) files.set(`${entry.name}/`, '');
      else if (isSource(entry.name)) files.set(entry.name, versionOf(join(real, entry.name), now));
    }
  } catch {
    // No such folder: it has no files.
  }
  return files;
}

/** One written just now may be written again within what clocks of file systems tell apart. */
function versionOf(file: string, now: number): string {
  const status = statSync(file, { throwIfNoEntry: false });
  if (status === undefined || !status.isFile()) return '';
  const changed = Math.max(status.mtimeMs, status.ctimeMs);
  return changed > now - SETTLED_MILLISECONDS
    ? ''
    : `${status.size} ${status.mtimeMs} ${status.ctimeMs} ${status.ino}`;
}

/** The real place of a path, or null when it or a link on it leads out of the tree. Throws when there is none. */
function inside(root: string, path: string): string | null {
  const parts = pathParts(path);
  if (parts === null) return null;
  const real = realpathSync(join(root, ...parts));
  return real === root || real.startsWith(root.endsWith(sep) ? root : root + sep) ? real : null;
}
