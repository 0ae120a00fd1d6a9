/* An empty page table is unlinked and goes through the gather. */
#include "mm/mmu_gather.c"

void client(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmdp)
{
	struct mmu_gather tlb;
	pmd_t old = pmdp_get(pmdp);

	if (pmd_none(old) || pmd_leaf(old))
		return;
	tlb_gather_mmu(&tlb, vma->vm_mm);
	pmd_clear(pmdp);
	pte_free_tlb(&tlb, pmd_pgtable(old), addr);
	tlb_finish_mmu(&tlb);
}
