/* One thread unmaps a page that another thread of the process uses on another CPU. */
#include "arch/powerpc/mm/book3s64/radix_tlb.c"

void setup(struct mm_struct *mm)
{
	cpumask_clear(mm_cpumask(mm));
	cpumask_set_cpu(0, mm_cpumask(mm));
	cpumask_set_cpu(1, mm_cpumask(mm));
	atomic_set(&mm->context.active_cpus, 2);
	atomic_set(&mm->context.copros, 0);
	atomic_set(&mm->mm_users, 2);
	client_cpu0_loads(mm);
	client_cpu1_loads(mm);
}

void cpu0(struct mm_struct *mm, unsigned long addr, pte_t *ptep, struct mmu_notifier_range *range)
{
	pte_t old = ptep_get(ptep);
	struct page *page;

	if (!pte_present(old))
		return;
	mmu_notifier_invalidate_range_start(range);
	page = pte_page(old);
	ptep_get_and_clear(mm, addr, ptep);
	radix__flush_tlb_mm(mm);
	put_page(page);
	mmu_notifier_invalidate_range_end(range);
}

void cpu1(struct mm_struct *mm)
{
	client_uses_address();
}
