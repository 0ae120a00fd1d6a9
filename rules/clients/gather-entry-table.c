/* An entry is taken away, then the table that it stood in: one flush for both, and the table goes with the gather. */
#include "mm/mmu_gather.c"

void client(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmdp, struct mmu_notifier_range *range)
{
	struct mmu_gather tlb;
	pmd_t old = pmdp_get(pmdp);
	pte_t *ptep;

	if (pmd_none(old) || pmd_leaf(old))
		return;
	mmu_notifier_invalidate_range_start(range);
	tlb_gather_mmu(&tlb, vma->vm_mm);
	ptep = pte_offset_kernel(pmdp, addr);
	ptep_get_and_clear(vma->vm_mm, addr, ptep);
	tlb_remove_tlb_entry(&tlb, ptep, addr);
	pmd_clear(pmdp);
	pte_free_tlb(&tlb, pmd_pgtable(old), addr);
	tlb_finish_mmu(&tlb);
	mmu_notifier_invalidate_range_end(range);
}
