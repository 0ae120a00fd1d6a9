import { describe, expect, test } from 'vitest';
import { KeptParts, keptPatch } from '#review/kept-parts.js';
import { scanFile } from '#review/review-files.js';
import { reviewPart } from '#review/review-series.js';
import { Kept } from '#review/session.js';
import { TreeIndexes } from '#review/tree-index.js';
import { loadRules } from '#rules/load-rules.js';
import type { Cache } from '#source/cache-folder.js';
import type { Tree } from '#source/snapshot.js';
import { change, changeInTree, type Files } from './memory-tree.js';

const rules = loadRules();

class Memory implements Cache {
  readonly entries = new Map<string, Uint8Array>();
  get(key: string): Uint8Array | null {
    return this.entries.get(key) ?? null;
  }
  put(key: string, bytes: Uint8Array): void {
    this.entries.set(key, bytes);
  }
}

const HEADER = 'static inline void drop(struct page *page)\n{\n\t__free_page(page);\n}\n';
const FILE = `#include "own.h"
void take(pte_t *ptep, unsigned long addr)
{
	struct page *page;

	if (!pte_present(*ptep))
		return;
	page = pte_page(*ptep);
	pte_clear(&init_mm, addr, ptep);
	drop(page);
	flush_tlb_kernel_range(addr, addr + PAGE_SIZE);
}
`;

const treeOf = (header: string): Tree => change({}, { 'mm/a.c': FILE, 'mm/own.h': header }).after;

/** What one run says of the file, and whether it had to search for that. */
function run(cache: Cache, header: string, task = 'all'): { findings: readonly string[]; searched: boolean } {
  const kept = new Kept();
  const indexes = new TreeIndexes(null);
  kept.indexes = indexes;
  const parts = new KeptParts(cache, [treeOf(header)], indexes, task);
  kept.onNames = parts.noteNames;
  const [tree] = parts.trees;
  if (tree === undefined) throw new Error('one tree went in');
  const known = parts.find('mm/a.c');
  const part =
    known ??
    scanFile(
      tree,
      'mm/a.c',
      rules,
      {
        machines: ['x86-64'],
        existing: true,
        limits: { states: 20_000, milliseconds: 5_000 },
        allowance: 'function',
        kindCallers: true,
        now: () => 0,
        onProgress: () => {},
      },
      kept,
    );
  if (known === null) parts.keep('mm/a.c', part);
  const findings = part.patch.findings.map(({ hazard, line }) => `${hazard}:${line}`);
  return { findings, searched: known === null };
}

describe('what a scan found in a file', () => {
  test('is used again while nothing changes that it came from', () => {
    const cache = new Memory();
    expect(run(cache, HEADER)).toEqual({ findings: ['free-before-flush:10'], searched: true });
    expect(run(cache, HEADER)).toEqual({ findings: ['free-before-flush:10'], searched: false });
  });

  test('is worked out again when a header changes that it was read with', () => {
    const cache = new Memory();
    run(cache, HEADER);
    const harmless = HEADER.replace('__free_page(page)', 'touch(page)');
    expect(run(cache, harmless)).toEqual({ findings: [], searched: true });
  });

  test('is worked out again for another task, and where what was kept is no entry', () => {
    const cache = new Memory();
    run(cache, HEADER);
    expect(run(cache, HEADER, 'other rules').searched).toBe(true);
    for (const key of cache.entries.keys()) cache.put(key, new Uint8Array([1, 2, 3]));
    expect(run(cache, HEADER)).toEqual({ findings: ['free-before-flush:10'], searched: true });
  });
});

describe('what a patch brought in', () => {
  const FIXED = FILE.replace(
    '\tdrop(page);\n\tflush_tlb_kernel_range(addr, addr + PAGE_SIZE);\n',
    '\tflush_tlb_kernel_range(addr, addr + PAGE_SIZE);\n\tdrop(page);\n',
  );
  const CALLER = 'void use(pte_t *ptep)\n{\n\ttake(ptep, 0);\n}\n';

  /** What one run says of the patch from `FIXED` to `FILE`, and whether it had to search for that. */
  function review(cache: Cache, rest: Files, to = FILE): { findings: readonly string[]; searched: boolean } {
    const state = changeInTree({ ...rest, 'mm/a.c': FIXED }, { ...rest, 'mm/a.c': to });
    const kept = new Kept();
    const indexes = new TreeIndexes(null);
    kept.indexes = indexes;
    const patch = keptPatch([state], 0, cache, indexes, 'all');
    kept.onNames = patch.noteNames;
    const options = {
      machines: ['x86-64'],
      existing: false,
      limits: { states: 20_000, milliseconds: 5_000 },
      now: () => 0,
      onProgress: () => {},
    };
    const part = patch.known ?? reviewPart(patch.states, 0, rules, options, kept);
    if (patch.known === null) patch.keep(part);
    const findings = part.patch.findings.map(({ hazard, line }) => `${hazard}:${line}`);
    return { findings, searched: patch.known === null };
  }

  const REST = { 'mm/own.h': HEADER, 'mm/b.c': CALLER };
  const FOUND = ['free-before-flush:10'];

  test('is used again while nothing changes that it came from', () => {
    const cache = new Memory();
    expect(review(cache, REST)).toEqual({ findings: FOUND, searched: true });
    expect(review(cache, REST)).toEqual({ findings: FOUND, searched: false });
    expect(review(cache, { ...REST, 'Documentation/a.c': '' })).toEqual({ findings: FOUND, searched: false });
  });

  test('is worked out again when a header changes, or who calls the function', () => {
    const cache = new Memory();
    review(cache, REST);
    const harmless = HEADER.replace('__free_page(page)', 'touch(page)');
    expect(review(cache, { ...REST, 'mm/own.h': harmless })).toEqual({ findings: [], searched: true });
    const other = 'void other(pte_t *ptep)\n{\n\ttake(ptep, 1);\n}\n';
    expect(review(cache, { ...REST, 'mm/c.c': other }).searched).toBe(true);
  });

  test('is worked out again for another patch', () => {
    const cache = new Memory();
    review(cache, REST);
    expect(review(cache, REST, FILE.replace('\tdrop(page);\n', '')).searched).toBe(true);
  });
});
