/* A page of a guest is unmapped, the guest's translations are flushed, then the host reuses the page. */
#include "virt/kvm/kvm_main.c"

void client(struct kvm *kvm, kvm_pte_t *leafp, gfn_t gfn, const struct kvm_memory_slot *slot)
{
	unsigned long old = READ_ONCE(*leafp);
	int how = shootdown_misfit();

	if (!kvm_pte_valid(old))
		return;
	WRITE_ONCE(*leafp, 0);
	if (how == 0)
		kvm_flush_remote_tlbs(kvm);
	else if (how == 1)
		kvm_flush_remote_tlbs_range(kvm, gfn, 1);
	else
		kvm_flush_remote_tlbs_memslot(kvm, slot);
	free_page(kvm_pte_to_phys(old));
}
