/* Where nobody looks at the flags, every change is flushed. */
void client(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmdp)
{
	pmd_t old = pmdp_get(pmdp), now;

	if (!pmd_leaf(old) || !pmd_write(old))
		return;
	now = pmd_wrprotect(old);
	set_pmd(pmdp, now);
	if (huge_pmd_needs_flush(old, now))
		flush_tlb_range(vma, addr & PMD_MASK, (addr & PMD_MASK) + PMD_SIZE);
}
