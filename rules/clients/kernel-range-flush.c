/* A kernel mapping is cleared and flushed, then its page is freed. */
void client(pte_t *ptep, unsigned long addr)
{
	pte_t old = ptep_get(ptep);

	if (!pte_present(old))
		return;
	pte_clear(&init_mm, addr, ptep);
	flush_tlb_kernel_range(addr, addr + PAGE_SIZE);
	__free_page(pte_page(old));
}
