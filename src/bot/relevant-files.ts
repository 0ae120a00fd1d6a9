/** Which files of a pull request are worth a review: C that may bear on page tables, and that the repository wants. */
import { matchesGlob } from '#review/match-glob.js';

/**
 * @param prefixes where kernel code of interest lies; `*` stands for one folder
 * @param wanted globs of the repository; empty means everything
 */
export function isRelevant(path: string, prefixes: readonly string[], wanted: readonly string[]): boolean {
  if (!/\.[ch]$/.test(path)) return false;
  const isKernel =
    path.startsWith('mm/') || path.startsWith('arch/') || prefixes.some((prefix) => startsWith(path, prefix));
  return isKernel && isWanted(path, wanted);
}

function startsWith(path: string, prefix: string): boolean {
  const parts = path.split('/');
  const folders = prefix.split('/').filter((part) => part !== '');
  return (
    parts.length > folders.length &&
    folders.every((folder, index) => folder === '*' || folder === parts[index])
  );
}

/** The last glob that matches decides, as in a .gitignore; without any glob that takes in, everything is in. */
function isWanted(path: string, wanted: readonly string[]): boolean {
  let isIn = wanted.every((glob) => glob.startsWith('!'));
  for (const glob of wanted) {
    const takesOut = glob.startsWith('!');
    if (matchesGlob(takesOut ? glob.slice(1) : glob, path)) isIn = !takesOut;
  }
  return isIn;
}
