/* Reclaim puts a page's flush into a batch while a thread idles lazily on the mm and goes on in it. */
#include "arch/x86/mm/tlb.c"
#include "x86-two-cpus.h"

void setup(struct mm_struct *mm, struct mm_struct *other, struct arch_tlbflush_unmap_batch *batch)
{
	start_on(mm, other, mm);
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
	arch_tlbbatch_add_pending(batch, mm, addr);
	arch_tlbbatch_flush(batch);
	put_page(page);
	mmu_notifier_invalidate_range_end(range);
}

void cpu1(struct mm_struct *mm, struct task_struct *tsk)
{
	enter_lazy_tlb(mm, tsk);
	local_irq_disable();
	switch_mm_irqs_off(mm, mm, tsk);
	local_irq_enable();
	client_uses_address();
}
