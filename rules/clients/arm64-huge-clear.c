/* A huge page of small ones is taken away and flushed before it goes: all of its entries. */
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
	huge_ptep_get_and_clear(vma->vm_mm, start, shootdown_entry(start), CONT_PTE_SIZE);
	flush_tlb_range(vma, start, start + CONT_PTE_SIZE);
	put_page(pte_page(own));
}
