/* A page of a guest is unmapped, all of the guest's translations are flushed, then the host reuses the page. */
#include "arch/arm64/kvm/mmu.c"

void client(struct kvm *kvm, kvm_pte_t *leafp)
{
	kvm_pte_t old = READ_ONCE(*leafp);

	if (!kvm_pte_valid(old))
		return;
	WRITE_ONCE(*leafp, 0);
	kvm_arch_flush_remote_tlbs(kvm);
	free_page(kvm_pte_to_phys(old));
}
