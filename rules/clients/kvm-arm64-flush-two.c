/* Two guests are flushed in a row on one CPU: the second flush must act on the second guest. */
#include "arch/arm64/kvm/hyp/pgtable.c"

void client(struct kvm_s2_mmu *other, struct kvm_s2_mmu *mmu, kvm_pte_t *leafp, unsigned long addr)
{
	kvm_pte_t old;

	__kvm_tlb_flush_vmid(other);
	old = READ_ONCE(*leafp);
	if (!kvm_pte_valid(old))
		return;
	WRITE_ONCE(*leafp, 0);
	__kvm_tlb_flush_vmid(mmu);
	free_page(kvm_pte_to_phys(old));
}
