import { mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openFolder } from '#source/folder-tree.js';
import { openRevision } from '#source/git-tree.js';
import { emptyTree, overlay } from '#source/overlay-tree.js';
import { SourceError } from '#source/snapshot.js';
import { git, makeKernel } from './kernel-folder.js';

const made: string[] = [];
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function kernel(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const folder = makeKernel(files);
  made.push(folder);
  return folder;
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return error instanceof SourceError ? error.code : expect.fail(String(error));
  }
  return expect.fail('no SourceError');
}

const files = {
  'mm/zap.c': 'int zap;\n',
  'mm/latin.c': Uint8Array.from([0x2f, 0x2f, 0xe9, 0x0a]),
  'mm/object.o': Uint8Array.from([1, 0, 2]),
  'mm/huge.h': Buffer.alloc(4 * 1024 * 1024 + 1, 0x20),
  'mm/sub/deep.h': '#define DEEP\n',
};

describe.each([
  ['a folder', (folder: string) => openFolder(folder)],
  [
    'a revision',
    (folder: string) => {
      git(folder, 'init', '-q');
      git(folder, 'add', '-A');
      git(folder, 'commit', '-q', '-m', 'x');
      return openRevision(folder, 'HEAD');
    },
  ],
])('%s', (_, open) => {
  it('reads text, replaces bytes that are no UTF-8, leaves binary and large files out', () => {
    const tree = open(kernel(files));
    expect(tree.read('mm/zap.c')).toBe('int zap;\n');
    expect(tree.read('mm/latin.c')).toBe('//\ufffd\n');
    expect([
      tree.read('mm/object.o'),
      tree.read('mm/huge.h'),
      tree.read('mm/none.c'),
      tree.read('mm'),
    ]).toEqual([null, null, null, null]);
  });

  it('lists files and folders in order', () => {
    const tree = open(kernel(files));
    expect(tree.list('mm')).toEqual(['huge.h', 'latin.c', 'object.o', 'sub/', 'zap.c']);
    expect(tree.list('mm/')).toEqual(tree.list('mm'));
    expect(tree.list('none')).toEqual([]);
    expect(tree.list('')).toEqual(expect.arrayContaining(['Kconfig', 'Makefile', 'mm/']));
  });

  it('never leaves the tree', () => {
    const outside = mkdtempSync(join(tmpdir(), 'shootdown-'));
    made.push(outside);
    writeFileSync(join(outside, 'secret'), 'secret\n');
    const folder = kernel(files);
    symlinkSync(join(outside, 'secret'), join(folder, 'absolute'));
    symlinkSync('../../../../../../../etc/passwd', join(folder, 'up'));
    symlinkSync('sub/deep.h', join(folder, 'mm', 'inside.h'));
    symlinkSync(outside, join(folder, 'mm', 'away'));
    symlinkSync('sub', join(folder, 'mm', 'here'));
    const tree = open(folder);
    expect([
      tree.read('absolute'),
      tree.read('up'),
      tree.read('../x'),
      tree.read('/etc/passwd'),
      tree.read('/Makefile'),
      tree.read('mm/../../x'),
      tree.read('mm/away/secret'),
      tree.read('mm/sub'),
      tree.read(''),
    ]).toEqual([null, null, null, null, null, null, null, null, null]);
    expect(tree.list('..')).toEqual([]);
    expect(tree.list('mm/away')).toEqual([]);
    expect(tree.read('mm/inside.h')).toBe('#define DEEP\n');
    expect(tree.read('mm/here/deep.h')).toBe('#define DEEP\n');
  });

  it('is a kernel or nothing', () => {
    expect(codeOf(() => open(kernel({ Makefile: 'all:\n' })))).toBe('not-a-kernel');
  });
});

