import { execFileSync } from 'node:child_process';
import { posix } from 'node:path';
import { fileText, maxFileBytes, pathParts, sortedNames } from './file-text.js';
import { requireKernel } from './kernel-check.js';
import { SourceError, type Tree } from './snapshot.js';

/**
 * One revision of a git repository, read from its objects without a checkout. `dir` is the top of the work tree or any
 * folder of the repository; paths count from the top. Throws SourceError `git` when there is no such revision or no git,
 * and `not-a-kernel`.
 */
export function openRevision(dir: string, revision: string): Tree {
  const id = treeId(dir, revision);
  const tree = new GitTree(dir, id);
  requireKernel(tree, `${dir} at ${revision}`);
  return tree;
}

interface Entry {
  readonly kind: 'file' | 'folder' | 'link';
  readonly id: string;
  readonly size: number;
}

/** Rings of includes to fetch ahead. */
const maxRings = 20;

const noEntries: ReadonlyMap<string, Entry> = new Map();

class GitTree implements Tree {
  readonly #dir: string;
  readonly #root: string;
  readonly #folders = new Map<string, ReadonlyMap<string, Entry>>();
  readonly #texts = new Map<string, string | null>();
  readonly #wereRead = new Set<string>();
  /** Architectures that were asked for; `<asm/…>` is looked for in each. */
  readonly #arches = new Set<string>();

  constructor(dir: string, root: string) {
    this.#dir = dir;
    this.#root = root;
  }

  read(path: string): string | null {
    let text = this.#texts.get(path);
    if (text === undefined) {
      text = this.#readEntry(path, 10);
      this.#texts.set(path, text);
    }
    if (text !== null && !this.#wereRead.has(path)) {
      this.#wereRead.add(path);
      const arch = /^arch\/\w+\//.exec(path)?.[0];
      if (arch !== undefined) this.#arches.add(arch);
      if (/\.[chS]$/.test(path)) this.#readAhead(path, text);
    }
    return text;
  }

  /**
   * Who reads a C file reads what it includes next, and what that includes. One git process for many files is far faster
   * than one for each, so they are fetched ring by ring. Names that are no files here cost nothing.
   */
  #readAhead(path: string, text: string): void {
    let ring: readonly (readonly [string, string])[] = [[path, text]];
    for (let round = 0; round < maxRings; round++) {
      const wanted = new Map<string, string>();
      for (const [from, content] of ring) {
        for (const name of includedPaths(from, content, this.#arches)) {
          const entry = this.#texts.has(name) ? undefined : this.#entry(name);
          if (entry?.kind === 'file' && entry.size <= maxFileBytes) wanted.set(name, entry.id);
        }
      }
      if (wanted.size === 0) return;
      ring = this.#readAll(wanted);
    }
  }

  #readAll(wanted: ReadonlyMap<string, string>): readonly (readonly [string, string])[] {
    const output = git(this.#dir, ['cat-file', '--batch'], `${[...wanted.values()].join('\n')}\n`);
    const read: [string, string][] = [];
    let at = 0;
    for (const path of wanted.keys()) {
      const end = output.indexOf(0x0a, at);
      const size = Number(/^[0-9a-f]+ blob (\d+)$/.exec(output.toString('latin1', at, end))?.[1]);
      if (end < 0 || !Number.isInteger(size))
        throw new SourceError('git', `${this.#dir}: git cat-file gave no file for ${path}`);
      const text = fileText(output.subarray(end + 1, end + 1 + size));
      this.#texts.set(path, text);
      if (text !== null) read.push([path, text]);
      at = end + size + 2;
    }
    return read;
  }

