/* A shared table is given up by one process: nothing that it maps may stay, wherever in it the given address lies. */
#include "mm/mmu_gather.c"

void client(struct vm_area_struct *vma, pmd_t *pmdp, struct ptdesc *table, struct mmu_notifier_range *range)
{
	unsigned long addr = 0x40600000, at = 0x40000000;
	struct mmu_gather tlb;
	pmd_t old = pmdp_get(pmdp);

	if (!pmd_leaf(old))
		return;
	shootdown_numbers();
	if (shootdown_first())
		at += PUD_SIZE - PMD_SIZE;
	shootdown_witness(at, 0);
	mmu_notifier_invalidate_range_start(range);
	tlb_gather_mmu(&tlb, vma->vm_mm);
	pmdp_huge_get_and_clear(vma->vm_mm, at, pmdp);
	tlb_unshare_pmd_ptdesc(&tlb, table, addr);
	tlb_flush_unshared_tables(&tlb);
	put_page(pmd_page(old));
	tlb_finish_mmu(&tlb);
	mmu_notifier_invalidate_range_end(range);
}
