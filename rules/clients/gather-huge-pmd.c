/* As gather-page, for a large page. */
void client(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmdp)
{
	struct mmu_gather tlb;
	pmd_t old;

	tlb_gather_mmu(&tlb, vma->vm_mm);
	old = pmdp_huge_get_and_clear_full(vma, addr, pmdp, 0);
	if (pmd_leaf(old)) {
		tlb_remove_pmd_tlb_entry(&tlb, pmdp, addr);
		tlb_remove_page_size(&tlb, pmd_page(old), HPAGE_PMD_SIZE);
	}
	tlb_finish_mmu(&tlb);
}
