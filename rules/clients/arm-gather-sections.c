/* A page table goes through the gather: hardware loaded it for the first half of its addresses, and for the second. */
#include "mm/mmu_gather.c"

void client(struct vm_area_struct *vma, pmd_t *pmdp)
{
	struct mmu_gather tlb;
	unsigned long addr;
	pmd_t old = pmdp_get(pmdp);

	if (pmd_none(old) || pmd_leaf(old))
		return;
	shootdown_numbers();
	addr = 0x40000000;
	if (!shootdown_first())
		addr += SZ_1M;
	shootdown_witness(addr, 0);
	tlb_gather_mmu(&tlb, vma->vm_mm);
	pmd_clear(pmdp);
	pte_free_tlb(&tlb, pmd_pgtable(old), 0x40001000);
	tlb_finish_mmu(&tlb);
}
