/* The same with the batch of 6.1: reclaim puts a page's flush into it while a CPU that kept translations of the mm switches to it. */
#include "arch/x86/mm/tlb.c"
#include "x86-two-cpus.h"

void setup(struct mm_struct *mm, struct mm_struct *other, struct arch_tlbflush_unmap_batch *batch)
{
	start_on(mm, other, other);
	cpumask_clear(&batch->cpumask);
}

void cpu0(struct mm_struct *mm, unsigned long addr, pte_t *ptep, struct arch_tlbflush_unmap_batch *batch,
	  struct mmu_notifier_range *range)
{
	pte_t old = ptep_get(ptep);
	struct page *page;

	if (!pte_present(old))
		return;
	mmu_notifier_invalidate_range_start(range);
	page = pte_page(old);
	ptep_get_and_clear(mm, addr, ptep);
	arch_tlbbatch_add_mm(batch, mm);
	arch_tlbbatch_flush(batch);
	put_page(page);
	mmu_notifier_invalidate_range_end(range);
}

void cpu1(struct mm_struct *mm, struct mm_struct *other, struct task_struct *tsk)
{
	local_irq_disable();
	switch_mm_irqs_off(other, mm, tsk);
	local_irq_enable();
	client_uses_address();
}
