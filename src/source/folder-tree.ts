import { lstatSync, readdirSync, readFileSync, realpathSync, type Stats, statSync } from 'node:fs';
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
  const folders = new Folders(root);
  const tree: Tree = {
    read(path) {
      let text = texts.get(path);
      if (text === undefined) {
        text = readInside(folders, path);
        texts.set(path, text);
      }
      return text;
    },
    list(path) {
      let names = lists.get(path);
      if (names === undefined) {
        names = listInside(folders, path);
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
          files = versionsInside(folders, path);
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

function readInside(folders: Folders, path: string): string | null {
  try {
    const file = folders.file(path);
    if (file === null || !file.status.isFile() || file.status.size > maxFileBytes) return null;
    return fileText(readFileSync(file.real));
  } catch {
    // No such file, or one that cannot be read: the same to a reader.
    return null;
  }
}

function listInside(folders: Folders, path: string): readonly string[] {
  try {
    const real = folders.folder(path);
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
function versionsInside(folders: Folders, path: string): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  try {
    const real = folders.folder(path);
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

/** Where paths of the tree really are. Of folders that is found out once: many files stand in each. */
class Folders {
  private readonly known = new Map<string, string | null>();

  constructor(private readonly root: string) {}

  /** Null when there is no such folder, or it or a link on the way to it leads out of the tree. */
  folder(path: string): string | null {
    let real = this.known.get(path);
    if (real === undefined) {
      real = this.real(path);
      this.known.set(path, real);
    }
    return real;
  }

  /** The same for a file, with what it is. */
  file(path: string): { readonly real: string; readonly status: Stats } | null {
    const parts = pathParts(path) ?? [];
    const name = parts.pop();
    const folder = name === undefined ? null : this.folder(parts.join('/'));
    if (name === undefined || folder === null) return null;
    const place = join(folder, name);
    const status = lstatSync(place, { throwIfNoEntry: false });
    if (status === undefined) return null;
    if (!status.isSymbolicLink()) return { real: place, status };
    const real = this.real(path);
    return real === null ? null : { real, status: statSync(real) };
  }

  private real(path: string): string | null {
    const parts = pathParts(path);
    if (parts === null) return null;
    try {
      const { root } = this;
      const real = realpathSync(join(root, ...parts));
      return real === root || real.startsWith(root.endsWith(sep) ? root : root + sep) ? real : null;
    } catch {
      return null;
    }
  }
}
