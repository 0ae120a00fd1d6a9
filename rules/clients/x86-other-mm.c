/* Reclaim or a debugger unmaps a page of an mm that its own CPU has not loaded, while another CPU runs a thread of it. */
#include "arch/x86/mm/tlb.c"
#include "x86-two-cpus.h"

void setup(struct mm_struct *mm, struct mm_struct *other)
{
	start_on(mm, other, mm);
	cpumask_clear_cpu(0, mm_cpumask(mm));
	cpumask_set_cpu(0, mm_cpumask(other));
	per_cpu(cpu_tlbstate.loaded_mm, 0) = other;
	per_cpu(cpu_tlbstate.ctxs[0].ctx_id, 0) = 3;
	client_cpu0_loads(other);
}

void cpu0(struct mm_struct *mm, unsigned long addr, pte_t *ptep, struct mmu_notifier_range *range)
{
	unmap_and_put_page(mm, addr, ptep, range);
}

void cpu1(struct mm_struct *mm)
{
	client_uses_address();
}
