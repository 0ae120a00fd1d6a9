import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { installHook, runHook, uninstallHook } from '#cli/hook.js';
import { hookScript, placeHook, removeHook } from '#cli/hook-file.js';
import { describeFailure } from '#cli/report-failure.js';

let folder = '';
let repository = '';
const git = (...args: readonly string[]): string =>
  execFileSync('git', ['-C', repository, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trimEnd();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shootdown-hook-'));
  repository = join(folder, 'it is a "tree"');
  mkdirSync(repository);
  vi.stubEnv('GIT_CONFIG_GLOBAL', join(folder, 'gitconfig'));
  vi.stubEnv('GIT_CONFIG_NOSYSTEM', '1');
  for (const name of [
    'GIT_DIR',
    'GIT_INDEX_FILE',
    'GIT_WORK_TREE',
    'PRE_COMMIT_FROM_REF',
    'PRE_COMMIT_TO_REF',
  ])
    vi.stubEnv(name, undefined);
  git('init', '-q', '-b', 'main');
  git('config', 'user.name', 'Ada Example');
  git('config', 'user.email', 'ada@example.org');
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const failure = (promise: Promise<unknown>): Promise<string> =>
  promise.then(() => 'no failure', describeFailure);
const silent = (): void => {
  vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
  vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
};
const script = (file: string, body: string): void => {
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
};
/** A shootdown that writes down how it was called, and ends as it is told. */
const fakeMain = (status: number): string => {
  const file = join(folder, "it's main.mjs");
  writeFileSync(
    file,
    `import { appendFileSync, readFileSync } from 'node:fs';
const input = process.argv.includes('pre-push') ? readFileSync(0, 'utf8') : '';
appendFileSync(${JSON.stringify(join(folder, 'called'))}, 'shootdown ' + process.argv.slice(2).join(' ') + '\\n' + input);
process.exit(${status});`,
  );
  return file;
};
const called = (): string =>
  existsSync(join(folder, 'called')) ? readFileSync(join(folder, 'called'), 'utf8') : '';

describe('the script', () => {
  const place = (status: number, name: 'pre-commit' | 'pre-push' = 'pre-commit') =>
    placeHook(
      join(repository, '.git/hooks', name),
      hookScript(name, { node: process.execPath, main: fakeMain(status) }),
    );
  const commit = () =>
    spawnSync('git', ['-C', repository, 'commit', '-q', '--allow-empty', '-m', 'x']).status;

  it('is run by git commit, and stops it', async () => {
    expect(await place(0)).toBe('new');
    expect(commit()).toBe(0);
    expect(called()).toBe('shootdown hook run pre-commit\n');
    expect(await place(1)).toBe('renewed');
    expect(commit()).toBe(1);
  });
  it('runs the hook that was there before, first, and takes its word', async () => {
    const former = join(repository, '.git/hooks/pre-commit');
    script(former, `echo former >> '${join(folder, 'called')}'`);
    expect(await place(0)).toBe('chained');
    expect(commit()).toBe(0);
    expect(called()).toBe('former\nshootdown hook run pre-commit\n');
    script(`${former}.before-shootdown`, 'exit 3');
    expect(commit()).toBe(1);
    expect(called()).toBe('former\nshootdown hook run pre-commit\n');
  });
  it('leaves a former hook off that git would not have run', async () => {
    const former = join(repository, '.git/hooks/pre-commit');
    script(former, 'exit 1');
    chmodSync(former, 0o644);
    await place(0);
    expect(commit()).toBe(0);
  });
  it('gives both hooks what git says about a push', async () => {
    const former = join(repository, '.git/hooks/pre-push');
    script(former, `{ echo "former $1"; cat; } >> '${join(folder, 'called')}'`);
    expect(await place(0, 'pre-push')).toBe('chained');
    execFileSync('git', ['init', '-q', '--bare', join(folder, 'remote')]);
    git('commit', '-q', '--allow-empty', '-m', 'one');
    const head = git('rev-parse', 'HEAD');
    const push = spawnSync('git', ['-C', repository, 'push', '-q', join(folder, 'remote'), 'main']);
    expect(push.status).toBe(0);
    const line = `refs/heads/main ${head} refs/heads/main ${'0'.repeat(40)}\n`;
    const remote = join(folder, 'remote');
    expect(called()).toBe(
      `former ${remote}\n${line}shootdown hook run pre-push ${remote} ${remote}\n${line}`,
    );
  });
  it('stops nobody when shootdown is gone', async () => {
    await place(1);
    rmSync(fakeMain(1));
    expect(commit()).toBe(0);
    expect(called()).toBe('');
  });
  it('goes away again, and the former hook comes back as it was', async () => {
    const former = join(repository, '.git/hooks/pre-commit');
    script(former, 'exit 0');
    const before = [readFileSync(former, 'utf8'), lstatSync(former).mode];
    await place(0);
    expect(await removeHook(former)).toBe('restored');
    expect([readFileSync(former, 'utf8'), lstatSync(former).mode]).toEqual(before);
    expect(await removeHook(former)).toBe('foreign');
    expect(existsSync(former)).toBe(true);
    rmSync(former);
    await place(0);
    expect(await removeHook(former)).toBe('removed');
    expect(await removeHook(former)).toBe('none');
  });
  it('refuses to overwrite a hook that was moved aside before', async () => {
    const former = join(repository, '.git/hooks/pre-commit');
    script(former, 'exit 0');
    script(`${former}.before-shootdown`, 'exit 0');
    expect(await failure(place(0))).toContain('is in the way');
    expect(readFileSync(former, 'utf8')).toBe('#!/bin/sh\nexit 0\n');
  });
});

describe('the place', () => {
  it('is the common folder, from a worktree too', async () => {
    silent();
    git('commit', '-q', '--allow-empty', '-m', 'one');
    git('worktree', 'add', '-q', join(folder, 'second'));
    await installHook('pre-commit', join(folder, 'second'));
    expect(existsSync(join(repository, '.git/hooks/pre-commit'))).toBe(true);
    await uninstallHook('pre-commit', repository);
    expect(existsSync(join(repository, '.git/hooks/pre-commit'))).toBe(false);
  });
  it('is core.hooksPath where that is set, with a word about who shares it', async () => {
    const said: string[] = [];
    vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
    git('config', 'core.hooksPath', join(folder, 'shared'));
    await installHook('pre-commit', repository);
    expect(existsSync(join(folder, 'shared/pre-commit'))).toBe(true);
    expect(said.join('')).toContain('runs in every repository that uses it');
    git('config', 'core.hooksPath', '.hooks');
    await installHook('pre-commit', repository);
    expect(existsSync(join(repository, '.hooks/pre-commit'))).toBe(true);
    expect(said.join('')).toContain('would be committed with it');
  });
  it('is refused in one line outside of a repository', async () => {
    expect(await failure(installHook('pre-commit', folder))).toBe(
      `${folder}: is not in a git repository, or git is not installed`,
    );
    expect(await failure(uninstallHook('pre-commit', repository))).toContain('there is no hook');
  });
});

describe('what it runs', () => {
  const source = 'mm/khugepaged.c';
  const bad = (): void => {
    const file = join(repository, source);
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^\ttlb_remove_table_sync_one\(\);\n/m, ''));
  };
  const said = (): { out: string[]; err: string[] } => {
    const kept = { out: [] as string[], err: [] as string[] };
    // The report is written with a callback at the end.
    vi.spyOn(process.stdout, 'write').mockImplementation((text: unknown, ...rest: readonly unknown[]) => {
      kept.out.push(String(text));
      const done = rest.at(-1);
      if (typeof done === 'function') done();
      return true;
    });
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => kept.err.push(String(text)) > 0);
    return kept;
  };
  beforeEach(() => {
    cpSync('fixtures/kernel', repository, { recursive: true });
    git('add', '-A');
    git('commit', '-q', '-m', 'kernel');
  });

  it('reviews the index, not the work tree, and writes nothing', async () => {
    bad();
    git('add', source);
    // What is staged is wrong; what lies in the tree is right again.
    git('show', `HEAD:${source}`);
    writeFileSync(join(repository, source), git('show', `HEAD:${source}`));
    writeFileSync(join(repository, 'untracked'), 'x');
    const before = [git('status', '--porcelain=v2'), git('stash', 'list'), git('diff', '--cached')];
    const text = said();
    expect(await runHook('pre-commit', repository)).toBe(1);
    expect(text.out.join('')).toContain('error[flush-without-ipi] mm/khugepaged.c');
    expect(text.err.join('')).toContain('git commit --no-verify goes on without this check');
    expect([git('status', '--porcelain=v2'), git('stash', 'list'), git('diff', '--cached')]).toEqual(before);
  });
  it('lets a right commit and one without C pass, the latter without a word', async () => {
    writeFileSync(join(repository, 'README'), 'x');
    git('add', 'README');
    const text = said();
    expect(await runHook('pre-commit', repository)).toBe(0);
    expect(text).toEqual({ out: [], err: [] });
    bad();
    expect(await runHook('pre-commit', repository)).toBe(0);
  });
  it('obeys git config', async () => {
    bad();
    git('add', source);
    git('config', 'shootdown.machine', 'x86-64');
    said();
    expect(await runHook('pre-commit', repository)).toBe(0);
    git('config', 'shootdown.machine', 'arm64');
    expect(await runHook('pre-commit', repository)).toBe(1);
    git('config', 'shootdown.failOn', 'never');
    expect(await runHook('pre-commit', repository)).toBe(0);
  });
  it('says so and goes on where nothing can be checked', async () => {
    git('config', 'shootdown.failOn', 'sometimes');
    bad();
    git('add', source);
    const text = said();
    expect(await runHook('pre-commit', repository)).toBe(0);
    expect(text.err.join('')).toBe(
      'shootdown: nothing was checked: git config shootdown.failOn is sometimes; use error, warning or never\n',
    );
  });
  it('reviews what the pre-commit framework names on a push', async () => {
    const from = git('rev-parse', 'HEAD');
    bad();
    git('commit', '-q', '-a', '-m', 'wrong');
    vi.stubEnv('PRE_COMMIT_FROM_REF', from);
    vi.stubEnv('PRE_COMMIT_TO_REF', git('rev-parse', 'HEAD'));
    const text = said();
    expect(await runHook('pre-push', repository)).toBe(1);
    expect(text.out.join('')).toContain('flush-without-ipi');
    // A branch that the other side does not have yet starts where it leaves what a remote has.
    git('update-ref', 'refs/remotes/origin/main', from);
    vi.stubEnv('PRE_COMMIT_FROM_REF', '0'.repeat(40));
    expect(await runHook('pre-push', repository)).toBe(1);
    git('update-ref', 'refs/remotes/origin/main', 'HEAD');
    expect(await runHook('pre-push', repository)).toBe(0);
  });
});
