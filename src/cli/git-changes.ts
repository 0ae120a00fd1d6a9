import { execFile } from 'node:child_process';
import { UsageError } from './usage-error.js';

/** Changes taken from git, as a patch text, and what they apply to. */
export interface GitChanges {
  /** Top folder of the checkout. */
  readonly folder: string;
  readonly base: string;
  /** Empty when nothing changed. */
  readonly bytes: Uint8Array;
}

/** The user's own settings must not change what a diff looks like. */
const PLAIN = [
  '--no-color',
  '--no-ext-diff',
  '--no-textconv',
  '--src-prefix=a/',
  '--dst-prefix=b/',
  '--no-relative',
];
const SETTINGS = [
  '-c',
  'diff.noprefix=false',
  '-c',
  'diff.mnemonicPrefix=false',
  '-c',
  'core.quotePath=true',
  '-c',
  'format.noprefix=false',
];

/** The commits of `A..B` as mails, oldest first; they apply to where B left A. Throws UsageError. */
export async function rangeChanges(folder: string, range: string): Promise<GitChanges> {
  // Names of commits hold no two dots, so what is between three is refused here too.
  const [from, end, ...more] = range.split('..');
  const to = end === '' ? 'HEAD' : end;
  if (!from || !to || more.length > 0 || to.startsWith('.') || from.startsWith('-') || to.startsWith('-')) {
    throw new UsageError(`--range ${range}: write it as A..B`);
  }
  const top = await topFolder(folder);
  for (const revision of [from, to]) {
    await git(top, ['rev-parse', '--verify', '--quiet', `${revision}^{commit}`]).catch((error) => {
      if (isGitExit(error)) throw new UsageError(`--range ${range}: git knows no commit ${revision}`);
      throw error;
    });
  }
  const base = text(
    await git(top, ['merge-base', from, to]).catch((error) => {
      if (isGitExit(error)) throw new UsageError(`--range ${range}: the two have no common commit`);
      throw error;
    }),
  );
  const format = [
    'format-patch',
    '--stdout',
    '--no-cover-letter',
    '--no-thread',
    '--no-attach',
    '--no-signature',
  ];
  return { folder: top, base, bytes: await git(top, [...format, ...PLAIN, `${from}..${to}`, '--']) };
}

/** What is staged for the next commit, against HEAD. Throws UsageError. */
export async function stagedChanges(folder: string): Promise<GitChanges> {
  const top = await topFolder(folder);
  const base = text(
    await git(top, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}']).catch((error) => {
      if (isGitExit(error)) throw new UsageError(`--staged: ${top} has no commit yet`);
      throw error;
    }),
  );
  return { folder: top, base, bytes: await git(top, ['diff', '--cached', ...PLAIN, '--']) };
}

async function topFolder(folder: string): Promise<string> {
  return git(folder, ['rev-parse', '--show-toplevel']).then(text, (error) => {
    if (isGitExit(error)) throw new UsageError(`${folder}: is not in a git checkout`);
    throw error;
  });
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8').trimEnd();

class GitExit extends UsageError {}

const isGitExit = (error: unknown): boolean => error instanceof GitExit;

function git(folder: string, args: readonly string[]): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const options = {
      cwd: folder,
      encoding: 'buffer',
      maxBuffer: 1 << 29,
      env: { ...process.env, LC_ALL: 'C', GIT_OPTIONAL_LOCKS: '0' },
    } as const;
    execFile('git', [...SETTINGS, ...args], options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      // `code` is the exit status; a word means that git itself did not run.
      if (typeof error.code === 'number') {
        const said = stderr.toString().trim().split('\n')[0] ?? '';
        return reject(new GitExit(`git ${args[0]}: ${said.replace(/^fatal: /, '')}`));
      }
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      reject(
        new UsageError(
          missing ? `${folder}: no such folder, or git is not installed` : `git ${args[0]}: ${error.message}`,
        ),
      );
    });
  });
}
