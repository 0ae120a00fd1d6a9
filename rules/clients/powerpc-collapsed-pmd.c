/* A page table is unlinked and flushed with its walk caches, lockless walkers are waited for, then it is freed. */
#include "mm/mmu_gather.c"

void client(struct mm_struct *mm, unsigned long addr, pmd_t *pmdp)
{
	pmd_t old = pmdp_get(pmdp);

	if (pmd_none(old) || pmd_leaf(old))
		return;
	pmd_clear(pmdp);
	radix__flush_tlb_collapsed_pmd(mm, addr);
	tlb_remove_table_sync_one();
	pte_free(mm, pmd_pgtable(old));
}
