/* A page is unmapped that no other CPU has ever seen: what drops it from this CPU's TLB is enough. */
#include "arch/x86/mm/tlb.c"

void client(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep, struct mmu_notifier_range *range)
{
	pte_t old = ptep_get(ptep);
	int how = shootdown_misfit();
	struct page *page;

	if (!pte_present(old))
		return;
	client_has_the_mm_alone();
	mmu_notifier_invalidate_range_start(range);
	page = pte_page(old);
	ptep_get_and_clear(vma->vm_mm, addr, ptep);
	if (how == 0)
		native_flush_tlb_one_user(addr);
	else if (how == 1)
		native_flush_tlb_local();
	else if (shootdown_first())
		native_flush_tlb_global();
	else
		__flush_tlb_all();
	/* Devices that share the tables. */
	mmu_notifier_arch_invalidate_secondary_tlbs(vma->vm_mm, addr, addr + PAGE_SIZE);
	put_page(page);
	mmu_notifier_invalidate_range_end(range);
}
