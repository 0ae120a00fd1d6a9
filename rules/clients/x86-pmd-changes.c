/* What says that a change of a large entry owes a flush, by the flags of x86. */
#include "x86-entry-flags.h"
#include "pmd-changes.h"

void client(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmdp)
{
	change_pmd(vma, addr, pmdp, _PAGE_RW);
}
