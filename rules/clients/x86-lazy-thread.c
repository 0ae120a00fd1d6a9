/* A thread idles lazily on its mm and goes on in it, while another CPU unmaps a page and frees it. */
#include "arch/x86/mm/tlb.c"
#include "x86-two-cpus.h"

void setup(struct mm_struct *mm, struct mm_struct *other)
{
	start_on(mm, other, mm);
}

void cpu0(struct mm_struct *mm, unsigned long addr, pte_t *ptep, struct mmu_notifier_range *range)
{
	unmap_and_put_page(mm, addr, ptep, range);
}

void cpu1(struct mm_struct *mm, struct task_struct *tsk)
{
	enter_lazy_tlb(mm, tsk);
	local_irq_disable();
	switch_mm_irqs_off(mm, mm, tsk);
	local_irq_enable();
	client_uses_address();
}
