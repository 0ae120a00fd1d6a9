/* As clear-flush-put for a large page. */
void client(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmdp)
{
	pmd_t old = pmdp_get(pmdp);
	struct page *page;

	if (!pmd_leaf(old))
		return;
	page = pmd_page(old);
	pmdp_huge_clear_flush(vma, addr, pmdp);
	put_page(page);
}
