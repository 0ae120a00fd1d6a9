import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { rangeStates, stagedStates } from '#source/git-states.js';
import { openRevision } from '#source/git-tree.js';
import { type PatchedState, SourceError } from '#source/snapshot.js';
import { git, makeKernel } from './kernel-folder.js';

const made: string[] = [];
afterEach(() => {
  vi.unstubAllEnvs();
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function repository(...options: readonly string[]): string {
  const folder = makeKernel({ 'mm/a.c': text('a'), 'mm/b.c': text('b') });
  made.push(folder);
  git(folder, 'init', '-q', '-b', 'main', ...options);
  commit(folder, 'base');
  return folder;
}

/** A file long enough to be found again after a move. */
function text(name: string, ...more: readonly string[]): string {
  return [...Array.from({ length: 12 }, (_, line) => `${name} ${line}`), ...more].join('\n').concat('\n');
}

function write(folder: string, path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content);
}

function commit(folder: string, message: string): void {
  git(folder, 'add', '-A');
  git(folder, 'commit', '-q', '--allow-empty', '-m', message);
}

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'shootdown-'));
  made.push(folder);
  return folder;
}

const subjects = (states: readonly PatchedState[]): string[] => states.map(({ patch }) => patch.subject);
const output = (folder: string, ...args: readonly string[]): string =>
  execFileSync('git', ['-C', folder, ...args], { encoding: 'utf8' }).trim();

function problem(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return error instanceof SourceError ? error.message : expect.fail(String(error));
  }
  return expect.fail('no SourceError');
}

