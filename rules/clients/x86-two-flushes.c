/* Two threads of one process unmap different pages at once: each flush must reach both CPUs. */
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

void cpu1(struct mm_struct *mm, unsigned long addr)
{
	flush_tlb_mm_range(mm, addr + PAGE_SIZE, addr + 2 * PAGE_SIZE, PAGE_SHIFT, false);
}
