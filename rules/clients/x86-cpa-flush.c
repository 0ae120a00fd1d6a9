/* A page of the direct map, by itself or with many behind it, is taken out of it, flushed and dropped. */
#include "arch/x86/mm/pat/set_memory.c"

void client(pte_t *ptep, unsigned long addr, int many)
{
	pte_t old = ptep_get(ptep);
	struct cpa_data cpa;

	if (!pte_present(old))
		return;
	cpa.vaddr = &addr;
	cpa.numpages = many ? 64 : 1;
	cpa.curpage = 0;
	cpa.flags = 0;
	cpa.force_flush_all = 0;
	pte_clear(&init_mm, addr, ptep);
	cpa_flush(&cpa, 0);
	__free_page(pte_page(old));
}
