/**
 * What a scan showed of a file, kept until something changes that it was worked out from: texts, names in folders, and
 * which files use a name. It is put away when the file is done, so that a scan which was stopped goes on from there.
 */
import { createHash } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import type { Cache } from '#source/cache-folder.js';
import type { Tree } from '#source/snapshot.js';
import type { ReviewPart } from './join-parts.js';
import type { Kept } from './session.js';

/** One answer of the tree: what was asked, and what stands for what it said. */
type Answer = readonly [question: string, digest: string];

interface Entry {
  readonly reads: readonly Answer[];
  readonly lists: readonly Answer[];
  /** The question is a folder, a line's end, and a name. */
  readonly names: readonly Answer[];
  readonly part: ReviewPart;
}

export class KeptParts {
  /** The tree to scan: what is asked of it is noted for the file that is being scanned. */
  readonly tree: Tree;
  private readonly reads = new Map<string, string>();
  private readonly lists = new Map<string, string>();
  private readonly names = new Map<string, string>();
  private readonly digests = new Map<string, string>();

  /**
   * @param task stands for everything but the tree that a result depends on: rules, code, machines, limits
   */
  constructor(
    private readonly cache: Cache,
    private readonly base: Tree,
    private readonly kept: Kept,
    private readonly task: string,
  ) {
    this.tree = {
      read: (path) => {
        const text = base.read(path);
        if (!this.reads.has(path)) this.reads.set(path, this.textDigest(path, text));
        return text;
      },
      list: (path) => {
        const names = base.list(path);
        if (!this.lists.has(path)) this.lists.set(path, digest(names.join('\n')));
        return names;
      },
      ...(base.versions === undefined ? {} : { versions: base.versions }),
      ...(base.over === undefined ? {} : { over: base.over }),
    };
    kept.onNames = (folder, name, uses) => {
      this.names.set(`${folder}\n${name}`, usesDigest(uses));
    };
  }

  /** What the file showed when it was scanned last, if that is what it would show now; else from here on is noted. */
  find(file: string): ReviewPart | null {
    const bytes = this.cache.get(this.keyOf(file));
    const entry = bytes === null ? null : decode(bytes);
    for (const noted of [this.reads, this.lists, this.names]) noted.clear();
    return entry !== null && this.holds(entry) ? entry.part : null;
  }

  /** Puts away what the file showed. What a slow computer did not come to is tried again the next time. */
  keep(file: string, part: ReviewPart): void {
    if (part.patch.undecided.some(({ reason }) => reason.startsWith('time-limit'))) return;
    const [reads, lists, names] = [[...this.reads], [...this.lists], [...this.names]];
    this.cache.put(this.keyOf(file), serialize({ reads, lists, names, part } satisfies Entry));
  }

  private holds({ reads, lists, names }: Entry): boolean {
    const { base } = this;
    if (!reads.every(([path, was]) => this.textDigest(path, base.read(path)) === was)) return false;
    if (!lists.every(([path, was]) => digest(base.list(path).join('\n')) === was)) return false;
    if (names.length === 0) return true;
    const index = this.kept.indexes?.of(this.tree) ?? null;
    return (
      index !== null &&
      names.every(([question, was]) => {
        const [folder = '', name = ''] = question.split('\n');
        return usesDigest(index.inFolder(folder, name)) === was;
      })
    );
  }

  private keyOf(file: string): string {
    return ['scanned', file, this.textDigest(file, this.base.read(file)), this.task].join('\n');
  }

  /** Of the text that the tree gives for the path, once: what it gave stays so. */
  private textDigest(path: string, text: string | null): string {
    let known = this.digests.get(path);
    if (known === undefined) {
      known = text === null ? 'none' : digest(text);
      this.digests.set(path, known);
    }
    return known;
  }
}

const digest = (text: string): string => createHash('sha256').update(text).digest('base64');

const usesDigest = (uses: readonly { readonly path: string; readonly what: number }[]): string =>
  digest(uses.map(({ path, what }) => `${path} ${what}`).join('\n'));

/** Null for bytes that are no entry: they are checked for damage before, not for what they hold. */
function decode(bytes: Uint8Array): Entry | null {
  try {
    return deserialize(bytes) as Entry;
  } catch {
    return null;
  }
}
