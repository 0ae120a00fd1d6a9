import { describe, expect, test } from 'vitest';
import { extract, kindsOf, linesOf, programOf } from './extracted.js';

describe('tests of things that are not followed', () => {
  test('go where they guard nothing that is kept', () => {
    const program = programOf(`void f(pte_t *ptep, unsigned long addr, int verbose)
{
	if (verbose && printk_ratelimit())
		pr_info("clearing");
	pte_clear(&init_mm, addr, ptep);
	if (trace_enabled())
		count++;
	flush_tlb_kernel_range(addr, addr + PAGE_SIZE);
}`);
    expect(program.nodes.filter((node) => node.kind === 'branch')).toEqual([]);
    expect(kindsOf(program)).toEqual(['clear', 'flush']);
  });
  test('stay where they guard an event', () => {
    const program = programOf(`void f(pte_t *ptep, unsigned long addr, int keep)
{
	pte_clear(&init_mm, addr, ptep);
	if (keep)
		flush_tlb_kernel_range(addr, addr + PAGE_SIZE);
}`);
    expect(linesOf(program)).toEqual([
      '0 clear entry=&pte:W@at -> 1',
      '1 if choice!"arg2" -> 2 else 3',
      '2 t2 := +(addr@pte, 4096) -> 4',
      '3 return',
      '4 flush space=$kernel depth=machine reach=all timing=done scope={kind=range start=addr@pte end=t2 stride=pte} -> 3',
    ]);
  });
});

describe('a loop with pointer, address and counter', () => {
  const body = (loop: string): string[] =>
    linesOf(
      programOf(`void f(struct vm_area_struct *vma, pte_t *ptep, unsigned long addr, unsigned long end)
{
	int nr = 0;

	${loop} {
		ptep_get_and_clear(vma->vm_mm, addr, ptep);
		flush_tlb_page(vma, addr);
	}
}`),
    );
  test('is coupled to the one position of its address', () => {
    expect(body('for (; addr < end; ptep++, addr += PAGE_SIZE, nr++)')).toEqual([
      '0 p1.4 := addr@pte; p1.9 := &pte:W@at -> 1',
      '1 t1 := couple(p1.9, p1.4) -> 2',
      '2 t2 := <(p1.4, addr@past) -> 3',
      '3 if t2 -> 4 else 5',
      '4 clear entry=t1 old=t4 atomic=true -> 6',
      '5 return',
      '6 flush space=$*arg0.vm_mm depth=machine reach=all-but-lazy timing=done scope={kind=page address=p1.4 stride=pte} -> 7',
      '7 t6 := step(t1, 1) -> 8',
      '8 t7 := +(p1.4, 4096) -> 9',
      '9 p1.4 := t7; p1.9 := t6 -> 1',
    ]);
  });
  test('does not keep the counter, which decides nothing', () => {
    expect(body('for (; addr < end; ptep++, addr += PAGE_SIZE, nr++)')).toEqual(
      body('for (; addr < end; ptep++, addr += PAGE_SIZE)').map((line) => line.replaceAll('p1.8', 'p1.9')),
    );
  });
});

describe('calls are followed', () => {
  const HEADER = `static inline void clear_one(pte_t *ptep, unsigned long addr)
{
	pte_clear(&init_mm, addr, ptep);
}`;
  const FILE = (table: string): string => `#include <linux/pgtable.h>
struct ops { void (*drop)(pte_t *ptep, unsigned long addr); };
static void drop_it(pte_t *ptep, unsigned long addr)
{
	flush_tlb_kernel_range(addr, addr + PAGE_SIZE);
}
${table} = { .drop = drop_it };
static void helper(pte_t *ptep, unsigned long addr)
{
	clear_one(ptep, addr);
}
void f(pte_t *ptep, unsigned long addr)
{
	helper(ptep, addr);
	own_ops.drop(ptep, addr);
}`;
  const places = (table: string): unknown[] =>
    extract(
      { 'mm/a.c': FILE(table), 'include/linux/pgtable.h': HEADER },
      'mm/a.c',
      'f',
    ).program.nodes.flatMap((node) =>
      node.kind === 'event'
        ? [[node.event.kind, node.at?.file, node.at?.line, node.at?.via?.map((call) => call.function)]]
        : [],
    );
  test('through a static helper, an inline of a header and a constant table', () => {
    expect(places('static const struct ops own_ops')).toEqual([
      ['clear', 'include/linux/pgtable.h', 3, ['f', 'helper']],
      ['flush', 'mm/a.c', 5, ['f']],
    ]);
  });
  test('but not through a table that a run may change', () => {
    expect(places('static struct ops own_ops')).toEqual([
      ['clear', 'include/linux/pgtable.h', 3, ['f', 'helper']],
    ]);
  });
});

describe('entries in halves', () => {
  test('are put together where the whole is used', () => {
    const program = programOf(
      `bool f(pte_t *ptep)
{
	pte_t seen;

	seen.pte_low = READ_ONCE(ptep->pte_low);
	smp_rmb();
	seen.pte_high = READ_ONCE(ptep->pte_high);
	return pte_same(seen, *ptep);
}`,
      'x86-32-pae',
    );
    expect(kindsOf(program)).toEqual(['read-low', 'barrier', 'read-high', 'use-halves']);
  });
  test('are exchanged in the order of the text', () => {
    const program = programOf(
      `void f(pte_t *ptep)
{
	xchg(&ptep->pte_low, 0);
	ptep->pte_high = 0;
}`,
      'x86-32-pae',
    );
    expect(kindsOf(program).filter((kind) => kind.startsWith('write'))).toEqual(['write-low', 'write-high']);
    expect(kindsOf(program)).toContain('barrier');
  });
});
