/* One thread unmaps a page, alone or among others, that another thread of the process uses on another CPU. */
#include "arch/riscv/mm/tlbflush.c"
#include "riscv-two-cpus.h"

void setup(struct mm_struct *mm)
{
	start_both(mm);
}

void cpu0(struct mm_struct *mm, pte_t *ptep, struct mmu_notifier_range *range, int how)
{
	unsigned long start = 0x40203000, addr;
	pte_t old = ptep_get(ptep);
	struct vm_area_struct vma;
	struct page *page;

	if (!pte_present(old) || is_vm_hugetlb_page(&vma))
		return;
	vma.vm_mm = mm;
	shootdown_numbers();
	addr = shootdown_first() ? start : start + 2 * PAGE_SIZE;
	shootdown_witness(addr, 2);
	mmu_notifier_invalidate_range_start(range);
	page = pte_page(old);
	ptep_get_and_clear(mm, addr, ptep);
	if (how == 1)
		flush_tlb_page(&vma, addr);
	else if (how == 2)
		flush_tlb_range(&vma, start, start + 3 * PAGE_SIZE);
	else if (how == 3)
		flush_tlb_mm(mm);
	else
		flush_tlb_mm_range(mm, start, start + 3 * PAGE_SIZE, PAGE_SIZE);
	put_page(page);
	mmu_notifier_invalidate_range_end(range);
}

void cpu1(struct mm_struct *mm)
{
	client_uses_address();
}
