import { describe, expect, test } from 'vitest';
import type { Finding, ReviewedPatch } from '#review/document.js';
import { reviewSeries } from '#review/review-series.js';
import { applyEdits } from '#review/source-edit.js';
import { loadRules } from '#rules/load-rules.js';
import { change } from './memory-tree.js';

const rules = loadRules();
const MACHINES = ['x86-64', 'arm64'];

const review = (before: string, after: string, machines: readonly string[] = MACHINES): ReviewedPatch => {
  const [patch] = reviewSeries([change({ 'mm/a.c': before }, { 'mm/a.c': after })], rules, {
    machines,
    existing: false,
    limits: { states: 100_000, milliseconds: 5_000 },
    now: () => 0,
    onProgress: () => {},
  }).patches;
  if (patch === undefined) throw new Error('one patch was reviewed');
  return patch;
};

const introduced = (patch: ReviewedPatch): Finding[] =>
  patch.findings.filter(({ status }) => status === 'introduced');

/** The patched text with the suggestion of its only finding made; it must then have none. */
function mended(before: string, after: string, machines: readonly string[] = MACHINES): string {
  const findings = introduced(review(before, after, machines));
  expect(findings.map(({ suggestion }) => suggestion !== null)).toEqual([true]);
  const suggestion = findings[0]?.suggestion ?? null;
  if (suggestion === null) throw new Error('a suggestion was asked for');
  expect(suggestion.edits.map(({ file }) => file)).toEqual(suggestion.edits.map(() => 'mm/a.c'));
  expect(suggestion.states).toBeGreaterThan(0);
  expect(suggestion.machines).toEqual(machines);
  const text = applyEdits(after, suggestion.edits);
  expect(introduced(review(before, text, machines))).toEqual([]);
  return text;
}

const nothing = (before: string, after: string): void => {
  const findings = introduced(review(before, after));
  expect(findings.map(({ suggestion }) => suggestion)).toEqual([null]);
};

const CLEAR = '\tpte_clear(&init_mm, addr, ptep);\n';
const FLUSH = '\tflush_tlb_kernel_range(addr, addr + PAGE_SIZE);\n';
const FREE = '\t__free_page(page);\n';
const unmap = (...steps: readonly string[]): string =>
  `void unmap_one(pte_t *ptep, unsigned long addr)
{
	struct page *page;

	if (!pte_present(*ptep))
		return;
	page = pte_page(*ptep);
${steps.join('')}}
`;
const RIGHT = unmap(CLEAR, FLUSH, FREE);

describe('kernel pages', () => {
  test('a flush that came too late is moved in front of the free', () => {
    expect(mended(RIGHT, unmap(CLEAR, FREE, FLUSH))).toBe(RIGHT);
  });
  test('the same where the patch brings all of it in', () => {
    expect(mended('', unmap(CLEAR, FREE, FLUSH), ['x86-64'])).toBe(RIGHT);
  });
  test('a flush that was taken out is put back, and nothing else', () => {
    const note = '\tpr_debug("gone");\n';
    expect(mended(RIGHT, unmap(CLEAR, FREE, note))).toBe(unmap(CLEAR, FLUSH, FREE, note));
  });
  test('a free in front of clear and flush goes behind both', () => {
    expect(mended(RIGHT, unmap(FREE, CLEAR, FLUSH))).toBe(RIGHT);
  });
  test('a range that became too narrow is the old one again', () => {
    const wide = '\tflush_tlb_kernel_range(addr, addr + PAGE_SIZE);\n';
    const narrow = '\tflush_tlb_kernel_range(addr, addr);\n';
    expect(mended(unmap(CLEAR, wide, FREE), unmap(CLEAR, narrow, FREE))).toContain(wide);
  });
  test('nothing is said where the function has nothing to flush with', () => {
    nothing('', unmap(CLEAR, FREE));
  });
  test('an edit whose names mean something else there is not made', () => {
    // The late flush computes with what is assigned after the free.
    nothing('', unmap(CLEAR, FREE, '\taddr = other_address();\n', FLUSH));
  });
  test('a flush behind a path that frees too is moved in front of both', () => {
    const early = '\tif (failed) {\n\t\t__free_page(page);\n\t\treturn;\n\t}\n';
    expect(mended(RIGHT, unmap(CLEAR, early, FLUSH, FREE))).toBe(unmap(CLEAR, FLUSH, early, FREE));
  });
  test('a flush that cannot be moved is repeated where the page is freed without', () => {
    const early = (...steps: readonly string[]): string =>
      `\tif (failed) {\n${steps.join('')}\t\t__free_page(page);\n\t\treturn;\n\t}\nflush:\n`;
    expect(mended(RIGHT, unmap(CLEAR, early(), FLUSH, FREE))).toBe(
      unmap(CLEAR, early(`\t${FLUSH}`), FLUSH, FREE),
    );
  });
  test('braces are put where a condition had one statement', () => {
    const after = unmap(CLEAR, '\tif (mapped)\n\t\t__free_page(page);\n');
    const before = unmap(CLEAR, `\tif (mapped) {\n\t${FLUSH}\t\t__free_page(page);\n\t}\n`);
    expect(mended(before, after)).toBe(before);
  });
});

describe('user tables', () => {
  const collapse = (...steps: readonly string[]): string =>
    `void collapse(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long addr, pmd_t *pmd)
{
	spinlock_t *ptl = pmd_lock(mm, pmd);
	pmd_t old;

${steps.join('')}}
`;
  const COLLAPSE = '\told = pmdp_collapse_flush(vma, addr, pmd);\n';
  const UNLOCK = '\tspin_unlock(ptl);\n';
  const SYNC = '\ttlb_remove_table_sync_one();\n';
  const FREE_TABLE = '\tpte_free(mm, pmd_pgtable(old));\n';

  test('the wait for walkers is put back in front of the free', () => {
    const right = collapse(COLLAPSE, UNLOCK, SYNC, FREE_TABLE);
    expect(mended(right, collapse(COLLAPSE, UNLOCK, FREE_TABLE))).toBe(right);
  });
  test('the wait for walkers is moved in front of the free', () => {
    const right = collapse(COLLAPSE, UNLOCK, SYNC, FREE_TABLE);
    expect(mended('', collapse(COLLAPSE, UNLOCK, FREE_TABLE, SYNC))).toBe(right);
  });
});

describe('page-table locks', () => {
  const zap = (...steps: readonly string[]): string =>
    `void zap(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long addr, pmd_t *pmd)
{
	spinlock_t *ptl;
	pte_t *ptep = pte_offset_map_lock(mm, pmd, addr, &ptl);

	ptep_get_and_clear(mm, addr, ptep);
${steps.join('')}}
`;
  const FLUSH_PAGE = '\tflush_tlb_page(vma, addr);\n';
  const UNLOCK = '\tpte_unmap_unlock(ptep, ptl);\n';

  test('the unlock goes behind the flush', () => {
    const right = zap(FLUSH_PAGE, UNLOCK);
    expect(mended(right, zap(UNLOCK, FLUSH_PAGE))).toBe(right);
  });
});
