import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rangeChanges, stagedChanges } from '#cli/git-changes.js';
import { describeFailure } from '#cli/report-failure.js';
import type { PatchedState } from '#source/snapshot.js';
import { git, makeKernel } from '../source/kernel-folder.js';

let folder = '';
const failure = async (promise: Promise<unknown>): Promise<string> =>
  promise.then(() => 'no failure', describeFailure);
const subjects = (states: readonly PatchedState[]): string[] => states.map(({ patch }) => patch.subject);

beforeEach(() => {
  folder = makeKernel();
  git(folder, 'init', '-q');
  // Settings that change what diffs look like must not reach the patch.
  for (const [name, value] of [
    ['diff.noprefix', 'true'],
    ['diff.mnemonicPrefix', 'true'],
    ['diff.context', '0'],
    ['color.ui', 'always'],
    ['diff.external', 'false'],
    ['diff.submodule', 'log'],
    ['core.quotePath', 'false'],
  ] as const)
    git(folder, 'config', name, value);
  for (const word of ['one', 'two', 'three']) {
    execFileSync('mkdir', ['-p', join(folder, 'mm')]);
    writeFileSync(join(folder, 'mm', 'a.c'), `before\n${word}\nafter\n`);
    git(folder, 'add', '.');
    git(folder, 'commit', '-q', '-m', `say ${word}`);
  }
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('rangeChanges', () => {
  it('gives the commits, oldest first, with their own trees', async () => {
    const { states } = await rangeChanges(folder, 'HEAD~2..HEAD');
    expect(
      states.map(({ patch, before, after }) => [
        patch.subject,
        before.read('mm/a.c')?.split('\n')[1],
        after.read('mm/a.c')?.split('\n')[1],
      ]),
    ).toEqual([
      ['say two', 'one', 'two'],
      ['say three', 'two', 'three'],
    ]);
    expect(states[0]?.patch.files).toMatchObject([
      { oldPath: 'mm/a.c', newPath: 'mm/a.c', hunks: [{ oldStart: 1, oldLines: 3 }] },
    ]);
  });
  it('takes the open end as HEAD and works from a folder below the top', async () => {
    expect(subjects((await rangeChanges(join(folder, 'mm'), 'HEAD~1..')).states)).toEqual(['say three']);
  });
  it('is empty when nothing lies between', async () => {
    expect((await rangeChanges(folder, 'HEAD..HEAD')).states).toEqual([]);
  });
  it('refuses what is no range of two known commits', async () => {
    for (const range of ['HEAD', 'HEAD~1...HEAD', '--output=x..HEAD', 'HEAD..--all'])
      expect(await failure(rangeChanges(folder, range))).toBe(`--range ${range}: write it as A..B`);
    expect(await failure(rangeChanges(folder, 'nope..HEAD'))).toBe(
      '--range nope..HEAD: git knows no commit nope',
    );
    expect(await failure(rangeChanges(tmpdir(), 'A..B'))).toBe(`${tmpdir()}: is not in a git checkout`);
    expect(await failure(rangeChanges(join(folder, 'none'), 'A..B'))).toBe(
      `${join(folder, 'none')}: is not in a git checkout`,
    );
  });
});

describe('stagedChanges', () => {
  it('gives what is staged and nothing else', async () => {
    writeFileSync(join(folder, 'mm', 'a.c'), 'before\nstaged\nafter\n');
    git(folder, 'add', '.');
    writeFileSync(join(folder, 'mm', 'a.c'), 'not staged\n');
    const { states } = await stagedChanges(join(folder, 'mm'));
    expect(
      states.map(({ before, after, changed }) => [before.read('mm/a.c'), after.read('mm/a.c'), changed]),
    ).toEqual([['before\nthree\nafter\n', 'before\nstaged\nafter\n', ['mm/a.c']]]);
  });
  it('is empty when nothing is staged', async () => {
    expect((await stagedChanges(folder)).states).toEqual([]);
  });
});
