/** Primitives whose bodies keep several CPUs in step: wrong bodies are found by clients, right ones stay silent. */
import { describe, expect, test } from 'vitest';
import { dumpStage } from '#review/dump-stage.js';
import { loadRules } from '#rules/load-rules.js';
import { introducedIn } from './introduced.js';
import { change, type Files } from './memory-tree.js';
import { MINI_TLB } from './mini-tlb.js';

const rules = loadRules();

const introduced = (after: Files): string[] => introducedIn(MINI_TLB, after, 'x86-64', 100_000);

/** The mini kernel with one piece of text replaced: it must be there, once. */
function edited(path: string, from: string, to: string): Files {
  const text = MINI_TLB[path] ?? '';
  expect(text.split(from)).toHaveLength(2);
  return { ...MINI_TLB, [path]: text.replace(from, to) };
}

const TLB = 'arch/x86/mm/tlb.c';
const RMAP = 'mm/rmap.c';
const HEADER = 'arch/x86/include/asm/tlbflush.h';

const WRONG: readonly (readonly [what: string, path: string, from: string, to: string, finding: string])[] = [
  [
    'a thread that goes on in its lazy mm skips the generation check',
    TLB,
    '\t\tif (!was_lazy)\n\t\t\treturn;\n',
    '\t\tif (!was_lazy || (tsk && (tsk->flags & PF_KTHREAD)))\n\t\t\treturn;\n',
    'reuse-under-deferred-flush in switch_mm_irqs_off',
  ],
  [
    'the generation is read before the CPU can be seen in the mask',
    TLB,
    `		if (next != &init_mm)
			cpumask_set_cpu(cpu, mm_cpumask(next));
		next_gen = atomic64_read(&next->context.tlb_gen);
`,
    `		next_gen = atomic64_read(&next->context.tlb_gen);
		if (next != &init_mm)
			cpumask_set_cpu(cpu, mm_cpumask(next));
`,
    'flush-scope-too-narrow in switch_mm_irqs_off',
  ],
  [
    'an address-space id is taken up again whatever its generation',
    TLB,
    '*flush = this_cpu_read(cpu_tlbstate.ctxs[0].tlb_gen) < next_gen;',
    '*flush = false;',
    'flush-scope-too-narrow in choose_new_asid',
  ],
  [
    'a partial flush records a generation whose flush it skipped',
    TLB,
    'info->gen == mine + 1 && ',
    '',
    'flush-scope-too-narrow in flush_tlb_func',
  ],
  [
    'the new generation is recorded and nothing flushed',
    TLB,
    '\t\tflush_tlb_local();\n',
    '\t\t;\n',
    'flush-scope-too-narrow in flush_tlb_func',
  ],
  [
    'lazy CPUs are left out although tables are freed',
    TLB,
    `	if (info->tables)
		on_each_cpu_mask(mask, flush_tlb_func, (void *)info, true);
	else
		on_each_cpu_cond_mask`,
    '\ton_each_cpu_cond_mask',
    'table-free-under-deferred-flush in native_flush_tlb_multi',
  ],
  [
    'the interrupts are not waited for',
    TLB,
    'flush_tlb_func, (void *)info, true, mask);',
    'flush_tlb_func, (void *)info, false, mask);',
    'flush-scope-too-narrow in native_flush_tlb_multi',
  ],
  [
    'CPUs in the middle of a switch are left out',
    TLB,
    'return loaded == LOADED_MM_SWITCHING || loaded == info->mm;',
    'return loaded == info->mm;',
    'reuse-under-deferred-flush in should_flush_tlb',
  ],
  [
    'the mask is read before the generation rises',
    HEADER,
    `	inc_mm_tlb_gen(mm);
	cpumask_or(&batch->cpumask, &batch->cpumask, mm_cpumask(mm));
`,
    `	cpumask_or(&batch->cpumask, &batch->cpumask, mm_cpumask(mm));
	inc_mm_tlb_gen(mm);
`,
    'flush-scope-too-narrow in arch_tlbbatch_add_pending',
  ],
  [
    'the batch forgets its CPUs before it interrupts them',
    TLB,
    `	int cpu = get_cpu();
	struct flush_info *info = get_flush_tlb_info(NULL, 0, TLB_FLUSH_ALL, false, 0);
`,
    `	int cpu = get_cpu();
	struct flush_info *info = get_flush_tlb_info(NULL, 0, TLB_FLUSH_ALL, false, 0);

	cpumask_clear(&batch->cpumask);
`,
    'free-before-flush in arch_tlbbatch_flush',
  ],
  [
    'kernel ranges are flushed on the other CPUs later',
    TLB,
    'on_each_cpu(do_kernel_range_flush, info, 1);',
    'on_each_cpu(do_kernel_range_flush, info, 0);',
    'free-before-flush in flush_tlb_kernel_range',
  ],
  [
    'devices are told only where other CPUs are flushed',
    TLB,
    '\tmmu_notifier_arch_invalidate_secondary_tlbs(mm, start, end);\n',
    '\tif (cpumask_any_but(mm_cpumask(mm), cpu) < nr_cpu_ids)\n\t\tmmu_notifier_arch_invalidate_secondary_tlbs(mm, start, end);\n',
    'notifier-order in flush_tlb_mm_range',
  ],
  [
    'a flush that became pending in the meantime is forgotten',
    RMAP,
    'atomic_cmpxchg(&mm->tlb_flush_batched, batch, pending | (pending << FLUSHED_SHIFT));',
    'atomic_set(&mm->tlb_flush_batched, pending | (pending << FLUSHED_SHIFT));',
    'reuse-under-deferred-flush in flush_tlb_batched_pending',
  ],
  [
    // What arch_flush_tlb_batched_pending() does is not in view: its rule stands in.
    'the pending flush is counted as done and not done',
    RMAP,
    '\t\tarch_flush_tlb_batched_pending(mm);\n',
    '',
    'reuse-under-deferred-flush in flush_tlb_batched_pending',
  ],
];

