/* Where nobody looks at the flags, every change is flushed. */
void client(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep)
{
	pte_t old = ptep_get(ptep), now;

	if (!pte_present(old) || !pte_write(old))
		return;
	now = pte_wrprotect(old);
	set_pte(ptep, now);
	if (pte_needs_flush(old, now))
		flush_tlb_page(vma, addr);
}
