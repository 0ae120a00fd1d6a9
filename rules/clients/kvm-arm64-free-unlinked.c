/* A stage-2 table is replaced under mmu_lock for read: other vCPUs walk it in RCU sections. */
#include "arch/arm64/kvm/mmu.c"

void client(struct kvm *kvm, struct kvm_s2_mmu *mmu, kvm_pte_t *tablep, u64 ipa, unsigned long addr)
{
	kvm_pte_t old;
	void *child;

	read_lock(&kvm->mmu_lock);
	rcu_read_lock();
	old = READ_ONCE(*tablep);
	if (kvm_pte_table(old, 2)) {
		child = kvm_pte_follow(old, mmu->pgt->mm_ops);
		WRITE_ONCE(*tablep, 0);
		__kvm_tlb_flush_vmid(mmu);
		stage2_free_unlinked_table(child, 2);
	}
	rcu_read_unlock();
	read_unlock(&kvm->mmu_lock);
}
