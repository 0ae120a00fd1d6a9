import { describe, expect, test } from 'vitest';
import { filesThatDefine, filesThatUse, type TreeIndex, TreeIndexes } from '#review/tree-index.js';
import type { Cache } from '#source/cache-folder.js';
import { overlay } from '#source/overlay-tree.js';
import { type Files, treeOf } from './memory-tree.js';

const header = 'void f(void);\n';
const FILES: Files = {
  'include/linux/mm.h': header,
  'mm/a.c': 'void f(void)\n{\n}\n',
  'mm/b.c': 'void b(void)\n{\n\tf();\n}\n',
  'fs/c.c': 'void c(void)\n{\n\tf();\n}\n',
  'fs/deep/d.c': 'static struct ops o = { .run = f };\n',
  'arch/x86/mm/e.c': 'void e(void)\n{\n\tf();\n}\n',
  'arch/arm64/mm/e.c': 'void e(void)\n{\n\tf();\n}\n',
  'sound/s.c': 'void s(void)\n{\n\tf();\n}\n',
};

const memory = (): Cache & { readonly kept: Map<string, Uint8Array> } => {
  const kept = new Map<string, Uint8Array>();
  return { kept, get: (key) => kept.get(key) ?? null, put: (key, bytes) => void kept.set(key, bytes) };
};

function opened(files: Files, cache: Cache | null = null, version: (path: string) => string = () => '1') {
  const reads: string[] = [];
  const tree = treeOf(files, { place: 'here', version, reads });
  const index = new TreeIndexes(cache).of(tree);
  if (index === null) throw new Error('a tree with versions has an index');
  return { index, reads, tree };
}

const users = (index: TreeIndex, arch = 'x86'): readonly string[] =>
  filesThatUse(index, 'f', 'mm/a.c', arch, 'tree');

describe('files that use a name', () => {
  test('its own folder first, in the searched folders, of one architecture', () => {
    expect(users(opened(FILES).index)).toEqual(['mm/b.c', 'arch/x86/mm/e.c', 'fs/c.c', 'fs/deep/d.c']);
    expect(users(opened(FILES).index, 'arm64')).toContain('arch/arm64/mm/e.c');
  });
  test('what no header of the kernel names is looked for in its own part only, and nothing else is read', () => {
    const { index, reads } = opened({ ...FILES, 'include/linux/mm.h': 'void g(void);\n' });
    expect(users(index)).toEqual(['mm/b.c']);
    expect(reads.filter((path) => path.startsWith('fs/'))).toEqual([]);
  });
  test('those that are near are found without reading the rest', () => {
    const { index, reads } = opened(FILES);
    expect(filesThatUse(index, 'f', 'mm/a.c', 'x86', 'near')).toEqual(['mm/b.c']);
    expect(reads).toEqual(['mm/a.c', 'mm/b.c']);
  });
  test('what is called is looked for in its own part and where page tables are changed, and no further', () => {
    const body = 'void h(void)\n{\n}\n';
    const helpers = ['arch/arm64/mm/h.c', 'arch/x86/mm/h.c', 'fs/h.c', 'kernel/h.c', 'mm/h.c', 'virt/h.c'];
    const { index, reads } = opened({ ...FILES, ...Object.fromEntries(helpers.map((path) => [path, body])) });
    const near = ['mm/h.c', 'kernel/h.c', 'virt/h.c', 'arch/x86/mm/h.c'];
    expect(filesThatDefine(index, 'h', 'mm/a.c', 'x86')).toEqual(near);
    expect(reads.filter((path) => path.startsWith('fs/'))).toEqual([]);
    expect(filesThatDefine(index, 'h', 'fs/c.c', 'x86')).toEqual(['fs/h.c', ...near]);
  });
  test('nothing is read before a question', () => {
    expect(opened(FILES).reads).toEqual([]);
  });
  test('a tree without versions has no index', () => {
    expect(new TreeIndexes(null).of(treeOf(FILES))).toBeNull();
    expect(new TreeIndexes(null).of(overlay(treeOf(FILES), new Map([['mm/b.c', '']])))).toBeNull();
  });
  test('a patched tree is the one below with its own texts', () => {
    const { tree, reads } = opened(FILES);
    const indexes = new TreeIndexes(null);
    const base = indexes.of(tree);
    const patched = indexes.of(
      overlay(
        tree,
        new Map([
          ['mm/b.c', 'void b(void)\n{\n}\n'],
          ['mm/n.c', 'void n(void)\n{\n\tf();\n}\n'],
          ['fs/c.c', null],
        ]),
      ),
    );
    if (base === null || patched === null) throw new Error('both have an index');
    expect(users(base)).toEqual(['mm/b.c', 'arch/x86/mm/e.c', 'fs/c.c', 'fs/deep/d.c']);
    const before = reads.length;
    expect(users(patched)).toEqual(['mm/n.c', 'arch/x86/mm/e.c', 'fs/deep/d.c']);
    expect(reads.length).toBe(before);
  });
});

