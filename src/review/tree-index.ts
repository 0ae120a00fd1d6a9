/**
 * Which files of a tree use a name: asked for the callers of a function in other files. Groups of folders are read when
 * a question first needs them, and only what changed since it was last known is read again. Its answers name files to
 * read; what stands in them is for who asks to see.
 */
import { DECLARED, DEFINED, type FileNames, namesOfFile, USED } from '#c/file-names.js';
import type { Cache } from '#source/cache-folder.js';
import type { Tree, TreeVersions } from '#source/snapshot.js';
import { encodePack, NamePack, type NameUse, PACK_FORMAT } from './name-pack.js';

/** Folders with code of all architectures that may use what page-table code gives others, and headers. */
const HEADERS = ['include/linux', 'include/asm-generic'];
const GENERIC = ['mm', 'kernel', 'virt', 'fs'];
const DRIVERS = [
  'drivers/iommu',
  'drivers/xen',
  'drivers/vfio',
  'drivers/dax',
  'drivers/android',
  'drivers/virt',
  'drivers/firmware/efi',
  'drivers/misc/sgi-gru',
  'drivers/gpu/drm/ttm',
  'drivers/gpu/drm/i915/gem',
];
const SEARCHED = [...HEADERS, ...GENERIC, ...DRIVERS];

/** Files whose names were read anew before it pays to write them down. */
const WORTH_KEEPING = 24;
/** More files than any group of a kernel has. */
const MOST_FILES = 20_000;
const MOST_DEPTH = 12;

/** A group of files, as it was found somewhere: another tree's differs in a few of them. */
interface Group {
  /** As the tree calls all of it, where it does. */
  readonly folder: string | null;
  readonly versions: ReadonlyMap<string, string>;
  readonly pack: NamePack | null;
  /** Names of files that the pack has otherwise or not at all. */
  readonly newer: ReadonlyMap<string, FileNames>;
}

/** The indexes of all trees of one review. */
export class TreeIndexes {
  private readonly indexes = new WeakMap<Tree, TreeIndex>();
  /** By place and folder, the group that was asked for last. */
  private readonly groups = new Map<string, Group>();

  private readonly names = new NamesOfTexts();

  constructor(private readonly cache: Cache | null) {}

  /** Null for a tree whose files cannot be listed with their versions. */
  of(tree: Tree): TreeIndex | null {
    let index = this.indexes.get(tree);
    if (index === undefined) {
      const made = this.make(tree);
      if (made === null) return null;
      index = made;
      this.indexes.set(tree, index);
    }
    return index;
  }

  private make(tree: Tree): TreeIndex | null {
    if (tree.over !== undefined) {
      const base = this.of(tree.over.base);
      return base === null ? null : new OverIndex(base, tree.over.texts, this.names);
    }
    const { versions } = tree;
    if (versions === undefined) return null;
    return new PlainIndex((folder) => this.group(tree, versions, folder));
  }

  private group(tree: Tree, versions: TreeVersions, folder: string): Group {
    const key = `${PACK_FORMAT}\n${versions.place}\n${folder}`;
    let known = this.groups.get(key) ?? null;
    const whole = versions.folder(folder);
    if (known !== null && whole !== null && known.folder === whole) return known;
    known ??= this.kept(key);
    if (known !== null && whole !== null && known.folder === whole) {
      this.groups.set(key, known);
      return known;
    }
    const group = this.renew(tree, versions, folder, whole, known, key);
    this.groups.set(key, group);
    return group;
  }

  /** What an earlier run wrote down. The first entry of the list stands for the folder as a whole. */
  private kept(key: string): Group | null {
    const bytes = this.cache?.get(key) ?? null;
    const pack = bytes === null ? null : NamePack.decode(bytes);
    if (pack === null) return null;
    const own = new Map(pack.files.map(({ path, version }) => [path, version]));
    const folder = own.get('') ?? '';
    own.delete('');
    return { folder: folder === '' ? null : folder, versions: own, pack, newer: new Map() };
  }

  /** The group as this tree has it: what did not change is taken from how it was known. */
  private renew(
    tree: Tree,
    versions: TreeVersions,
    folder: string,
    whole: string | null,
    known: Group | null,
    key: string,
  ): Group {
    const now = versionsBelow(versions, folder);
    const newer = new Map<string, FileNames>();
    let read = 0;
    for (const [path, version] of now) {
      const same = version !== '' && known?.versions.get(path) === version;
      const names = same ? known?.newer.get(path) : namesOfFile(tree.read(path) ?? '');
      if (!same) read += 1;
      if (names !== undefined) newer.set(path, names);
    }
    const group: Group = { folder: whole, versions: now, pack: known?.pack ?? null, newer };
    if (read < WORTH_KEEPING) return group;
    const bytes = encodePack(
      [
        { path: '', version: whole ?? '', names: new Map() },
        ...[...now].map(([path, version]) => ({ path, version, names: newer.get(path) ?? null })),
      ],
      known?.pack ?? null,
    );
    this.cache?.put(key, bytes);
    return { folder: whole, versions: now, pack: NamePack.decode(bytes), newer: new Map() };
  }
}

/** What is known of the names in one tree. */
export interface TreeIndex {
  /** Where the name occurs in a folder of the index, in the order of paths. */
  inFolder(folder: string, name: string): readonly NameUse[];
}

