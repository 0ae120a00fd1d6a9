/* A large page is made unusable and flushed before the entry is replaced. */
void client(struct vm_area_struct *vma, unsigned long addr, pud_t *pudp, struct page *fresh, pgprot_t prot, struct mmu_notifier_range *range)
{
	pud_t old = pudp_get(pudp);

	if (!pud_leaf(old))
		return;
	mmu_notifier_invalidate_range_start(range);
	pudp_invalidate(vma, addr, pudp);
	set_pud_at(vma->vm_mm, addr, pudp, mk_pud(fresh, prot));
	put_page(pud_page(old));
	mmu_notifier_invalidate_range_end(range);
}
