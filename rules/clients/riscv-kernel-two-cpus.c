/* A kernel mapping is cleared, flushed and its page freed, while another CPU may use it. */
#include "arch/riscv/mm/tlbflush.c"
#include "riscv-two-cpus.h"

void setup(struct mm_struct *mm)
{
	start_both(mm);
}

void cpu0(struct mm_struct *mm, pte_t *ptep)
{
	unsigned long addr = 0x40203000;
	pte_t old = ptep_get(ptep);

	if (!pte_present(old))
		return;
	shootdown_numbers();
	shootdown_witness(addr, 0);
	pte_clear(&init_mm, addr, ptep);
	flush_tlb_kernel_range(addr, addr + PAGE_SIZE);
	__free_page(pte_page(old));
}

void cpu1(struct mm_struct *mm)
{
	client_uses_address();
}
