/* A table is unlinked, everything of the mm is flushed, walkers are waited for, and the table is freed. */
#include "mm/mmu_gather.c"

void client(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmdp)
{
	pmd_t old = pmdp_get(pmdp);

	if (pmd_none(old) || pmd_leaf(old))
		return;
	pmd_clear(pmdp);
	radix__flush_all_mm(vma->vm_mm);
	tlb_remove_table_sync_one();
	synchronize_rcu();
	pte_free(vma->vm_mm, pmd_pgtable(old));
}
