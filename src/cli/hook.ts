/** `shootdown hook`: puts the hook into a repository, takes it away, and is what the hook runs. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, realpath } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FORMER, type HookName, hookScript, placeHook, removeHook } from './hook-file.js';
import { UsageError } from './usage-error.js';

/** Installs the hook into the repository of `folder`. Throws UsageError. */
export async function installHook(name: HookName, folder: string): Promise<number> {
  const { file, note } = await hookPlace(name, folder);
  const main = fileURLToPath(new URL('../cli/main.js', import.meta.url));
  const done = await placeHook(file, hookScript(name, { node: process.execPath, main }));
  const before = done === 'chained' ? `; the hook that was there is now ${name}${FORMER} and runs first` : '';
  process.stdout.write(`${done === 'renewed' ? 'renewed' : 'installed'} ${file}${before}\n`);
  if (note !== null) process.stderr.write(`shootdown: note: ${note}\n`);
  return 0;
}

/** Removes it again. Throws UsageError where there is none of ours. */
export async function uninstallHook(name: HookName, folder: string): Promise<number> {
  const { file } = await hookPlace(name, folder);
  const done = await removeHook(file);
  switch (done) {
    case 'none':
      throw new UsageError(`${file}: there is no hook`);
    case 'foreign':
      throw new UsageError(`${file}: is not a hook of shootdown, and stays`);
    case 'removed':
    case 'restored':
      process.stdout.write(
        done === 'removed' ? `removed ${file}\n` : `removed; the hook from before is ${file} again\n`,
      );
      return 0;
  }
}

/**
 * Where git looks for hooks: core.hooksPath where it is set, else the common folder of all worktrees. A note where the
 * place is one that others share or that is checked in.
 */
async function hookPlace(
  name: HookName,
  folder: string,
): Promise<{ readonly file: string; readonly note: string | null }> {
  const said = await git(folder, ['rev-parse', '--git-path', 'hooks']);
  if (said === null) throw new UsageError(`${folder}: is not in a git repository, or git is not installed`);
  const hooks = resolve(folder, said);
  const top = await git(folder, ['rev-parse', '--show-toplevel']);
  const common = await git(folder, ['rev-parse', '--git-common-dir']);
  const isSet = (await git(folder, ['config', '--get', 'core.hooksPath'])) !== null;
  const inside = async (path: string | null): Promise<boolean> =>
    path !== null && isInside(await realpathOr(hooks), await realpathOr(resolve(folder, path)));
  const file = join(hooks, name);
  if (!isSet || (await inside(common))) return { file, note: null };
  return {
    file,
    note: (await inside(top))
      ? `core.hooksPath names a folder of the work tree: the hook would be committed with it`
      : `core.hooksPath names ${hooks}: the hook runs in every repository that uses it`,
  };
}

async function realpathOr(path: string): Promise<string> {
  return existsSync(path) ? realpath(path) : path;
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && resolve(way) !== way);
}

/**
 * What the hook runs. It reads the index, or the commits that are pushed, and writes nothing. Only findings stop git:
 * where nothing could be checked, that is said and git goes on.
 */
export async function runHook(name: HookName, folder: string): Promise<number> {
  const { describeFailure } = await import('./report-failure.js');
  try {
    const top = await git(folder, ['rev-parse', '--show-toplevel']);
    if (top === null) throw new UsageError('not in a work tree');
    let code = 0;
    for (const changes of await changesFor(name, top)) {
      if (!(await touchesC(top, changes))) continue;
      const { check } = await import('./check.js');
      code = Math.max(code, await check([], { ...changes, ...(await settings(top)), tree: top }));
    }
    if (code === 1)
      process.stderr.write(
        `shootdown: ${name} stopped by the findings above; git ${name === 'pre-commit' ? 'commit' : 'push'} --no-verify goes on without this check\n`,
      );
    return code;
  } catch (error) {
    process.stderr.write(`shootdown: nothing was checked: ${describeFailure(error)}\n`);
    return 0;
  }
}

type Changes = { readonly staged: true } | { readonly range: string };

async function changesFor(name: HookName, top: string): Promise<readonly Changes[]> {
  // The pre-commit framework tells in variables what is pushed, and keeps standard input to itself.
  const { PRE_COMMIT_FROM_REF: from, PRE_COMMIT_TO_REF: to } = process.env;
  if (from && to) return pushed(top, to, from);
  if (name === 'pre-commit') return [{ staged: true }];
  const lines = process.stdin.isTTY === true ? '' : await readFile('/dev/stdin', 'utf8').catch(() => '');
  const found: Changes[] = [];
  for (const line of lines.split('\n')) {
    const [, local, , remote] = line.split(' ');
    if (local !== undefined && remote !== undefined && !isNull(local))
      found.push(...(await pushed(top, local, remote)));
  }
  return found;
}

const isNull = (id: string): boolean => /^0+$/.test(id);

/** The commits that the other side has not. A branch that is new there starts where it leaves what any remote has. */
async function pushed(top: string, local: string, remote: string): Promise<readonly Changes[]> {
  const isKnown = !isNull(remote) && (await git(top, ['cat-file', '-e', `${remote}^{commit}`])) !== null;
  if (isKnown) return [{ range: `${remote}..${local}` }];
  const own = await git(top, [
    'rev-list',
    '--reverse',
    '--topo-order',
    '--max-count=5000',
    local,
    '--not',
    '--remotes',
  ]);
  const [first] = (own ?? '').split('\n');
  if (first === undefined || first === '') return [];
  const parent = await git(top, ['rev-parse', '--verify', '--quiet', `${first}^`]);
  return parent === null ? [] : [{ range: `${parent}..${local}` }];
}

/** Most commits touch no C of the kernel; they shall not wait. */
async function touchesC(top: string, changes: Changes): Promise<boolean> {
  const what =
    'staged' in changes ? ['diff', '--cached', '--name-only'] : ['diff', '--name-only', changes.range];
  const names = await git(top, [...what, '--no-ext-diff', '--', '*.c', '*.h']);
  return names === null || names !== '';
}

/** Options of the hook are git's: `git config shootdown.failOn warning`. Paths are relative to the top folder. */
async function settings(top: string) {
  const get = (key: string): Promise<string | null> => git(top, ['config', '--get', `shootdown.${key}`]);
  const [machine, failOn, suppressions, baseline] = await Promise.all(
    ['machine', 'failOn', 'suppressions', 'baseline'].map(get),
  );
  if (failOn && failOn !== 'error' && failOn !== 'warning' && failOn !== 'never')
    throw new UsageError(`git config shootdown.failOn is ${failOn}; use error, warning or never`);
  const severity: 'error' | 'warning' | 'never' =
    failOn === 'warning' || failOn === 'never' ? failOn : 'error';
  return {
    machine: machine ? [machine] : [],
    failOn: severity,
    format: 'text' as const,
    ...(suppressions ? { suppressions: resolve(top, suppressions) } : {}),
    ...(baseline ? { baseline: resolve(top, baseline) } : {}),
  };
}

/** What git answers, or null where it refuses. */
function git(folder: string, args: readonly string[]): Promise<string | null> {
  return new Promise((done, fail) => {
    const options = { cwd: folder, env: { ...process.env, GIT_OPTIONAL_LOCKS: '0' }, maxBuffer: 1 << 26 };
    execFile('git', [...args], options, (error, stdout) => {
      if (error === null) done(stdout.trimEnd());
      else if (typeof error.code === 'number') done(null);
      else fail(new UsageError(`${folder}: no such folder, or git is not installed`));
    });
  });
}
