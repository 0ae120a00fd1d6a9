import { readFile } from 'node:fs/promises';
import { UsageError } from './usage-error.js';

export interface Input {
  /** As the user named it; `standard input` for `-`. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** No patch series comes near this; what is larger was named by mistake. */
const LARGEST = 256 * 1024 * 1024;

/**
 * Reads what the user named, in order; `-` is standard input, once. Throws UsageError with one clear line for a
 * folder, a missing file or an empty input.
 */
export async function readInputs(names: readonly string[]): Promise<readonly Input[]> {
  if (names.filter((n) => n === '-').length > 1) throw new UsageError('- can be named only once');
  const inputs: Input[] = [];
  for (const name of names) inputs.push(name === '-' ? await readStandardInput() : await readNamed(name));
  return inputs;
}

async function readNamed(name: string): Promise<Input> {
  const bytes = await readFile(name).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EISDIR') throw new UsageError(`${name}: is a directory; name a file`);
    if (error.code === 'ENOENT') throw new UsageError(`${name}: no such file`);
    throw Object.assign(error, { path: name });
  });
  if (bytes.length === 0) throw new UsageError(`${name}: is empty`);
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
