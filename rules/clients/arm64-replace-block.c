/* The entries of a contiguous block are replaced by others where they stand, as long as the old ones are in use. */
void client(struct mm_struct *mm, unsigned long addr, pte_t *ptep, struct page *page, pgprot_t prot)
{
	pte_t old = huge_ptep_get(mm, addr, ptep);

	if (!pte_present(old) || !pte_cont(old))
		return;
	set_huge_pte_at(mm, addr, ptep, pte_mkcont(mk_pte(page, prot)), CONT_PTE_SIZE);
}
