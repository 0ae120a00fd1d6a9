/* A page is dropped once the instructions that flush it are done. */
void client(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep, struct mmu_notifier_range *range)
{
	pte_t old = ptep_get(ptep);
	struct page *page;

	if (!pte_present(old))
		return;
	mmu_notifier_invalidate_range_start(range);
	page = pte_page(old);
	ptep_get_and_clear(vma->vm_mm, addr, ptep);
	__flush_tlb_page(vma, addr);
	put_page(page);
	mmu_notifier_invalidate_range_end(range);
}
