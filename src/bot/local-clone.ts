/**
 * What the API does not give, git does: two commits of a repository, fetched without history into a bare repository
 * that is kept for the next time. Nothing of it is checked out or run.
 */
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { readHunks } from './diff-lines.js';
import type { ChangedFile } from './pull-request.js';

class CloneError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CloneError';
  }
}

export interface CloneSource {
  readonly url: string;
  /** Names the folder; the repository's owner and name. */
  readonly name: string;
  readonly token: string | null;
}

const FETCH_MINUTES = 15;

/** Fetches of one repository wait for each other. */
const running = new Map<string, Promise<unknown>>();

/** Fetches commits into a folder below `cache`; gives the folder. Throws CloneError. */
export async function fetchCommits(
  cache: string,
  source: CloneSource,
  commits: readonly string[],
): Promise<string> {
  const folder = join(cache, `${source.name.replace(/[^A-Za-z0-9._-]/g, '_')}.git`);
  const before = running.get(folder) ?? Promise.resolve();
  const fetched = before.catch(() => {}).then(() => fetchInto(folder, source, commits));
  running.set(folder, fetched);
  try {
    await fetched;
  } finally {
    if (running.get(folder) === fetched) running.delete(folder);
  }
  return folder;
}

async function fetchInto(folder: string, source: CloneSource, commits: readonly string[]): Promise<void> {
  for (const commit of commits)
    if (!/^[0-9a-f]{40,64}$/.test(commit)) throw new CloneError(`not a commit: ${JSON.stringify(commit)}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Without a template there are no hooks.
  await git(folder, ['init', '--quiet', '--bare', '--template=', '.'], source);
  const missing: string[] = [];
  for (const commit of commits) {
    const isThere = await git(folder, ['cat-file', '-e', `${commit}^{tree}`], source).then(
      () => true,
      () => false,
    );
    if (!isThere) missing.push(commit);
  }
  if (missing.length === 0) return;
  await git(
    folder,
    ['fetch', '--quiet', '--depth=1', '--no-tags', '--no-write-fetch-head', '--', source.url, ...missing],
    source,
  );
}

/** The files that differ between two commits of a local repository, with their hunks. Throws CloneError. */
export async function diffCommits(
  folder: string,
  before: string,
  after: string,
  isWanted: (path: string) => boolean,
): Promise<readonly ChangedFile[]> {
  const range = ['--find-renames', before, after];
  const names = await git(folder, ['diff', '--no-ext-diff', '--name-status', '-z', ...range, '--'], null);
  const files: ChangedFile[] = [];
  const fields = names.split('\0');
  for (let at = 0; at + 1 < fields.length; ) {
    const status = fields[at++] ?? '';
    const first = fields[at++] ?? '';
    const path = /^[RC]/.test(status) ? (fields[at++] ?? '') : first;
    if (!isWanted(path)) continue;
    const patch = await git(
      folder,
      ['diff', '--no-ext-diff', '--no-textconv', '--no-color', ...range, '--', ...new Set([first, path])],
      null,
    );
    const start = patch.search(/^@@ /m);
    files.push({
      path,
      oldPath: first,
      isDeleted: status.startsWith('D'),
      hunks: start < 0 ? [] : readHunks(patch.slice(start)),
    });
  }
  return files;
}

/** Runs git without the user's settings; the token goes through the environment, where no list of processes shows it. */
function git(folder: string, args: readonly string[], source: CloneSource | null): Promise<string> {
  const isPlainHttp = source?.url.startsWith('http://') === true;
  const settings: readonly (readonly [string, string])[] = [
    ['gc.auto', '0'],
    ['core.quotePath', 'false'],
    ['core.fsmonitor', 'false'],
    ...(source === null || source.token === null
      ? []
      : [['http.extraHeader', `Authorization: Basic ${basic(source.token)}`] as const]),
  ];
  const env: Record<string, string> = {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_ALLOW_PROTOCOL: isPlainHttp ? 'http' : 'https',
    GIT_CONFIG_COUNT: String(settings.length),
  };
  for (const name of [
    'HTTPS_PROXY',
    'https_proxy',
    'NO_PROXY',
    'no_proxy',
    'SSL_CERT_FILE',
    'GIT_SSL_CAINFO',
  ]) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  settings.forEach(([key, value], index) => {
    env[`GIT_CONFIG_KEY_${index}`] = key;
    env[`GIT_CONFIG_VALUE_${index}`] = value;
  });
  const options = { cwd: folder, env, maxBuffer: 1 << 29, timeout: FETCH_MINUTES * 60_000 };
  return new Promise((resolve, reject) => {
    execFile('git', [...args], options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const said = stderr.trim().split('\n').at(-1) ?? '';
      reject(new CloneError(`git ${args[0] ?? ''}: ${said === '' ? error.message.split('\n')[0] : said}`));
    });
  });
}

const basic = (token: string): string => Buffer.from(`x-access-token:${token}`).toString('base64');
