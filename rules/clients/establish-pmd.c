/* A large page's entry is taken out by a value that is not present, of which both halves differ, and the page dropped. */
void client(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmdp, struct mmu_notifier_range *range)
{
	pmd_t old = pmdp_get(pmdp);

	if (!pmd_leaf(old))
		return;
	mmu_notifier_invalidate_range_start(range);
	old = pmdp_establish(vma, addr, pmdp, __pmd(0));
	flush_pmd_tlb_range(vma, addr, addr + HPAGE_PMD_SIZE);
	put_page(pmd_page(old));
	mmu_notifier_invalidate_range_end(range);
}
