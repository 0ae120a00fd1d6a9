/* Small and large entries in one range: the flush visits every small one. */
#include "mm/mmu_gather.c"

void client(struct vm_area_struct *vma, pte_t *ptep, struct mmu_notifier_range *range)
{
	unsigned long addr = 0x40000000, at = addr + 5 * PAGE_SIZE;
	struct mmu_gather tlb;
	pte_t old = ptep_get(ptep);

	if (!pte_present(old))
		return;
	shootdown_numbers();
	shootdown_witness(at, 0);
	mmu_notifier_invalidate_range_start(range);
	tlb_gather_mmu(&tlb, vma->vm_mm);
	if (shootdown_first())
		tlb_flush_pmd_range(&tlb, addr - PMD_SIZE, PMD_SIZE);
	ptep_get_and_clear(vma->vm_mm, at, ptep);
	tlb_flush_pte_range(&tlb, at, PAGE_SIZE);
	tlb_remove_page_size(&tlb, pte_page(old), PAGE_SIZE);
	tlb_finish_mmu(&tlb);
	mmu_notifier_invalidate_range_end(range);
}
