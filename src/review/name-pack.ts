/**
 * The names of many files in one piece of memory that needs no decoding: a question reads the few bytes that answer it.
 * Bytes in, bytes out; a file format of its own, named by `PACK_FORMAT`.
 */
import type { FileNames } from '#c/file-names.js';

/** Part of every key that a pack is kept under: packs of another format are never read. */
export const PACK_FORMAT = 'names 1';

export interface PackedFile {
  readonly path: string;
  /** Stands for what the file holds; empty: nobody can tell. */
  readonly version: string;
}

/** A file and what a name is in it (`c/file-names.ts`). */
export interface NameUse {
  readonly path: string;
  readonly what: number;
}

const NUMBERS = 4;
const WHAT_BITS = 3;

export class NamePack {
  private readonly decoder = new TextDecoder('latin1');

  private constructor(
    readonly files: readonly PackedFile[],
    private readonly names: Uint8Array,
    /** Where each name starts in `names`, and one more. */
    private readonly starts: Uint32Array,
    /** Where the uses of each name start in `uses`, and one more. */
    private readonly firsts: Uint32Array,
    /** File number and what the name is there. */
    private readonly uses: Uint32Array,
  ) {}

  /** Null when the bytes are no pack. */
  static decode(bytes: Uint8Array): NamePack | null {
    if (bytes.length < NUMBERS * 4) return null;
    const [fileBytes = 0, nameBytes = 0, count = 0, useCount = 0] = new Uint32Array(
      bytes.buffer,
      bytes.byteOffset,
      NUMBERS,
    );
    let at = NUMBERS * 4;
    if (bytes.length !== at + padded(fileBytes) + padded(nameBytes) + 8 * (count + 1) + 4 * useCount)
      return null;
    const files = parseFiles(new TextDecoder().decode(bytes.subarray(at, at + fileBytes)));
    if (files === null) return null;
    at += padded(fileBytes);
    const names = bytes.subarray(at, at + nameBytes);
    at += padded(nameBytes);
    const words = (length: number): Uint32Array => {
      const part = new Uint32Array(bytes.buffer, bytes.byteOffset + at, length);
      at += 4 * length;
      return part;
    };
    return new NamePack(files, names, words(count + 1), words(count + 1), words(useCount));
  }

  /** Where the name occurs, in the order of the files. */
  find(name: string): NameUse[] {
    let low = 0;
    let high = this.starts.length - 2;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const other = this.name(middle);
      if (other === name) return this.usesOf(middle);
      if (other < name) low = middle + 1;
      else high = middle - 1;
    }
    return [];
  }

  /** All names with all their uses. */
  *all(): IterableIterator<readonly [string, readonly NameUse[]]> {
    for (let n = 0; n + 1 < this.starts.length; n++) yield [this.name(n), this.usesOf(n)];
  }

  private name(n: number): string {
    return this.decoder.decode(this.names.subarray(this.starts[n], this.starts[n + 1]));
  }

  private usesOf(n: number): NameUse[] {
    const found: NameUse[] = [];
    for (const use of this.uses.subarray(this.firsts[n], this.firsts[n + 1])) {
      const file = this.files[use >>> WHAT_BITS];
      if (file !== undefined) found.push({ path: file.path, what: use & ((1 << WHAT_BITS) - 1) });
    }
    return found;
  }
}

/** Names outside Latin-1 are left out: C of the kernel has none. */
const PLAIN = /^[\x20-\xff]+$/;

/** Packs files, with `rest` for those whose names come from a pack that is there already. */
export function encodePack(
  files: readonly (PackedFile & { readonly names: FileNames | null })[],
  rest: NamePack | null,
): Uint8Array {
  /** Those whose names come from the pack that is there. */
  const taken = new Map<string, number>();
  const uses = new Map<string, number[]>();
  const add = (name: string, file: number, what: number): void => {
    const word = (file << WHAT_BITS) | what;
    const known = uses.get(name);
    if (known !== undefined) known.push(word);
    else if (PLAIN.test(name)) uses.set(name, [word]);
  };
  files.forEach(({ path, names }, file) => {
    if (names === null) taken.set(path, file);
  });
  if (rest !== null && taken.size > 0)
    for (const [name, found] of rest.all())
      for (const { path, what } of found) {
        const file = taken.get(path);
        if (file !== undefined) add(name, file, what);
      }
  files.forEach(({ names }, file) => {
    for (const [name, what] of names ?? []) add(name, file, what);
  });

  // In the order of their characters' codes, as `find` looks for them.
  const sorted = [...uses.keys()].sort();
  const listed = new TextEncoder().encode(JSON.stringify(files.map(({ path, version }) => [path, version])));
  const nameBytes = sorted.reduce((sum, name) => sum + name.length, 0);
  const useCount = sorted.reduce((sum, name) => sum + (uses.get(name)?.length ?? 0), 0);
  const head = NUMBERS * 4;
  const bytes = new Uint8Array(
    head + padded(listed.length) + padded(nameBytes) + 8 * (sorted.length + 1) + 4 * useCount,
  );
  new Uint32Array(bytes.buffer, 0, NUMBERS).set([listed.length, nameBytes, sorted.length, useCount]);
  bytes.set(listed, head);
  let at = head + padded(listed.length);
  Buffer.from(bytes.buffer, at, nameBytes).write(sorted.join(''), 'latin1');
  at += padded(nameBytes);
  const starts = new Uint32Array(bytes.buffer, at, sorted.length + 1);
  const firsts = new Uint32Array(bytes.buffer, at + 4 * (sorted.length + 1), sorted.length + 1);
  const words = new Uint32Array(bytes.buffer, at + 8 * (sorted.length + 1), useCount);
  let start = 0;
  let first = 0;
  for (let n = 0; n < sorted.length; n += 1) {
    const name = sorted[n] as string;
    starts[n] = start;
    firsts[n] = first;
    start += name.length;
    const own = uses.get(name) ?? [];
    if (own.length > 1) own.sort((a, b) => a - b);
    for (const word of own) {
      words[first] = word;
      first += 1;
    }
  }
  starts[sorted.length] = start;
  firsts[sorted.length] = first;
  return bytes;
}

const padded = (length: number): number => (length + 3) & ~3;

function parseFiles(text: string): readonly PackedFile[] | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!Array.isArray(value)) return null;
  const files: PackedFile[] = [];
  for (const one of value as readonly unknown[]) {
    const [path, version]: readonly unknown[] = Array.isArray(one) ? one : [];
    if (typeof path !== 'string' || typeof version !== 'string') return null;
    files.push({ path, version });
  }
  return files;
}
