/*
 * Two tables are put aside for large entries and taken back. One of them is linked again, the other freed, and a third
 * one put aside: what is linked may no longer be on the list, and as many must come back as were put aside.
 */
#include "mm/pgtable-generic.c"

/* Where none comes back, what is linked is memory of others. */
static void link_table(struct mm_struct *mm, pmd_t *pmdp, pgtable_t table, pgtable_t others)
{
	pmd_populate(mm, pmdp, table ? table : others);
	if (!table)
		pte_free(mm, others);
}

void client(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmdp, struct mmu_notifier_range *range)
{
	struct mm_struct *mm = vma->vm_mm;
	bool first = shootdown_first();
	pgtable_t other = pte_alloc_one(mm);
	pgtable_t table, one, two;

	if (!other)
		return;
	mmu_notifier_invalidate_range_start(range);
	table = pmd_pgtable(pmdp_collapse_flush(vma, addr, pmdp));
	tlb_remove_table_sync_one();
	synchronize_rcu();
	pmd_huge_pte(mm, pmdp) = NULL;
	pgtable_trans_huge_deposit(mm, pmdp, first ? table : other);
	pgtable_trans_huge_deposit(mm, pmdp, first ? other : table);
	one = pgtable_trans_huge_withdraw(mm, pmdp);
	two = pgtable_trans_huge_withdraw(mm, pmdp);
	if (shootdown_blocks()) {
		link_table(mm, pmdp, one, table);
		if (two)
			pte_free(mm, two);
	} else {
		link_table(mm, pmdp, two, table);
		if (one)
			pte_free(mm, one);
	}
	pgtable_trans_huge_deposit(mm, pmdp, other);
	pgtable_trans_huge_withdraw(mm, pmdp);
	mmu_notifier_invalidate_range_end(range);
}
