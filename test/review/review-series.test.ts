import { describe, expect, test } from 'vitest';
import type { EventProgram } from '#event/program.js';
import { behaveAlike } from '#extract/finish-program.js';
import { parsePatches } from '#patch/parse-patches.js';
import type { ReviewDocument } from '#review/document.js';
import { reviewSeries } from '#review/review-series.js';
import { VERSION } from '#review/version.js';
import { loadRules } from '#rules/load-rules.js';
import { patchedStates } from '#source/patched-states.js';
import type { PatchedState } from '#source/snapshot.js';
import manifest from '../../package.json' with { type: 'json' };
import { extract } from '../extract/extracted.js';
import { change } from './memory-tree.js';

const rules = loadRules();

const review = (states: readonly PatchedState[], existing = false): ReviewDocument =>
  reviewSeries(states, rules, {
    machines: ['x86-64', 'arm64'],
    existing,
    limits: { states: 100_000, milliseconds: 5_000 },
    now: () => 0,
    onProgress: () => {},
  });

/** `status hazard in function` of every finding of the only patch. */
const verdicts = (before: string, after: string, existing = false): string[] =>
  review([change({ 'mm/a.c': before }, { 'mm/a.c': after })], existing).patches.flatMap((patch) =>
    patch.findings.map((finding) => `${finding.status} ${finding.hazard} in ${finding.function}`),
  );

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
const WRONG = unmap(CLEAR, FREE, FLUSH);

describe('changes that change nothing', () => {
  const program = (text: string): EventProgram => extract({ 'mm/a.c': text }, 'mm/a.c', 'unmap_one').program;
  const isAsRight = (text: string): boolean => behaveAlike([program(text)], [program(RIGHT)]);
  const COMMENTED = RIGHT.replace(CLEAR, `\n\t/* Nobody finds it any more. */\n${CLEAR}`);
  const RENAMED = RIGHT.replaceAll('page;', 'victim;')
    .replaceAll('page =', 'victim =')
    .replaceAll('(page)', '(victim)')
    .replaceAll('addr', 'where');

  test('a comment leaves the program as it was', () => {
    expect(COMMENTED).not.toBe(RIGHT);
    expect(isAsRight(COMMENTED)).toBe(true);
    expect(verdicts(RIGHT, COMMENTED)).toEqual([]);
  });
  test('other names leave the program as it was', () => {
    expect(RENAMED).toContain('__free_page(victim)');
    expect(isAsRight(RENAMED)).toBe(true);
    expect(verdicts(RIGHT, RENAMED)).toEqual([]);
  });
  test('another order of flush and free is another program', () => {
    expect(isAsRight(WRONG)).toBe(false);
  });
});

describe('what a patch does to an order', () => {
  test('it brings a violation in', () => {
    expect(verdicts(RIGHT, WRONG)).toEqual(['introduced free-before-flush in unmap_one']);
  });
  test('its reverse takes it out', () => {
    expect(verdicts(WRONG, RIGHT)).toEqual(['fixed free-before-flush in unmap_one']);
  });
  test('what was wrong before under the same choices is not brought in', () => {
    const other = WRONG.replace(
      FREE,
      `\tif (verbose)\n\t\tpr_info("gone");\n${FREE}\tinvalidate_other(addr);\n`,
    );
    expect(verdicts(WRONG, other)).toEqual([]);
    const moved = unmap(FREE, CLEAR, FLUSH);
    expect(verdicts(WRONG, moved)).toEqual([]);
    expect(verdicts(WRONG, moved, true)).toEqual(['existing free-before-clear in unmap_one']);
  });
  test('a later patch of the series that closes it is named', () => {
    const [opens, closes] = review([
      change({ 'mm/a.c': RIGHT }, { 'mm/a.c': WRONG }),
      { ...change({ 'mm/a.c': WRONG }, { 'mm/a.c': RIGHT }) },
    ]).patches;
    expect(opens?.findings.map((finding) => finding.closedBy)).toEqual(['a change']);
    expect(closes?.findings.map((finding) => finding.status)).toEqual(['fixed']);
  });
});

test('a mail without a tree says which functions it shows in part', async () => {
  const mail = `From: A <a@example.org>
Date: Mon, 2 Nov 2026 10:00:00 +0000
Subject: [PATCH] mm: free first
Message-ID: <a@example.org>

Text.

---
diff --git a/mm/a.c b/mm/a.c
--- a/mm/a.c
+++ b/mm/a.c
@@ -40,6 +40,6 @@ static void unmap_one(pte_t *ptep, unsigned long addr)
 	page = pte_page(*ptep);
 	pte_clear(&init_mm, addr, ptep);
-	flush_tlb_kernel_range(addr, addr + PAGE_SIZE);
 	__free_page(page);
+	flush_tlb_kernel_range(addr, addr + PAGE_SIZE);
 	count++;
 	count--;
-- 
2.39.5
`;
  const series = await parsePatches(new TextEncoder().encode(mail), 'mail');
  const [patch] = review(patchedStates(series.patches, null)).patches;
  expect(patch?.context).toBe('hunks');
  expect(patch?.undecided).toContainEqual({
    function: 'unmap_one',
    file: 'mm/a.c',
    kind: 'resolve',
    reason: 'seen only in part: lines 40-45',
  });
  for (const finding of patch?.findings ?? []) expect(finding.confidence).toBe('low');
});

test("the version is the package's", () => {
  expect(VERSION).toBe(manifest.version);
});

describe('an entry that moves from one pointer to another', () => {
  const move = (
    ...end: readonly string[]
  ): string => `bool move_one(struct vm_area_struct *vma, unsigned long addr,
	      pmd_t *old_pmd, pmd_t *new_pmd)
{
	spinlock_t *ptl;
	pmd_t pmd;

	if (!pmd_none(*new_pmd))
		return false;
	ptl = pmd_lock(vma->vm_mm, old_pmd);
	pmd = pmdp_huge_get_and_clear(vma->vm_mm, addr, old_pmd);
	set_pmd_at(vma->vm_mm, addr, new_pmd, pmd);
${end.join('')}	return true;
}
`;
  const FLUSHED = '\tflush_pmd_tlb_range(vma, addr, addr + PMD_SIZE);\n';
  const UNLOCKED = '\tspin_unlock(ptl);\n';
  test('owes the flush before the unlock', () => {
    expect(verdicts(move(FLUSHED, UNLOCKED), move(UNLOCKED, FLUSHED))).toEqual([
      'introduced unlock-before-flush in move_one',
    ]);
  });
  test('may flush the whole address space instead', () => {
    expect(verdicts(move(FLUSHED, UNLOCKED), move('\tflush_tlb_mm(vma->vm_mm);\n', UNLOCKED))).toEqual([]);
  });
});
