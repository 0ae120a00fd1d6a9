/* A huge page of small ones becomes writable: it is broken, flushed and made again. */
#include "arch/arm64/mm/hugetlbpage.c"

void client(struct vm_area_struct *vma)
{
	unsigned long start = 0x40000000, addr;
	pte_t own;

	shootdown_numbers();
	addr = shootdown_first() ? start : start + CONT_PTE_SIZE - PAGE_SIZE;
	shootdown_entries_at(addr, 2);
	own = __ptep_get(shootdown_entry(addr));
	if (!pte_present(own) || pte_write(own) || !pte_cont(own))
		return;
	own = __ptep_get(shootdown_entry(start));
	huge_ptep_set_access_flags(vma, start, shootdown_entry(start), pte_mkwrite(pte_mkdirty(own), vma), 1);
}