/** The part of the index that a file stands in. */
const ownFolder = (file: string): string | undefined =>
  /^arch\/[^/]+/.exec(file)?.[0] ?? SEARCHED.find((folder) => file.startsWith(`${folder}/`));

/**
 * Files in which a function may be used that stands in `file`, those of one architecture and of all: only where its
 * header can be included. Sorted: files of its own folder first.
 *
 * @param reach `near`: only those of the file's own part of the tree (mm, arch/x86), for which no other is read
 */
export function filesThatUse(
  index: TreeIndex,
  name: string,
  file: string,
  arch: string,
  reach: Reach,
): readonly string[] {
  const arches = [`arch/${arch}`];
  const own = ownFolder(file);
  const isHeader = (path: string): boolean => /(^|\/)include\//.test(path);
  const isPublic = (): boolean =>
    own === undefined ||
    isHeader(file) ||
    [...HEADERS, ...arches].some((folder) =>
      index
        .inFolder(folder, name)
        .some(({ path, what }) => isHeader(path) && (what & (DECLARED | DEFINED | USED)) !== 0),
    );
  const near = own === undefined ? [] : [own];
  const folders = reach === 'tree' && isPublic() ? [...SEARCHED, ...arches] : near;
  const files = folders.flatMap((folder) =>
    index.inFolder(folder, name).flatMap(({ path, what }) => ((what & USED) === 0 ? [] : [path])),
  );
  const beside = file.slice(0, file.lastIndexOf('/') + 1);
  const rank = (path: string): number => (path.startsWith(beside) ? 0 : path.endsWith('.c') ? 1 : 2);
  return [...new Set(files)]
    .filter((path) => path !== file)
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

/** How far callers are looked for: in a file's own part of the tree, or in all of the index. */
export type Reach = 'near' | 'tree';

/** Folders whose functions change page tables, or wait or flush, for code that stands elsewhere. */
const HELPING = ['mm', 'kernel', 'virt'];

/** C files that may define a function that is called in `file`, code of one architecture. */
export function filesThatDefine(
  index: TreeIndex,
  name: string,
  file: string,
  arch: string,
): readonly string[] {
  const own = ownFolder(file);
  return [...new Set([...(own === undefined ? [] : [own]), ...HELPING, `arch/${arch}`])].flatMap((folder) =>
    index
      .inFolder(folder, name)
      .flatMap(({ path, what }) => ((what & DEFINED) !== 0 && path.endsWith('.c') ? [path] : [])),
  );
}

class PlainIndex implements TreeIndex {
  private readonly groups = new Map<string, Group>();

  constructor(private readonly load: (folder: string) => Group) {}

  inFolder(folder: string, name: string): readonly NameUse[] {
    let group = this.groups.get(folder);
    if (group === undefined) {
      group = this.load(folder);
      this.groups.set(folder, group);
    }
    const { versions, newer, pack } = group;
    const uses = (pack?.find(name) ?? []).filter(({ path }) => versions.has(path) && !newer.has(path));
    for (const [path, names] of newer) {
      const what = names.get(name);
      if (what !== undefined) uses.push({ path, what });
    }
    return uses.sort((a, b) => (a.path < b.path ? -1 : 1));
  }
}

/** The index of a tree with some other texts. */
class OverIndex implements TreeIndex {
  constructor(
    private readonly base: TreeIndex,
    private readonly texts: ReadonlyMap<string, string | null>,
    private readonly names: NamesOfTexts,
  ) {}

  inFolder(folder: string, name: string): readonly NameUse[] {
    const uses = this.base.inFolder(folder, name).filter(({ path }) => !this.texts.has(path));
    for (const [path, text] of this.texts) {
      if (text === null || !path.startsWith(`${folder}/`) || !/\.[ch]$/.test(path)) continue;
      const what = this.names.of(text).get(name);
      if (what !== undefined) uses.push({ path, what });
    }
    return uses.sort((a, b) => (a.path < b.path ? -1 : 1));
  }
}

/** Texts whose names are remembered: more files than one series changes. */
const MOST_TEXTS = 512;

/** The names in texts that patches made; of those that were asked for last. */
class NamesOfTexts {
  private readonly known = new Map<string, FileNames>();

  of(text: string): FileNames {
    const names = this.known.get(text) ?? namesOfFile(text);
    this.known.delete(text);
    this.known.set(text, names);
    const [first] = this.known.keys();
    if (this.known.size > MOST_TEXTS && first !== undefined) this.known.delete(first);
    return names;
  }
}

/** The C files below a folder, at any depth, in the order of paths. */
function versionsBelow(versions: TreeVersions, folder: string): Map<string, string> {
  const found: (readonly [string, string])[] = [];
  const walk = (path: string, depth: number): void => {
    for (const [name, version] of versions.files(path)) {
      if (found.length >= MOST_FILES) return;
      if (!name.endsWith('/')) found.push([`${path}/${name}`, version]);
      else if (depth < MOST_DEPTH && !LEFT_OUT.test(name)) walk(`${path}/${name.slice(0, -1)}`, depth + 1);
    }
  };
  walk(folder, 0);
  return new Map(found.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Folders of an architecture that hold no kernel code that is linked in. */
const LEFT_OUT = /^(boot|tools|dts|vdso|crypto|uapi|generated|configs|math-emu|realmode|purgatory)\/$/;
