/* A table is tracked by hand and queued. */
void client(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmdp)
{
	struct mmu_gather tlb;
	pmd_t old = pmdp_get(pmdp);

	if (pmd_none(old) || pmd_leaf(old))
		return;
	tlb_gather_mmu(&tlb, vma->vm_mm);
	pmd_clear(pmdp);
	tlb_flush_pmd_range(&tlb, addr, PAGE_SIZE);
	tlb_remove_table(&tlb, pmd_pgtable(old));
	tlb_finish_mmu(&tlb);
}
