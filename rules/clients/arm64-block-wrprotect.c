/* Entries of contiguous blocks are write-protected, and flushed: the rest of their blocks must not bring back the right to write. */
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
	wrprotect_ptes(vma->vm_mm, start, shootdown_entry(start), nr);
	flush_tlb_range(vma, start, end);
}