describe('what is kept', () => {
  /** More files than are read again without being written down. */
  const many: Files = Object.fromEntries(
    Array.from({ length: 40 }, (_, n) => [`mm/m${n}.c`, `void m${n}(void)\n{\n\tf();\n\tg${n}();\n}\n`]),
  );
  const files: Files = { ...many, 'mm/a.c': 'void f(void)\n{\n}\n' };

  test('another run reads no file that is as it was', () => {
    const cache = memory();
    const first = users(opened(files, cache).index);
    const { index, reads } = opened(files, cache);
    expect(users(index)).toEqual(first);
    expect(first).toHaveLength(40);
    expect(reads).toEqual([]);
  });
  test('what changed is read again, what went away is gone', () => {
    const cache = memory();
    users(opened(files, cache).index);
    const { 'mm/m7.c': _, ...left } = files;
    const { index, reads } = opened({ ...left, 'mm/m3.c': 'void m3(void)\n{\n}\n' }, cache, (path) =>
      path === 'mm/m3.c' ? '2' : '1',
    );
    const found = users(index);
    expect(reads).toEqual(['mm/m3.c']);
    expect(found).toHaveLength(38);
    expect(found).not.toContain('mm/m3.c');
    expect(found).not.toContain('mm/m7.c');
  });
  test('a file whose version nobody can tell is read every time', () => {
    const cache = memory();
    const version = (path: string): string => (path === 'mm/m3.c' ? '' : '1');
    users(opened(files, cache, version).index);
    const { index, reads } = opened(files, cache, version);
    users(index);
    expect(reads).toEqual(['mm/m3.c']);
  });
  test('many changes are written down on top of what is kept', () => {
    const cache = memory();
    users(opened(files, cache).index);
    const changed = Object.fromEntries(
      Object.keys(files).map((path, n) => [path, n < 30 ? 'void x(void)\n{\n}\n' : (files[path] ?? '')]),
    );
    const version = (path: string): string => (changed[path] === files[path] ? '1' : '2');
    const second = users(opened(changed, cache, version).index);
    expect(second).toHaveLength(10);
    const { index, reads } = opened(changed, cache, version);
    expect(users(index)).toEqual(second);
    expect(reads).toEqual([]);
  });
  test('bytes that are no index are ignored', () => {
    for (const bytes of [new Uint8Array(0), new Uint8Array(16), new Uint8Array(4_000).fill(255)]) {
      const { index } = opened(files, { get: () => bytes, put: () => {} });
      expect(users(index)).toHaveLength(40);
    }
  });
  test('the answer is the same without a cache', () => {
    const cache = memory();
    users(opened(files, cache).index);
    expect(users(opened(files, null).index)).toEqual(users(opened(files, cache).index));
  });
});
