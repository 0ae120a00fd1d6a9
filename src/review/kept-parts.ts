/**
 * What a file of a scan or a patch showed, kept until something changes that it was worked out from: texts, names in
 * folders, and which files use a name. It is put away when the part is done, so that a run which was stopped goes on
 * from there.
 */
import { createHash } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import type { Cache } from '#source/cache-folder.js';
import type { PatchedState, Tree } from '#source/snapshot.js';
import type { ReviewPart } from './join-parts.js';
import type { NameUse } from './name-pack.js';
import type { TreeIndexes } from './tree-index.js';

/** One answer of a tree: what was asked, and what stands for what it said. */
type Answer = readonly [question: string, digest: string];

/** What one tree was asked. */
interface Notes {
  readonly reads: readonly Answer[];
  readonly lists: readonly Answer[];
}

interface Entry {
  /** Of each tree. */
  readonly notes: readonly Notes[];
  /** Of the last tree. The question is a folder, a line's end, and a name. */
  readonly names: readonly Answer[];
  readonly part: ReviewPart;
}

export class KeptParts {
  /** The trees in the order that they came in: what is asked of them is noted for the part that is worked out. */
  readonly trees: readonly Tree[];
  private readonly noted: readonly NotingTree[];
  private readonly names = new Map<string, string>();

  /**
   * @param task stands for everything but the trees that a result depends on: rules, code, machines, limits
   */
  constructor(
    private readonly cache: Cache,
    trees: readonly Tree[],
    private readonly indexes: TreeIndexes,
    private readonly task: string,
  ) {
    this.noted = trees.map((tree) => new NotingTree(tree));
    this.trees = this.noted.map(({ tree }) => tree);
  }

  /** To be told of every answer of the last tree's index while the part is worked out (`Kept.onNames`). */
  readonly noteNames = (folder: string, name: string, uses: readonly NameUse[]): void => {
    this.names.set(`${folder}\n${name}`, usesDigest(uses));
  };

  /** What the part showed the last time, if that is what it would show now; else from here on is noted. */
  find(name: string): ReviewPart | null {
    const bytes = this.cache.get(this.keyOf(name));
    const entry = bytes === null ? null : decode(bytes);
    for (const tree of this.noted) tree.startOver();
    this.names.clear();
    return entry !== null && this.holds(entry) ? entry.part : null;
  }

  /** Puts away what the part showed. What a slow computer did not come to is tried again the next time. */
  keep(name: string, part: ReviewPart): void {
    if (part.patch.undecided.some(({ reason }) => reason.startsWith('time-limit'))) return;
    const notes = this.noted.map((tree) => tree.notes());
    this.cache.put(this.keyOf(name), serialize({ notes, names: [...this.names], part } satisfies Entry));
  }

  /** Stands for the text of a file in the last tree. */
  textOf(path: string): string {
    return this.noted.at(-1)?.textDigest(path) ?? '';
  }

  private holds({ notes, names }: Entry): boolean {
    if (notes.length !== this.noted.length) return false;
    if (!notes.every((of, n) => this.noted[n]?.holds(of) === true)) return false;
    const last = this.trees.at(-1);
    if (names.length === 0 || last === undefined) return true;
    const index = this.indexes.of(last);
    return (
      index !== null &&
      names.every(([question, was]) => {
        const [folder = '', name = ''] = question.split('\n');
        return usesDigest(index.inFolder(folder, name)) === was;
      })
    );
  }

  private readonly keyOf = (name: string): string => ['part', name, this.task].join('\n');
}

/** A tree that notes what it is asked. */
class NotingTree {
  readonly tree: Tree;
  private readonly reads = new Map<string, string>();
  private readonly lists = new Map<string, string>();
  private readonly digests = new Map<string, string>();

  constructor(private readonly base: Tree) {
    this.tree = {
      read: (path) => {
        const text = base.read(path);
        if (!this.reads.has(path)) this.reads.set(path, this.digestOf(path, text));
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
  }

  startOver(): void {
    this.reads.clear();
    this.lists.clear();
  }

  notes(): Notes {
    return { reads: [...this.reads], lists: [...this.lists] };
  }

  holds({ reads, lists }: Notes): boolean {
    return (
      reads.every(([path, was]) => this.textDigest(path) === was) &&
      lists.every(([path, was]) => digest(this.base.list(path).join('\n')) === was)
    );
  }

  textDigest(path: string): string {
    return this.digests.get(path) ?? this.digestOf(path, this.base.read(path));
  }

  /** Of the text that the tree gives for the path, once: what it gave stays so. */
  private digestOf(path: string, text: string | null): string {
    let known = this.digests.get(path);
    if (known === undefined) {
      known = text === null ? 'none' : digest(text);
      this.digests.set(path, known);
    }
    return known;
  }
}

/** A patch of a series with what was kept of its review, if that still holds; else it is to be reviewed and kept. */
export interface KeptPatch {
  readonly known: ReviewPart | null;
  /** The series with the patch's trees in it that note what they are asked. */
  readonly states: readonly PatchedState[];
  readonly noteNames: KeptParts['noteNames'];
  readonly keep: (part: ReviewPart) => void;
}

/** Throws when there is no such patch. `task` as for KeptParts. */
export function keptPatch(
  states: readonly PatchedState[],
  index: number,
  cache: Cache,
  indexes: TreeIndexes,
  task: string,
): KeptPatch {
  const state = states[index];
  if (state === undefined) throw new Error(`no patch ${index}: the caller counts them`);
  const { before, after, ...rest } = state;
  const parts = new KeptParts(cache, [before, after], indexes, task);
  const name = digest(JSON.stringify(rest, (_, value) => (value instanceof Map ? [...value] : value)));
  const known = parts.find(name);
  const [noting = before, over = after] = parts.trees;
  return {
    known,
    states: states.map((one) => (one === state ? { ...state, before: noting, after: over } : one)),
    noteNames: parts.noteNames,
    keep: (part) => parts.keep(name, part),
  };
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
