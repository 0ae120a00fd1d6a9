/* Entries of contiguous blocks are cleared and flushed before a page of theirs goes: the rest of their blocks must not bring it back. */
#include "arch/arm64/mm/contpte.c"
#include "arm64-block.h"

void client(struct vm_area_struct *vma)
{
	unsigned long start = first_address();
	unsigned int nr = shootdown_entries();
	unsigned long end = start + nr * PAGE_SIZE;
	int whole = shootdown_blocks();
	pte_t own = one_entry(start, end, whole);

	if (!stands_as(own, whole))
		return;
	get_and_clear_full_ptes(vma->vm_mm, start, shootdown_entry(start), nr, 0);
	flush_tlb_range(vma, start, end);
	put_page(pte_page(own));
}
