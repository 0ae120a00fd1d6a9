/* The same for large pages, one address for each. */
void client(struct vm_area_struct *vma, pmd_t *pmdp, struct mmu_notifier_range *range)
{
	unsigned long start, size, addr, asid;
	pmd_t old = pmdp_get(pmdp);
	struct page *page;

	if (!pmd_leaf(old))
		return;
	shootdown_numbers();
	start = 0x40000000;
	size = shootdown_leaves() * PMD_SIZE;
	addr = shootdown_first() ? start : start + size - PMD_SIZE;
	asid = ASID(vma->vm_mm);
	if (arm64_kernel_unmapped_at_el0() && shootdown_user_half())
		asid += 1;
	shootdown_witness(addr, asid);
	mmu_notifier_invalidate_range_start(range);
	page = pmd_page(old);
	pmdp_huge_get_and_clear(vma->vm_mm, addr, pmdp);
	__flush_tlb_range(vma, start, start + size, PMD_SIZE, true, 2);
	put_page(page);
	mmu_notifier_invalidate_range_end(range);
}
