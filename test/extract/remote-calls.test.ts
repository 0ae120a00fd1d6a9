import { describe, expect, test } from 'vitest';
import { kindsOf, linesOf, programOf } from './extracted.js';

const text = (call: string): string => `static void drop(void *info)
{
	__flush_tlb_all();
}

static bool wanted(int cpu, void *info)
{
	return per_cpu(busy, cpu);
}

void f(pte_t *ptep, unsigned long addr)
{
	pte_clear(&init_mm, addr, ptep);
	${call}
}
`;
const HANDLER = ['interrupt', 'flush', 'interrupt'];

describe('functions that run on other CPUs', () => {
  test('here and on the CPU that stands for all others', () => {
    const program = programOf(text('on_each_cpu(drop, NULL, 1);'));
    expect(kindsOf(program)).toEqual(['clear', ...HANDLER, ...HANDLER]);
    const cpus = linesOf(program).filter((line) => line.includes('phase=begin'));
    expect(cpus.map((line) => /cpu=\d/.exec(line)?.[0])).toEqual(['cpu=0', 'cpu=1']);
  });

  test('on the others alone', () => {
    expect(kindsOf(programOf(text('smp_call_function(drop, NULL, 1);')))).toEqual(['clear', ...HANDLER]);
  });

  test('without waiting the caller may be first', () => {
    const program = programOf(text('smp_call_function(drop, NULL, 0);'));
    expect(kindsOf(program)).toEqual(['clear', ...HANDLER]);
    expect(linesOf(program).join('\n')).toContain('the interrupt is taken before the caller goes on');
  });

  test('each CPU is asked whether it needs it', () => {
    const program = programOf(text('on_each_cpu_cond(wanted, drop, NULL, 1);'));
    expect(kindsOf(program).filter((kind) => kind === 'flush')).toHaveLength(2);
    const lines = linesOf(program).join('\n');
    expect(lines).toContain('cpu0.busy');
    expect(lines).toContain('cpu1.busy');
    expect(lines).toContain('interrupt cpu=1 phase=skip');
  });

  test('a function that is not in view still interrupts', () => {
    const program = programOf(text('smp_call_function(elsewhere, NULL, 1);'));
    expect(kindsOf(program)).toEqual(['clear', 'interrupt', 'interrupt']);
  });
});
