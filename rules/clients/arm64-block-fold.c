/* The last entry of a block's range is set. The others become one block with it only where all of them belong to it. */
#include "arch/arm64/mm/contpte.c"
#include "arm64-block.h"

void client(struct vm_area_struct *vma)
{
	unsigned long addr = first_address();
	unsigned long last = 0x40000000 + (CONT_PTES - 1) * PAGE_SIZE;
	int misfit = shootdown_misfit();
	struct page *page;
	pte_t own, pte;

	shootdown_entries_at(addr, 0);
	own = __ptep_get(shootdown_entry(addr));
	pte = __ptep_get(shootdown_entry(last));
	page = pte_page(pte);
	if (misfit == 0 && !pte_none(own))
		return;
	if (misfit != 0 && (!pte_present(own) || pte_cont(own) || (misfit == 1 && pte_write(own))))
		return;
	__contpte_try_fold(vma->vm_mm, last, shootdown_entry(last), pte);
	/* The page is others' to use: where it was not mapped, and where it was not to be written. */
	if (misfit == 0 || (misfit == 1 && pte_write(__ptep_get(shootdown_entry(addr)))))
		client_leaves_page_to_others(page);
}
