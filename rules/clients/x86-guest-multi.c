/* A page is unmapped and flushed on other virtual CPUs through the hypervisor, and here, before it is dropped. */
void client(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep, struct flush_tlb_info *info)
{
	pte_t old = ptep_get(ptep);

	if (!pte_present(old) || is_vm_hugetlb_page(vma))
		return;
	ptep_get_and_clear(vma->vm_mm, addr, ptep);
	kvm_flush_tlb_multi(mm_cpumask(vma->vm_mm), info);
	mmu_notifier_arch_invalidate_secondary_tlbs(vma->vm_mm, addr, addr + PAGE_SIZE);
	client_uses_address();
}