describe('versions of files', () => {
  const commit = (folder: string): void => {
    git(folder, 'add', '-A');
    git(folder, 'commit', '-q', '-m', 'x');
  };
  const old = (path: string): void => utimesSync(path, new Date(1e12), new Date(1e12));

  it('of a folder change with what is written, and C files alone have one', () => {
    const folder = kernel(files);
    old(join(folder, 'mm/zap.c'));
    const before = openFolder(folder).versions?.files('mm');
    expect([...(before?.keys() ?? [])].sort()).toEqual(['huge.h', 'latin.c', 'sub/', 'zap.c']);
    writeFileSync(join(folder, 'mm/zap.c'), 'int bigger;\n');
    old(join(folder, 'mm/zap.c'));
    expect(openFolder(folder).versions?.files('mm').get('zap.c')).not.toBe(before?.get('zap.c') || 'none');
    expect(openFolder(folder).versions?.files('none').size).toBe(0);
    expect(openFolder(folder).versions?.files('..').size).toBe(0);
    expect(openFolder(folder).versions?.folder('mm')).toBeNull();
  });
  it('of a file that was written a moment ago cannot be told', () => {
    expect(openFolder(kernel(files)).versions?.files('mm').get('zap.c')).toBe('');
  });
  it('of a revision are the ids of git', () => {
    const folder = kernel(files);
    git(folder, 'init', '-q');
    commit(folder);
    const before = openRevision(folder, 'HEAD').versions;
    writeFileSync(join(folder, 'mm/zap.c'), 'int other;\n');
    commit(folder);
    const after = openRevision(folder, 'HEAD').versions;
    expect(before?.files('mm').get('zap.c')).toMatch(/^[0-9a-f]{40}$/);
    expect(after?.files('mm').get('zap.c')).not.toBe(before?.files('mm').get('zap.c'));
    expect(after?.files('mm').get('latin.c')).toBe(before?.files('mm').get('latin.c'));
    expect(after?.folder('mm')).not.toBe(before?.folder('mm'));
    expect(after?.folder('mm/sub')).toBe(before?.folder('mm/sub'));
    expect([after?.folder('none'), after?.files('none').size]).toEqual([null, 0]);
  });
});

describe('openFolder', () => {
  it('says what is wrong with a place', () => {
    const folder = kernel();
    expect(codeOf(() => openFolder(join(folder, 'none')))).toBe('no-tree');
    expect(codeOf(() => openFolder(join(folder, 'Makefile')))).toBe('no-tree');
  });
});

describe('openRevision', () => {
  it('reads old revisions, not the work tree', () => {
    const folder = kernel(files);
    git(folder, 'init', '-q');
    git(folder, 'add', '-A');
    git(folder, 'commit', '-q', '-m', 'one');
    writeFileSync(join(folder, 'mm/zap.c'), 'int newer;\n');
    expect(openRevision(folder, 'HEAD').read('mm/zap.c')).toBe('int zap;\n');
    expect(openRevision(join(folder, 'mm'), 'HEAD').read('mm/zap.c')).toBe('int zap;\n');
    expect(codeOf(() => openRevision(folder, 'no-such'))).toBe('git');
    expect(codeOf(() => openRevision(folder, '--help'))).toBe('git');
    expect(codeOf(() => openRevision(join(folder, 'none'), 'HEAD'))).toBe('git');
  });

  it('needs a repository', () => {
    expect(codeOf(() => openRevision(kernel(), 'HEAD'))).toBe('git');
  });
});

describe('overlay', () => {
  const base = overlay(
    emptyTree,
    new Map([
      ['mm/a.c', 'a'],
      ['mm/b.c', 'b'],
    ]),
  );
  const tree = overlay(
    base,
    new Map([
      ['mm/a.c', null],
      ['mm/new/c.c', 'c'],
      ['mm/b.c', 'B'],
    ]),
  );

  it('reads replaced texts and those below', () => {
    expect(['mm/a.c', 'mm/b.c', 'mm/new/c.c', 'mm/d.c'].map((path) => tree.read(path))).toEqual([
      null,
      'B',
      'c',
      null,
    ]);
  });

  it('lists what is there now', () => {
    expect(tree.list('mm')).toEqual(['b.c', 'new/']);
    expect(tree.list('')).toEqual(['mm/']);
    expect(base.list('mm')).toEqual(['a.c', 'b.c']);
  });
});
