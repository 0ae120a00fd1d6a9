/* The same for very large pages. */
void client(struct vm_area_struct *vma, pud_t *pudp, struct mmu_notifier_range *range)
{
	unsigned long start, size, addr, asid;
	pud_t old = pudp_get(pudp);
	struct page *page;

	if (!pud_leaf(old))
		return;
	shootdown_numbers();
	start = 0x40000000;
	size = shootdown_leaves() * PUD_SIZE;
	addr = shootdown_first() ? start : start + size - PUD_SIZE;
	asid = ASID(vma->vm_mm);
	if (arm64_kernel_unmapped_at_el0() && shootdown_user_half())
		asid += 1;
	shootdown_witness(addr, asid);
	mmu_notifier_invalidate_range_start(range);
	page = pud_page(old);
	pudp_huge_get_and_clear(vma->vm_mm, addr, pudp);
	__flush_tlb_range(vma, start, start + size, PUD_SIZE, true, 1);
	put_page(page);
	mmu_notifier_invalidate_range_end(range);
}
