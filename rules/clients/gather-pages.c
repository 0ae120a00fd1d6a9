/* As gather-page, for a batch of entries. */
#include "mm/mmu_gather.c"

void client(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep, struct mmu_notifier_range *range)
{
	struct mmu_gather tlb;
	pte_t old;

	mmu_notifier_invalidate_range_start(range);
	tlb_gather_mmu(&tlb, vma->vm_mm);
	old = get_and_clear_full_ptes(vma->vm_mm, addr, ptep, 1, 0);
	if (pte_present(old)) {
		tlb_remove_tlb_entries(&tlb, ptep, 1, addr);
		__tlb_remove_folio_pages(&tlb, pte_page(old), 1, false);
	}
	tlb_finish_mmu(&tlb);
	mmu_notifier_invalidate_range_end(range);
}
