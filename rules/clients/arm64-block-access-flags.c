/* One entry of a read-only contiguous block becomes writable: it must no longer be one of the block, or all must change. */
#include "arch/arm64/mm/contpte.c"

void client(struct vm_area_struct *vma)
{
	unsigned long addr;
	pte_t own;

	shootdown_numbers();
	addr = 0x40000000 + shootdown_first_entry() * PAGE_SIZE;
	shootdown_entries_at(addr, 2);
	own = __ptep_get(shootdown_entry(addr));
	if (!pte_present(own) || pte_write(own) || !pte_cont(own))
		return;
	ptep_set_access_flags(vma, addr, shootdown_entry(addr), pte_mkwrite(pte_mkdirty(own), vma), 1);
}
