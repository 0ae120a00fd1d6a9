/** arm with short descriptors: a page table of the kernel's is two of the hardware's, each with a link of its own. */
import { expect, test } from 'vitest';
import { introducedIn } from './introduced.js';
import type { Files } from './memory-tree.js';

const ARCH = 'arch/arm/include/asm/tlb.h';
const ADJUST =
  '\taddr = (addr & PMD_MASK) + SZ_1M;\n\t__tlb_adjust_range(tlb, addr - PAGE_SIZE, 2 * PAGE_SIZE);\n';

const TREE: Files = {
  [ARCH]: `#include <asm-generic/tlb.h>

static inline void __pte_free_tlb(struct mmu_gather *tlb, pgtable_t pte, unsigned long addr)
{
${ADJUST}	tlb_remove_ptdesc(tlb, page_ptdesc(pte));
}
`,
  'include/asm-generic/tlb.h': `static inline void __tlb_adjust_range(struct mmu_gather *tlb, unsigned long address, unsigned int size)
{
	tlb->start = min(tlb->start, address);
	tlb->end = max(tlb->end, address + size);
}

static inline void __tlb_reset_range(struct mmu_gather *tlb)
{
	tlb->start = TASK_SIZE;
	tlb->end = 0;
}

static inline void tlb_flush_pmd_range(struct mmu_gather *tlb, unsigned long address, unsigned long size)
{
	__tlb_adjust_range(tlb, address, size);
}

static inline void tlb_flush_mmu_tlbonly(struct mmu_gather *tlb)
{
	struct vm_area_struct vma = { .vm_mm = tlb->mm, };

	if (!tlb->end)
		return;
	flush_tlb_range(&vma, tlb->start, tlb->end);
	__tlb_reset_range(tlb);
}

#define pte_free_tlb(tlb, ptep, address)			\\
	do {							\\
		tlb_flush_pmd_range(tlb, address, PAGE_SIZE);	\\
		__pte_free_tlb(tlb, ptep, address);		\\
	} while (0)
`,
  'mm/mmu_gather.c': `#include <asm/tlb.h>

void tlb_gather_mmu(struct mmu_gather *tlb, struct mm_struct *mm)
{
	tlb->mm = mm;
	__tlb_reset_range(tlb);
}

void tlb_finish_mmu(struct mmu_gather *tlb)
{
	tlb_flush_mmu_tlbonly(tlb);
	tlb_flush_mmu_free(tlb);
}
`,
};

function introduced(to: string, machine = 'arm'): string[] {
  const text = TREE[ARCH] ?? '';
  expect(text.split(ADJUST)).toHaveLength(2);
  return introducedIn(TREE, { ...TREE, [ARCH]: text.replace(ADJUST, to) }, machine);
}

test('both links are flushed', () => {
  const wrong = ['flush-scope-too-narrow in __pte_free_tlb'];
  expect(introduced('')).toEqual(wrong);
  expect(introduced('\t__tlb_adjust_range(tlb, addr & PMD_MASK, PAGE_SIZE);\n')).toEqual(wrong);
  expect(introduced(ADJUST.replace('2 * ', ''))).toEqual(wrong);
});

test('by a range over the whole table, or one that has something of each half', () => {
  expect(introduced('\t__tlb_adjust_range(tlb, addr & PMD_MASK, PMD_SIZE);\n')).toEqual([]);
  const second = '\t__tlb_adjust_range(tlb, (addr & PMD_MASK) + SZ_1M, PAGE_SIZE);\n';
  expect(introduced(`\t__tlb_adjust_range(tlb, addr & PMD_MASK, PAGE_SIZE);\n${second}`)).toEqual([]);
});

test('with long descriptors there is one', () => {
  expect(introduced('', 'arm-lpae')).toEqual([]);
});
