/** What goes with a table: pages that move with it, secondary MMUs, bounds around it; and what an answer tells callers. */
import { describe, expect, test } from 'vitest';
import { reviewSeries } from '#review/review-series.js';
import { loadRules } from '#rules/load-rules.js';
import { change } from './memory-tree.js';

const rules = loadRules();

/** `hazard in function` of what the patch brings in. */
const introduced = (before: string, after: string, machines = ['x86-64', 'arm64']): string[] =>
  reviewSeries([change({ 'mm/a.c': before }, { 'mm/a.c': after })], rules, {
    machines,
    existing: false,
    limits: { states: 100_000, milliseconds: 10_000 },
    now: () => 0,
    onProgress: () => {},
  }).patches.flatMap((patch) =>
    patch.findings
      .filter((finding) => finding.status === 'introduced')
      .map((finding) => `${finding.hazard} in ${finding.function}`),
  );

describe('a table that moves takes its pages along', () => {
  const FLUSH = '\tflush_tlb_range(vma, old_addr, old_addr + PUD_SIZE);\n';
  const UNLOCK = '\tspin_unlock(ptl);\n';
  const move = (...steps: readonly string[]): string =>
    `void move_tables(struct vm_area_struct *vma, unsigned long old_addr, pud_t *old_pud, pud_t *new_pud)
{
	struct mm_struct *mm = vma->vm_mm;
	spinlock_t *ptl = pud_lock(mm, old_pud);
	pud_t pud = *old_pud;

	if (pud_present(pud) && !pud_leaf(pud)) {
		pud_clear(old_pud);
		pud_populate(mm, new_pud, pud_pgtable(pud));
	}
${steps.join('')}}
`;
  const RIGHT = move(FLUSH, UNLOCK);

  test('they are flushed before the lock is dropped', () => {
    expect(introduced(RIGHT, move(UNLOCK, FLUSH))).toEqual(['unlock-before-flush in move_tables']);
  });
  test('all of them are', () => {
    const short = move(FLUSH.replace('PUD_SIZE', 'PMD_SIZE'), UNLOCK);
    expect(introduced(RIGHT, short)).toEqual(['flush-scope-too-narrow in move_tables']);
  });
  test('a wider flush, or one more, is as good', () => {
    expect(introduced(RIGHT, move('\tflush_tlb_mm(mm);\n', UNLOCK))).toEqual([]);
    expect(introduced(RIGHT, move(FLUSH, UNLOCK, FLUSH))).toEqual([]);
  });
});

describe('secondary MMUs and a table that is unlinked', () => {
  const START = '\tmmu_notifier_invalidate_range_start(&range);\n';
  const END = '\tmmu_notifier_invalidate_range_end(&range);\n';
  const UNLINK = '\told = pmdp_collapse_flush(vma, addr, pmd);\n';
  const drop = (...steps: readonly string[]): string =>
    `void drop_small_page(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmd)
{
	struct mmu_notifier_range range;
	struct page *page;
	pte_t *pte;
	pmd_t old;

	mmu_notifier_range_init(&range, MMU_NOTIFY_CLEAR, 0, vma->vm_mm, addr, addr + PMD_SIZE);
${steps.join('')}	pte = pte_offset_map(&old, addr);
	if (pte && pte_present(ptep_get(pte))) {
		page = pte_page(ptep_get(pte));
		pte_clear(vma->vm_mm, addr, pte);
		free_page_and_swap_cache(page);
	}
}
`;
  const RIGHT = drop(START, UNLINK, END);

  test('what the table maps is cleared when nobody comes to it any more', () => {
    expect(introduced(RIGHT, drop(START, UNLINK, '\ttlb_remove_table_sync_one();\n', END))).toEqual([]);
  });
  test('the unlink outside of the section leaves them where they were', () => {
    expect(introduced(RIGHT, drop(START, END, UNLINK))).toEqual(['notifier-order in drop_small_page']);
  });
});

