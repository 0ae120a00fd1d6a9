/* One entry of a contiguous block is stored with less rights, and flushed: the rest of the block must not bring them back. */
#include "arch/arm64/mm/contpte.c"

void client(struct vm_area_struct *vma)
{
	unsigned long start, end, addr;
	unsigned int nr;
	int whole;
	pte_t own;

	shootdown_numbers();
	nr = 1;
	start = 0x40000000 + shootdown_first_entry() * PAGE_SIZE;
	end = start + nr * PAGE_SIZE;
	addr = shootdown_first() ? start : end - PAGE_SIZE;
	whole = shootdown_blocks();
	shootdown_entries_at(addr, whole);
	own = __ptep_get(shootdown_entry(addr));
	if (!pte_present(own) || !pte_write(own) || (whole ? !pte_cont(own) : pte_cont(own)))
		return;
	set_ptes(vma->vm_mm, start, shootdown_entry(start), pte_wrprotect(pte_mknoncont(own)), 1);
	flush_tlb_range(vma, start, end);
}
