/* A large mapping of vmalloc takes the place of an empty page table while somebody dumps the kernel's tables. */
#include "mm/vmalloc.c"

void cpu0(pmd_t *pmdp, unsigned long addr, phys_addr_t phys, pgprot_t prot)
{
	vmap_try_huge_pmd(pmdp, addr, addr + PMD_SIZE, phys, prot, PMD_SHIFT);
}

void cpu1(void)
{
#ifdef CONFIG_PTDUMP_DEBUGFS
	get_online_mems();
	mmap_write_lock(&init_mm);
	client_walks_kernel_tables();
	mmap_write_unlock(&init_mm);
	put_online_mems();
#endif
}
