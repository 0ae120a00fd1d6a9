/** Architecture code that changes by its callbacks, its bounds, its halves or who it is called for; each wrong one beside a right one. */
import { describe, expect, test } from 'vitest';
import { introducedIn as broughtIn } from './introduced.js';
import type { Files } from './memory-tree.js';
import { MINI_TLB } from './mini-tlb.js';

/** What a change brings in, and what is left open. */
function introducedIn(before: Files, after: Files, machine: string): string[] {
  expect(after).not.toEqual(before);
  return broughtIn(before, after, machine, 100_000);
}

const introduced = (file: string, machine: string, before: string, after: string): string[] =>
  introducedIn({ [file]: before }, { [file]: after }, machine);

describe('an empty table is freed where the range holds all that it maps', () => {
  const file = 'arch/arm64/mm/mmu.c';
  const FREE = '\t__free_page(virt_to_page(pmdp));\n';
  const prune = (
    ...steps: readonly string[]
  ): string => `static void free_empty_pmd(pud_t *pudp, unsigned long addr, unsigned long end,
			   unsigned long floor, unsigned long ceiling)
{
	unsigned long i, next, start = addr;
	pmd_t *pmdp;

	do {
		next = pmd_addr_end(addr, end);
		if ((addr & PMD_MASK) < floor)
			continue;
		pmdp = pmd_offset(pudp, addr);
		if (pmd_none(READ_ONCE(*pmdp)))
			continue;
		return;
	} while (addr = next, addr < end);

	start &= PUD_MASK;
	if (start < floor)
		return;
	pmdp = pmd_offset(pudp, 0UL);
	for (i = 0; i < PTRS_PER_PMD; i++) {
		if (!pmd_none(READ_ONCE(pmdp[i])))
			return;
	}
	pud_clear(pudp);
${steps.join('')}}

void prune_tables(pud_t *pudp, unsigned long addr, unsigned long end, unsigned long floor, unsigned long ceiling)
{
	free_empty_pmd(pudp, addr, end, floor, ceiling);
}
`;
  const FLUSH = '\t__flush_tlb_kernel_pgtable(start);\n';
  test('after the flush', () => {
    expect(introduced(file, 'arm64', prune(FLUSH, FREE), prune(FREE, FLUSH))).toEqual([
      'table-free-before-flush in free_empty_pmd',
    ]);
  });
  test('after a wider one, too', () => {
    expect(introduced(file, 'arm64', prune(FLUSH, FREE), prune('\tflush_tlb_all();\n', FREE))).toEqual([]);
  });
});

describe('a walk that calls back', () => {
  const file = 'arch/arm64/kvm/hyp/pgtable.c';
  const BREAK = '\tWRITE_ONCE(*ctx->ptep, 0);\n\tflush_old(ctx, mmu);\n';
  const split = (
    breaks: string,
    flags: string,
  ): string => `static bool skips_flush(const struct kvm_pgtable_visit_ctx *ctx)
{
	return ctx->flags & 32;
}

static void flush_old(const struct kvm_pgtable_visit_ctx *ctx, struct kvm_s2_mmu *mmu)
{
	if (!skips_flush(ctx))
		kvm_call_hyp(__kvm_tlb_flush_vmid_ipa, mmu, ctx->addr, ctx->level);
}

static int split_walker(const struct kvm_pgtable_visit_ctx *ctx, enum kvm_pgtable_walk_flags visit)
{
	struct kvm_s2_mmu *mmu = ctx->arg;
	kvm_pte_t *childp;

	if (ctx->level == 3 || !kvm_pte_valid(ctx->old))
		return 0;
	childp = kvm_pgtable_stage2_create_unlinked(mmu->pgt, 0, ctx->level, 0, NULL, true);
	if (IS_ERR(childp))
		return PTR_ERR(childp);
${breaks}	smp_store_release(ctx->ptep, kvm_init_table_pte(childp, ctx->mm_ops));
	return 0;
}

int split_blocks(struct kvm_pgtable *pgt, struct kvm_s2_mmu *mmu, u64 addr, u64 size)
{
	struct kvm_pgtable_walker walker = {
		.cb	= split_walker,
		.flags	= ${flags},
		.arg	= mmu,
	};

	return kvm_pgtable_walk(pgt, addr, size, &walker);
}
`;
  const LEAF = 'KVM_PGTABLE_WALK_LEAF';
  const enums = 'enum kvm_pgtable_walk_flags { KVM_PGTABLE_WALK_LEAF = 1, };\n';
  const code = (breaks: string, flags = LEAF): string => `${enums}${split(breaks, flags)}`;
  test('is asked for what a callback does, with the flags that it hands on', () => {
    expect(introduced(file, 'arm64', code(BREAK), code(''))).toEqual(['break-before-make in split_walker']);
  });
  test('may have it flush more', () => {
    const more = `${BREAK}\tkvm_call_hyp(__kvm_tlb_flush_vmid, mmu);\n`;
    expect(introduced(file, 'arm64', code(BREAK), code(more))).toEqual([]);
  });
});

