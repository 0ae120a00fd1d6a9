/** Who is reached, by what, and when, in flushes of several architectures; each wrong way beside a right one. */
import { describe, expect, test } from 'vitest';
import { introducedIn } from './introduced.js';
import type { Files } from './memory-tree.js';
import { MINI_TLB } from './mini-tlb.js';

const changed = (before: Files, after: Files, machine: string): string[] => {
  expect(after).not.toEqual(before);
  return introducedIn(before, after, machine, 100_000);
};
const introduced = (file: string, machine: string, before: string, after: string): string[] =>
  changed({ [file]: before }, { [file]: after }, machine);

describe('powerpc: which CPUs have to flush', () => {
  const file = 'arch/powerpc/mm/book3s64/radix_tlb.c';
  const code = (alone: string, everywhere = '_tlbie_pid(pid, RIC_FLUSH_TLB)'): string => `enum flush_type {
	FLUSH_TYPE_NONE,
	FLUSH_TYPE_LOCAL,
	FLUSH_TYPE_GLOBAL,
};

static enum flush_type flush_type_needed(struct mm_struct *mm, bool whole)
{
	int active = atomic_read(&mm->context.active_cpus);

	if (active == 0)
		return FLUSH_TYPE_NONE;
	if (${alone})
		return FLUSH_TYPE_LOCAL;
	return FLUSH_TYPE_GLOBAL;
}

void radix__flush_tlb_mm(struct mm_struct *mm)
{
	unsigned long pid = mm->context.id;
	enum flush_type type;

	preempt_disable();
	smp_mb();
	type = flush_type_needed(mm, false);
	if (type == FLUSH_TYPE_LOCAL)
		_tlbiel_pid(pid, RIC_FLUSH_TLB);
	else if (type == FLUSH_TYPE_GLOBAL)
		${everywhere};
	preempt_enable();
	mmu_notifier_arch_invalidate_secondary_tlbs(mm, 0, -1UL);
}
`;
  const ALONE = 'active == 1 && cpumask_test_cpu(smp_processor_id(), mm_cpumask(mm))';
  const HERE = 'cpumask_test_cpu(smp_processor_id(), mm_cpumask(mm))';
  test('this one where no other uses the mm', () => {
    expect(introduced(file, 'powerpc64-radix', code(ALONE), code(HERE))).toEqual([
      'flush-scope-too-narrow in flush_type_needed',
    ]);
    expect(introduced(file, 'powerpc64-radix', code(ALONE), code('0'))).toEqual([]);
  });
  test('all others by what reaches them', () => {
    expect(
      introduced(file, 'powerpc64-radix', code(ALONE), code(ALONE, '_tlbiel_pid(pid, RIC_FLUSH_TLB)')),
    ).toEqual(['flush-scope-too-narrow in radix__flush_tlb_mm']);
    expect(
      introduced(file, 'powerpc64-radix', code(ALONE), code(ALONE, '_tlbie_pid(pid, RIC_FLUSH_ALL)')),
    ).toEqual([]);
  });
});

describe('powerpc: a flush of one page', () => {
  const file = 'arch/powerpc/mm/book3s64/radix_tlb.c';
  const BEHIND = '	asm volatile("eieio; tlbsync; ptesync": : :"memory");\n';
  const AHEAD = '	asm volatile("ptesync": : :"memory");\n';
  const code = (
    behind: string,
    ahead = AHEAD,
  ): string => `static inline void _tlbie_va(unsigned long va, unsigned long pid,
			     unsigned long psize, unsigned long ric)
{
${ahead}	__tlbie_va(va, pid, mmu_get_ap(psize), ric);
${behind}}

void radix__flush_tlb_page(struct vm_area_struct *vma, unsigned long addr)
{
	_tlbie_va(addr, vma->vm_mm->context.id, 0, RIC_FLUSH_TLB);
}

static inline void flush_tlb_page(struct vm_area_struct *vma, unsigned long addr)
{
	radix__flush_tlb_page(vma, addr);
}
`;
  test('begins behind what changed, and is waited for', () => {
    expect(introduced(file, 'powerpc64-radix', code(BEHIND), code(BEHIND, ''))).toEqual([
      'flush-scope-too-narrow in _tlbie_va',
    ]);
    expect(introduced(file, 'powerpc64-radix', code(BEHIND), code(''))).toEqual([
      'free-before-flush in _tlbie_va',
    ]);
    expect(introduced(file, 'powerpc64-radix', code(BEHIND), code(BEHIND + BEHIND))).toEqual([]);
  });
});

