/* A page table is unlinked and its range flushed with the word that tables are freed. */
#include "mm/mmu_gather.c"

void client(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmdp)
{
	pmd_t old = pmdp_get(pmdp);

	if (pmd_none(old) || pmd_leaf(old))
		return;
	pmd_clear(pmdp);
	flush_tlb_mm_range(vma->vm_mm, addr, addr + PMD_SIZE, PAGE_SHIFT, true);
	tlb_remove_table_sync_one();
	pte_free(vma->vm_mm, pmd_pgtable(old));
}
