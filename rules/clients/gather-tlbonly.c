/* The flush is forced under the page-table lock, the page freed later. */
#include "mm/mmu_gather.c"

void client(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep, struct mmu_notifier_range *range)
{
	struct mmu_gather tlb;
	struct page *page;
	pte_t old;

	mmu_notifier_invalidate_range_start(range);
	tlb_gather_mmu(&tlb, vma->vm_mm);
	old = ptep_get_and_clear(vma->vm_mm, addr, ptep);
	if (pte_present(old)) {
		page = pte_page(old);
		tlb_remove_tlb_entry(&tlb, ptep, addr);
		tlb_flush_mmu_tlbonly(&tlb);
		put_page(page);
	}
	tlb_finish_mmu(&tlb);
	mmu_notifier_invalidate_range_end(range);
}
