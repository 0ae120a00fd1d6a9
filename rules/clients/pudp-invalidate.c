/* A large page is made unusable and flushed before the entry is replaced. */
void client(struct vm_area_struct *vma, unsigned long addr, pud_t *pudp, struct page *fresh, pgprot_t prot)
{
	pud_t old = pudp_invalidate(vma, addr, pudp);

	set_pud_at(vma->vm_mm, addr, pudp, mk_pud(fresh, prot));
	if (pud_leaf(old))
		put_page(pud_page(old));
}
