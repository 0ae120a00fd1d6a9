/* Reclaim of a dirty page: the batch is flushed before the page is written. */
#include "mm/rmap.c"

void client(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep, struct writeback_control *wbc, struct mmu_notifier_range *range)
{
	pte_t old;

	mmu_notifier_invalidate_range_start(range);
	old = ptep_get_and_clear(vma->vm_mm, addr, ptep);
	if (pte_present(old)) {
		set_tlb_ubc_flush_pending(vma->vm_mm, old, addr);
		if (pte_dirty(old)) {
			try_to_unmap_flush_dirty();
			swap_writepage(pte_page(old), wbc);
		} else {
			try_to_unmap_flush();
		}
	}
	mmu_notifier_invalidate_range_end(range);
}
