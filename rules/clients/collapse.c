/* A page table under a large range is unlinked and flushed; walkers are waited for; it is freed. */
#include "mm/pgtable-generic.c"
#include "mm/mmu_gather.c"

void client(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmdp)
{
	pmd_t old = pmdp_get(pmdp);

	if (pmd_none(old) || pmd_leaf(old))
		return;
	old = pmdp_collapse_flush(vma, addr, pmdp);

	tlb_remove_table_sync_one();
	pte_free(vma->vm_mm, pmd_pgtable(old));
}
