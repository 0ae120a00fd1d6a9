import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { GitObjects } from '#source/git-objects.js';
import { git, makeKernel } from './kernel-folder.js';

const folder = makeKernel({ 'mm/zap.c': 'int zap;\n' });
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('objects are read one after the other, however quickly they are asked for', () => {
  git(folder, 'init', '-q');
  git(folder, 'add', '-A');
  git(folder, 'commit', '-q', '-m', 'one');
  const id = execFileSync('git', ['-C', folder, 'rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
  const objects = new GitObjects(folder);
  const messages = new Set<string>();
  for (let n = 0; n < 2_000; n++) messages.add(objects.commit(id).message);
  expect([...messages]).toEqual(['one\n']);
});
