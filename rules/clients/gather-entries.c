/* A batch of entries is recorded in one call: the last of them is in the range too. */
#include "mm/mmu_gather.c"

void client(struct vm_area_struct *vma, pte_t *ptep, struct mmu_notifier_range *range)
{
	unsigned long addr = 0x40203000, at = addr + 2 * PAGE_SIZE;
	struct mmu_gather tlb;
	pte_t old = ptep_get(ptep);

	if (!pte_present(old))
		return;
	shootdown_numbers();
	shootdown_witness(at, 0);
	mmu_notifier_invalidate_range_start(range);
	tlb_gather_mmu(&tlb, vma->vm_mm);
	ptep_get_and_clear(vma->vm_mm, at, ptep);
	tlb_remove_tlb_entries(&tlb, ptep, 3, addr);
	tlb_remove_page(&tlb, pte_page(old));
	tlb_finish_mmu(&tlb);
	mmu_notifier_invalidate_range_end(range);
}
