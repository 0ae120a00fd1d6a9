/* A page of the kernel is freed once the instructions that flush it are done. */
void client(pte_t *ptep, unsigned long addr)
{
	pte_t old = ptep_get(ptep);

	if (!pte_present(old))
		return;
	pte_clear(&init_mm, addr, ptep);
	__flush_tlb_kernel_page(addr);
	__free_page(pte_page(old));
}
