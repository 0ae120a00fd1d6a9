import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { SourceError } from './snapshot.js';

export interface GitAnswer {
  /** Exit status; 0 when all went well. */
  readonly status: number;
  readonly bytes: Buffer;
  /** First line that git wrote to stderr, without `fatal: `. Of use in a message to the user only. */
  readonly said: string;
}

/** Bytes that one call may give. */
const mostBytes = 256 * 1024 * 1024;
const mostMilliseconds = 300_000;

/** Variables that name a repository; a hook has them set for the one it runs in. */
const repositoryVariables = [
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_INDEX_FILE',
  'GIT_OBJECT_DIRECTORY',
  'GIT_COMMON_DIR',
  'GIT_ALTERNATE_OBJECT_DIRECTORIES',
] as const;

/**
 * Runs git for reading only: no locks, no questions, nothing fetched, no program that a repository's settings name.
 * Throws SourceError `git` when git cannot be run at all, gives too much, or takes too long.
 */
export function runGit(dir: string, args: readonly string[], input = ''): GitAnswer {
  return run(dir, args, input, gitEnvironment(dir));
}

/** The same for a call that fails only when something is wrong with the repository. */
export function gitOutput(dir: string, args: readonly string[], input = ''): Buffer {
  const { status, bytes, said } = runGit(dir, args, input);
  if (status !== 0) throw new SourceError('git', `${dir}: git ${args[0] ?? ''} failed: ${said}`);
  return bytes;
}

/**
 * The environment for git in a folder. A hook is run with variables that name its repository; they count for that one
 * alone, however the folder was named, and relative ones are relative to where the hook runs.
 */
export function gitEnvironment(dir: string): NodeJS.ProcessEnv {
  const plain: NodeJS.ProcessEnv = {
    ...process.env,
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TERMINAL_PROMPT: '0',
    // A partial clone would fetch what it lacks. Older versions of git know only the second.
    GIT_NO_LAZY_FETCH: '1',
    GIT_ALLOW_PROTOCOL: 'none',
    GIT_LITERAL_PATHSPECS: '0',
    LC_ALL: 'C',
  };
  const named = repositoryVariables.filter((name) => plain[name] !== undefined);
  if (named.length === 0) return plain;
  const within = { ...plain };
  for (const name of named) {
    const value = plain[name];
    if (value !== undefined && name !== 'GIT_ALTERNATE_OBJECT_DIRECTORIES')
      within[name] = resolve(process.cwd(), value);
    delete plain[name];
  }
  const where = (env: NodeJS.ProcessEnv): string | null => {
    const { status, bytes } = run(dir, ['rev-parse', '--absolute-git-dir'], '', env);
    return status === 0 ? bytes.toString('utf8').trim() : null;
  };
  const own = where(plain);
  return own === null || own === where(within) ? within : plain;
}

function run(dir: string, args: readonly string[], input: string, env: NodeJS.ProcessEnv): GitAnswer {
  const settings = ['-c', 'core.quotePath=true', '-c', 'core.fsmonitor=false', '-c', 'core.pager=cat'];
  const result = spawnSync('git', ['-C', dir, ...settings, ...args], {
    env,
    input,
    maxBuffer: mostBytes,
    timeout: mostMilliseconds,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const code = result.error !== undefined && 'code' in result.error ? result.error.code : null;
  if (code === 'ENOENT') throw new SourceError('git', 'git cannot be run: is it installed?');
  if (code === 'ENOBUFS') throw new SourceError('git', `${dir}: git ${args[0] ?? ''} gives too much to read`);
  if (result.status === null)
    throw new SourceError('git', `${dir}: git ${args[0] ?? ''} did not end (${String(code)})`);
  const [first = ''] = result.stderr.toString('utf8').trim().split('\n');
  return {
    status: result.status,
    bytes: result.stdout,
    said: first.replace(/^(?:fatal|error): /, '').slice(0, 300),
  };
}
