/* A table's range is recorded by hand, flushed with the word that tables go, and the table freed after the walkers. */
void client(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmdp)
{
	struct mmu_gather tlb;
	pmd_t old = pmdp_get(pmdp);

	if (pmd_none(old) || pmd_leaf(old))
		return;
	tlb_gather_mmu(&tlb, vma->vm_mm);
	pmd_clear(pmdp);
	tlb_flush_pmd_range(&tlb, addr, PAGE_SIZE);
	tlb.freed_tables = 1;
	tlb_flush_mmu_tlbonly(&tlb);
	tlb_remove_table_sync_one();
	pte_free(vma->vm_mm, pmd_pgtable(old));
	tlb_finish_mmu(&tlb);
}