  #entry(path: string): Entry | undefined {
    const parts = pathParts(path);
    const name = parts?.at(-1);
    return parts === null || name === undefined ? undefined : this.#folder(parts.slice(0, -1)).get(name);
  }

  list(path: string): readonly string[] {
    const parts = pathParts(path);
    if (parts === null) return [];
    return sortedNames(
      Array.from(this.#folder(parts), ([name, { kind }]) => (kind === 'folder' ? `${name}/` : name)),
    );
  }

  #readEntry(path: string, linksLeft: number): string | null {
    const parts = pathParts(path);
    const entry = this.#entry(path);
    if (parts === null || entry === undefined || entry.kind === 'folder' || entry.size > maxFileBytes)
      return null;
    const bytes = git(this.#dir, ['cat-file', 'blob', entry.id]);
    if (entry.kind === 'file') return fileText(bytes);
    const target = posix.join(parts.slice(0, -1).join('/'), bytes.toString('utf8'));
    return linksLeft === 0 || bytes[0] === 0x2f ? null : this.#readEntry(target, linksLeft - 1);
  }

  #folder(parts: readonly string[]): ReadonlyMap<string, Entry> {
    const path = parts.join('/');
    let entries = this.#folders.get(path);
    if (entries === undefined) {
      const name = parts.at(-1);
      const id = name === undefined ? this.#root : this.#folderId(parts.slice(0, -1), name);
      entries = id === null ? noEntries : this.#entries(id);
      this.#folders.set(path, entries);
    }
    return entries;
  }

  #folderId(parent: readonly string[], name: string): string | null {
    const entry = this.#folder(parent).get(name);
    return entry?.kind === 'folder' ? entry.id : null;
  }

  #entries(id: string): ReadonlyMap<string, Entry> {
    const entries = new Map<string, Entry>();
    for (const line of git(this.#dir, ['ls-tree', '-z', '-l', '--full-tree', id])
      .toString('utf8')
      .split('\0')) {
      const [, mode, type, object, size, name] = /^(\d+) (\w+) ([0-9a-f]+) +(-|\d+)\t(.+)$/s.exec(line) ?? [];
      if (type === undefined || object === undefined || name === undefined || type === 'commit') continue;
      const kind = type === 'tree' ? 'folder' : mode === '120000' ? 'link' : 'file';
      entries.set(name, { kind, id: object, size: Number(size) || 0 });
    }
    return entries;
  }
}

/** Where a file's includes may lie; more names than there are files. */
function includedPaths(path: string, text: string, arches: ReadonlySet<string>): string[] {
  const paths: string[] = [];
  for (const [, open, name = ''] of text.matchAll(
    /^[ \t]*#[ \t]*include[ \t]*([<"])([^\s<>"]{1,200})[>"]/gm,
  )) {
    if (open === '"') paths.push(posix.join(posix.dirname(path), name));
    else if (!name.startsWith('asm/')) paths.push(`include/${name}`);
    else
      paths.push(
        `include/asm-generic/${name.slice(4)}`,
        ...Array.from(arches, (arch) => `${arch}include/${name}`),
      );
  }
  return paths;
}

function treeId(dir: string, revision: string): string {
  try {
    return git(dir, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{tree}`])
      .toString('utf8')
      .trim();
  } catch (error) {
    if (error instanceof SourceError) throw error;
    throw new SourceError('git', `${dir}: no revision ${JSON.stringify(revision)} in a git repository here`);
  }
}

/** Runs git for reading only: no locks, no questions, nothing fetched. */
function git(dir: string, args: readonly string[], input = ''): Buffer {
  try {
    return execFileSync('git', ['-C', dir, ...args], {
      maxBuffer: 256 * 1024 * 1024,
      stdio: ['pipe', 'pipe', 'pipe'],
      input,
      env: {
        ...process.env,
        GIT_OPTIONAL_LOCKS: '0',
        GIT_TERMINAL_PROMPT: '0',
        GIT_NO_LAZY_FETCH: '1',
        LC_ALL: 'C',
      },
    });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new SourceError('git', `git cannot be run in ${dir}: is it installed, and is this a folder?`);
    }
    if (args[0] === 'rev-parse') throw error;
    throw new SourceError('git', `${dir}: git ${args[0] ?? ''} failed`);
  }
}