describe('the flush of a gather', () => {
  const GATHER: Files = {
    'include/asm-generic/tlb.h': `struct mmu_gather {
	struct mm_struct *mm;
	unsigned long start;
	unsigned long end;
	unsigned int page_size;
	unsigned int freed_tables : 1;
	unsigned int cleared_ptes : 1;
	unsigned int cleared_pmds : 1;
};

static inline void __tlb_adjust_range(struct mmu_gather *tlb, unsigned long addr, unsigned int size)
{
	tlb->start = min(tlb->start, addr);
	tlb->end = max(tlb->end, addr + size);
}

static inline void __tlb_reset_range(struct mmu_gather *tlb)
{
	tlb->start = TASK_SIZE;
	tlb->end = 0;
	tlb->freed_tables = 0;
	tlb->cleared_ptes = 0;
	tlb->cleared_pmds = 0;
}

static inline void tlb_flush_mmu_tlbonly(struct mmu_gather *tlb)
{
	if (!(tlb->freed_tables || tlb->cleared_ptes || tlb->cleared_pmds))
		return;
	tlb_flush(tlb);
	__tlb_reset_range(tlb);
}

static inline void tlb_flush_pte_range(struct mmu_gather *tlb, unsigned long addr, unsigned long size)
{
	__tlb_adjust_range(tlb, addr, size);
	tlb->cleared_ptes = 1;
}

static inline void tlb_flush_pmd_range(struct mmu_gather *tlb, unsigned long addr, unsigned long size)
{
	__tlb_adjust_range(tlb, addr, size);
	tlb->cleared_pmds = 1;
}

#define tlb_remove_tlb_entry(tlb, ptep, addr) tlb_flush_pte_range(tlb, addr, PAGE_SIZE)

#define pte_free_tlb(tlb, table, addr)				\\
	do {							\\
		tlb_flush_pmd_range(tlb, addr, PAGE_SIZE);	\\
		(tlb)->freed_tables = 1;			\\
		__pte_free_tlb(tlb, table, addr);		\\
	} while (0)
`,
    'mm/mmu_gather.c': `#include <asm/tlb.h>

void tlb_flush_mmu(struct mmu_gather *tlb)
{
	tlb_flush_mmu_tlbonly(tlb);
	tlb_flush_mmu_free(tlb);
}

void tlb_gather_mmu(struct mmu_gather *tlb, struct mm_struct *mm)
{
	tlb->mm = mm;
	tlb->page_size = 0;
	__tlb_reset_range(tlb);
	inc_tlb_flush_pending(tlb->mm);
}

void tlb_finish_mmu(struct mmu_gather *tlb)
{
	tlb_flush_mmu(tlb);
	dec_tlb_flush_pending(tlb->mm);
}
`,
  };
  const RADIX = 'arch/powerpc/mm/book3s64/radix_tlb.c';
  const radix = (tables: string): Files => ({
    ...GATHER,
    'arch/powerpc/include/asm/tlb.h':
      'static inline void tlb_flush(struct mmu_gather *tlb)\n{\n\tradix__tlb_flush(tlb);\n}\n#include <asm-generic/tlb.h>\n',
    [RADIX]: `#include <asm/tlb.h>

void radix__tlb_flush(struct mmu_gather *tlb)
{
	if (!tlb->freed_tables)
		radix__flush_tlb_mm(tlb->mm);
	else
		${tables};
}
`,
  });
  test('reaches walk caches where tables go (powerpc)', () => {
    const right = radix('radix__flush_all_mm(tlb->mm)');
    expect(changed(right, radix('radix__flush_tlb_mm(tlb->mm)'), 'powerpc64-radix')).toEqual([
      'flush-scope-too-narrow in radix__tlb_flush',
    ]);
    expect(
      changed(
        right,
        radix('radix__flush_tlb_pwc_range_psize(tlb->mm, tlb->start, tlb->end, 0)'),
        'powerpc64-radix',
      ),
    ).toEqual([]);
  });

  const arm64 = (leaves: string): Files => ({
    ...GATHER,
    'arch/arm64/include/asm/tlb.h': `#include <asm-generic/tlb.h>

static inline void tlb_flush(struct mmu_gather *tlb)
{
	struct vm_area_struct vma = TLB_FLUSH_VMA(tlb->mm, 0);
	bool leaves = ${leaves};

	__flush_tlb_range(&vma, tlb->start, tlb->end, PAGE_SIZE, leaves, TLBI_TTL_UNKNOWN);
}
`,
  });
  test('reaches them, whatever else goes with a table (arm64)', () => {
    const right = arm64('!tlb->freed_tables');
    expect(changed(right, arm64('tlb->cleared_ptes || !tlb->freed_tables'), 'arm64')).toEqual([
      'flush-scope-too-narrow in tlb_flush',
    ]);
    expect(changed(right, arm64('tlb->cleared_ptes && !tlb->freed_tables'), 'arm64')).toEqual([]);
  });
});

