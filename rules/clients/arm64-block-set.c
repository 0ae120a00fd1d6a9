/* One entry of a contiguous block is stored with less rights, and flushed: the rest of the block must not bring them back. */
#include "arch/arm64/mm/contpte.c"
#include "arm64-block.h"

void client(struct vm_area_struct *vma)
{
	unsigned long start = first_address();
	unsigned int nr = 1;
	unsigned long end = start + nr * PAGE_SIZE;
	int whole = shootdown_blocks();
	pte_t own = one_entry(start, end, whole);

	if (!stands_as(own, whole))
		return;
	set_ptes(vma->vm_mm, start, shootdown_entry(start), pte_wrprotect(pte_mknoncont(own)), 1);
	flush_tlb_range(vma, start, end);
}
