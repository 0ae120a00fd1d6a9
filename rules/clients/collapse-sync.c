/* The same against a walker with interrupts off. */
#include "mm/pgtable-generic.c"
#include "mm/mmu_gather.c"

void cpu0(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmdp)
{
	pmd_t old = pmdp_collapse_flush(vma, addr, pmdp);

	tlb_remove_table_sync_one();
	pte_free(vma->vm_mm, pmd_pgtable(old));
}

void cpu1(pmd_t *pmdp, unsigned long addr)
{
	unsigned long flags;
	pmd_t pmd;
	pte_t pte;

	local_irq_save(flags);
	pmd = pmdp_get_lockless(pmdp);
	if (pmd_present(pmd) && !pmd_leaf(pmd))
		pte = ptep_get_lockless(pte_offset_kernel(&pmd, addr));
	local_irq_restore(flags);
}
