/* The range of an entry is recorded by hand. */
void client(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep)
{
	struct mmu_gather tlb;
	pte_t old;

	tlb_gather_mmu(&tlb, vma->vm_mm);
	old = ptep_get_and_clear(vma->vm_mm, addr, ptep);
	if (pte_present(old)) {
		tlb_flush_pte_range(&tlb, addr, PAGE_SIZE);
		tlb_remove_page(&tlb, pte_page(old));
	}
	tlb_finish_mmu(&tlb);
}
