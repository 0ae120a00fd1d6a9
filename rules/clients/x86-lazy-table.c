/* A page table is unlinked, flushed and freed while another CPU idles lazily on the mm: its hardware still walks. */
#include "arch/x86/mm/tlb.c"
#include "mm/mmu_gather.c"
#include "x86-two-cpus.h"

void setup(struct mm_struct *mm, struct mm_struct *other)
{
	start_on(mm, other, mm);
}

void cpu0(struct mm_struct *mm, unsigned long addr, pmd_t *pmdp)
{
	pmd_t old = pmdp_get(pmdp);

	if (pmd_none(old) || pmd_leaf(old))
		return;
	pmd_clear(pmdp);
	flush_tlb_mm_range(mm, addr, addr + PMD_SIZE, PAGE_SHIFT, true);
	pte_free(mm, pmd_pgtable(old));
}

void cpu1(struct mm_struct *mm, struct task_struct *tsk)
{
	enter_lazy_tlb(mm, tsk);
}
