/* A large page is unmapped, or write-protected, with a flush that may be owed; the mm is flushed, and the page dropped. */
#include "arch/s390/mm/pgtable.c"

void client(struct mm_struct *mm, unsigned long addr, pmd_t *pmdp, struct mmu_notifier_range *range)
{
	pmd_t old = pmdp_get(pmdp);
	bool goes = shootdown_first();

	if (!pmd_leaf(old))
		return;
	mmu_notifier_invalidate_range_start(range);
	pmdp_xchg_lazy(mm, addr, pmdp, goes ? __pmd(0) : pmd_wrprotect(old));
	flush_tlb_mm(mm);
	if (goes)
		put_page(pmd_page(old));
	mmu_notifier_invalidate_range_end(range);
}
