import { describe, expect, test } from 'vitest';
import { reviewSeries } from '#review/review-series.js';
import { loadRules } from '#rules/load-rules.js';
import type { PatchedState } from '#source/snapshot.js';
import { change, changeInTree, type Files } from './memory-tree.js';

const rules = loadRules();

function review(state: PatchedState): string[] {
  const document = reviewSeries([state], rules, {
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

const found = (before: Files, after: Files): string[] => review(changeInTree(before, after));

const HEADERS: Files = { 'include/linux/mm.h': 'void clear_one(pte_t *ptep, unsigned long addr);\n' };
const FLUSH = 'flush_tlb_kernel_range(addr, addr + PAGE_SIZE);';

/** Clears an entry, with or without the flush. */
const clearOne = (flush: string): string => `void clear_one(pte_t *ptep, unsigned long addr)
{
	pte_clear(&init_mm, addr, ptep);
	${flush}
}
`;
const caller = (name: string, flush: string): string => `void ${name}(pte_t *ptep, unsigned long addr)
{
	struct page *page = pte_page(*ptep);

	clear_one(ptep, addr);
	${flush}
	__free_page(page);
}
`;
const lost = (files: Files): string[] => {
  const all = { ...HEADERS, ...files };
  return found({ 'mm/a.c': clearOne(FLUSH), ...all }, { 'mm/a.c': clearOne(''), ...all });
};
const MISSED = ['introduced missing-flush in clear_one'];

describe('a flush that a function leaves to its callers in other files', () => {
  test('is no harm where each of them does it', () => {
    expect(lost({ 'mm/b.c': caller('b', FLUSH), 'kernel/c.c': caller('c', FLUSH) })).toEqual([]);
  });
  test('is missed where one of them does not', () => {
    expect(lost({ 'mm/b.c': caller('b', FLUSH), 'kernel/c.c': caller('c', 'touch(addr);') })).toEqual(MISSED);
  });
  test('is missed without a look at the rest of the tree where one that is near does not', () => {
    const reads = (near: string): string[] => {
      const all = { ...HEADERS, 'mm/b.c': caller('b', near), 'fs/c.c': caller('c', FLUSH) };
      const seen: string[] = [];
      review(changeInTree({ 'mm/a.c': clearOne(FLUSH), ...all }, { 'mm/a.c': clearOne(''), ...all }, seen));
      return seen;
    };
    expect(reads('touch(addr);')).not.toContain('fs/c.c');
    expect(reads(FLUSH)).toContain('fs/c.c');
  });
  test('is missed where there is no caller', () => {
    expect(lost({})).toEqual(MISSED);
  });
  test('is missed where callers cannot be looked for', () => {
    const files = { ...HEADERS, 'mm/b.c': caller('b', FLUSH) };
    expect(
      review(change({ 'mm/a.c': clearOne(FLUSH), ...files }, { 'mm/a.c': clearOne(''), ...files })),
    ).toEqual(MISSED);
  });
  test('is missed where something else may call it: by address, or from a module', () => {
    const table = 'static const struct ops ops = {\n\t.clear = clear_one,\n};\n';
    expect(lost({ 'mm/b.c': caller('b', FLUSH), 'mm/t.c': table })).toEqual(MISSED);
    const all = { ...HEADERS, 'mm/b.c': caller('b', FLUSH) };
    const exported = (flush: string): Files => ({
      'mm/a.c': `${clearOne(flush)}EXPORT_SYMBOL_GPL(clear_one);\n`,
      ...all,
    });
    expect(found(exported(FLUSH), exported(''))).toEqual(MISSED);
  });
  test('callers that the machine does not build do not count', () => {
    const files = {
      'mm/b.c': caller('b', FLUSH),
      'fs/c.c': caller('c', 'touch(addr);'),
      'fs/Makefile': 'obj-$(CONFIG_HIGHMEM) += c.o\n',
    };
    expect(lost(files)).toEqual([]);
    expect(lost({ ...files, 'fs/Makefile': 'obj-y += c.o\n' })).toEqual(MISSED);
  });
  test('a function of the same name that is static elsewhere is another one', () => {
    const own = `static ${clearOne('')}${caller('c', 'touch(addr);')}`;
    expect(lost({ 'mm/b.c': caller('b', FLUSH), 'fs/c.c': own })).toEqual([]);
  });
  test('a caller of the caller may do it', () => {
    const step = 'void step(pte_t *ptep, unsigned long addr)\n{\n\tclear_one(ptep, addr);\n}\n';
    const outer = (flush: string): string => caller('outer', flush).replace('clear_one', 'step');
    const headers = {
      'include/linux/mm.h': `${HEADERS['include/linux/mm.h']}void step(pte_t *ptep, unsigned long addr);\n`,
    };
    expect(lost({ ...headers, 'mm/b.c': step, 'kernel/c.c': outer(FLUSH) })).toEqual([]);
    expect(lost({ ...headers, 'mm/b.c': step, 'kernel/c.c': outer('touch(addr);') })).toEqual(MISSED);
  });
  test('one that the changed file has, too, counts', () => {
    const all = { ...HEADERS, 'mm/b.c': caller('b', FLUSH) };
    const both = (flush: string, own: string): Files => ({
      'mm/a.c': clearOne(flush) + caller('own', own),
      ...all,
    });
    expect(found(both(FLUSH, FLUSH), both('', FLUSH))).toEqual([]);
    expect(found(both(FLUSH, 'touch(addr);'), both('', 'touch(addr);'))).toEqual(MISSED);
  });
});

/** Says whether what it cleared was there: who calls it flushes then. What it owes is known without its callers. */
const takeOne = (answer: string): string => `bool take_one(pte_t *ptep, unsigned long addr)
{
	pte_t old = ptep_get_and_clear(&init_mm, addr, ptep);

	return ${answer};
}
`;
const taker = `void drop(pte_t *ptep, unsigned long addr)
{
	struct page *page = pte_page(*ptep);

	if (take_one(ptep, addr))
		flush_tlb_kernel_range(addr, addr + PAGE_SIZE);
	__free_page(page);
}
`;
const handed = (before: string, after: string, files: Files): string[] => {
  const all = { 'include/linux/mm.h': 'bool take_one(pte_t *ptep, unsigned long addr);\n', ...files };
  return found({ 'mm/a.c': takeOne(before), ...all }, { 'mm/a.c': takeOne(after), ...all });
};

describe('what a function tells its callers in other files', () => {
  test('goes wrong when it tells them too little', () => {
    expect(handed('pte_present(old)', 'pte_present(old) && pte_dirty(old)', { 'mm/b.c': taker })).toEqual([
      'introduced missing-flush in take_one',
    ]);
  });
  test('does no harm when it tells them more', () => {
    expect(handed('pte_present(old)', 'true', { 'mm/b.c': taker })).toEqual([]);
  });
  test('does no harm when they do not heed it', () => {
    const always = taker.replace('if (take_one(ptep, addr))', 'take_one(ptep, addr);');
    expect(handed('pte_present(old)', 'pte_dirty(old)', { 'mm/b.c': always })).toEqual([]);
  });
});

/** Decides whether a flush is needed, and does nothing itself. */
const predicate = (type: string, answer: string): string => `${type} needs_flush(pte_t old)
{
	return ${answer};
}
`;
const asker = `void drop(pte_t *ptep, unsigned long addr)
{
	struct page *page = pte_page(*ptep);
	pte_t old = ptep_get_and_clear(&init_mm, addr, ptep);

	if (needs_flush(old))
		flush_tlb_kernel_range(addr, addr + PAGE_SIZE);
	__free_page(page);
}
`;
const ALWAYS = 'pte_present(old)';
const DIRTY_ONLY = 'pte_present(old) && pte_dirty(old)';
const WRONG_IN_CALLER = ['introduced free-before-flush in drop'];

describe.each([['bool'], ['int']])('a helper that answers with %s', (type) => {
  const inSource = (answer: string): Files => ({
    'include/linux/mm.h': `${type} needs_flush(pte_t old);\n`,
    'mm/a.c': predicate(type, answer),
    'fs/b.c': asker,
  });
  const inHeader = (answer: string): Files => ({
    'include/linux/mm.h': `static inline ${predicate(type, answer)}`,
    'mm/b.c': `#include <linux/mm.h>\n\n${asker}`,
  });
  test.each([
    ['a C file', inSource],
    ['a header', inHeader],
  ])('and stands in %s is judged where it is used', (_, files) => {
    expect(found(files(ALWAYS), files(DIRTY_ONLY))).toEqual(WRONG_IN_CALLER);
    expect(found(files(DIRTY_ONLY), files(ALWAYS))).toEqual(['fixed free-before-flush in drop']);
    expect(found(files(ALWAYS), files('1'))).toEqual([]);
  });
});

test('a helper that says it through a pointer is judged where it is used', () => {
  const files = (answer: string): Files => ({
    'include/linux/mm.h': 'void ask_flush(pte_t old, bool *flush);\n',
    'mm/a.c': `void ask_flush(pte_t old, bool *flush)\n{\n\t*flush = ${answer};\n}\n`,
    'fs/b.c': asker.replace(
      '\n\n\tif (needs_flush(old))',
      '\n\tbool flush;\n\n\task_flush(old, &flush);\n\tif (flush)',
    ),
  });
  expect(found(files(ALWAYS), files(DIRTY_ONLY))).toEqual(WRONG_IN_CALLER);
  expect(found(files(ALWAYS), files('true'))).toEqual([]);
});

test('callers that are too many are named, not passed over', () => {
  const names = Array.from({ length: 8 }, (_, n) => `drop${n}`);
  const files = (answer: string): Files => ({
    'include/linux/mm.h': 'bool needs_flush(pte_t old);\n',
    'mm/a.c': predicate('bool', answer),
    ...Object.fromEntries(names.map((name) => [`fs/${name}.c`, asker.replace('drop', name)])),
  });
  const document = reviewSeries([changeInTree(files(ALWAYS), files('true'))], rules, {
    machines: ['x86-64'],
    existing: false,
    limits: { states: 60_000, milliseconds: 20_000 },
    now: () => 0,
    onProgress: () => {},
  });
  expect(document.patches.flatMap((patch) => patch.undecided)).toEqual([
    {
      function: 'needs_flush',
      file: 'mm/a.c',
      kind: 'resolve',
      reason: 'what it tells its callers changed, and these were not searched to the end: drop6, drop7',
    },
  ]);
});
