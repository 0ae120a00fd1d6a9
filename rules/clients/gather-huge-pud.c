/* As gather-page, for a very large page. */
#include "mm/mmu_gather.c"

void client(struct vm_area_struct *vma, unsigned long addr, pud_t *pudp, struct mmu_notifier_range *range)
{
	struct mmu_gather tlb;
	pud_t old = pudp_get(pudp);

	if (!pud_leaf(old))
		return;
	mmu_notifier_invalidate_range_start(range);
	tlb_gather_mmu(&tlb, vma->vm_mm);
	pudp_huge_get_and_clear(vma->vm_mm, addr, pudp);
	tlb_remove_pud_tlb_entry(&tlb, pudp, addr);
	tlb_remove_page_size(&tlb, pud_page(old), HPAGE_PUD_SIZE);
	tlb_finish_mmu(&tlb);
	mmu_notifier_invalidate_range_end(range);
}
