/* An empty entry is filled with a large page and used at once. */
void client(struct mm_struct *mm, unsigned long addr, pmd_t *pmdp, struct page *page, pgprot_t prot)
{
	if (!pmd_none(pmdp_get(pmdp)))
		return;
	set_pmd(pmdp, pmd_mkhuge(mk_pmd(page, prot)));
}