describe('a flush that is put off to the end of a walk', () => {
  const file = 'arch/arm64/kvm/hyp/pgtable.c';
  const unmap = (last: string): string => `enum kvm_pgtable_walk_flags { KVM_PGTABLE_WALK_LEAF = 1, };
static bool puts_off(struct kvm_pgtable *pgt)
{
	return system_supports_tlb_range() && stage2_has_fwb(pgt);
}

static int unmap_walker(const struct kvm_pgtable_visit_ctx *ctx, enum kvm_pgtable_walk_flags visit)
{
	struct kvm_pgtable *pgt = ctx->arg;

	if (!kvm_pte_valid(ctx->old))
		return 0;
	WRITE_ONCE(*ctx->ptep, 0);
	if (!puts_off(pgt))
		kvm_call_hyp(__kvm_tlb_flush_vmid_ipa, pgt->mmu, ctx->addr, ctx->level);
	return 0;
}

int unmap_range(struct kvm_pgtable *pgt, u64 addr, u64 size)
{
	struct kvm_pgtable_walker walker = {
		.cb	= unmap_walker,
		.arg	= pgt,
		.flags	= KVM_PGTABLE_WALK_LEAF,
	};
	int ret = kvm_pgtable_walk(pgt, addr, size, &walker);

${last}		kvm_tlb_flush_vmid_range(pgt->mmu, addr, size);
	return ret;
}
`;
  const right = unmap('\tif (puts_off(pgt))\n');
  test('is owed where the walk failed, too', () => {
    const found = introduced(file, 'arm64', right, unmap('\tif (!ret && puts_off(pgt))\n'));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^(missing-flush|flush-scope-too-narrow) in unmap_range$/);
  });
  test('may be done where nothing was put off', () => {
    expect(introduced(file, 'arm64', right, unmap(''))).toEqual([]);
  });
});

describe('entries in halves', () => {
  const file = 'arch/x86/include/asm/pgtable-3level.h';
  const LOW = '\told.pmd_low = xchg(&pmdp->pmd_low, pmd.pmd_low);\n';
  const HIGH = '\told.pmd_high = READ_ONCE(pmdp->pmd_high);\n\tWRITE_ONCE(pmdp->pmd_high, pmd.pmd_high);\n';
  const establish = (...steps: readonly string[]): string => `#ifndef pmdp_establish
#define pmdp_establish pmdp_establish
static inline pmd_t pmdp_establish(struct vm_area_struct *vma,
		unsigned long address, pmd_t *pmdp, pmd_t pmd)
{
	pmd_t old;

${steps.join('')}	return old;
}
#endif
`;
  test('the one with the present bit is taken away first', () => {
    expect(introduced(file, 'x86-32-pae', establish(LOW, HIGH), establish(HIGH, LOW))).toEqual([
      'split-pte-write-order in pmdp_establish',
    ]);
    const plain = LOW.replace(/xchg.*;/, 'pmdp->pmd_low;\n\tpmdp->pmd_low = pmd.pmd_low;');
    const plainHigh = HIGH.replace(/WRITE_ONCE.*;/, 'pmdp->pmd_high = pmd.pmd_high;');
    expect(introduced(file, 'x86-32-pae', establish(LOW, HIGH), establish(plain, plainHigh))).toEqual([
      'split-pte-write-order in pmdp_establish',
    ]);
  });
  test('a barrier of the compiler between two stores does', () => {
    const stores =
      '\told = *pmdp;\n\tWRITE_ONCE(pmdp->pmd_low, pmd.pmd_low);\n\tbarrier();\n\tWRITE_ONCE(pmdp->pmd_high, pmd.pmd_high);\n';
    expect(introduced(file, 'x86-32-pae', establish(LOW, HIGH), establish(stores))).toEqual([]);
  });
  const clear = (...steps: readonly string[]): string =>
    `#define pmd_clear(pmd) native_pmd_clear(pmd)\nstatic inline void native_pmd_clear(pmd_t *pmdp)\n{\n${steps.join('\tsmp_wmb();\n')}}\n`;
  const set = (...steps: readonly string[]): string =>
    `#define set_pmd(pmdp, pmd) native_set_pmd(pmdp, pmd)\nstatic inline void native_set_pmd(pmd_t *pmdp, pmd_t pmd)\n{\n${steps.join('\tsmp_wmb();\n')}}\n`;
  const [low, high] = ['low', 'high'].map((half) => `\tWRITE_ONCE(pmdp->pmd_${half}, pmd.pmd_${half});\n`);
  const [zeroLow, zeroHigh] = ['low', 'high'].map((half) => `\tWRITE_ONCE(pmdp->pmd_${half}, 0);\n`);
  test('of large pages are cleared low first and set high first', () => {
    expect(
      introduced(
        file,
        'x86-32-pae',
        clear(zeroLow ?? '', zeroHigh ?? ''),
        clear(zeroHigh ?? '', zeroLow ?? ''),
      ),
    ).toEqual(['split-pte-write-order in native_pmd_clear']);
    expect(introduced(file, 'x86-32-pae', set(high ?? '', low ?? ''), set(low ?? '', high ?? ''))).toEqual([
      'split-pte-write-order in native_set_pmd',
    ]);
    const once = set(`\tset_64bit((unsigned long long *)pmdp, native_pmd_val(pmd));\n`);
    expect(introduced(file, 'x86-32-pae', once, set(high ?? '', low ?? ''))).toEqual([]);
  });
});