test('code that opens no section itself is told what goes wrong inside of one', () => {
  const zap = (release: string): string =>
    `void zap_one(struct mmu_gather *tlb, struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl = pmd_lock(vma->vm_mm, pmd);
	pmd_t old = pmdp_huge_get_and_clear_full(vma, addr, pmd, tlb->fullmm);

	tlb_remove_pmd_tlb_entry(tlb, pmd, addr);
	spin_unlock(ptl);
	if (pmd_present(old) && pmd_trans_huge(old))
		${release}
}
`;
  const before = zap('tlb_remove_page_size(tlb, pmd_page(old), HPAGE_PMD_SIZE);');
  expect(introduced(before, zap('put_page(pmd_page(old));'))).toEqual(['free-before-flush in zap_one']);
});

describe('an answer hands a flush on only where it ever did', () => {
  const clear = (flush: string): string =>
    `bool drop_clean(struct vm_area_struct *vma, unsigned long addr, pte_t *pte)
{
	pte_t old = ptep_get_and_clear(vma->vm_mm, addr, pte);

${flush}	return true;
}
`;
  const ALWAYS = '\tflush_tlb_page(vma, addr);\n';
  const SOMETIMES = '\tif (pte_young(old))\n\t\tflush_tlb_page(vma, addr);\n';

  test('success is no promise that the caller flushes', () => {
    expect(introduced(clear(ALWAYS), clear(SOMETIMES))).toEqual(['missing-flush in drop_clean']);
  });
  test('callers that flush when they are told so go on doing it', () => {
    expect(introduced(clear(SOMETIMES), clear(''))).toEqual([]);
  });
});

test('an address below which nothing is freed may lie on either side', () => {
  const empty = (flush: string): string =>
    `void free_empty(pmd_t *pmdp, unsigned long addr, unsigned long floor)
{
	unsigned long start = addr & PMD_MASK;
	pte_t *table = pte_offset_kernel(pmdp, 0UL);

	if (start < floor)
		return;
	pmd_clear(pmdp);
	${flush}
	__free_page(virt_to_page(table));
}
`;
  const leaf = 'flush_tlb_kernel_range(addr, addr + PAGE_SIZE);';
  expect(introduced(empty('__flush_tlb_kernel_pgtable(addr);'), empty(leaf), ['arm64'])).toEqual([
    'flush-scope-too-narrow in free_empty',
  ]);
  expect(introduced(empty(leaf), empty('__flush_tlb_kernel_pgtable(addr);'), ['arm64'])).toEqual([]);
});

test('a flush of a kernel range visits every page of it', () => {
  const tlb = (step: string): string =>
    `struct range_info {
	unsigned long start;
	unsigned long end;
};

static void do_kernel_range_flush(void *info)
{
	struct range_info *f = info;
	unsigned long addr;

	for (addr = f->start; addr < f->end; addr += ${step})
		flush_tlb_one_kernel(addr);
}

void flush_tlb_kernel_range(unsigned long start, unsigned long end)
{
	struct range_info info = { .start = start, .end = end };

	on_each_cpu(do_kernel_range_flush, &info, 1);
}
`;
  const found = (before: string, after: string): string[] =>
    reviewSeries([change({ 'arch/x86/mm/tlb.c': before }, { 'arch/x86/mm/tlb.c': after })], rules, {
      machines: ['x86-64'],
      existing: false,
      limits: { states: 100_000, milliseconds: 10_000 },
      now: () => 0,
      onProgress: () => {},
    }).patches.flatMap((patch) => patch.findings.map(({ status, hazard }) => `${status} ${hazard}`));
  expect(found(tlb('PAGE_SIZE'), tlb('PMD_SIZE'))).toEqual(['introduced flush-scope-too-narrow']);
  expect(found(tlb('PAGE_SIZE'), tlb('1UL << PAGE_SHIFT'))).toEqual([]);
});
