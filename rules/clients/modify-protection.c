/* An entry is taken out, changed and put back; the range is flushed before the lock goes. */
void client(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep)
{
	pte_t old = ptep_modify_prot_start(vma, addr, ptep);

	ptep_modify_prot_commit(vma, addr, ptep, old, pte_wrprotect(old));
	flush_tlb_range(vma, addr, addr + PAGE_SIZE);
}