describe('an mm that the flushing CPU has not loaded', () => {
  const TLB = 'arch/x86/mm/tlb.c';
  const edited = (from: string, to: string): Files => {
    const text = MINI_TLB[TLB] ?? '';
    expect(text.split(from)).toHaveLength(2);
    return { ...MINI_TLB, [TLB]: text.replace(from, to) };
  };
  const ANY = 'if (cpumask_any_but(mm_cpumask(mm), cpu) < nr_cpu_ids)';
  test('is flushed on the CPUs that have', () => {
    const own = ANY.replace('if (', 'if (mm == this_cpu_read(cpu_tlbstate.loaded_mm) && ');
    expect(introducedIn(MINI_TLB, edited(ANY, own), 'x86-64')).toEqual([
      'free-before-flush in flush_tlb_mm_range',
    ]);
  });
});

describe('cpa_flush()', () => {
  const file = 'arch/x86/mm/pat/set_memory.c';
  const flush = (one: string): string => `struct cpa_data {
	unsigned long *vaddr;
	unsigned long numpages;
	unsigned int force_flush_all : 1;
};

static void __cpa_flush_tlb(void *data)
{
	struct cpa_data *cpa = data;
	unsigned int i;

	for (i = 0; i < cpa->numpages; i++)
		flush_tlb_one_kernel(*cpa->vaddr + i * PAGE_SIZE);
}

static void cpa_flush(struct cpa_data *cpa, int cache)
{
	if (cpa->force_flush_all || cpa->numpages > 33)
		flush_tlb_all();
	else
		${one};
}
`;
  const right = flush('on_each_cpu(__cpa_flush_tlb, cpa, 1)');
  test.each([
    ['waits', 'on_each_cpu(__cpa_flush_tlb, cpa, 0)', 'free-before-flush in cpa_flush'],
    ['reaches other CPUs', '__cpa_flush_tlb(cpa)', 'flush-scope-too-narrow in cpa_flush'],
    ['reaches its own', 'smp_call_function(__cpa_flush_tlb, cpa, 1)', 'free-before-flush in cpa_flush'],
  ])('%s', (_what, call, finding) => {
    expect(introduced(file, 'x86-64', right, flush(call))).toEqual([finding]);
  });
  test('may flush everything', () => {
    expect(introduced(file, 'x86-64', right, flush('flush_tlb_all()'))).toEqual([]);
  });
});

