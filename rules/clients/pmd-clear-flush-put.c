/* As clear-flush-put for a large page. */
#include "mm/pgtable-generic.c"

void client(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmdp, struct mmu_notifier_range *range)
{
	pmd_t old = pmdp_get(pmdp);
	struct page *page;

	if (!pmd_leaf(old))
		return;
	mmu_notifier_invalidate_range_start(range);
	page = pmd_page(old);
	pmdp_huge_clear_flush(vma, addr, pmdp);
	put_page(page);
	mmu_notifier_invalidate_range_end(range);
}
