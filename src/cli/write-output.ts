import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Writes a finished text to stdout, or to a file. A file appears whole or not at all: the text goes to a new file
 * beside it, which then takes its name. Something that is no plain file (`/dev/stdout`, a pipe) is written directly.
 * A reader that closes the pipe early is no error.
 */
export async function writeOutput(text: string, file: string | null): Promise<void> {
  if (file === null) return writeStandardOutput(text);
  const known = await stat(file).catch(() => null);
  if (known?.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR', path: file });
  if (known !== null && !known.isFile()) return writeFile(file, text);
  const fresh = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await writeFile(fresh, text, { flag: 'wx', ...(known === null ? {} : { mode: known.mode & 0o777 }) });
    await rename(fresh, file);
  } catch (error) {
    await rm(fresh, { force: true });
    // The user named `file`, not the temporary one.
    throw error instanceof Error ? Object.assign(error, { path: file }) : error;
  }
}

export interface OutputFile {
  readonly name: string;
  readonly text: string;
}

/** Writes files into a folder, which is made when it is not there; each appears whole or not at all. */
export async function writeFolder(files: readonly OutputFile[], folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const { name, text } of files) await writeOutput(text, join(folder, name));
}

function writeStandardOutput(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (error && (error as NodeJS.ErrnoException).code !== 'EPIPE') reject(error);
      else resolve();
    });
  });
}
