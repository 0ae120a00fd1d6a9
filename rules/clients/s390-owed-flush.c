/* A flush that is owed is done on one CPU while another clears an entry and owes one itself; then the page is dropped. */
void setup(struct mm_struct *mm)
{
	mm->context.flush_mm = 1;
}

void cpu0(struct mm_struct *mm)
{
	__tlb_flush_mm_lazy(mm);
}

void cpu1(struct mm_struct *mm, pte_t *ptep, struct mmu_notifier_range *range)
{
	pte_t old = ptep_get(ptep);

	if (!pte_present(old))
		return;
	mmu_notifier_invalidate_range_start(range);
	set_pte(ptep, __pte(0));
	mm->context.flush_mm = 1;
	__tlb_flush_mm_lazy(mm);
	put_page(pte_page(old));
	mmu_notifier_invalidate_range_end(range);
}
