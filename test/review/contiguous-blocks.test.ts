/** arm64: a part of a contiguous block that changes; what the other entries of the block say counts, too. */
import { describe, expect, test } from 'vitest';
import { introducedIn } from './introduced.js';
import type { Files } from './memory-tree.js';

const BLOCKS = 'arch/arm64/mm/contpte.c';
const HEADER = 'arch/arm64/include/asm/pgtable.h';
const HUGE = 'arch/arm64/mm/hugetlbpage.c';

const HEAD = `	if (ptep != contpte_align_down(ptep) || nr < CONT_PTES)
		contpte_try_unfold(mm, addr, ptep, __ptep_get(ptep));
`;
const TAIL = `	if (ptep + nr != contpte_align_down(ptep + nr))
		contpte_try_unfold(mm, addr + PAGE_SIZE * (nr - 1), ptep + nr - 1, __ptep_get(ptep + nr - 1));
`;
const UNFOLD = '\tcontpte_try_unfold_partial(mm, addr, ptep, nr);\n';
const FLUSH = '\t__flush_tlb_range(&vma, start, addr, PAGE_SIZE, true, 3);\n';
const SAME = '\tif (pte_write(orig_pte) == pte_write(entry)) {\n';
const UNFOLD_ONE = '\t__contpte_try_unfold(vma->vm_mm, addr, ptep, orig_pte);\n';
const FLUSH_ALL = '\tflush_tlb_range(&vma, addr, addr + pgsize * ncontig);\n';
const SET = '\t__set_ptes(mm, start, first, pte, CONT_PTES);\n';

const OTHERWISE = '\t\tif (!pte_same(pte_mkold(pte_mkclean(__ptep_get(ptep))), expected))\n\t\t\treturn;\n';

