import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { parsePatches } from '#patch/parse-patches.js';
import type { Patch } from '#patch/series.js';
import { openTree, statesOnTree } from '#source/series-states.js';
import { SourceError } from '#source/snapshot.js';
import { git, makeKernel } from './kernel-folder.js';

const made: string[] = [];
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A repository whose file has moved on since its first commit, and that commit's id. */
function moved(): { readonly folder: string; readonly base: string } {
  const folder = makeKernel({ 'mm/a.c': 'one\n' });
  made.push(folder);
  git(folder, 'init', '-q');
  git(folder, 'add', '.');
  git(folder, 'commit', '-q', '-m', 'base');
  const base = execFileSync('git', ['-C', folder, 'rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
  writeFileSync(join(folder, 'mm', 'a.c'), 'later\n');
  git(folder, 'commit', '-q', '-a', '-m', 'later');
  return { folder, base };
}

async function patch(base: string | null): Promise<readonly Patch[]> {
  const trailer = base === null ? '' : `\nbase-commit: ${base}\n`;
  const mail = `From: a@example.org\nSubject: [PATCH] mm: two\n\n---\n--- a/mm/a.c\n+++ b/mm/a.c\n@@ -1 +1 @@\n-one\n+two\n-- \n2.43.0\n${trailer}`;
  return (await parsePatches(Buffer.from(mail), 'x')).patches;
}

function problem(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return error instanceof SourceError ? `${error.code}: ${error.message}` : expect.fail(String(error));
  }
  return expect.fail('no SourceError');
}

describe('statesOnTree', () => {
  it('goes back to the base-commit where the tree has moved on', async () => {
    const { folder, base } = moved();
    const { states, notes } = statesOnTree(await patch(base), openTree(folder), folder);
    expect(states.map(({ before, after }) => [before.read('mm/a.c'), after.read('mm/a.c')])).toEqual([
      ['one\n', 'two\n'],
    ]);
    expect(notes).toEqual([
      `the patches do not apply to ${folder} as it is: reviewed on their base-commit ${base.slice(0, 12)}`,
    ]);
  });

  it('takes the files as they are where the patch applies', async () => {
    const { folder, base } = moved();
    writeFileSync(join(folder, 'mm', 'a.c'), 'one\n');
    writeFileSync(join(folder, 'mm', 'b.c'), 'untracked\n');
    const { states, notes } = statesOnTree(await patch(base), openTree(folder), folder);
    expect([states[0]?.before.read('mm/b.c'), notes]).toEqual(['untracked\n', []]);
  });

  it('says why it cannot go back', async () => {
    const { folder } = moved();
    const reason = 'does-not-apply: "[PATCH] mm: two" does not apply to the tree: mm/a.c: hunk 1';
    const none = problem(() => statesOnTree([], openTree(join(folder, 'none')), folder));
    expect(none).toContain('no-tree');
    const patches = await patch(null);
    expect(problem(() => statesOnTree(patches, openTree(folder), folder))).toContain(reason);
    const other = await patch('0123456789abcdef0123456789abcdef01234567');
    expect(problem(() => statesOnTree(other, openTree(folder), folder))).toMatch(
      /^does-not-apply: .*\(it was made on 0123456789ab, which is not here\)$/,
    );
  });
});

describe('openTree', () => {
  it('takes the HEAD of a bare repository', () => {
    const { folder } = moved();
    const bare = mkdtempSync(join(tmpdir(), 'shootdown-'));
    made.push(bare);
    git(folder, 'clone', '-q', '--bare', folder, join(bare, 'kernel.git'));
    expect(openTree(join(bare, 'kernel.git')).read('mm/a.c')).toBe('later\n');
    expect(problem(() => openTree(bare))).toContain('not-a-kernel');
    // The repository of a work tree has none of its own: the files beside it are meant.
    expect(problem(() => openTree(join(folder, 'mm')))).toContain('not-a-kernel');
  });
});
