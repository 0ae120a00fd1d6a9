/* A table was unlinked: the invalidation must reach walk caches. */
#include "mm/mmu_gather.c"

void client(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmdp)
{
	pmd_t old = pmdp_get(pmdp);

	if (pmd_none(old) || pmd_leaf(old))
		return;
	pmd_clear(pmdp);
	__flush_tlb_range(vma, addr, addr + PMD_SIZE, PAGE_SIZE, false, 0);
	tlb_remove_table_sync_one();
	pte_free(vma->vm_mm, pmd_pgtable(old));
}
