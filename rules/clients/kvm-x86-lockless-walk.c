/* A vCPU walks shadow pages without mmu_lock, while another CPU unlinks one, kicks the vCPUs and frees it. */
#include "arch/x86/kvm/mmu/mmu.c"

void cpu0(struct kvm_vcpu *vcpu)
{
	/* The tables of the TDP MMU are freed by RCU. */
	if (is_tdp_mmu_active(vcpu))
		return;
	walk_shadow_page_lockless_begin(vcpu);
	client_walks_guest_tables();
	walk_shadow_page_lockless_end(vcpu);
}

void cpu1(struct kvm *kvm)
{
	client_frees_guest_table();
}
