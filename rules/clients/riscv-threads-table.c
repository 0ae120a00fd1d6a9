/* One thread unlinks a page table that another CPU's hardware may walk, flushes the mm and frees it. */
#include "arch/riscv/mm/tlbflush.c"
#include "riscv-two-cpus.h"

void setup(struct mm_struct *mm)
{
	start_both(mm);
}

void cpu0(struct mm_struct *mm, pmd_t *pmdp)
{
	pmd_t old = pmdp_get(pmdp);

	if (!pmd_present(old) || pmd_leaf(old))
		return;
	pmd_clear(pmdp);
	flush_tlb_mm(mm);
	synchronize_rcu();
	pte_free(mm, pmd_pgtable(old));
}

void cpu1(struct mm_struct *mm)
{
	client_uses_address();
}
