/** Git objects made in memory, with their real ids, so that the API and a git client see the same commits. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';

export type Files = Readonly<Record<string, string>>;

export interface TreeEntry {
  readonly path: string;
  readonly mode: string;
  readonly type: 'blob' | 'tree';
  readonly sha: string;
  readonly size: number;
}

export interface Commit {
  readonly sha: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly files: Files;
}

export class GitObjects {
  readonly raw = new Map<string, Buffer>();
  readonly blobs = new Map<string, string>();
  readonly trees = new Map<string, readonly TreeEntry[]>();
  readonly commits = new Map<string, Commit>();

  commit(files: Files, parents: readonly string[] = []): string {
    const tree = this.#tree(Object.entries(files), 0);
    const who = 'Ada Example <ada@example.org> 1700000000 +0000';
    const lines = [`tree ${tree}`, ...parents.map((p) => `parent ${p}`), `author ${who}`, `committer ${who}`];
    const sha = this.#store('commit', Buffer.from(`${lines.join('\n')}\n\nsubject\n`));
    this.commits.set(sha, { sha, tree, parents, files });
    return sha;
  }

  /** The nearest commit that both have. */
  mergeBase(a: string, b: string): string | null {
    const ours = new Set(this.#ancestors(a));
    return this.#ancestors(b).find((sha) => ours.has(sha)) ?? null;
  }

  #ancestors(sha: string): string[] {
    const found: string[] = [];
    for (const queue = [sha]; queue.length > 0; ) {
      const next = queue.shift() ?? '';
      found.push(next);
      queue.push(...(this.commits.get(next)?.parents ?? []));
    }
    return found;
  }

  /** Writes everything into a bare repository. */
  write(folder: string): void {
    for (const [sha, bytes] of this.raw) {
      mkdirSync(join(folder, 'objects', sha.slice(0, 2)), { recursive: true });
      writeFileSync(join(folder, 'objects', sha.slice(0, 2), sha.slice(2)), deflateSync(bytes));
    }
  }

  #tree(files: readonly (readonly [string, string])[], depth: number): string {
    const groups = new Map<string, (readonly [string, string])[]>();
    for (const file of files) {
      const parts = file[0].split('/');
      const name = parts[depth] ?? '';
      const key = parts.length === depth + 1 ? name : `${name}/`;
      groups.set(key, [...(groups.get(key) ?? []), file]);
    }
    // Git sorts folders as if their name ended in a slash.
    const entries = [...groups]
      .sort(([a], [b]) => (Buffer.from(a) < Buffer.from(b) ? -1 : 1))
      .map(([key, inside]): TreeEntry => {
        const [first] = inside;
        if (key.endsWith('/'))
          return {
            path: key.slice(0, -1),
            mode: '040000',
            type: 'tree',
            sha: this.#tree(inside, depth + 1),
            size: 0,
          };
        const text = first?.[1] ?? '';
        const sha = this.#store('blob', Buffer.from(text));
        this.blobs.set(sha, text);
        return { path: key, mode: '100644', type: 'blob', sha, size: Buffer.byteLength(text) };
      });
    const body = Buffer.concat(
      entries.map((entry) =>
        Buffer.concat([
          Buffer.from(`${entry.mode.replace(/^0/, '')} ${entry.path}\0`),
          Buffer.from(entry.sha, 'hex'),
        ]),
      ),
    );
    const sha = this.#store('tree', body);
    this.trees.set(sha, entries);
    return sha;
  }

  #store(type: string, body: Buffer): string {
    const bytes = Buffer.concat([Buffer.from(`${type} ${body.length}\0`), body]);
    const sha = createHash('sha1').update(bytes).digest('hex');
    this.raw.set(sha, bytes);
    return sha;
  }
}
