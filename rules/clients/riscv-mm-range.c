/* A page of an mm is flushed by its range before it is dropped. */
void client(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep, struct mmu_notifier_range *range)
{
	pte_t old = ptep_get(ptep);
	struct page *page;

	if (!pte_present(old))
		return;
	mmu_notifier_invalidate_range_start(range);
	page = pte_page(old);
	ptep_get_and_clear(vma->vm_mm, addr, ptep);
	flush_tlb_mm_range(vma->vm_mm, addr, addr + PAGE_SIZE, PAGE_SIZE);
	put_page(page);
	mmu_notifier_invalidate_range_end(range);
}