const TREE: Files = {
  [HEADER]: `static inline void __set_ptes(struct mm_struct *mm, unsigned long addr, pte_t *ptep, pte_t pte, unsigned int nr)
{
	for (;;) {
		__set_pte(ptep, pte);
		if (--nr == 0)
			break;
		ptep++;
		pte = pte_advance_pfn(pte, 1);
	}
}

static inline void __clear_full_ptes(struct mm_struct *mm, unsigned long addr, pte_t *ptep, unsigned int nr, int full)
{
	for (;;) {
		__ptep_get_and_clear(mm, addr, ptep);
		if (--nr == 0)
			break;
		ptep++;
		addr += PAGE_SIZE;
	}
}

static inline void __wrprotect_ptes(struct mm_struct *mm, unsigned long addr, pte_t *ptep, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++, addr += PAGE_SIZE, ptep++)
		__ptep_set_wrprotect(mm, addr, ptep);
}

static inline void contpte_try_unfold(struct mm_struct *mm, unsigned long addr, pte_t *ptep, pte_t pte)
{
	if (pte_valid_cont(pte))
		__contpte_try_unfold(mm, addr, ptep, pte);
}

static inline void clear_full_ptes(struct mm_struct *mm, unsigned long addr, pte_t *ptep, unsigned int nr, int full)
{
	contpte_clear_full_ptes(mm, addr, ptep, nr, full);
}

static inline void wrprotect_ptes(struct mm_struct *mm, unsigned long addr, pte_t *ptep, unsigned int nr)
{
	contpte_wrprotect_ptes(mm, addr, ptep, nr);
}

static inline pte_t ptep_get_and_clear(struct mm_struct *mm, unsigned long addr, pte_t *ptep)
{
	contpte_try_unfold(mm, addr, ptep, __ptep_get(ptep));
	return __ptep_get_and_clear(mm, addr, ptep);
}

static inline void pte_clear(struct mm_struct *mm, unsigned long addr, pte_t *ptep)
{
	contpte_try_unfold(mm, addr, ptep, __ptep_get(ptep));
	__pte_clear(mm, addr, ptep);
}

static inline int ptep_set_access_flags(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep, pte_t entry, int dirty)
{
	return contpte_ptep_set_access_flags(vma, addr, ptep, pte_mknoncont(entry), dirty);
}
`,
  [BLOCKS]: `#include <asm/pgtable.h>

static void contpte_try_unfold_partial(struct mm_struct *mm, unsigned long addr, pte_t *ptep, unsigned int nr)
{
${HEAD}${TAIL}}

static void contpte_convert(struct mm_struct *mm, unsigned long addr, pte_t *ptep, pte_t pte)
{
	struct vm_area_struct vma = TLB_FLUSH_VMA(mm, 0);
	unsigned long start;
	pte_t *first;
	int i;

	first = ptep = contpte_align_down(ptep);
	start = addr = ALIGN_DOWN(addr, CONT_PTE_SIZE);
	for (i = 0; i < CONT_PTES; i++, ptep++, addr += PAGE_SIZE)
		__ptep_get_and_clear(mm, addr, ptep);
${FLUSH}${SET}}

void __contpte_try_unfold(struct mm_struct *mm, unsigned long addr, pte_t *ptep, pte_t pte)
{
	contpte_convert(mm, addr, ptep, pte_mknoncont(pte));
}

void contpte_clear_full_ptes(struct mm_struct *mm, unsigned long addr, pte_t *ptep, unsigned int nr, int full)
{
${UNFOLD}	__clear_full_ptes(mm, addr, ptep, nr, full);
}

void contpte_wrprotect_ptes(struct mm_struct *mm, unsigned long addr, pte_t *ptep, unsigned int nr)
{
${UNFOLD}	__wrprotect_ptes(mm, addr, ptep, nr);
}

void __contpte_try_fold(struct mm_struct *mm, unsigned long addr, pte_t *ptep, pte_t pte)
{
	pte_t expected = pfn_pte(ALIGN_DOWN(pte_pfn(pte), CONT_PTES), pte_pgprot(pte_mkold(pte_mkclean(pte))));
	pte_t *here = ptep;
	int i;

	ptep = contpte_align_down(ptep);
	for (i = 0; i < CONT_PTES; i++) {
${OTHERWISE}		expected = pte_advance_pfn(expected, 1);
		ptep++;
	}
	contpte_convert(mm, addr, here, pte_mkcont(pte));
}

int contpte_ptep_set_access_flags(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep, pte_t entry, int dirty)
{
	pte_t orig_pte = pte_mknoncont(__ptep_get(ptep));
	int i;

${SAME}		ptep = contpte_align_down(ptep);
		for (i = 0; i < CONT_PTES; i++, ptep++)
			__ptep_set_access_flags(vma, addr, ptep, entry, 0);
		return 1;
	}
${UNFOLD_ONE}	__ptep_set_access_flags(vma, addr, ptep, entry, dirty);
	return 1;
}
`,
  [HUGE]: `#include <asm/pgtable.h>

static pte_t get_clear_contig(struct mm_struct *mm, unsigned long addr, pte_t *ptep, unsigned long pgsize,
			      unsigned long ncontig)
{
	pte_t pte = __ptep_get_and_clear(mm, addr, ptep);

	while (--ncontig) {
		ptep++;
		addr += pgsize;
		__ptep_get_and_clear(mm, addr, ptep);
	}
	return pte;
}

static int num_contig_ptes(unsigned long size, size_t *pgsize)
{
	int contig_ptes = 1;

	*pgsize = size;
	switch (size) {
	case CONT_PMD_SIZE:
		*pgsize = PMD_SIZE;
		contig_ptes = CONT_PMDS;
		break;
	case CONT_PTE_SIZE:
		*pgsize = PAGE_SIZE;
		contig_ptes = CONT_PTES;
		break;
	}
	return contig_ptes;
}

pte_t huge_ptep_get_and_clear(struct mm_struct *mm, unsigned long addr, pte_t *ptep, unsigned long sz)
{
	size_t pgsize;
	int ncontig = num_contig_ptes(sz, &pgsize);

	return get_clear_contig(mm, addr, ptep, pgsize, ncontig);
}

static pte_t get_clear_contig_flush(struct mm_struct *mm, unsigned long addr, pte_t *ptep, unsigned long pgsize,
				    unsigned long ncontig)
{
	struct vm_area_struct vma = TLB_FLUSH_VMA(mm, 0);
	pte_t pte = get_clear_contig(mm, addr, ptep, pgsize, ncontig);

${FLUSH_ALL}	return pte;
}

void huge_ptep_set_wrprotect(struct mm_struct *mm, unsigned long addr, pte_t *ptep)
{
	int i;
	pte_t pte;

	if (!pte_cont(__ptep_get(ptep))) {
		__ptep_set_wrprotect(mm, addr, ptep);
		return;
	}
	pte = pte_wrprotect(get_clear_contig_flush(mm, addr, ptep, PAGE_SIZE, CONT_PTES));
	for (i = 0; i < CONT_PTES; i++, ptep++)
		__set_ptes(mm, addr, ptep, pte, 1);
}

static void clear_flush(struct mm_struct *mm, unsigned long addr, pte_t *ptep, unsigned long pgsize, unsigned long ncontig)
{
	struct vm_area_struct vma = TLB_FLUSH_VMA(mm, 0);
	unsigned long i, start = addr;

	for (i = 0; i < ncontig; i++, addr += pgsize, ptep++)
		__ptep_get_and_clear(mm, addr, ptep);
	flush_tlb_range(&vma, start, addr);
}

void set_huge_pte_at(struct mm_struct *mm, unsigned long addr, pte_t *ptep, pte_t pte, unsigned long sz)
{
	unsigned long pfn = pte_pfn(pte);
	size_t pgsize;
	int i, ncontig = num_contig_ptes(sz, &pgsize);

	if (!pte_cont(pte)) {
		__set_ptes(mm, addr, ptep, pte, 1);
		return;
	}
	clear_flush(mm, addr, ptep, pgsize, ncontig);
	for (i = 0; i < ncontig; i++, ptep++, addr += pgsize, pfn += pgsize >> PAGE_SHIFT)
		__set_ptes(mm, addr, ptep, pfn_pte(pfn, pte_pgprot(pte)), 1);
}

pte_t huge_ptep_clear_flush(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep)
{
	return get_clear_contig_flush(vma->vm_mm, addr, ptep, PAGE_SIZE, CONT_PTES);
}
`,
};

