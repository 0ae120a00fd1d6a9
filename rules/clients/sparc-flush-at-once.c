/* Outside of a batch an entry that was cleared is flushed at once: its page may go. */
#include "arch/sparc/mm/tlb.c"

void client(struct mm_struct *mm, unsigned long addr, pte_t *ptep)
{
	pte_t old = *ptep;

	if (!pte_present(old))
		return;
	arch_enter_lazy_mmu_mode();
	arch_leave_lazy_mmu_mode();
	*ptep = __pte(0UL);
	tlb_batch_add(mm, addr, ptep, old, 0, PAGE_SHIFT);
	put_page(pte_page(old));
}
