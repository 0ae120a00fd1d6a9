/* The architecture's half of a batch. */
void client(struct vm_area_struct *vma, struct arch_tlbflush_unmap_batch *batch, unsigned long addr, pte_t *ptep, struct mmu_notifier_range *range)
{
	pte_t old;

	mmu_notifier_invalidate_range_start(range);
	old = ptep_get_and_clear(vma->vm_mm, addr, ptep);
	if (pte_present(old)) {
		arch_tlbbatch_add_pending(batch, vma->vm_mm, addr);
		arch_tlbbatch_flush(batch);
		put_page(pte_page(old));
	}
	mmu_notifier_invalidate_range_end(range);
}
