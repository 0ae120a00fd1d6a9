/* A kernel page table is unlinked, walk caches are flushed, then it is freed. */
void client(pmd_t *pmdp, unsigned long addr)
{
	pte_t *table = pte_offset_kernel(pmdp, addr);

	pmd_clear(pmdp);
	__flush_tlb_kernel_pgtable(addr);
	pte_free_kernel(&init_mm, table);
}
