/* Clear and flush in one call, then the page is dropped. */
#include "mm/pgtable-generic.c"

void client(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep, struct mmu_notifier_range *range)
{
	pte_t old = ptep_get(ptep);
	struct page *page;

	if (!pte_present(old))
		return;
	mmu_notifier_invalidate_range_start(range);
	page = pte_page(old);
	ptep_clear_flush(vma, addr, ptep);
	put_page(page);
	mmu_notifier_invalidate_range_end(range);
}