describe('what virt/kvm asks of the architecture', () => {
  const file = 'virt/kvm/kvm_main.c';
  const handle = (
    answer: string,
    flush: string,
  ): string => `bool kvm_unmap_gfn_range(struct kvm *kvm, struct kvm_gfn_range *range);

void unmap_slots(struct kvm *kvm, struct kvm_gfn_range *range, int slots)
{
	bool flush = false;
	int i;

	write_lock(&kvm->mmu_lock);
	for (i = 0; i < slots; i++)
		flush ${answer} kvm_unmap_gfn_range(kvm, range);
${flush}	write_unlock(&kvm->mmu_lock);
}
`;
  const FLUSH = '\tif (flush)\n\t\tkvm_flush_remote_tlbs(kvm);\n';
  test('a later answer does not take the flush of an earlier one away', () => {
    const found = introduced(file, 'x86-64', handle('|=', FLUSH), handle('=', FLUSH));
    expect(found).toEqual(['unlock-before-flush in unmap_slots']);
    expect(introduced(file, 'arm64', handle('|=', FLUSH), handle('=', FLUSH))).toEqual([]);
  });
  test('the flush may come whatever the answers were', () => {
    const always = '\tkvm_flush_remote_tlbs(kvm);\n';
    expect(introduced(file, 'x86-64', handle('|=', FLUSH), handle('=', always))).toEqual([]);
  });
  const log = (
    flush: string,
  ): string => `void clear_log(struct kvm *kvm, struct kvm_memory_slot *slot, gfn_t offset, unsigned long mask)
{
	write_lock(&kvm->mmu_lock);
	if (mask)
		kvm_arch_mmu_enable_log_dirty_pt_masked(kvm, slot, offset, mask);
	write_unlock(&kvm->mmu_lock);
${flush}}
`;
  const LOG = '\tif (mask)\n\t\tkvm_flush_remote_tlbs_memslot(kvm, slot);\n';
  test('write protection for the dirty log is flushed behind the lock', () => {
    expect(introduced(file, 'x86-64', log(LOG), log(''))).toEqual(['missing-flush in clear_log']);
    expect(introduced(file, 'x86-64', log(LOG), log(LOG.replace('mask', 'mask || offset')))).toEqual([]);
  });
});

describe('a lockless walk of shadow pages', () => {
  const file = 'arch/x86/kvm/mmu/mmu.c';
  const begin = (off: string): string => `static void walk_shadow_page_lockless_begin(struct kvm_vcpu *vcpu)
{
	if (is_tdp_mmu_active(vcpu)) {
		kvm_tdp_mmu_walk_lockless_begin();
	} else {
		${off}
		smp_store_mb(vcpu->mode, READING_SHADOW_PAGE_TABLES);
	}
}
`;
  test('keeps interrupts off', () => {
    expect(introduced(file, 'x86-64', begin('local_irq_disable();'), begin('preempt_disable();'))).toEqual([
      'table-free-without-sync in walk_shadow_page_lockless_begin',
    ]);
    const both = begin('preempt_disable();\n\t\tlocal_irq_disable();');
    expect(introduced(file, 'x86-64', begin('local_irq_disable();'), both)).toEqual([]);
  });
});

describe('riscv: which CPUs a fence reaches', () => {
  const file = 'arch/riscv/mm/tlbflush.c';
  const ALONE = 'cpumask_any_but(mask, cpu) >= nr_cpu_ids';
  const IPI = 'on_each_cpu_mask(mask, fence_here, &fence, 1);';
  const fences = (alone: string, ipi: string, kernel = 'cpu_online_mask'): string => `struct fence {
	unsigned long start, size, stride;
};

static void fence_range(unsigned long start, unsigned long size, unsigned long stride)
{
	unsigned long i, pages = DIV_ROUND_UP(size, stride);

	if (size == FLUSH_TLB_MAX_SIZE || pages > tlb_flush_all_threshold) {
		local_flush_tlb_all_asid(1);
		return;
	}
	for (i = 0; i < pages; ++i) {
		local_flush_tlb_page_asid(start, 1);
		start += stride;
	}
}

static void fence_here(void *info)
{
	struct fence *fence = info;

	fence_range(fence->start, fence->size, fence->stride);
}

static void __flush_tlb_range(struct mm_struct *mm, const struct cpumask *mask,
			      unsigned long start, unsigned long size, unsigned long stride)
{
	unsigned int cpu = get_cpu();

	if (${alone}) {
		fence_range(start, size, stride);
	} else {
		struct fence fence;

		fence.start = start;
		fence.size = size;
		fence.stride = stride;
		${ipi}
	}
	put_cpu();
	if (mm)
		mmu_notifier_arch_invalidate_secondary_tlbs(mm, start, start + size);
}

static inline struct cpumask *mm_cpumask(struct mm_struct *mm)
{
	return (struct cpumask *)&mm->cpu_bitmap;
}

void flush_tlb_mm(struct mm_struct *mm)
{
	__flush_tlb_range(mm, mm_cpumask(mm), 0, FLUSH_TLB_MAX_SIZE, PAGE_SIZE);
}

void flush_tlb_mm_range(struct mm_struct *mm, unsigned long start, unsigned long end, unsigned int page_size)
{
	__flush_tlb_range(mm, mm_cpumask(mm), start, end - start, page_size);
}

void flush_tlb_page(struct vm_area_struct *vma, unsigned long addr)
{
	__flush_tlb_range(vma->vm_mm, mm_cpumask(vma->vm_mm), addr, PAGE_SIZE, PAGE_SIZE);
}

void flush_tlb_range(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	__flush_tlb_range(vma->vm_mm, mm_cpumask(vma->vm_mm), start, end - start, PAGE_SIZE);
}

void flush_pmd_tlb_range(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	__flush_tlb_range(vma->vm_mm, mm_cpumask(vma->vm_mm), start, end - start, PMD_SIZE);
}

void flush_tlb_kernel_range(unsigned long start, unsigned long end)
{
	__flush_tlb_range(NULL, ${kernel}, start, end - start, PAGE_SIZE);
}
`;
  const right = fences(ALONE, IPI);
  test.each([
    ['a process may have threads', `mm == current->mm || ${ALONE}`, IPI],
    ['the question is turned round', ALONE.replace('>=', '<'), IPI],
    ['nobody waits', ALONE, IPI.replace('1);', '0);')],
    ['its own is left out', ALONE, IPI.replace('on_each_cpu_mask', 'smp_call_function_many')],
    ['the last page is left out', ALONE, `fence.size = size - PAGE_SIZE;\n\t\t${IPI}`],
  ])('too few where %s', (_what, alone, ipi) => {
    expect(introduced(file, 'riscv64', right, fences(alone, ipi))).toEqual([
      'flush-scope-too-narrow in __flush_tlb_range',
    ]);
  });
  test('the kernel runs on all that are online', () => {
    expect(introduced(file, 'riscv64', right, fences(ALONE, IPI, 'mm_cpumask(&init_mm)'))).toEqual([
      'flush-scope-too-narrow in flush_tlb_kernel_range',
    ]);
  });
  test('more than need be', () => {
    expect(introduced(file, 'riscv64', right, fences('0', IPI))).toEqual([]);
    expect(introduced(file, 'riscv64', fences('0', IPI), right)).toEqual([]);
  });
});

