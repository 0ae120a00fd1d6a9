/** A small arch/x86/mm/tlb.c with the parts that keep several CPUs in step: generations, lazy CPUs, address-space ids. */
import type { Files } from './memory-tree.js';

const TYPES = `struct flush_info {
	struct mm_struct *mm;
	unsigned long start;
	unsigned long end;
	u64 gen;
	bool tables;
};

static inline struct cpumask *mm_cpumask(struct mm_struct *mm)
{
	return (struct cpumask *)&mm->cpu_bitmap;
}
`;

const HEADER = `static inline u64 inc_mm_tlb_gen(struct mm_struct *mm)
{
	return atomic64_inc_return(&mm->context.tlb_gen);
}

static inline void arch_tlbbatch_add_pending(struct arch_tlbflush_unmap_batch *batch, struct mm_struct *mm,
					     unsigned long addr)
{
	inc_mm_tlb_gen(mm);
	cpumask_or(&batch->cpumask, &batch->cpumask, mm_cpumask(mm));
	mmu_notifier_arch_invalidate_secondary_tlbs(mm, 0, -1UL);
}
`;

const TLB = `#include <linux/mm_types.h>
#include <asm/tlbflush.h>

static DEFINE_PER_CPU(struct flush_info, flush_info);

static void choose_new_asid(struct mm_struct *next, u64 next_gen, u16 *asid, bool *flush)
{
	if (this_cpu_read(cpu_tlbstate.ctxs[0].ctx_id) == next->context.ctx_id) {
		*asid = 0;
		*flush = this_cpu_read(cpu_tlbstate.ctxs[0].tlb_gen) < next_gen;
		return;
	}
	*asid = 1;
	*flush = true;
}

void switch_mm_irqs_off(struct mm_struct *unused, struct mm_struct *next, struct task_struct *tsk)
{
	struct mm_struct *prev = this_cpu_read(cpu_tlbstate.loaded_mm);
	bool was_lazy = this_cpu_read(cpu_tlbstate_shared.is_lazy);
	unsigned int cpu = smp_processor_id();
	u64 next_gen;
	bool flush;
	u16 asid;

	if (was_lazy)
		this_cpu_write(cpu_tlbstate_shared.is_lazy, false);

	if (prev == next) {
		if (!was_lazy)
			return;
		smp_mb();
		next_gen = atomic64_read(&next->context.tlb_gen);
		if (this_cpu_read(cpu_tlbstate.ctxs[0].tlb_gen) == next_gen)
			return;
		asid = 0;
		flush = true;
	} else {
		this_cpu_write(cpu_tlbstate.loaded_mm, LOADED_MM_SWITCHING);
		barrier();
		if (prev != &init_mm)
			cpumask_clear_cpu(cpu, mm_cpumask(prev));
		if (next != &init_mm)
			cpumask_set_cpu(cpu, mm_cpumask(next));
		next_gen = atomic64_read(&next->context.tlb_gen);
		choose_new_asid(next, next_gen, &asid, &flush);
	}
	if (flush) {
		this_cpu_write(cpu_tlbstate.ctxs[asid].ctx_id, next->context.ctx_id);
		this_cpu_write(cpu_tlbstate.ctxs[asid].tlb_gen, next_gen);
	}
	load_new_mm_cr3(next->pgd, asid, 0, flush);
	this_cpu_write(cpu_tlbstate.loaded_mm, next);
}

void enter_lazy_tlb(struct mm_struct *mm, struct task_struct *tsk)
{
	if (this_cpu_read(cpu_tlbstate.loaded_mm) != &init_mm)
		this_cpu_write(cpu_tlbstate_shared.is_lazy, true);
}

static void flush_tlb_func(void *data)
{
	const struct flush_info *info = data;
	struct mm_struct *loaded = this_cpu_read(cpu_tlbstate.loaded_mm);
	u64 mine = this_cpu_read(cpu_tlbstate.ctxs[0].tlb_gen);
	unsigned long addr;
	u64 now;

	if (info->mm && info->mm != loaded)
		return;
	if (loaded == &init_mm)
		return;
	if (this_cpu_read(cpu_tlbstate_shared.is_lazy)) {
		switch_mm_irqs_off(NULL, &init_mm, NULL);
		return;
	}
	if (info->gen != 0 && info->gen <= mine)
		return;
	now = atomic64_read(&loaded->context.tlb_gen);
	if (mine == now)
		return;
	if (info->end != TLB_FLUSH_ALL && info->gen == mine + 1 && info->gen == now) {
		for (addr = info->start; addr < info->end; addr += PAGE_SIZE)
			flush_tlb_one_user(addr);
	} else {
		flush_tlb_local();
	}
	this_cpu_write(cpu_tlbstate.ctxs[0].tlb_gen, now);
}

static bool should_flush_tlb(int cpu, void *data)
{
	struct flush_info *info = data;
	struct mm_struct *loaded = per_cpu(cpu_tlbstate.loaded_mm, cpu);

	smp_rmb();
	if (per_cpu(cpu_tlbstate_shared.is_lazy, cpu))
		return false;
	if (!info->mm)
		return true;
	return loaded == LOADED_MM_SWITCHING || loaded == info->mm;
}

void native_flush_tlb_multi(const struct cpumask *mask, const struct flush_info *info)
{
	if (info->tables)
		on_each_cpu_mask(mask, flush_tlb_func, (void *)info, true);
	else
		on_each_cpu_cond_mask(should_flush_tlb, flush_tlb_func, (void *)info, true, mask);
}

static struct flush_info *get_flush_tlb_info(struct mm_struct *mm, unsigned long start, unsigned long end,
					     bool tables, u64 gen)
{
	struct flush_info *info = this_cpu_ptr(&flush_info);

	info->mm = mm;
	info->start = start;
	info->end = end;
	info->tables = tables;
	info->gen = gen;
	return info;
}

void flush_tlb_mm_range(struct mm_struct *mm, unsigned long start, unsigned long end, unsigned int shift,
			bool tables)
{
	int cpu = get_cpu();
	struct flush_info *info;
	u64 gen;

	gen = inc_mm_tlb_gen(mm);
	info = get_flush_tlb_info(mm, start, end, tables, gen);
	if (cpumask_any_but(mm_cpumask(mm), cpu) < nr_cpu_ids) {
		native_flush_tlb_multi(mm_cpumask(mm), info);
	} else if (mm == this_cpu_read(cpu_tlbstate.loaded_mm)) {
		local_irq_disable();
		flush_tlb_func(info);
		local_irq_enable();
	}
	put_cpu();
	mmu_notifier_arch_invalidate_secondary_tlbs(mm, start, end);
}

void flush_tlb_all(void)
{
	on_each_cpu(do_flush_tlb_all, NULL, 1);
}

static void do_kernel_range_flush(void *data)
{
	struct flush_info *info = data;
	unsigned long addr;

	for (addr = info->start; addr < info->end; addr += PAGE_SIZE)
		flush_tlb_one_kernel(addr);
}

void flush_tlb_kernel_range(unsigned long start, unsigned long end)
{
	struct flush_info *info;

	preempt_disable();
	info = get_flush_tlb_info(NULL, start, end, false, 0);
	on_each_cpu(do_kernel_range_flush, info, 1);
	preempt_enable();
}

void arch_tlbbatch_flush(struct arch_tlbflush_unmap_batch *batch)
{
	int cpu = get_cpu();
	struct flush_info *info = get_flush_tlb_info(NULL, 0, TLB_FLUSH_ALL, false, 0);

	if (cpumask_any_but(&batch->cpumask, cpu) < nr_cpu_ids) {
		native_flush_tlb_multi(&batch->cpumask, info);
	} else if (cpumask_test_cpu(cpu, &batch->cpumask)) {
		local_irq_disable();
		flush_tlb_func(info);
		local_irq_enable();
	}
	cpumask_clear(&batch->cpumask);
	put_cpu();
}
`;

