/* A table of pmds is unlinked and goes through the gather. */
#include "mm/mmu_gather.c"

void client(struct vm_area_struct *vma, unsigned long addr, pud_t *pudp)
{
	struct mmu_gather tlb;
	pmd_t *table = pmd_offset(pudp, addr);

	tlb_gather_mmu(&tlb, vma->vm_mm);
	pud_clear(pudp);
	pmd_free_tlb(&tlb, table, addr);
	tlb_finish_mmu(&tlb);
}
