/* A large page's range is recorded by hand and flushed before the page is dropped. */
void client(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmdp)
{
	struct mmu_gather tlb;
	pmd_t old;

	tlb_gather_mmu(&tlb, vma->vm_mm);
	old = pmdp_huge_get_and_clear(vma->vm_mm, addr, pmdp);
	if (pmd_leaf(old)) {
		tlb_flush_pmd_range(&tlb, addr, HPAGE_PMD_SIZE);
		tlb_flush_mmu_tlbonly(&tlb);
		put_page(pmd_page(old));
	}
	tlb_finish_mmu(&tlb);
}