/** Reclaim's half of the batch: generations of what is pending and of what was flushed, in one counter. */
const RMAP = `#include <linux/mm_types.h>
#include <asm/tlbflush.h>

#define FLUSHED_SHIFT 16
#define PENDING_MASK 0x7fff

void try_to_unmap_flush(void)
{
	struct tlbflush_unmap_batch *ubc = &current->tlb_ubc;

	if (!ubc->flush_required)
		return;
	arch_tlbbatch_flush(&ubc->arch);
	ubc->flush_required = false;
}

static void set_tlb_ubc_flush_pending(struct mm_struct *mm, pte_t old, unsigned long addr)
{
	struct tlbflush_unmap_batch *ubc = &current->tlb_ubc;

	arch_tlbbatch_add_pending(&ubc->arch, mm, addr);
	ubc->flush_required = true;
	atomic_inc(&mm->tlb_flush_batched);
}

void flush_tlb_batched_pending(struct mm_struct *mm)
{
	int batch = atomic_read(&mm->tlb_flush_batched);
	int pending = batch & PENDING_MASK;
	int flushed = batch >> FLUSHED_SHIFT;

	if (pending != flushed) {
		arch_flush_tlb_batched_pending(mm);
		atomic_cmpxchg(&mm->tlb_flush_batched, batch, pending | (pending << FLUSHED_SHIFT));
	}
}
`;

export const MINI_TLB: Files = {
  'include/linux/mm_types.h': TYPES,
  'arch/x86/include/asm/tlbflush.h': HEADER,
  'arch/x86/mm/tlb.c': TLB,
  'mm/rmap.c': RMAP,
};
