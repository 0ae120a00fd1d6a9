/* CPU 0 runs mm, CPU 1 runs on1 (mm or other), and both have seen every flush so far. */
static void start_on(struct mm_struct *mm, struct mm_struct *other, struct mm_struct *on1)
{
	atomic64_set(&mm->context.tlb_gen, 1);
	atomic64_set(&other->context.tlb_gen, 1);
	atomic64_set(&init_mm.context.tlb_gen, 1);
	init_mm.context.ctx_id = 1;
	mm->context.ctx_id = 2;
	other->context.ctx_id = 3;
	mm->pgd = (pgd_t *)mm;
	other->pgd = (pgd_t *)other;
	init_mm.pgd = (pgd_t *)&init_mm;
	cpumask_clear(mm_cpumask(mm));
	cpumask_clear(mm_cpumask(other));
	cpumask_set_cpu(0, mm_cpumask(mm));
	cpumask_set_cpu(1, mm_cpumask(on1));
	per_cpu(cpu_tlbstate.loaded_mm, 0) = mm;
	per_cpu(cpu_tlbstate.loaded_mm, 1) = on1;
	per_cpu(cpu_tlbstate.loaded_mm_asid, 0) = 0;
	per_cpu(cpu_tlbstate.loaded_mm_asid, 1) = 0;
	per_cpu(cpu_tlbstate.ctxs[0].ctx_id, 0) = 2;
	per_cpu(cpu_tlbstate.ctxs[0].ctx_id, 1) = 2;
	per_cpu(cpu_tlbstate.ctxs[0].tlb_gen, 0) = 1;
	per_cpu(cpu_tlbstate.ctxs[0].tlb_gen, 1) = 1;
	per_cpu(cpu_tlbstate_shared.is_lazy, 0) = false;
	per_cpu(cpu_tlbstate_shared.is_lazy, 1) = false;
	per_cpu(cpu_tlbstate.invalidate_other, 0) = false;
	per_cpu(cpu_tlbstate.invalidate_other, 1) = false;
	client_cpu0_loads(mm);
	client_cpu1_loads(on1);
}

/* Clears an entry, flushes its page on whatever CPUs that takes, and lets go of it. */
static void unmap_and_put_page(struct mm_struct *mm, unsigned long addr, pte_t *ptep, struct mmu_notifier_range *range)
{
	pte_t old = ptep_get(ptep);
	struct page *page;

	if (!pte_present(old))
		return;
	mmu_notifier_invalidate_range_start(range);
	page = pte_page(old);
	ptep_get_and_clear(mm, addr, ptep);
	flush_tlb_mm_range(mm, addr, addr + PAGE_SIZE, PAGE_SHIFT, false);
	put_page(page);
	mmu_notifier_invalidate_range_end(range);
}