const RIGHT: readonly (readonly [what: string, path: string, from: string, to: string])[] = [
  [
    'kernel threads are named in a condition that decides nothing',
    TLB,
    '\t\tif (!was_lazy)\n\t\t\treturn;\n',
    '\t\tif (!was_lazy)\n\t\t\treturn;\n\t\tif (tsk && (tsk->flags & PF_KTHREAD))\n\t\t\tsmp_mb();\n',
  ],
  [
    'every flush is a full one',
    TLB,
    'if (info->end != TLB_FLUSH_ALL && info->gen == mine + 1 && info->gen == now) {',
    'if (0) {',
  ],
  [
    'every CPU of the mask is interrupted',
    TLB,
    'if (info->tables)\n',
    'if (info->tables || !info->mm || info->mm)\n',
  ],
  [
    'the mask is asked for the own CPU first',
    TLB,
    '	cpumask_clear(&batch->cpumask);\n	put_cpu();\n',
    '	put_cpu();\n	cpumask_clear(&batch->cpumask);\n',
  ],
  [
    'the generation rises twice',
    HEADER,
    '	inc_mm_tlb_gen(mm);\n	cpumask_or',
    '	inc_mm_tlb_gen(mm);\n	inc_mm_tlb_gen(mm);\n	cpumask_or',
  ],
  [
    'devices are told before the CPUs are counted down',
    TLB,
    '\tput_cpu();\n\tmmu_notifier_arch_invalidate_secondary_tlbs(mm, start, end);\n',
    '\tmmu_notifier_arch_invalidate_secondary_tlbs(mm, start, end);\n\tput_cpu();\n',
  ],
  [
    'the counter is only raised if nobody else did',
    RMAP,
    'if (pending != flushed) {',
    'if (pending > flushed || pending < flushed) {',
  ],
  [
    'kernel ranges are flushed with everything else',
    TLB,
    '		flush_tlb_one_kernel(addr);\n',
    '		__flush_tlb_all();\n',
  ],
];

test('the program of each CPU of a client can be printed', () => {
  const state = change(MINI_TLB, edited(TLB, 'info->gen == mine + 1 && ', ''));
  const text = dumpStage('events', 'client:x86-lazy-table@flush_tlb_func', [state], rules, {
    machines: ['x86-64'],
    existing: false,
    limits: { states: 1, milliseconds: 1 },
    now: () => 0,
    onProgress: () => {},
  });
  const heads = text.split('\n').filter((line) => line.startsWith('program '));
  expect(heads.map((line) => line.split(' ')[1])).toEqual(['cpu0', 'cpu1', 'cpu0', 'cpu1']);
  expect(text).toContain('interrupt cpu=1 phase=begin');
  expect(text).toContain('m:cpu1.cpu_tlbstate_shared.is_lazy := 1');
});

describe('a wrong body of a primitive', () => {
  test.each(WRONG)('%s', (_, path, from, to, finding) => {
    expect(introduced(edited(path, from, to))).toEqual([finding]);
  });
});

describe('another right body of a primitive', () => {
  test.each(RIGHT)('%s', (_, path, from, to) => {
    expect(introduced(edited(path, from, to))).toEqual([]);
  });
});
