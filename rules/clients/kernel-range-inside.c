/* Pages of a longer kernel range are unmapped one by one and flushed together, then one of them is freed. */
void client(pmd_t *pmdp, unsigned long start, unsigned long end)
{
	unsigned long addr = start;
	pte_t *ptep = pte_offset_kernel(pmdp, start);
	struct page *page = NULL;

	do {
		pte_t old = ptep_get_and_clear(&init_mm, addr, ptep);

		if (pte_present(old))
			page = pte_page(old);
	} while (ptep++, addr += PAGE_SIZE, addr != end);
	flush_tlb_kernel_range(start, end);
	if (page)
		__free_page(page);
}
