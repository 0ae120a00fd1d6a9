import { describe, expect, test } from 'vitest';
import { KeptParts } from '#review/kept-parts.js';
import { scanFile } from '#review/review-files.js';
import { Kept } from '#review/session.js';
import { TreeIndexes } from '#review/tree-index.js';
import { loadRules } from '#rules/load-rules.js';
import type { Cache } from '#source/cache-folder.js';
import type { Tree } from '#source/snapshot.js';
import { change } from './memory-tree.js';

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
  kept.indexes = new TreeIndexes(null);
  const parts = new KeptParts(cache, treeOf(header), kept, task);
  const known = parts.find('mm/a.c');
  const part =
    known ??
    scanFile(
      parts.tree,
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