describe('riscv: what reclaim puts off', () => {
  const file = 'arch/riscv/mm/tlbflush.c';
  const CLEAR = '	cpumask_clear(&batch->cpumask);\n';
  const FLUSH = '	__flush_tlb_range(NULL, &batch->cpumask, 0, FLUSH_TLB_MAX_SIZE, PAGE_SIZE);\n';
  const code = (last: string, join = 'cpumask_or'): Files => ({
    'include/linux/mm_types.h': MINI_TLB['include/linux/mm_types.h'] ?? '',
    [file]: `#include <linux/mm_types.h>

static void __ipi_flush_tlb_range_asid(void *info)
{
	local_flush_tlb_all_asid(FLUSH_TLB_NO_ASID);
}

static void __flush_tlb_range(struct mm_struct *mm, const struct cpumask *cmask, unsigned long start,
			      unsigned long size, unsigned long stride)
{
	unsigned int cpu;

	if (cpumask_empty(cmask))
		return;
	cpu = get_cpu();
	if (cpumask_any_but(cmask, cpu) >= nr_cpu_ids)
		local_flush_tlb_all_asid(FLUSH_TLB_NO_ASID);
	else
		on_each_cpu_mask(cmask, __ipi_flush_tlb_range_asid, NULL, 1);
	put_cpu();
}

void arch_tlbbatch_add_pending(struct arch_tlbflush_unmap_batch *batch, struct mm_struct *mm, unsigned long addr)
{
	${join}(&batch->cpumask, &batch->cpumask, mm_cpumask(mm));
	mmu_notifier_arch_invalidate_secondary_tlbs(mm, addr, addr + PAGE_SIZE);
}

void arch_tlbbatch_flush(struct arch_tlbflush_unmap_batch *batch)
{
${last}}
`,
  });
  const right = code(FLUSH + CLEAR);
  test('is flushed on the CPUs that were noted', () => {
    expect(changed(right, code(CLEAR + FLUSH), 'riscv64')).toEqual([
      'free-before-flush in arch_tlbbatch_flush',
    ]);
    expect(changed(right, code(FLUSH + CLEAR, 'cpumask_and'), 'riscv64')).toEqual([
      'free-before-flush in arch_tlbbatch_add_pending',
    ]);
  });
  test('may be flushed on all of them', () => {
    const all = FLUSH.replace('&batch->cpumask', 'cpu_online_mask');
    expect(changed(right, code(all + CLEAR), 'riscv64')).toEqual([]);
  });
});

