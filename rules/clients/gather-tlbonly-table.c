/* A table's range is recorded by hand in a gather that knows that tables go; flushed, and freed after the walkers. */
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
	tlb_flush_pmd_range(&tlb, addr, PAGE_SIZE);
	pte_free_tlb(&tlb, other, addr);
	tlb_flush_mmu_tlbonly(&tlb);
	tlb_remove_table_sync_one();
	pte_free(vma->vm_mm, pmd_pgtable(old));
	tlb_finish_mmu(&tlb);
}
