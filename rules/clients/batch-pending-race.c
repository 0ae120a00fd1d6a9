/*
 * Reclaim unmaps a page and puts its flush off while another CPU does the flush for what was unmapped before. Who then
 * finds the page's entry empty gives the address back.
 */
#include "mm/rmap.c"

void setup(struct mm_struct *mm)
{
	atomic_set(&mm->tlb_flush_batched, 1);
}

void cpu0(struct mm_struct *mm, unsigned long addr, pte_t *ptep)
{
	spinlock_t *ptl = huge_pte_lockptr(NULL, mm, ptep);

	flush_tlb_batched_pending(mm);
	spin_lock(ptl);
	if (pte_none(ptep_get(ptep))) {
		flush_tlb_batched_pending(mm);
		client_gives_address_back(addr);
	}
	spin_unlock(ptl);
}

void cpu1(struct mm_struct *mm, unsigned long addr, pte_t *ptep, struct mmu_notifier_range *range)
{
	spinlock_t *ptl = huge_pte_lockptr(NULL, mm, ptep);
	pte_t old;

	mmu_notifier_invalidate_range_start(range);
	spin_lock(ptl);
	old = ptep_get_and_clear(mm, addr, ptep);
	if (pte_present(old))
		set_tlb_ubc_flush_pending(mm, old, addr);
	spin_unlock(ptl);
	try_to_unmap_flush();
	if (pte_present(old))
		put_page(pte_page(old));
	mmu_notifier_invalidate_range_end(range);
}