describe('rangeStates', () => {
  it('reads subject, author, message and trailers of the commit itself', () => {
    const folder = repository();
    write(folder, 'mm/a.c', text('a', 'more'));
    commit(
      folder,
      'Re: [PATCH v2 3/7] mm: a title\non two lines\n\nFrom: nobody\n\n-- >8 --\ndiff --git a/mm/x.c b/mm/x.c\n--- a/mm/x.c\n+++ b/mm/x.c\n@@ -1 +1 @@\n-x\n+y\n\nFixes: 0123456789ab ("mm: b")\nSigned-off-by: Ada <ada@example.org>',
    );
    const { states, notes } = rangeStates(folder, 'HEAD~1', 'HEAD');
    expect(notes).toEqual([]);
    expect(states).toHaveLength(1);
    expect(states[0]).toMatchObject({
      context: 'tree',
      changed: ['mm/a.c'],
      patch: {
        subject: 'Re: [PATCH v2 3/7] mm: a title on two lines',
        author: 'Ada <ada@example.org>',
        commit: output(folder, 'rev-parse', 'HEAD'),
        version: 1,
        part: null,
        trailers: { Fixes: '0123456789ab ("mm: b")', 'Signed-off-by': 'Ada <ada@example.org>' },
        files: [{ newPath: 'mm/a.c' }],
      },
    });
    expect(states[0]?.patch.files).toHaveLength(1);
  });

  it('follows renames, copies nothing else, and quoted paths', () => {
    const folder = repository();
    git(folder, 'mv', 'mm/a.c', 'mm/spät "x".c');
    write(folder, 'mm/b.c', text('b').replace('b 5', 'B 5'));
    write(folder, 'mm/new.c', 'int n;');
    commit(folder, 'move');
    const [state] = rangeStates(folder, 'HEAD~1', 'HEAD').states;
    expect(state?.patch.files.map(({ oldPath, newPath, change }) => [oldPath, newPath, change])).toEqual([
      ['mm/b.c', 'mm/b.c', 'modify'],
      [null, 'mm/new.c', 'add'],
      ['mm/a.c', 'mm/spät "x".c', 'rename'],
    ]);
    expect(state?.changed).toEqual(['mm/b.c', 'mm/new.c', 'mm/spät "x".c', 'mm/a.c']);
    expect(state?.before.read('mm/a.c')).toBe(text('a'));
    expect(state?.after.read('mm/a.c')).toBeNull();
    expect(state?.after.read('mm/spät "x".c')).toBe(text('a'));
  });

  it('leaves modes alone and names what is no text', () => {
    const folder = repository();
    git(folder, 'update-index', '--chmod=+x', 'mm/a.c');
    write(folder, 'mm/logo.gif', Uint8Array.from([0, 1, 2]));
    write(folder, 'mm/huge.h', Buffer.alloc(4 * 1024 * 1024 + 1, 0x0a));
    git(folder, 'add', 'mm/logo.gif', 'mm/huge.h');
    git(folder, 'commit', '-q', '-m', 'odd');
    const [state] = rangeStates(folder, 'HEAD~1', 'HEAD').states;
    expect(state?.changed).toEqual([]);
    expect(state?.skipped).toEqual(['mm/huge.h', 'mm/logo.gif']);
  });

  it('reviews source that attributes call binary', () => {
    const folder = repository();
    write(folder, '.gitattributes', '*.c -diff\n');
    commit(folder, 'attributes');
    write(folder, 'mm/a.c', text('a', 'more'));
    commit(folder, 'more');
    const [state] = rangeStates(folder, 'HEAD~1', 'HEAD').states;
    expect([state?.changed, state?.skipped]).toEqual([['mm/a.c'], []]);
    expect(state?.after.read('mm/a.c')).toBe(text('a', 'more'));
  });

  it('takes each commit of a merged branch on its own parent, and says what a merge itself changes', () => {
    const folder = repository();
    git(folder, 'checkout', '-q', '-b', 'side');
    write(folder, 'mm/a.c', text('a', 'side'));
    commit(folder, 'on the side');
    git(folder, 'checkout', '-q', 'main');
    write(folder, 'mm/a.c', text('a', 'main'));
    commit(folder, 'on main');
    expect(() => git(folder, 'merge', '-q', 'side')).toThrow();
    write(folder, 'mm/a.c', text('a', 'both'));
    commit(folder, "Merge branch 'side'");
    write(folder, 'mm/b.c', text('b', 'after'));
    commit(folder, 'after the merge');
    const { states, notes } = rangeStates(folder, 'main~2', 'main');
    const last = (state: PatchedState | undefined, path: string): (string | undefined)[] =>
      [state?.before, state?.after].map((tree) => tree?.read(path)?.trimEnd().split('\n').at(-1));
    expect(subjects(states).toSorted()).toEqual(['after the merge', 'on the side']);
    expect(
      last(
        states.find(({ patch }) => patch.subject === 'on the side'),
        'mm/a.c',
      ),
    ).toEqual(['a 11', 'side']);
    expect(
      last(
        states.find(({ patch }) => patch.subject === 'after the merge'),
        'mm/a.c',
      ),
    ).toEqual(['both', 'both']);
    expect(notes).toEqual([
      `merge ${output(folder, 'rev-parse', 'main~1').slice(0, 12)} ("Merge branch 'side'") has changes of its own, which are not reviewed: mm/a.c`,
    ]);
  });

  it('says nothing of a merge that only joins', () => {
    const folder = repository();
    git(folder, 'checkout', '-q', '-b', 'side');
    write(folder, 'mm/a.c', text('a', 'side'));
    commit(folder, 'on the side');
    git(folder, 'checkout', '-q', 'main');
    write(folder, 'mm/b.c', text('b', 'main'));
    commit(folder, 'on main');
    git(folder, 'merge', '-q', '--no-edit', 'side');
    const { states, notes } = rangeStates(folder, 'main~1', 'main');
    expect([subjects(states), notes]).toEqual([['on the side'], []]);
  });

  it('starts from nothing at a first commit', () => {
    const folder = repository();
    git(folder, 'checkout', '-q', '--orphan', 'other');
    write(folder, 'mm/a.c', 'int other;\n');
    commit(folder, 'first of its kind');
    const { states } = rangeStates(folder, 'main', 'other');
    expect(subjects(states)).toEqual(['first of its kind']);
    expect([states[0]?.before.read('mm/a.c'), states[0]?.after.read('mm/a.c')]).toEqual([
      null,
      'int other;\n',
    ]);
  });

  it.each([['bare'], ['mirror']])('reads a %s repository', (kind) => {
    const folder = repository();
    write(folder, 'mm/a.c', text('a', 'more'));
    commit(folder, 'more');
    const bare = join(scratch(), 'kernel.git');
    git(folder, 'clone', '-q', `--${kind}`, folder, bare);
    const { states } = rangeStates(bare, 'main~1', 'main');
    expect(subjects(states)).toEqual(['more']);
    expect(states[0]?.after.read('mm/a.c')).toBe(text('a', 'more'));
    expect(openRevision(bare, 'main~1').list('mm')).toEqual(['a.c', 'b.c']);
  });

  it('reads another work tree of a repository, and what is staged there', () => {
    const folder = repository();
    const other = join(scratch(), 'other');
    git(folder, 'worktree', 'add', '-q', '-b', 'side', other);
    write(other, 'mm/a.c', text('a', 'side'));
    commit(other, 'on the side');
    write(other, 'mm/b.c', text('b', 'staged'));
    git(other, 'add', '.');
    expect(subjects(rangeStates(other, 'main', 'HEAD').states)).toEqual(['on the side']);
    expect(subjects(rangeStates(folder, 'main', 'HEAD').states)).toEqual([]);
    expect(stagedStates(other).states.map(({ changed }) => changed)).toEqual([['mm/b.c']]);
    expect(stagedStates(folder).states).toEqual([]);
  });

  it('reads a repository whose ids are sha256', () => {
    const folder = repository('--object-format=sha256');
    write(folder, 'mm/sub/a.c', 'int deep;\n');
    commit(folder, 'deep');
    write(folder, 'mm/sub/b.c', 'int staged;\n');
    git(folder, 'add', '.');
    const [state] = rangeStates(folder, 'HEAD~1', 'HEAD').states;
    expect(state?.patch.commit).toHaveLength(64);
    expect(state?.after.read('mm/sub/a.c')).toBe('int deep;\n');
    expect(stagedStates(folder).states[0]?.after.read('mm/sub/b.c')).toBe('int staged;\n');
  });

  it('says where a shallow clone was cut off', () => {
    const folder = repository();
    for (const word of ['one', 'two', 'three']) {
      write(folder, 'mm/a.c', text('a', word));
      commit(folder, `say ${word}`);
    }
    const shallow = join(scratch(), 'shallow');
    execFileSync('git', ['clone', '-q', '--depth', '2', `file://${folder}`, shallow]);
    expect(subjects(rangeStates(shallow, 'HEAD~1', 'HEAD').states)).toEqual(['say three']);
    expect(problem(() => rangeStates(shallow, 'HEAD~3', 'HEAD'))).toContain(
      'git knows no commit HEAD~3 (the clone is shallow',
    );
    git(shallow, 'checkout', '-q', '--orphan', 'other');
    git(shallow, 'rm', '-q', '-r', '-f', 'mm');
    write(shallow, 'mm/c.c', 'int c;\n');
    commit(shallow, 'other');
    const { states, notes } = rangeStates(shallow, 'HEAD', 'origin/HEAD');
    expect(subjects(states)).toEqual(['say three']);
    expect(notes).toEqual([
      `commit ${output(folder, 'rev-parse', 'HEAD~1').slice(0, 12)} ("say two") is not reviewed: this clone was cut off there, so what it changes is not known`,
    ]);
  });

  it('fetches nothing that a partial clone lacks', () => {
    const folder = repository();
    write(folder, 'mm/a.c', text('a', 'more'));
    commit(folder, 'more');
    git(folder, 'config', 'uploadpack.allowFilter', 'true');
    const partial = join(scratch(), 'partial');
    execFileSync('git', ['clone', '-q', '--bare', '--filter=blob:none', `file://${folder}`, partial]);
    const reason = 'a partial clone (nothing is fetched)';
    expect(problem(() => rangeStates(partial, 'main~1', 'main'))).toContain(reason);
    expect(problem(() => openRevision(partial, 'main'))).toContain(reason);
  });

  it('goes around submodules, and around links that lead out', () => {
    const folder = repository();
    const inner = join(folder, 'sub');
    execFileSync('git', ['clone', '-q', folder, inner], { stdio: 'ignore' });
    symlinkSync('../mm', join(folder, 'mm', 'loop'));
    symlinkSync('loop/b.c', join(folder, 'mm', 'through.c'));
    symlinkSync('../../outside', join(folder, 'mm', 'out'));
    symlinkSync('self', join(folder, 'mm', 'self'));
    git(folder, '-c', 'advice.addEmbeddedRepo=false', 'add', '-A');
    git(folder, 'commit', '-q', '-m', 'links');
    const [state] = rangeStates(folder, 'HEAD~1', 'HEAD').states;
    const tree = state?.after ?? expect.fail();
    expect(state?.changed).toEqual(['mm/through.c']);
    expect(state?.skipped).toEqual(['mm/loop', 'mm/out', 'mm/self', 'sub']);
    expect(
      ['mm/loop/b.c', 'mm/loop/loop/a.c', 'mm/through.c'].map((path) => tree.read(path)?.slice(0, 3)),
    ).toEqual(['b 0', 'a 0', 'b 0']);
    expect(['mm/out', 'mm/self', 'sub/mm/a.c', 'sub'].map((path) => tree.read(path))).toEqual([
      null,
      null,
      null,
      null,
    ]);
    expect([tree.list('mm/loop'), tree.list('sub'), tree.list('mm/self')]).toEqual([tree.list('mm'), [], []]);
    expect(tree.list('')).not.toContain('sub');
  });

  it('reads hundreds of commits in bounded memory', () => {
    const folder = repository();
    const stream: string[] = [];
    const body = Array.from({ length: 3000 }, (_, line) => `int variable_${line};`).join('\n');
    const long = (number: number): string => `${body}\nint last = ${number};\n`;
    for (let number = 0; number < 600; number++) {
      const from = number === 0 ? 'from refs/heads/main^0\n' : '';
      const data = long(number);
      stream.push(
        `commit refs/heads/main\ncommitter A <a@example.org> ${1700000000 + number} +0000\ndata <<E\nnumber ${number}\nE\n${from}M 100644 inline mm/long.c\ndata ${data.length}\n${data}\n`,
      );
    }
    execFileSync('git', ['-C', folder, 'fast-import', '--quiet'], { input: stream.join('') });
    const { states } = rangeStates(folder, 'main~599', 'main');
    expect(states).toHaveLength(599);
    let most = 0;
    for (const [index, state] of states.entries()) {
      expect(state.before.read('mm/long.c')?.endsWith(`last = ${index};\n`)).toBe(true);
      expect(state.after.read('mm/long.c')?.endsWith(`last = ${index + 1};\n`)).toBe(true);
      most = Math.max(most, process.memoryUsage().external);
    }
    expect(most).toBeLessThan(200 * 1024 * 1024);
  });
});

