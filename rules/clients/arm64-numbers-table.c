/* A page table goes: with the addresses below it every link that leads to it must go. */
#include "mm/mmu_gather.c"

void client(struct vm_area_struct *vma, pmd_t *pmdp)
{
	unsigned long addr = 0x40203000, asid;
	pmd_t old = pmdp_get(pmdp);

	if (pmd_none(old) || pmd_leaf(old))
		return;
	shootdown_numbers();
	asid = ASID(vma->vm_mm);
	if (arm64_kernel_unmapped_at_el0() && shootdown_user_half())
		asid += 1;
	shootdown_witness(addr, asid);
	pmd_clear(pmdp);
	/* As a gather does that knows of nothing but the table, and as khugepaged does. */
	if (shootdown_first())
		__flush_tlb_range(vma, addr, addr + PAGE_SIZE, PMD_SIZE, false, TLBI_TTL_UNKNOWN);
	else
		__flush_tlb_range(vma, addr & PMD_MASK, (addr & PMD_MASK) + PMD_SIZE, PAGE_SIZE, false, TLBI_TTL_UNKNOWN);
	tlb_remove_table_sync_one();
	pte_free(vma->vm_mm, pmd_pgtable(old));
}
