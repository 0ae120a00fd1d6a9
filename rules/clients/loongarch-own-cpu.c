/* A page is unmapped that no other CPU has ever seen: what drops it from this CPU's TLB is enough. */
#include "arch/loongarch/mm/tlb.c"

void client(struct vm_area_struct *vma, pte_t *ptep, struct mmu_notifier_range *range)
{
	pte_t old = ptep_get(ptep);
	int how = shootdown_misfit();
	unsigned long addr;
	struct page *page;

	if (!pte_present(old))
		return;
	shootdown_numbers();
	addr = shootdown_first() ? 0x40000000 : 0x40001000;
	shootdown_witness(addr, 0);
	client_has_the_mm_alone();
	mmu_notifier_invalidate_range_start(range);
	page = pte_page(old);
	ptep_get_and_clear(vma->vm_mm, addr, ptep);
	if (how == 0)
		local_flush_tlb_page(vma, addr);
	else if (how == 1)
		local_flush_tlb_range(vma, addr, addr + PAGE_SIZE);
	else
		local_flush_tlb_mm(vma->vm_mm);
	put_page(page);
	mmu_notifier_invalidate_range_end(range);
}
