/* Reclaim puts off the flush of a page that a process uses on both CPUs, and flushes before the page goes. */
#include "arch/riscv/mm/tlbflush.c"
#include "riscv-two-cpus.h"

void setup(struct mm_struct *mm, struct arch_tlbflush_unmap_batch *batch)
{
	start_both(mm);
	cpumask_clear(&batch->cpumask);
}

void cpu0(struct mm_struct *mm, struct arch_tlbflush_unmap_batch *batch, unsigned long addr, pte_t *ptep, struct mmu_notifier_range *range)
{
	pte_t old = ptep_get(ptep);
	struct page *page;

	if (!pte_present(old))
		return;
	mmu_notifier_invalidate_range_start(range);
	page = pte_page(old);
	ptep_get_and_clear(mm, addr, ptep);
	arch_tlbbatch_add_pending(batch, mm, addr);
	arch_tlbbatch_flush(batch);
	put_page(page);
	mmu_notifier_invalidate_range_end(range);
}

void cpu1(struct mm_struct *mm)
{
	client_uses_address();
}
