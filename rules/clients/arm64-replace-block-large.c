/* The same for the last entry of a block of large pages. */
void client(struct mm_struct *mm, pte_t *ptep, struct page *page, pgprot_t prot)
{
	unsigned long addr = 0x40000000;

	shootdown_numbers();
	shootdown_witness(addr + CONT_PMD_SIZE - PMD_SIZE, 0);
	set_huge_pte_at(mm, addr, ptep, pte_mkcont(mk_pte(page, prot)), CONT_PMD_SIZE);
}
