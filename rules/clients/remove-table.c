/* A table is queued by itself, in a gather that already knows that tables go. */
#include "mm/mmu_gather.c"

void client(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmdp)
{
	struct mmu_gather tlb;
	pmd_t old = pmdp_get(pmdp);
	pgtable_t other = pte_alloc_one(vma->vm_mm);

	if (!other || pmd_none(old) || pmd_leaf(old))
		return;
	tlb_gather_mmu(&tlb, vma->vm_mm);
	pmd_clear(pmdp);
	pte_free_tlb(&tlb, other, addr);
	tlb_remove_table(&tlb, pmd_pgtable(old));
	tlb_finish_mmu(&tlb);
}