describe('sparc64: the TLBs of all CPUs', () => {
  const file = 'arch/sparc/kernel/smp_64.c';
  const OTHERS = '	smp_cross_call_masked(&xcall_flush_tlb_page, context, addr, 0, mm_cpumask(mm));\n';
  const OWN = '	__flush_tlb_page(context, addr);\n';
  const code = (...steps: readonly string[]): string => `extern unsigned long xcall_flush_tlb_page;

void smp_flush_tlb_page(struct mm_struct *mm, unsigned long addr)
{
	unsigned long context = CTX_HWBITS(mm->context);

	get_cpu();
${steps.join('')}	put_cpu();
}
`;
  test('are flushed, those of others and its own', () => {
    expect(introduced(file, 'sparc64', code(OTHERS, OWN), code(OTHERS))).toEqual([
      'free-before-flush in smp_flush_tlb_page',
    ]);
    expect(introduced(file, 'sparc64', code(OTHERS, OWN), code(OWN))).toEqual([
      'flush-scope-too-narrow in smp_flush_tlb_page',
    ]);
    expect(introduced(file, 'sparc64', code(OTHERS, OWN), code(OWN, OTHERS))).toEqual([]);
  });
});

describe('mips: a range', () => {
  const file = 'arch/mips/kernel/smp.c';
  const OWN = '	local_flush_tlb_range(vma, start, end);\n';
  const code = (
    own: string,
    reach = 'smp_on_other_tlbs(flush_tlb_range_ipi, &fd)',
  ): string => `struct flush_tlb_data {
	struct vm_area_struct *vma;
	unsigned long addr1;
	unsigned long addr2;
};

static void flush_tlb_range_ipi(void *info)
{
	struct flush_tlb_data *fd = info;

	local_flush_tlb_range(fd->vma, fd->addr1, fd->addr2);
}

void flush_tlb_range(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	struct flush_tlb_data fd = {
		.vma = vma,
		.addr1 = start,
		.addr2 = end,
	};

	preempt_disable();
	${reach};
${own}	preempt_enable();
}
`;
  test('is flushed on this CPU, too', () => {
    expect(introduced(file, 'mips64', code(OWN), code(''))).toEqual(['free-before-flush in flush_tlb_range']);
    expect(
      introduced(file, 'mips64', code(OWN), code('', 'on_each_cpu(flush_tlb_range_ipi, &fd, 1)')),
    ).toEqual([]);
  });
});

describe('a guest', () => {
  const file = 'virt/kvm/kvm_main.c';
  const code = (
    byRange: string,
    asks = '||',
    request = 'KVM_REQ_TLB_FLUSH',
  ): string => `void kvm_flush_remote_tlbs(struct kvm *kvm)
{
	if (!kvm_arch_flush_remote_tlbs(kvm) ${asks} kvm_make_all_cpus_request(kvm, ${request}))
		++kvm->stat.generic.remote_tlb_flush;
}

void kvm_flush_remote_tlbs_range(struct kvm *kvm, gfn_t gfn, u64 pages)
{
	if (${byRange})
		return;
	kvm_flush_remote_tlbs(kvm);
}
`;
  const RANGE = '!kvm_arch_flush_remote_tlbs_range(kvm, gfn, pages)';
  test('is flushed by its vCPUs where nothing else does it', () => {
    expect(introduced(file, 'x86-64', code(RANGE), code(RANGE.slice(1)))).toEqual([
      'free-before-flush in kvm_flush_remote_tlbs_range',
    ]);
    expect(introduced(file, 'x86-64', code(RANGE), code(RANGE, '&&'))).toEqual([
      'free-before-flush in kvm_flush_remote_tlbs',
    ]);
    expect(introduced(file, 'x86-64', code(RANGE), code(RANGE, '||', 'KVM_REQ_UNBLOCK'))).toEqual([
      'free-before-flush in kvm_flush_remote_tlbs',
    ]);
  });
  test('may be flushed twice', () => {
    expect(introduced(file, 'x86-64', code(RANGE), code('0'))).toEqual([]);
    expect(introduced(file, 'x86-64', code(RANGE), code(RANGE, '|'))).toEqual([]);
  });
});

