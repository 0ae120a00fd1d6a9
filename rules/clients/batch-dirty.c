/* Reclaim of a dirty page: the batch is flushed before the page is written. */
void client(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep, struct writeback_control *wbc)
{
	pte_t old = ptep_get_and_clear(vma->vm_mm, addr, ptep);

	if (!pte_present(old) || !pte_dirty(old))
		return;
	set_tlb_ubc_flush_pending(vma->vm_mm, old, addr);
	try_to_unmap_flush_dirty();
	swap_writepage(pte_page(old), wbc);
}
