/* Many pages are invalidated one by one, and waited for once. */
void client(struct vm_area_struct *vma, pte_t *ptep, struct mmu_notifier_range *range)
{
	unsigned long addr = 0x40203000, asid;
	pte_t old = ptep_get(ptep);
	struct page *page;

	if (!pte_present(old))
		return;
	shootdown_numbers();
	asid = ASID(vma->vm_mm);
	if (arm64_kernel_unmapped_at_el0() && shootdown_user_half())
		asid += 1;
	shootdown_witness(addr, asid);
	mmu_notifier_invalidate_range_start(range);
	page = pte_page(old);
	ptep_get_and_clear(vma->vm_mm, addr, ptep);
	if (shootdown_first())
		flush_tlb_page_nosync(vma, addr);
	else
		__flush_tlb_page_nosync(vma->vm_mm, addr);
	dsb(ish);
	put_page(page);
	mmu_notifier_invalidate_range_end(range);
}
