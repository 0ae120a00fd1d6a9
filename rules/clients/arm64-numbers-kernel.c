/* Kernel ranges below and above the size from which everything is flushed. */
void client(pte_t *ptep)
{
	unsigned long start, size, addr;
	pte_t old = ptep_get(ptep);

	if (!pte_present(old))
		return;
	shootdown_numbers();
	start = 0x40203000;
	size = shootdown_few_pages() * PAGE_SIZE;
	addr = shootdown_first() ? start : start + size - PAGE_SIZE;
	shootdown_witness(addr, 0);
	pte_clear(&init_mm, addr, ptep);
	flush_tlb_kernel_range(start, start + size);
	__free_page(pte_page(old));
}
