/* A large page is made unusable and flushed before the entry is replaced. */
#include "mm/pgtable-generic.c"

void client(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmdp, struct page *fresh, pgprot_t prot, struct mmu_notifier_range *range)
{
	pmd_t old = pmdp_get(pmdp);

	if (!pmd_leaf(old))
		return;
	mmu_notifier_invalidate_range_start(range);
	pmdp_invalidate(vma, addr, pmdp);
	set_pmd_at(vma->vm_mm, addr, pmdp, mk_pmd(fresh, prot));
	put_page(pmd_page(old));
	mmu_notifier_invalidate_range_end(range);
}
