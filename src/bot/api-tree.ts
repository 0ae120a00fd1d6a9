/** The files of one commit, read through GitHub's API one blob at a time, as they are asked for. */
import { posix } from 'node:path';
import { fileText, maxFileBytes, pathParts, sortedNames } from '#source/file-text.js';
import type { Requests } from './github-client.js';
import { statusOf } from './github-error.js';
import { includedPaths } from './included-paths.js';
import type { ObjectCache } from './object-cache.js';

export interface Repository {
  readonly owner: string;
  readonly repo: string;
}

/** A tree whose reader can wait. Same answers as `Tree` of `source/`. */
export interface WaitingTree {
  read(path: string): Promise<string | null>;
  list(path: string): Promise<readonly string[]>;
}

interface Entry {
  readonly kind: 'file' | 'folder' | 'link';
  readonly sha: string;
  readonly size: number;
}
type Folder = ReadonlyMap<string, Entry>;

const noEntries: Folder = new Map();
/** As many reads as GitHub bears beside each other without taking it for abuse. */
const MOST_AHEAD = 8;
const MOST_LINKS = 10;

export class ApiTree implements WaitingTree {
  readonly #octokit: Requests;
  readonly #repository: Repository;
  readonly #commit: string;
  readonly #cache: ObjectCache;
  readonly #seen = new Set<string>();
  readonly #arches = new Set<string>();
  readonly #ahead: string[] = [];
  #running = 0;

  /** @param commit any commit that the repository can reach, so also the head of a pull request from a fork */
  constructor(octokit: Requests, repository: Repository, commit: string, cache: ObjectCache) {
    this.#octokit = octokit;
    this.#repository = repository;
    this.#commit = commit;
    this.#cache = cache;
  }

  async read(path: string): Promise<string | null> {
    const text = await this.#readEntry(path, MOST_LINKS);
    this.#seen.add(path);
    if (text !== null) this.#readAhead(path, text);
    return text;
  }

  async list(path: string): Promise<readonly string[]> {
    const parts = pathParts(path);
    if (parts === null) return [];
    const folder = await this.#folder(parts);
    return sortedNames([...folder].map(([name, { kind }]) => (kind === 'folder' ? `${name}/` : name)));
  }

  async #readEntry(path: string, linksLeft: number): Promise<string | null> {
    const parts = pathParts(path);
    const name = parts?.at(-1);
    if (parts === null || name === undefined) return null;
    const entry = (await this.#folder(parts.slice(0, -1))).get(name);
    if (entry === undefined || entry.kind === 'folder' || entry.size > maxFileBytes) return null;
    const text = await this.#blob(entry.sha);
    if (entry.kind === 'file' || text === null) return text;
    if (linksLeft === 0 || text.startsWith('/')) return null;
    return this.#readEntry(posix.join(parts.slice(0, -1).join('/'), text), linksLeft - 1);
  }

  #blob(sha: string): Promise<string | null> {
    return this.#cache.get(
      `blob ${sha}`,
      async () => {
        const { data } = await this.#octokit.request('GET /repos/{owner}/{repo}/git/blobs/{file_sha}', {
          ...this.#repository,
          file_sha: sha,
        });
        return fileText(Buffer.from(data.content, data.encoding === 'base64' ? 'base64' : 'utf8'));
      },
      (text) => (text?.length ?? 0) * 2,
    );
  }

  async #folder(parts: readonly string[]): Promise<Folder> {
    const name = parts.at(-1);
    if (name === undefined) return this.#entries(await this.#root());
    const entry = (await this.#folder(parts.slice(0, -1))).get(name);
    return entry?.kind === 'folder' ? this.#entries(entry.sha) : noEntries;
  }

  #root(): Promise<string> {
    return this.#cache.get(
      `commit ${this.#commit}`,
      async () => {
        const { data } = await this.#octokit.request('GET /repos/{owner}/{repo}/git/commits/{commit_sha}', {
          ...this.#repository,
          commit_sha: this.#commit,
        });
        return data.tree.sha;
      },
      () => 100,
    );
  }

  #entries(sha: string): Promise<Folder> {
    return this.#cache.get(
      `tree ${sha}`,
      async () => {
        const { data } = await this.#octokit.request('GET /repos/{owner}/{repo}/git/trees/{tree_sha}', {
          ...this.#repository,
          tree_sha: sha,
        });
        return new Map(
          data.tree.flatMap((item): [string, Entry][] => {
            if (item.type === 'commit') return [];
            const kind = item.type === 'tree' ? 'folder' : item.mode === '120000' ? 'link' : 'file';
            return [[item.path, { kind, sha: item.sha, size: item.size ?? 0 }]];
          }),
        );
      },
      (folder) => folder.size * 150,
    );
  }

  /** Who reads a C file is likely to read what it includes next. One ring only: each file costs a request. */
  #readAhead(path: string, text: string): void {
    const arch = /^arch\/\w+\//.exec(path)?.[0];
    if (arch !== undefined) this.#arches.add(arch);
    if (!/\.[chS]$/.test(path)) return;
    for (const name of includedPaths(path, text, this.#arches)) {
      if (this.#seen.has(name)) continue;
      this.#seen.add(name);
      this.#ahead.push(name);
    }
    this.#pump();
  }

  #pump(): void {
    while (this.#running < MOST_AHEAD) {
      const path = this.#ahead.shift();
      if (path === undefined) return;
      this.#running += 1;
      this.#readEntry(path, MOST_LINKS)
        // Whoever needs the file asks again and is told.
        .catch(() => null)
        .finally(() => {
          this.#running -= 1;
          this.#pump();
        });
    }
  }

  /** Fetches ahead no more. */
  close(): void {
    this.#ahead.length = 0;
  }
}

/** A file of a branch or commit by its path, or null where there is none. */
export async function readContent(
  octokit: Requests,
  repository: Repository,
  ref: string,
  path: string,
): Promise<string | null> {
  try {
    const { data } = await octokit.request('GET /repos/{owner}/{repo}/contents/{path}', {
      ...repository,
      path,
      ref,
    });
    if (Array.isArray(data) || data.type !== 'file') return null;
    return fileText(Buffer.from(data.content, 'base64'));
  } catch (error) {
    if (statusOf(error) === 404) return null;
    throw error;
  }
}
