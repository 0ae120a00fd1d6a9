/* One entry of a contiguous block is cleared and flushed before its page goes: the rest of the block must not bring it back. */
#include "arch/arm64/mm/contpte.c"
#include "arm64-block.h"

void client(struct vm_area_struct *vma)
{
	unsigned long start = first_address();
	unsigned long end = start + PAGE_SIZE;
	int whole = shootdown_blocks();
	pte_t own = one_entry(start, end, whole);

	if (!stands_as(own, whole))
		return;
	if (shootdown_misfit() == 0)
		ptep_get_and_clear(vma->vm_mm, start, shootdown_entry(start));
	else
		pte_clear(vma->vm_mm, start, shootdown_entry(start));
	flush_tlb_range(vma, start, end);
	put_page(pte_page(own));
}
