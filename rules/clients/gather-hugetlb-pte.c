/* A block of small entries that maps one page of hugetlb: all of it is recorded, entry by entry. */
#include <linux/hugetlb.h>
#include "mm/mmu_gather.c"

void client(struct vm_area_struct *vma, pte_t *entry, struct mmu_notifier_range *range)
{
	struct mmu_gather tlb;
	struct hstate h;
	unsigned long addr = 0x40000000, size, at;
	pte_t old = ptep_get(entry);

	if (!pte_present(old))
		return;
	shootdown_numbers();
	h.order = 4;
	size = PAGE_SIZE << h.order;
	at = shootdown_first() ? addr : addr + size - PAGE_SIZE;
	shootdown_witness(at, 0);
	mmu_notifier_invalidate_range_start(range);
	tlb_gather_mmu(&tlb, vma->vm_mm);
	ptep_get_and_clear(vma->vm_mm, at, entry);
	tlb_remove_huge_tlb_entry(&h, &tlb, entry, addr);
	tlb_remove_page_size(&tlb, pte_page(old), size);
	tlb_finish_mmu(&tlb);
	mmu_notifier_invalidate_range_end(range);
}
