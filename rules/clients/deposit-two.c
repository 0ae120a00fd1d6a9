/* Two tables are put aside for a large entry and taken back, one is linked again: it may not lie on the list still. */
#include "mm/pgtable-generic.c"

void client(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmdp)
{
	struct mm_struct *mm = vma->vm_mm;
	pmd_t old = pmdp_collapse_flush(vma, addr, pmdp);
	bool first = shootdown_first();
	pgtable_t one, two;

	tlb_remove_table_sync_one();
	two = pte_alloc_one(mm);
	if (!two)
		return;
	one = pmd_pgtable(old);
	pmd_huge_pte(mm, pmdp) = NULL;
	pgtable_trans_huge_deposit(mm, pmdp, first ? one : two);
	pgtable_trans_huge_deposit(mm, pmdp, first ? two : one);
	one = pgtable_trans_huge_withdraw(mm, pmdp);
	pmd_populate(mm, pmdp, one);
	two = pgtable_trans_huge_withdraw(mm, pmdp);
	pte_free(mm, two);
}
