/* A table of puds is unlinked and goes through the gather. */
#include "mm/mmu_gather.c"

void client(struct vm_area_struct *vma, unsigned long addr, p4d_t *p4dp)
{
	struct mmu_gather tlb;
	pud_t *table = pud_offset(p4dp, addr);

	tlb_gather_mmu(&tlb, vma->vm_mm);
	p4d_clear(p4dp);
	pud_free_tlb(&tlb, table, addr);
	tlb_finish_mmu(&tlb);
}
