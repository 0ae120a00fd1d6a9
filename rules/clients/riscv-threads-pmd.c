/* One thread unmaps a large page that another thread of the process uses on another CPU. */
#include "arch/riscv/mm/tlbflush.c"
#include "riscv-two-cpus.h"

void setup(struct mm_struct *mm)
{
	start_both(mm);
}

void cpu0(struct mm_struct *mm, pmd_t *pmdp, struct mmu_notifier_range *range)
{
	unsigned long addr = 0x40200000;
	pmd_t old = pmdp_get(pmdp);
	struct vm_area_struct vma;
	struct page *page;

	if (!pmd_leaf(old))
		return;
	vma.vm_mm = mm;
	shootdown_numbers();
	shootdown_witness(addr, 2);
	mmu_notifier_invalidate_range_start(range);
	page = pmd_page(old);
	pmdp_huge_get_and_clear(mm, addr, pmdp);
	flush_pmd_tlb_range(&vma, addr, addr + PMD_SIZE);
	put_page(page);
	mmu_notifier_invalidate_range_end(range);
}

void cpu1(struct mm_struct *mm)
{
	client_uses_address();
}
