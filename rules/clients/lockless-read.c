/* A lockless walker reads an entry twice around taking a reference; another CPU replaces the page. */
void cpu0(pte_t *ptep)
{
	unsigned long flags;
	struct page *page;
	pte_t pte;

	local_irq_save(flags);
	pte = ptep_get_lockless(ptep);
	if (pte_present(pte)) {
		page = pte_page(pte);
		if (folio_try_get(page)) {
			if (!pte_same(pte, ptep_get_lockless(ptep)))
				folio_put(page);
		}
	}
	local_irq_restore(flags);
}

void cpu1(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep, struct page *fresh, struct mmu_notifier_range *range)
{
	pte_t old;

	mmu_notifier_invalidate_range_start(range);
	old = ptep_get_and_clear(vma->vm_mm, addr, ptep);
	if (pte_present(old)) {
		flush_tlb_page(vma, addr);
		set_pte_at(vma->vm_mm, addr, ptep, mk_pte(fresh, vma->vm_page_prot));
		put_page(pte_page(old));
	}
	mmu_notifier_invalidate_range_end(range);
}
