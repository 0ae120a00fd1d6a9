/* An entry was cleared and the table of refills flushed: all CPUs flush a list of such before the page goes. */
#include "arch/sparc/kernel/smp_64.c"

void client(struct mm_struct *mm, unsigned long addr, pte_t *ptep)
{
	pte_t old = *ptep;

	if (!pte_present(old))
		return;
	*ptep = __pte(0UL);
	flush_tsb_user_page(mm, addr, PAGE_SHIFT);
	smp_flush_tlb_pending(mm, 1, &addr);
	put_page(pte_page(old));
}
