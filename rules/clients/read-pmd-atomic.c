/* A walker that keeps mmap_lock reads a pmd without the page-table lock while another thread links a table there. */
void cpu0(struct mm_struct *mm, pmd_t *pmdp, unsigned long addr)
{
	pmd_t pmd;
	pte_t pte;

	mmap_read_lock(mm);
	pmd = pmd_read_atomic(pmdp);
	if (pmd_present(pmd) && !pmd_leaf(pmd))
		pte = ptep_get_lockless(pte_offset_kernel(&pmd, addr));
	mmap_read_unlock(mm);
}

void cpu1(struct mm_struct *mm, pmd_t *pmdp, pgtable_t table)
{
	spinlock_t *ptl;

	mmap_read_lock(mm);
	ptl = pmd_lock(mm, pmdp);
	if (pmd_none(*pmdp))
		pmd_populate(mm, pmdp, table);
	spin_unlock(ptl);
	mmap_read_unlock(mm);
}
