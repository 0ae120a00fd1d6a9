/* As clear-entry, for a large page. */
void client(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmdp, struct mmu_notifier_range *range)
{
	pmd_t old = pmdp_get(pmdp);

	if (!pmd_leaf(old))
		return;
	mmu_notifier_invalidate_range_start(range);
	pmd_clear(pmdp);
	flush_pmd_tlb_range(vma, addr, addr + HPAGE_PMD_SIZE);
	put_page(pmd_page(old));
	mmu_notifier_invalidate_range_end(range);
}
