/* A page is write-protected and flushed before it is copied. */
void client(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep, struct page *to)
{
	pte_t old = ptep_get(ptep);

	if (!pte_present(old))
		return;
	ptep_set_wrprotect(vma->vm_mm, addr, ptep);
	flush_tlb_page(vma, addr);
	copy_user_highpage(to, pte_page(old), addr, vma);
}
