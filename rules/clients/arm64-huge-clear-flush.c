/* A huge page of small ones goes once it was cleared and flushed. */
#include "arch/arm64/mm/hugetlbpage.c"

void client(struct vm_area_struct *vma)
{
	unsigned long start = 0x40000000, addr;
	pte_t own;

	shootdown_numbers();
	addr = shootdown_first() ? start : start + CONT_PTE_SIZE - PAGE_SIZE;
	shootdown_entries_at(addr, 1);
	own = __ptep_get(shootdown_entry(addr));
	if (!pte_present(own) || !pte_write(own) || !pte_cont(own))
		return;
	huge_ptep_clear_flush(vma, start, shootdown_entry(start));
	put_page(pte_page(own));
}
