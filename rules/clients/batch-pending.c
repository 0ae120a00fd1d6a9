/* Somebody who relies on entries being clean asks for the flush that reclaim put off. */
#include "mm/rmap.c"

void client(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep, struct mmu_notifier_range *range)
{
	pte_t old;

	mmu_notifier_invalidate_range_start(range);
	old = ptep_get_and_clear(vma->vm_mm, addr, ptep);
	if (pte_present(old)) {
		set_tlb_ubc_flush_pending(vma->vm_mm, old, addr);
		flush_tlb_batched_pending(vma->vm_mm);
		put_page(pte_page(old));
	}
	mmu_notifier_invalidate_range_end(range);
}
