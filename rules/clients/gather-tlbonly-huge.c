/* A large page's range is recorded by hand and flushed before the page is dropped. */
#include "mm/mmu_gather.c"

void client(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmdp, struct mmu_notifier_range *range)
{
	struct mmu_gather tlb;
	pmd_t old = pmdp_get(pmdp);

	if (!pmd_leaf(old))
		return;
	mmu_notifier_invalidate_range_start(range);
	tlb_gather_mmu(&tlb, vma->vm_mm);
	pmdp_huge_get_and_clear(vma->vm_mm, addr, pmdp);
	tlb_flush_pmd_range(&tlb, addr, HPAGE_PMD_SIZE);
	tlb_flush_mmu_tlbonly(&tlb);
	put_page(pmd_page(old));
	tlb_finish_mmu(&tlb);
	mmu_notifier_invalidate_range_end(range);
}
