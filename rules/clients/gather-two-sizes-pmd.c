/* The same, seen from a large entry. */
#include "mm/mmu_gather.c"

void client(struct vm_area_struct *vma, pmd_t *pmdp, struct mmu_notifier_range *range)
{
	unsigned long addr = 0x40000000, at = addr;
	struct mmu_gather tlb;
	pmd_t old = pmdp_get(pmdp);

	if (!pmd_leaf(old))
		return;
	shootdown_numbers();
	shootdown_witness(at, 0);
	mmu_notifier_invalidate_range_start(range);
	tlb_gather_mmu(&tlb, vma->vm_mm);
	if (shootdown_first())
		tlb_flush_pte_range(&tlb, addr - PMD_SIZE, PAGE_SIZE);
	pmdp_huge_get_and_clear(vma->vm_mm, at, pmdp);
	tlb_flush_pmd_range(&tlb, at, PMD_SIZE);
	tlb_remove_page_size(&tlb, pmd_page(old), PMD_SIZE);
	tlb_finish_mmu(&tlb);
	mmu_notifier_invalidate_range_end(range);
}