describe('x86: the TLB of this CPU', () => {
  const TLB = 'arch/x86/mm/tlb.c';
  const LOAD = '	native_write_cr3(__native_read_cr3());\n';
  const code = (local: string, one = 'invlpg(addr)'): string => `void native_flush_tlb_local(void)
{
	invalidate_user_asid(this_cpu_read(cpu_tlbstate.loaded_mm_asid));
${local}}

void native_flush_tlb_one_user(unsigned long addr)
{
	${one};
}

void native_flush_tlb_global(void)
{
	invpcid_flush_all();
}
`;
  test('is flushed whatever this CPU does', () => {
    const busy = `	if (!this_cpu_read(cpu_tlbstate_shared.is_lazy))\n	${LOAD}`;
    expect(introduced(TLB, 'x86-64', code(LOAD), code(busy))).toEqual([
      'free-before-flush in native_flush_tlb_local',
    ]);
    expect(introduced(TLB, 'x86-64', code(LOAD), code('	invpcid_flush_all();\n'))).toEqual([]);
  });
  test('is flushed where the address is', () => {
    expect(introduced(TLB, 'x86-64', code(LOAD), code(LOAD, 'invlpg(addr + PAGE_SIZE)'))).toEqual([
      'flush-scope-too-narrow in native_flush_tlb_one_user',
    ]);
    expect(introduced(TLB, 'x86-64', code(LOAD), code(LOAD, 'native_flush_tlb_local()'))).toEqual([]);
  });
});

describe('x86: one of two functions runs on every CPU', () => {
  const TLB = 'arch/x86/mm/tlb.c';
  const CALL = '	on_each_cpu(do_kernel_range_flush, info, 1);\n';
  const ALL = 'static void do_flush_tlb_all(void *data)\n{\n	__flush_tlb_all();\n}\n\n';
  const NOTHING = 'static void do_nothing(void *data)\n{\n}\n\n';
  const edited = (call: string, helpers: string): Files => {
    const text = MINI_TLB[TLB] ?? '';
    expect(text.split(CALL)).toHaveLength(2);
    const at = text.indexOf('static void flush_tlb_func');
    return { ...MINI_TLB, [TLB]: (text.slice(0, at) + helpers + text.slice(at)).replace(CALL, call) };
  };
  const either = (other: string): string =>
    `	on_each_cpu(end - start == PAGE_SIZE ? do_kernel_range_flush : ${other}, info, 1);\n`;
  test('either of which flushes', () => {
    expect(changed(MINI_TLB, edited(either('do_flush_tlb_all'), ALL), 'x86-64')).toEqual([]);
    const named = `	void (*func)(void *) = do_flush_tlb_all;

	if (end - start == PAGE_SIZE)
		func = do_kernel_range_flush;
	on_each_cpu(func, info, 1);
`;
    expect(changed(MINI_TLB, edited(named, ALL), 'x86-64')).toEqual([]);
  });
  test('one of which does not', () => {
    expect(changed(MINI_TLB, edited(either('do_nothing'), NOTHING), 'x86-64')).toEqual([
      'free-before-flush in flush_tlb_kernel_range',
    ]);
  });
});

describe('loongarch: the TLB of this CPU', () => {
  const file = 'arch/loongarch/mm/tlb.c';
  const code = (
    end = 'round_up(end, PAGE_SIZE << 1)',
    valid = 'asid_valid(mm, cpu)',
    page = 'page & (PAGE_MASK << 1)',
  ): string => `void local_flush_tlb_mm(struct mm_struct *mm)
{
	int cpu = smp_processor_id();

	if (${valid})
		drop_mmu_context(mm, cpu);
	else
		cpumask_clear_cpu(cpu, mm_cpumask(mm));
}

void local_flush_tlb_range(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	start = round_down(start, PAGE_SIZE << 1);
	end = ${end};
	while (start < end) {
		invtlb(INVTLB_ADDR_GFALSE_AND_ASID, 0, start);
		start += (PAGE_SIZE << 1);
	}
}

void local_flush_tlb_page(struct vm_area_struct *vma, unsigned long page)
{
	invtlb(INVTLB_ADDR_GFALSE_AND_ASID, 0, ${page});
}
`;
  test('is flushed by pairs of pages', () => {
    expect(introduced(file, 'loongarch64', code(), code('round_down(end, PAGE_SIZE << 1)'))).toEqual([
      'free-before-flush in local_flush_tlb_range',
    ]);
    expect(introduced(file, 'loongarch64', code(), code('end'))).toEqual([]);
    expect(
      introduced(
        file,
        'loongarch64',
        code(),
        code(undefined, undefined, '(page & (PAGE_MASK << 1)) + (PAGE_SIZE << 1)'),
      ),
    ).toEqual(['flush-scope-too-narrow in local_flush_tlb_page']);
    expect(introduced(file, 'loongarch64', code(), code(undefined, undefined, 'page'))).toEqual([]);
  });
  test('is flushed where the CPU may use what it holds', () => {
    expect(introduced(file, 'loongarch64', code(), code(undefined, '!asid_valid(mm, cpu)'))).toEqual([
      'free-before-flush in local_flush_tlb_mm',
    ]);
    expect(introduced(file, 'loongarch64', code(), code(undefined, '1'))).toEqual([]);
  });
});

