/* A table shared between processes loses its last other user: flushed and walkers waited for, then it is freed. */
#include "mm/mmu_gather.c"

void client(struct vm_area_struct *vma, unsigned long addr, pud_t *pudp, pmd_t *table)
{
	struct mmu_gather tlb;
	bool last;
	pud_t old = pudp_get(pudp);

	if (!pud_present(old) || pud_leaf(old))
		return;

	tlb_gather_mmu(&tlb, vma->vm_mm);
	pud_clear(pudp);
	tlb_unshare_pmd_ptdesc(&tlb, virt_to_ptdesc(table), addr);
	last = !ptdesc_pmd_is_shared(virt_to_ptdesc(table));
	tlb_flush_unshared_tables(&tlb);
	if (last)
		pmd_free(vma->vm_mm, table);
	tlb_finish_mmu(&tlb);
}
