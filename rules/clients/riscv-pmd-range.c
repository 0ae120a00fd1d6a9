/* A large page is flushed by its range before it is dropped. */
void client(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmdp, struct mmu_notifier_range *range)
{
	pmd_t old = pmdp_get(pmdp);
	struct page *page;

	if (!pmd_leaf(old))
		return;
	mmu_notifier_invalidate_range_start(range);
	page = pmd_page(old);
	pmdp_huge_get_and_clear(vma->vm_mm, addr, pmdp);
	flush_pmd_tlb_range(vma, addr, addr + PMD_SIZE);
	put_page(page);
	mmu_notifier_invalidate_range_end(range);
}
