/* What says that a change of an entry owes a flush, by the flags of powerpc. */
#include "powerpc-entry-flags.h"
#include "pte-changes.h"

void client(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep)
{
	change_pte(vma, addr, ptep, _PAGE_WRITE);
}
