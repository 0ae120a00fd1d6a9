/** Tells one build of this program, its rules included, from another. */
import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Stands for the files of the program as they are on disk: names, sizes and times. Two installations of one version may
 * differ in it, which costs no more than work that is done again.
 */
export function programDigest(folder: string = fileURLToPath(new URL('..', import.meta.url))): string {
  const hash = createHash('sha256');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`)
    .sort();
  for (const file of files) {
    const { size, mtimeMs } = statSync(file);
    hash.update(`${file.slice(folder.length)} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('base64');
}
