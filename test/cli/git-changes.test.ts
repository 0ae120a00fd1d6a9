import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rangeChanges, stagedChanges } from '#cli/git-changes.js';
import { describeFailure } from '#cli/report-failure.js';

let folder = '';
const git = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@example.org', ...args], {
    cwd: folder,
    encoding: 'utf8',
  });
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const failure = async (promise: Promise<unknown>): Promise<string> =>
  promise.then(() => 'no failure', describeFailure);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shootdown-'));
  git('init', '-q');
  // Settings that change what diffs look like must not reach the patch.
  git('config', 'diff.noprefix', 'true');
  git('config', 'color.ui', 'always');
  mkdirSync(join(folder, 'mm'));
  for (const word of ['one', 'two', 'three']) {
    writeFileSync(join(folder, 'mm', 'a.c'), `${word}\n`);
    git('add', '.');
    git('commit', '-q', '-m', `say ${word}`);
  }
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('rangeChanges', () => {
  it('gives the commits as mails, oldest first, and what they apply to', async () => {
    const changes = await rangeChanges(folder, 'HEAD~2..HEAD');
    expect(text(changes.bytes).match(/^Subject: .*$/gm)).toEqual([
      'Subject: [PATCH 1/2] say two',
      'Subject: [PATCH 2/2] say three',
    ]);
    expect(text(changes.bytes)).toContain('diff --git a/mm/a.c b/mm/a.c');
    expect(changes.base).toBe(git('rev-parse', 'HEAD~2').trim());
  });
  it('takes the open end as HEAD and works from a folder below the top', async () => {
    const changes = await rangeChanges(join(folder, 'mm'), 'HEAD~1..');
    expect(text(changes.bytes).match(/^Subject: .*$/gm)).toEqual(['Subject: [PATCH] say three']);
  });
  it('is empty when nothing lies between', async () => {
    expect((await rangeChanges(folder, 'HEAD..HEAD')).bytes.length).toBe(0);
  });
  it('refuses what is no range of two known commits', async () => {
    expect(await failure(rangeChanges(folder, 'HEAD'))).toBe('--range HEAD: write it as A..B');
    expect(await failure(rangeChanges(folder, 'HEAD~1...HEAD'))).toBe(
      '--range HEAD~1...HEAD: write it as A..B',
    );
    expect(await failure(rangeChanges(folder, '--output=x..HEAD'))).toBe(
      '--range --output=x..HEAD: write it as A..B',
    );
    expect(await failure(rangeChanges(folder, 'HEAD..--all'))).toBe('--range HEAD..--all: write it as A..B');
    expect(await failure(rangeChanges(folder, 'nope..HEAD'))).toBe(
      '--range nope..HEAD: git knows no commit nope',
    );
    expect(await failure(rangeChanges(tmpdir(), 'A..B'))).toBe(`${tmpdir()}: is not in a git checkout`);
  });
});

describe('stagedChanges', () => {
  it('gives what is staged and nothing else', async () => {
    writeFileSync(join(folder, 'mm', 'a.c'), 'staged\n');
    git('add', '.');
    writeFileSync(join(folder, 'mm', 'a.c'), 'not staged\n');
    const changes = await stagedChanges(join(folder, 'mm'));
    expect(text(changes.bytes)).toContain('--- a/mm/a.c\n+++ b/mm/a.c\n@@ -1 +1 @@\n-three\n+staged\n');
    expect(changes.base).toBe(git('rev-parse', 'HEAD').trim());
  });
  it('is empty when nothing is staged', async () => {
    expect((await stagedChanges(folder)).bytes.length).toBe(0);
  });
});
