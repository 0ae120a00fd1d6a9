import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from './usage-error.js';

export interface Input {
  /** As the user named it; `standard input` for `-`. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** The mail box or folder that it was found in. */
  readonly folder?: string;
}

/** No patch series comes near this; what is larger was named by mistake. */
const LARGEST = 256 * 1024 * 1024;
/** Files of one mail box. */
const MOST_FILES = 5_000;

/**
 * Reads what the user named, in order; `-` is standard input, once; a folder is a maildir, a quilt folder (its `series`
 * gives the order) or holds patch files. Throws UsageError with one clear line for other folders, a missing file or an
 * empty input.
 */
export async function readInputs(names: readonly string[]): Promise<readonly Input[]> {
  if (names.filter((n) => n === '-').length > 1) throw new UsageError('- can be named only once');
  const inputs: Input[] = [];
  let left = LARGEST;
  const add = (input: Input): void => {
    left -= input.bytes.length;
    if (left < 0) throw new UsageError(`${input.name}: too large for a patch`);
    inputs.push(input);
  };
  for (const name of names) {
    if (name === '-') {
      add(await readStandardInput());
      continue;
    }
    const files = await filesOf(name);
    if (files === null) add(await readNamed(name, left));
    for (const file of files ?? []) {
      const input = await readNamed(file, left, true);
      if (input.bytes.length > 0) add({ ...input, folder: name });
    }
  }
  return inputs;
}

/** The files that a folder stands for, in order; null for what is no folder. */
async function filesOf(name: string): Promise<readonly string[] | null> {
  const status = await stat(name).catch(() => null);
  if (status === null || !status.isDirectory()) return null;
  const names = await readdir(name);
  const files = await (names.includes('cur') && names.includes('new')
    ? mailsIn(name)
    : patchesIn(name, names));
  if (files.length > MOST_FILES) throw new UsageError(`${name}: more than ${MOST_FILES} files`);
  if (files.length === 0)
    throw new UsageError(`${name}: is a directory, and no maildir or patch files are in it`);
  return files;
}

/** Mails of a maildir, the oldest first as far as their names tell. */
async function mailsIn(folder: string): Promise<string[]> {
  const files: [string, string][] = [];
  for (const part of ['new', 'cur'])
    for (const entry of await readdir(join(folder, part), { withFileTypes: true }))
      if (entry.isFile() && !entry.name.startsWith('.'))
        files.push([entry.name, join(folder, part, entry.name)]);
  return files.toSorted(byNumber).map(([, path]) => path);
}

/** Names of mails start with a time in seconds, those of patches with a number. */
function byNumber([a]: readonly [string, string], [b]: readonly [string, string]): number {
  const [left, right] = [Number.parseInt(a, 10), Number.parseInt(b, 10)];
  if (left !== right && !Number.isNaN(left) && !Number.isNaN(right)) return left - right;
  return a < b ? -1 : a > b ? 1 : 0;
}

async function patchesIn(folder: string, names: readonly string[]): Promise<string[]> {
  if (names.includes('series')) {
    const listed = (await readFile(join(folder, 'series'), 'utf8'))
      .split('\n')
      .map((line) => line.replace(/#.*$/, '').trim().split(/\s/)[0] ?? '')
      .filter((line) => line !== '' && !line.startsWith('/') && !line.split('/').includes('..'));
    if (listed.length > 0) return listed.map((line) => join(folder, line));
  }
  return names
    .filter((name) => /\.(?:patch|diff|eml|mbox|mbx)(?:\.gz)?$/i.test(name))
    .map((name): [string, string] => [name, join(folder, name)])
    .toSorted(byNumber)
    .map(([, path]) => path);
}

async function readNamed(name: string, most: number, mayBeEmpty = false): Promise<Input> {
  const fail = (error: NodeJS.ErrnoException): never => {
    if (error.code === 'ENOENT') throw new UsageError(`${name}: no such file`);
    throw Object.assign(error, { path: name });
  };
  const { size } = await stat(name).catch(fail);
  if (size > most) throw new UsageError(`${name}: too large for a patch`);
  const bytes = await readFile(name).catch(fail);
  if (bytes.length === 0 && !mayBeEmpty) throw new UsageError(`${name}: is empty`);
  return { name, bytes };
}

async function readStandardInput(): Promise<Input> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of process.stdin) {
    const bytes = Buffer.from(part);
    size += bytes.length;
    if (size > LARGEST) throw new UsageError('standard input: too large for a patch');
    parts.push(bytes);
  }
  if (size === 0) throw new UsageError('standard input: is empty');
  return { name: 'standard input', bytes: Buffer.concat(parts) };
}
