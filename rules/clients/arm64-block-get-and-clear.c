/* Entries of contiguous blocks are cleared and flushed before a page of theirs goes: the rest of their blocks must not bring it back. */
#include "arch/arm64/mm/contpte.c"

void client(struct vm_area_struct *vma)
{
	unsigned long start, end, addr;
	unsigned int nr;
	int whole;
	pte_t own;

	shootdown_numbers();
	nr = shootdown_entries();
	start = 0x40000000 + shootdown_first_entry() * PAGE_SIZE;
	end = start + nr * PAGE_SIZE;
	addr = shootdown_first() ? start : end - PAGE_SIZE;
	whole = shootdown_blocks();
	shootdown_entries_at(addr, whole);
	own = __ptep_get(shootdown_entry(addr));
	if (!pte_present(own) || !pte_write(own) || (whole ? !pte_cont(own) : pte_cont(own)))
		return;
	get_and_clear_full_ptes(vma->vm_mm, start, shootdown_entry(start), nr, 0);
	flush_tlb_range(vma, start, end);
	put_page(pte_page(own));
}
