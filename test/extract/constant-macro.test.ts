import { expect, test } from 'vitest';
import { linesOf, programOf } from './extracted.js';

/** What `NAME` is where a function hands it on as the size of a range. */
const sizeOf = (defines: string, name: string): string | undefined => {
  const lines = linesOf(
    programOf(`${defines}
void f(pte_t *ptep, unsigned long addr)
{
	pte_clear(&init_mm, addr, ptep);
	flush_tlb_kernel_range(addr, addr + ${name});
}`),
  );
  return /\+\(addr@pte, (.*?)\) ->/.exec(lines.join('\n'))?.[1];
};

test('macros made of macros are numbers', () => {
  expect(
    sizeOf(
      '#define NR UL(3)\n#define SPAN(n) ((unsigned long)(n) << (PAGE_SHIFT))\n#define SIZE SPAN(NR + 1)',
      'SIZE',
    ),
  ).toBe('16384');
  expect(sizeOf('#define SIZE (GENMASK_ULL(4, 0) + 1)', 'SIZE')).toBe('32');
  expect(sizeOf('#define SIZE (0x10UL * 2 | 1)', 'SIZE')).toBe('33');
});

test('what is no number stays an answer that nobody knows', () => {
  for (const body of ['(sizeof(long) << 3)', 'unknown_thing', 'SIZE', '(1 +)', 'f(2)'])
    expect(sizeOf(`#define SIZE ${body}`, 'SIZE')).not.toMatch(/^\d+$/);
});
