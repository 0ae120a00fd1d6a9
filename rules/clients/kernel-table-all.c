/* A kernel page table is unlinked, everything is flushed, then it is freed. */
void client(pmd_t *pmdp, unsigned long addr)
{
	pte_t *table = pte_offset_kernel(pmdp, addr);

	pmd_clear(pmdp);
	flush_tlb_all();
	pte_free_kernel(&init_mm, table);
}
