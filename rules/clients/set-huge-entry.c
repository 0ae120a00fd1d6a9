/* An empty entry of hugetlb is filled and used at once. */
void client(struct mm_struct *mm, unsigned long addr, pte_t *ptep, struct page *page, pgprot_t prot, unsigned long size)
{
	if (!huge_pte_none(huge_ptep_get(mm, addr, ptep)))
		return;
	set_huge_pte_at(mm, addr, ptep, mk_pte(page, prot), size);
}
