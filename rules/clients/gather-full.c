/* As gather-page, with the clear that whole-mm teardown uses. */
#include "mm/mmu_gather.c"

void client(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep, struct mmu_notifier_range *range)
{
	struct mmu_gather tlb;
	pte_t old;

	mmu_notifier_invalidate_range_start(range);
	tlb_gather_mmu(&tlb, vma->vm_mm);
	old = ptep_get_and_clear_full(vma->vm_mm, addr, ptep, 0);
	if (pte_present(old)) {
		tlb_remove_tlb_entry(&tlb, ptep, addr);
		tlb_remove_page(&tlb, pte_page(old));
	}
	tlb_finish_mmu(&tlb);
	mmu_notifier_invalidate_range_end(range);
}
