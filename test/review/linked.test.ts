import { describe, expect, test } from 'vitest';
import { reviewSeries } from '#review/review-series.js';
import { loadRules } from '#rules/load-rules.js';
import { change } from './memory-tree.js';

const rules = loadRules();

function found(before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): string[] {
  const document = reviewSeries([change(before, after)], rules, {
    machines: ['x86-64'],
    existing: false,
    limits: { states: 60_000, milliseconds: 20_000 },
    now: () => 0,
    onProgress: () => {},
  });
  return document.patches.flatMap((patch) =>
    patch.findings.map((finding) => `${finding.status} ${finding.hazard} in ${finding.function}`),
  );
}

const unmap = (flush: string): string => `void unmap_one(pte_t *ptep, unsigned long addr)
{
	struct page *page;

	if (!pte_present(*ptep))
		return;
	page = pte_page(*ptep);
	pte_clear(&init_mm, addr, ptep);
	${flush}
	__free_page(page);
}
`;
const helper = (head: string, body: string): string => `${head}void settle_one(unsigned long addr)
{
	${body}
}
`;
const FLUSH = 'flush_tlb_kernel_range(addr, addr + PAGE_SIZE);';
const CALL = 'settle_one(addr);';

describe('a flush that moves into a function of another file', () => {
  const moved = (files: Readonly<Record<string, string>>): string[] =>
    found({ 'mm/a.c': unmap(FLUSH), ...files }, { 'mm/a.c': unmap(CALL), ...files });

  test('is found there', () => {
    expect(moved({ 'mm/b.c': helper('', FLUSH) })).toEqual([]);
  });

  test('is missed when it is not there', () => {
    expect(moved({ 'mm/b.c': helper('', 'touch(addr);') })).toEqual([
      'introduced free-before-flush in unmap_one',
    ]);
  });

  test('is not looked for in a function of that name which no other file can call', () => {
    expect(moved({ 'mm/b.c': helper('static ', FLUSH) })).toEqual([
      'introduced free-before-flush in unmap_one',
    ]);
  });

  test('is not taken from a weak definition where there is a strong one', () => {
    const weak = { 'mm/b.c': helper('__weak ', FLUSH) };
    expect(moved(weak)).toEqual([]);
    expect(moved({ ...weak, 'arch/x86/mm/c.c': helper('', 'touch(addr);') })).toEqual([
      'introduced free-before-flush in unmap_one',
    ]);
  });

  test('is not taken from a file that the machine does not build', () => {
    const files = {
      'mm/b.c': helper('', FLUSH),
      'mm/Makefile': 'obj-$(CONFIG_HIGHMEM) += b.o\nobj-y += a.o\n',
    };
    expect(moved(files)).toEqual(['introduced free-before-flush in unmap_one']);
  });
});

test('a call that goes away takes the flush of the other file with it', () => {
  const files = { 'mm/b.c': helper('', FLUSH) };
  expect(found({ 'mm/a.c': unmap(CALL), ...files }, { 'mm/a.c': unmap(''), ...files })).toEqual([
    'introduced free-before-flush in unmap_one',
  ]);
});
