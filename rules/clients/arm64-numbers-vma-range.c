/* A vma's range: no page in it stays. */
void client(struct vm_area_struct *vma, pte_t *ptep, struct mmu_notifier_range *range)
{
	unsigned long start, size, addr, asid;
	pte_t old = ptep_get(ptep);
	struct page *page;

	if (!pte_present(old))
		return;
	shootdown_numbers();
	start = 0x40203000;
	size = shootdown_few_pages() * PAGE_SIZE;
	addr = shootdown_first() ? start : start + size - PAGE_SIZE;
	asid = ASID(vma->vm_mm);
	if (arm64_kernel_unmapped_at_el0() && shootdown_user_half())
		asid += 1;
	shootdown_witness(addr, asid);
	mmu_notifier_invalidate_range_start(range);
	page = pte_page(old);
	ptep_get_and_clear(vma->vm_mm, addr, ptep);
	flush_tlb_range(vma, start, start + size);
	put_page(page);
	mmu_notifier_invalidate_range_end(range);
}