describe('PAE: the four top entries stand in registers', () => {
  const file = 'arch/x86/mm/pgtable.c';
  const drop = (
    range: string,
  ): string => `void drop_pmds(struct mm_struct *mm, pud_t *pudp, unsigned long addr)
{
	pmd_t *table = pmd_offset(pudp, addr);

	pud_clear(pudp);
	flush_tlb_mm_range(mm, ${range}, PAGE_SHIFT, true);
	synchronize_rcu();
	pmd_free(mm, table);
}
`;
  const all = drop('0UL, TLB_FLUSH_ALL');
  const some = drop('addr, addr + PAGE_SIZE');
  test('a flush of addresses leaves them', () => {
    expect(introduced(file, 'x86-32-pae', all, some)).toEqual(['flush-scope-too-narrow in drop_pmds']);
    expect(introduced(file, 'x86-64', all, some)).toEqual([]);
  });
  test('the whole flush may come where addresses would do', () => {
    expect(introduced(file, 'x86-32-pae', some, all)).toEqual([]);
    expect(introduced(file, 'x86-64', some, all)).toEqual([]);
  });
});

describe('a header that stands for several files', () => {
  const header = 'arch/x86/kvm/mmu/paging_tmpl.h';
  const mmu = 'arch/x86/kvm/mmu/mmu.c';
  const outer = `static void zap_one(u64 *sptep)
{
	__update_clear_spte_fast(sptep, 0ull);
}

#define PTTYPE 64
#include "paging_tmpl.h"
#undef PTTYPE
`;
  const files = (...steps: readonly string[]): Files => ({
    [mmu]: outer,
    [header]: `#define FNAME(name) paging64_##name

static void FNAME(drop)(struct kvm *kvm, u64 *sptep)
{
	zap_one(sptep);
}

void FNAME(forget)(struct kvm *kvm, struct kvm_mmu_page *sp, int i)
{
	write_lock(&kvm->mmu_lock);
	FNAME(drop)(kvm, &sp->spt[i]);
${steps.join('')}}
`,
  });
  const FLUSH = '\tkvm_flush_remote_tlbs(kvm);\n';
  const UNLOCK = '\twrite_unlock(&kvm->mmu_lock);\n';
  test('is followed by the names that its macro gives, into the file that includes it', () => {
    expect(introducedIn(files(FLUSH, UNLOCK), files(UNLOCK, FLUSH), 'x86-64')).toEqual([
      'unlock-before-flush in FNAME_forget',
    ]);
  });
  test('may flush more', () => {
    expect(introducedIn(files(FLUSH, UNLOCK), files(FLUSH, FLUSH, UNLOCK), 'x86-64')).toEqual([]);
  });
});
