/** arm: invalidations are writes to coprocessor registers, with barriers before and behind them. */
import { describe, expect, test } from 'vitest';
import { introducedIn } from './introduced.js';

const FILE = 'arch/arm/include/asm/tlbflush.h';
const FLAGS = `#define TLB_V6_U_PAGE (1 << 4) /* not on these CPUs */
#define TLB_V7_UIS_PAGE (1 << 20) /* all CPUs */
#define TLB_V7_UIS_FULL (1 << 21)
#define TLB_BARRIER (1 << 28)
#define TLB_WB (1 << 31)
`;
const BEFORE = '\tif (tlb_flag(TLB_WB))\n\t\tdsb(ishst);\n';
const AFTER = '\tif (tlb_flag(TLB_BARRIER))\n\t\tdsb(ish);\n';
const OP = '\ttlb_op(TLB_V7_UIS_PAGE, "c8, c3, 1", uaddr);\n';

const page = (...steps: readonly string[]): string => `${FLAGS}
static inline void __local_flush_tlb_page(struct vm_area_struct *vma, unsigned long uaddr)
{
	tlb_op(TLB_V6_U_PAGE, "c8, c7, 1", uaddr);
}

static inline void __flush_tlb_page(struct vm_area_struct *vma, unsigned long uaddr)
{
	uaddr = (uaddr & PAGE_MASK) | ASID(vma->vm_mm);
${steps.join('')}}
`;
const introduced = (before: string, after: string): string[] => {
  expect(after).not.toBe(before);
  return introducedIn({ [FILE]: before }, { [FILE]: after }, 'arm-lpae');
};
const LOCAL = '\t__local_flush_tlb_page(vma, uaddr);\n';
const right = page(BEFORE, LOCAL, OP, AFTER);

describe('the flush of a page', () => {
  test.each([
    ['waits for the invalidation', page(BEFORE, LOCAL, OP), 'free-before-flush'],
    ['on all CPUs', page(BEFORE, LOCAL, OP, AFTER.replace('ish', 'nsh')), 'free-before-flush'],
    ['not only for stores', page(BEFORE, LOCAL, OP, AFTER.replace('ish', 'ishst')), 'free-before-flush'],
    ['begins when the entry is seen', page(LOCAL, OP, AFTER), 'flush-scope-too-narrow'],
    ['reaches all CPUs', page(BEFORE, LOCAL, OP.replace('c3', 'c7'), AFTER), 'flush-scope-too-narrow'],
    ['by an operation of the CPU at hand', page(BEFORE, LOCAL, AFTER), 'free-before-flush'],
  ])('%s', (_, after, hazard) => {
    expect(introduced(right, after)).toEqual([`${hazard} in __flush_tlb_page`]);
  });
  test.each([
    ['may wait longer', page(BEFORE, LOCAL, OP, AFTER.replace('ish', 'sy'))],
    ['may flush all that the number of the mm stands for', page(BEFORE, OP.replace('1"', '2"'), AFTER)],
    ['may flush the page for every mm', page(BEFORE, LOCAL, OP.replace('1"', '3"'), AFTER)],
  ])('%s', (_, after) => {
    expect(introduced(right, after)).toEqual([]);
  });
});

test("the kernel's own translation is gone once this CPU's pipeline is synchronised", () => {
  const kernel = (end: string): string => `${FLAGS}
static inline void __flush_tlb_kernel_page(unsigned long kaddr)
{
	kaddr &= PAGE_MASK;
${BEFORE}	tlb_op(TLB_V7_UIS_PAGE, "c8, c3, 1", kaddr);
${end}}
`;
  const both = kernel('\tdsb(ish);\n\tisb();\n');
  const wrong = ['free-before-flush in __flush_tlb_kernel_page'];
  expect(introduced(both, kernel('\tdsb(ish);\n'))).toEqual(wrong);
  expect(introduced(both, kernel('\tisb();\n\tdsb(ish);\n'))).toEqual(wrong);
  expect(introduced(both, kernel('\tdsb(sy);\n\tisb();\n'))).toEqual([]);
});