/** What the edit of the part of the file that begins with `after` brings in. */
function introduced(file: string, from: string, to: string, after = ''): string[] {
  const text = TREE[file] ?? '';
  const at = text.indexOf(from, text.indexOf(after));
  expect(at).toBeGreaterThanOrEqual(0);
  const edited = text.slice(0, at) + to + text.slice(at + from.length);
  return introducedIn(TREE, { ...TREE, [file]: edited }, 'arm64');
}

describe('a block is broken', () => {
  const wrong = ['break-before-make in contpte_convert'];
  const only = (end: string): string => FLUSH.replace('start, addr', `start, ${end}`);
  test('with a flush before the new entries', () => {
    expect(introduced(BLOCKS, FLUSH, '')).toEqual(wrong);
    expect(introduced(BLOCKS, FLUSH + SET, SET + FLUSH)).toEqual(wrong);
  });
  test('with a flush of all of it', () => {
    expect(introduced(BLOCKS, FLUSH, only('start + PAGE_SIZE'))).toEqual(wrong);
    expect(introduced(BLOCKS, FLUSH, only('start + CONT_PTE_SIZE / 2'))).toEqual(wrong);
    expect(introduced(BLOCKS, FLUSH, only('start + CONT_PTE_SIZE'))).toEqual([]);
    expect(introduced(BLOCKS, FLUSH, '\tflush_tlb_mm(mm);\n')).toEqual([]);
  });
  test('from its first entry to its last', () => {
    expect(introduced(BLOCKS, 'i < CONT_PTES;', 'i < CONT_PTES - 1;')).toEqual(wrong);
    expect(introduced(BLOCKS, 'contpte_align_down(ptep);', 'ptep;', 'first = ptep')).toEqual(wrong);
  });
});

describe('what changes in part is unfolded', () => {
  const wrong = ['break-before-make in contpte_try_unfold_partial'];
  test('where the range begins, and where it ends', () => {
    expect(introduced(BLOCKS, HEAD, '')).toEqual(wrong);
    expect(introduced(BLOCKS, TAIL, '')).toEqual(wrong);
    expect(introduced(BLOCKS, HEAD + TAIL, TAIL + HEAD)).toEqual([]);
  });
  test('once where it begins and ends in one block', () => {
    expect(introduced(BLOCKS, ' || nr < CONT_PTES', '')).toEqual([]);
    expect(introduced(BLOCKS, 'ptep != contpte_align_down(ptep) || ', '')).toEqual(wrong);
  });
  test.each([
    ['contpte_clear_full_ptes', BLOCKS, UNFOLD],
    ['contpte_wrprotect_ptes', BLOCKS, UNFOLD],
    ['pte_clear', HEADER, '\tcontpte_try_unfold(mm, addr, ptep, __ptep_get(ptep));\n'],
    ['ptep_get_and_clear', HEADER, '\tcontpte_try_unfold(mm, addr, ptep, __ptep_get(ptep));\n'],
  ])('by %s()', (name, file, unfold) => {
    expect(introduced(file, unfold, '', ` ${name}(`)).toEqual([`break-before-make in ${name}`]);
  });
  test('or all of it where it is more than one block', () => {
    expect(introduced(BLOCKS, '\tif (ptep != contpte_align_down(ptep) || nr < CONT_PTES)\n', '')).toEqual([]);
  });
});

