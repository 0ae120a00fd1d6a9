/* A CPU that kept translations of the mm in an ASID switches to it again, while another CPU unmaps a page and frees it. */
#include "arch/x86/mm/tlb.c"
#include "x86-two-cpus.h"

void setup(struct mm_struct *mm, struct mm_struct *other)
{
	start_on(mm, other, other);
}

void cpu0(struct mm_struct *mm, unsigned long addr, pte_t *ptep, struct mmu_notifier_range *range)
{
	unmap_and_put_page(mm, addr, ptep, range);
}

void cpu1(struct mm_struct *mm, struct mm_struct *other, struct task_struct *tsk)
{
	local_irq_disable();
	switch_mm_irqs_off(other, mm, tsk);
	local_irq_enable();
	client_uses_address();
}
