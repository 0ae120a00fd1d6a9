/* A page table is unlinked and flushed, and freed after a grace period. */
#include "mm/pgtable-generic.c"

void client(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmdp)
{
	pmd_t old = pmdp_collapse_flush(vma, addr, pmdp);

	pte_free_defer(vma->vm_mm, pmd_pgtable(old));
}
