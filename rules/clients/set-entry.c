/* An empty entry is filled and used at once. */
void client(struct mm_struct *mm, unsigned long addr, pte_t *ptep, struct page *page, pgprot_t prot)
{
	if (!pte_none(ptep_get(ptep)))
		return;
	set_pte_at(mm, addr, ptep, mk_pte(page, prot));
}
