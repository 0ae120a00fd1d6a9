/* As clear-flush-put for a very large page. */
#include "mm/pgtable-generic.c"

void client(struct vm_area_struct *vma, unsigned long addr, pud_t *pudp, struct mmu_notifier_range *range)
{
	pud_t old = pudp_get(pudp);
	struct page *page;

	if (!pud_leaf(old))
		return;
	mmu_notifier_invalidate_range_start(range);
	page = pud_page(old);
	pudp_huge_clear_flush(vma, addr, pudp);
	put_page(page);
	mmu_notifier_invalidate_range_end(range);
}
