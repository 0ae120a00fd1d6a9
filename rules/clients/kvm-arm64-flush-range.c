/* A page of a guest is unmapped, the guest's translations are flushed, then the host reuses the page. */
#include "arch/arm64/kvm/hyp/pgtable.c"

void client(struct kvm_s2_mmu *mmu, kvm_pte_t *leafp, u64 ipa, unsigned long addr)
{
	kvm_pte_t old = READ_ONCE(*leafp);

	if (!kvm_pte_valid(old))
		return;
	WRITE_ONCE(*leafp, 0);
	__kvm_tlb_flush_vmid_range(mmu, addr, 1);
	free_page(kvm_pte_to_phys(old));
}
