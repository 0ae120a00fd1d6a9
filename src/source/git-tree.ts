import { isSource, pathParts, sortedNames } from './file-text.js';
import { gitOutput, runGit } from './git-command.js';
import { GitObjects, type TreeEntry } from './git-objects.js';
import { requireKernel } from './kernel-check.js';
import { SourceError, type Tree, type TreeVersions } from './snapshot.js';

/**
 * One revision of a git repository, read from its objects without a checkout. `dir` is a bare repository, the top of a
 * work tree or any folder of it; paths count from the top. Throws SourceError `git` when there is no such revision or no
 * git, and `not-a-kernel`.
 */
export function openRevision(dir: string, revision: string): Tree {
  const id = idOf(dir, `${revision}^{tree}`);
  if (id === null)
    throw new SourceError('git', `${dir}: no revision ${JSON.stringify(revision)} in a git repository here`);
  const tree = new GitTree(new GitObjects(dir), id);
  requireKernel(tree, `${dir} at ${revision}`);
  return tree;
}

/** The object that a revision names; null when there is none. Throws SourceError `git` where git cannot be run. */
export function idOf(dir: string, revision: string): string | null {
  const { status, bytes } = runGit(dir, ['rev-parse', '--verify', '--quiet', '--end-of-options', revision]);
  return status === 0 ? bytes.toString('utf8').trim() : null;
}

/** Is the folder in a git repository, or one without a work tree? */
export function isRepository(dir: string): boolean {
  return runGit(dir, ['rev-parse', '--git-dir']).status === 0;
}

/** Was the history cut off when the repository was cloned? */
export function isShallow(dir: string): boolean {
  return gitOutput(dir, ['rev-parse', '--is-shallow-repository']).toString('utf8').trim() === 'true';
}

/** Symbolic links on the way to one file. */
const mostLinks = 40;

/** The files below one tree object. It keeps nothing itself: many revisions share what `objects` keeps. */
export class GitTree implements Tree {
  readonly #objects: GitObjects;
  readonly #root: string;
  readonly versions: TreeVersions;

  constructor(objects: GitObjects, root: string) {
    this.#objects = objects;
    this.#root = root;
    // git's ids name contents wherever they are; those of one repository are found again together.
    this.versions = {
      place: `git ${objects.place}`,
      folder: (path) => {
        const entry = this.#resolve(path);
        return entry?.kind === 'folder' ? entry.id : null;
      },
      files: (path) => this.#files(path),
    };
  }

  read(path: string): string | null {
    const entry = this.#resolve(path);
    return entry?.kind === 'file' ? this.#objects.text(entry.id) : null;
  }

  list(path: string): readonly string[] {
    const entry = this.#resolve(path);
    if (entry?.kind !== 'folder') return [];
    const names: string[] = [];
    for (const [name, { kind }] of this.#objects.entries(entry.id))
      if (kind !== 'submodule') names.push(kind === 'folder' ? `${name}/` : name);
    return sortedNames(names);
  }

  #files(path: string): ReadonlyMap<string, string> {
    const entry = this.#resolve(path);
    const files = new Map<string, string>();
    if (entry?.kind !== 'folder') return files;
    for (const [name, { kind, id }] of this.#objects.entries(entry.id)) {
      if (kind === 'folder') files.set(`${name}/`, id);
      else if (kind === 'file' && isSource(name)) files.set(name, id);
    }
    return files;
  }

  /** Follows links as the file system would, but never out of the tree. */
  #resolve(path: string): TreeEntry | null {
    const parts = pathParts(path);
    if (parts === null) return null;
    const left = parts.toReversed();
    const folders: string[] = [this.#root];
    let links = 0;
    for (let part = left.pop(); part !== undefined; part = left.pop()) {
      const folder = folders.at(-1);
      if (folder === undefined) return null;
      if (part === '..') {
        folders.pop();
        continue;
      }
      const entry = this.#objects.entries(folder).get(part);
      if (entry === undefined || entry.kind === 'submodule') return null;
      if (entry.kind === 'file') return left.length === 0 ? entry : null;
      if (entry.kind === 'folder') {
        folders.push(entry.id);
        continue;
      }
      const target = this.#objects.text(entry.id);
      if (target === null || target.startsWith('/') || ++links > mostLinks) return null;
      left.push(
        ...target
          .split('/')
          .filter((name) => name !== '' && name !== '.')
          .toReversed(),
      );
    }
    const id = folders.at(-1);
    return id === undefined ? null : { kind: 'folder', id };
  }
}