describe('stagedStates', () => {
  it('takes the index, honours renames, and touches nothing', () => {
    const folder = repository();
    git(folder, 'mv', 'mm/a.c', 'mm/moved.c');
    write(folder, 'mm/moved.c', text('a').replace('a 6', 'A 6'));
    git(folder, 'rm', '-q', 'mm/b.c');
    write(folder, 'mm/new.c', 'int staged;\n');
    git(folder, 'add', '-A');
    write(folder, 'mm/new.c', 'int not_staged;\n');
    const before = snapshotOf(folder);
    const [state] = stagedStates(folder).states;
    expect(state?.patch.files.map(({ oldPath, newPath, change }) => [oldPath, newPath, change])).toEqual([
      ['mm/b.c', null, 'delete'],
      ['mm/a.c', 'mm/moved.c', 'rename'],
      [null, 'mm/new.c', 'add'],
    ]);
    expect(
      ['mm/a.c', 'mm/b.c', 'mm/moved.c', 'mm/new.c'].map((path) => state?.after.read(path) ?? null),
    ).toEqual([null, null, text('a').replace('a 6', 'A 6'), 'int staged;\n']);
    expect(state?.after.list('mm')).toEqual(['moved.c', 'new.c']);
    expect(state?.changed).toEqual(['mm/b.c', 'mm/moved.c', 'mm/a.c', 'mm/new.c']);
    expect(snapshotOf(folder)).toEqual(before);
  });

  it('reviews a first commit before it is made', () => {
    const folder = makeKernel({ 'mm/a.c': 'int a;\n' });
    made.push(folder);
    git(folder, 'init', '-q');
    git(folder, 'add', '.');
    const [state] = stagedStates(folder).states;
    expect([state?.before.read('mm/a.c'), state?.after.read('mm/a.c')]).toEqual([null, 'int a;\n']);
  });

  it('says that a merge is not resolved', () => {
    const folder = repository();
    git(folder, 'checkout', '-q', '-b', 'side');
    write(folder, 'mm/a.c', 'side\n');
    commit(folder, 'side');
    git(folder, 'checkout', '-q', 'main');
    write(folder, 'mm/a.c', 'main\n');
    commit(folder, 'main');
    expect(() => git(folder, 'merge', '-q', 'side')).toThrow();
    expect(problem(() => stagedStates(folder))).toBe(
      `${folder}: mm/a.c is not merged yet: nothing can be reviewed as staged`,
    );
  });

  it('takes the index that a hook is run with, from any folder', () => {
    const folder = repository();
    write(folder, 'mm/a.c', text('a', 'more'));
    vi.stubEnv('GIT_INDEX_FILE', join(folder, '.git', 'other-index'));
    git(folder, 'read-tree', 'HEAD');
    git(folder, 'add', 'mm/a.c');
    vi.stubEnv('GIT_DIR', join(folder, '.git'));
    expect(stagedStates(join(folder, 'mm')).states.map(({ changed }) => changed)).toEqual([['mm/a.c']]);
    vi.unstubAllEnvs();
    expect(stagedStates(folder).states).toEqual([]);
  });

  it('does not let a hook’s variables reach another repository', () => {
    const [here, there] = [repository(), repository()];
    write(there, 'mm/b.c', text('b', 'there'));
    git(there, 'add', '.');
    vi.stubEnv('GIT_DIR', join(here, '.git'));
    vi.stubEnv('GIT_INDEX_FILE', join(here, '.git', 'index'));
    expect(stagedStates(there).states.map(({ changed }) => changed)).toEqual([['mm/b.c']]);
  });
});

/** Names, sizes and times of all that a repository holds. */
function snapshotOf(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const { size, mtimeMs } = statSync(path);
      return entry.isFile() ? `${path} ${size} ${mtimeMs} ${readFileSync(path).length}` : path;
    })
    .toSorted();
}
