/* A large page is made unusable and flushed before the entry is replaced. */
void client(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmdp, struct page *fresh, pgprot_t prot)
{
	pmd_t old = pmdp_invalidate(vma, addr, pmdp);

	set_pmd_at(vma->vm_mm, addr, pmdp, mk_pmd(fresh, prot));
	if (pmd_leaf(old))
		put_page(pmd_page(old));
}