describe('the flush of the page that was unmapped', () => {
  const file = 'mm/pgtable-generic.c';
  const code = (
    flush: string,
  ): string => `pte_t ptep_clear_flush(struct vm_area_struct *vma, unsigned long address, pte_t *ptep)
{
	pte_t pte = ptep_get_and_clear(vma->vm_mm, address, ptep);

	if (pte_accessible(vma->vm_mm, pte))
		${flush};
	return pte;
}
`;
  const PAGE = 'flush_tlb_page(vma, address)';
  test('may be done by what stands at the end of a chain of headers', () => {
    const headers: Files = {
      'include/linux/mm.h': '#include <linux/pgtable.h>\n',
      'include/linux/pgtable.h': '#include <asm/pgtable_types.h>\n',
      'arch/x86/include/asm/pgtable_types.h':
        'static inline void drop_page(struct vm_area_struct *vma, unsigned long addr)\n{\n\tflush_tlb_page(vma, addr);\n}\n',
    };
    const including = (flush: string): Files => ({
      ...headers,
      [file]: `#include <linux/mm.h>\n\n${code(flush)}`,
    });
    expect(changed(including(PAGE), including('drop_page(vma, address)'), 'x86-64')).toEqual([]);
    expect(changed(including(PAGE), including('drop_page(vma, address + PAGE_SIZE)'), 'x86-64')).toEqual([
      'flush-scope-too-narrow in ptep_clear_flush',
    ]);
  });
  test('is one of that page', () => {
    expect(introduced(file, 'x86-64', code(PAGE), code('flush_tlb_page(vma, address + PAGE_SIZE)'))).toEqual([
      'flush-scope-too-narrow in ptep_clear_flush',
    ]);
    expect(
      introduced(file, 'x86-64', code(PAGE), code('flush_tlb_range(vma, address, address + PAGE_SIZE)')),
    ).toEqual([]);
  });
});

describe('s390: a segment whose flush may be owed', () => {
  const file = 'arch/s390/mm/pgtable.c';
  const MARK = '		mm->context.flush_mm = 1;\n';
  const code = (mark: string): string => `static inline void __tlb_flush_mm_lazy(struct mm_struct *mm)
{
	spin_lock(&mm->context.lock);
	if (mm->context.flush_mm) {
		mm->context.flush_mm = 0;
		__tlb_flush_mm(mm);
	}
	spin_unlock(&mm->context.lock);
}

static inline void flush_tlb_mm(struct mm_struct *mm)
{
	__tlb_flush_mm_lazy(mm);
}

pmd_t pmdp_xchg_lazy(struct mm_struct *mm, unsigned long addr, pmd_t *pmdp, pmd_t new)
{
	pmd_t old = *pmdp;

	if (cpumask_equal(&mm->context.cpu_attach_mask, cpumask_of(smp_processor_id()))) {
		set_pmd(pmdp, set_pmd_bit(*pmdp, __pgprot(_SEGMENT_ENTRY_INVALID)));
${mark}	} else {
		__pmdp_idte(addr, pmdp, 0, 0, IDTE_GLOBAL);
	}
	set_pmd(pmdp, new);
	return old;
}
`;
  test('says so', () => {
    expect(introduced(file, 's390', code(MARK), code(''))).toEqual(['free-before-flush in pmdp_xchg_lazy']);
    expect(introduced(file, 's390', code(MARK), code(`${MARK}		barrier();\n`))).toEqual([]);
  });
});