describe('entries become one block', () => {
  const inFold = (from: string, to: string): string[] => introduced(BLOCKS, from, to, '__contpte_try_fold');
  const wrong = ['free-before-clear in __contpte_try_fold'];
  const unless = (test: string): string => OTHERWISE.replace(/!pte_same.*\)\)/, test);
  test('where each maps its part', () => {
    expect(inFold(OTHERWISE, '')).toEqual(wrong);
    expect(inFold(OTHERWISE, unless('!pte_valid(__ptep_get(ptep)))'))).toEqual(wrong);
    expect(inFold(OTHERWISE, OTHERWISE.replace('return', 'break'))).toEqual(wrong);
  });
  test('from the first to the last', () => {
    expect(inFold('i = 0;', 'i = 1, ptep++;')).toEqual(wrong);
    expect(inFold('i < CONT_PTES;', 'i < CONT_PTES / 2;')).toEqual(wrong);
  });
  test('where all have the same rights', () => {
    expect(inFold(OTHERWISE, unless('pte_pfn(__ptep_get(ptep)) != pte_pfn(expected))'))).toEqual(wrong);
  });
  test('and which of them was looked at first does not matter', () => {
    const found = `\t\tpte_t found = __ptep_get(ptep);\n\n${unless('!pte_valid(found) || !pte_same(pte_mkold(pte_mkclean(found)), expected))')}`;
    expect(inFold(OTHERWISE, found)).toEqual([]);
  });
});

describe('an entry of a block that becomes writable', () => {
  test('leaves the block first', () => {
    expect(introduced(BLOCKS, UNFOLD_ONE, '')).toEqual([
      'break-before-make in contpte_ptep_set_access_flags',
    ]);
  });
  test('leaves it, whatever else changes', () => {
    expect(introduced(BLOCKS, SAME, '\tif (0) {\n')).toEqual([]);
  });
  test('may take the block along', () => {
    expect(introduced(BLOCKS, SAME, '\tif (1) {\n')).toEqual([]);
  });
});

describe('a huge page of small ones', () => {
  test('is taken away to its last entry', () => {
    const last = introduced(HUGE, 'while (--ncontig)', 'while (--ncontig > 1)');
    expect(last).toEqual(['break-before-make in get_clear_contig']);
    const half = introduced(HUGE, 'contig_ptes = CONT_PTES;', 'contig_ptes = CONT_PTES / 2;');
    expect(half).toEqual(['break-before-make in num_contig_ptes']);
  });
  test('or one of large ones is replaced by as many entries, each of its own size', () => {
    const wrong = ['break-before-make in num_contig_ptes'];
    expect(introduced(HUGE, '*pgsize = PMD_SIZE', '*pgsize = PAGE_SIZE')).toEqual(wrong);
    expect(introduced(HUGE, 'contig_ptes = CONT_PMDS;', 'contig_ptes = CONT_PMDS / 2;')).toEqual(wrong);
    expect(introduced(HUGE, 'contig_ptes = CONT_PMDS;', 'contig_ptes = CONT_PMD_SIZE / PMD_SIZE;')).toEqual(
      [],
    );
  });
  test('in whichever order pointer and address are stepped', () => {
    const other = '\t\taddr += pgsize;\n\t\tptep++;\n';
    expect(introduced(HUGE, '\t\tptep++;\n\t\taddr += pgsize;\n', other)).toEqual([]);
  });
  test('is flushed to its last entry before it is made again, or goes', () => {
    const all = ['break-before-make in get_clear_contig_flush'];
    expect(introduced(HUGE, FLUSH_ALL, '')).toEqual(all);
    expect(introduced(HUGE, FLUSH_ALL, FLUSH_ALL.replace('ncontig', '(ncontig - 1)'))).toEqual(all);
    expect(introduced(HUGE, FLUSH_ALL, '\tflush_tlb_mm(mm);\n')).toEqual([]);
    const without = 'get_clear_contig(';
    expect(introduced(HUGE, 'get_clear_contig_flush(', without, 'huge_ptep_set_wrprotect(')).toEqual([
      'break-before-make in huge_ptep_set_wrprotect',
    ]);
    expect(introduced(HUGE, 'get_clear_contig_flush(', without, 'huge_ptep_clear_flush(')).toEqual([
      'free-before-flush in huge_ptep_clear_flush',
    ]);
  });
});
