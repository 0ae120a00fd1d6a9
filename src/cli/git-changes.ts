import type { GitStates } from '#source/git-states.js';
import { SourceError } from '#source/snapshot.js';
import { UsageError } from './usage-error.js';

/** The commits of `A..B`, oldest first, read from a work tree or a bare repository. Throws UsageError for what is no range. */
export async function rangeChanges(folder: string, range: string): Promise<GitStates> {
  // Names of commits hold no two dots, so what is between three is refused here too.
  const [from, end, ...more] = range.split('..');
  const to = end === '' ? 'HEAD' : end;
  if (!from || !to || more.length > 0 || to.startsWith('.') || from.startsWith('-') || to.startsWith('-')) {
    throw new UsageError(`--range ${range}: write it as A..B`);
  }
  await requireRepository(folder);
  const { rangeStates } = await import('#source/git-states.js');
  return asUsage(`--range ${range}`, folder, () => rangeStates(folder, from, to));
}

/** What is staged for the next commit, against HEAD. */
export async function stagedChanges(folder: string): Promise<GitStates> {
  await requireRepository(folder);
  const { stagedStates } = await import('#source/git-states.js');
  return asUsage('--staged', folder, () => stagedStates(folder));
}

async function requireRepository(folder: string): Promise<void> {
  const { isRepository } = await import('#source/git-tree.js');
  if (!isRepository(folder)) throw new UsageError(`${folder}: is not in a git checkout`);
}

/** Says which option it was that git could not serve. */
function asUsage<T>(option: string, folder: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof SourceError) || error.code !== 'git') throw error;
    const said = error.message;
    throw new UsageError(
      `${option}: ${said.startsWith(`${folder}: `) ? said.slice(folder.length + 2) : said}`,
    );
  }
}
