/** What reading real functions beside their programs has shown to go wrong: one small case each. */
import { describe, expect, test } from 'vitest';
import { linesOf, programOf } from './extracted.js';

const lines = (text: string, machine?: string): string[] => linesOf(programOf(text, machine));
const events = (text: string, machine?: string): string[] =>
  lines(text, machine)
    .filter((line) => /^\d+ (set|clear|change|flush|barrier|gather|free|batch|notify)/.test(line))
    .map((line) => line.replace(/^\d+ | -> \d+$/g, ''));

describe('two pointers of one type', () => {
  const MOVE = `void f(struct vm_area_struct *vma, unsigned long addr, pmd_t *new_pmd, pmd_t *old_pmd)
{
	pmd_t pmd = pmdp_huge_get_and_clear(vma->vm_mm, addr, old_pmd);

	set_pmd_at(vma->vm_mm, addr, new_pmd, pmd);
}`;
  test('are entries of two addresses, and either may be the one that is followed', () => {
    const either = 'choice!"arg2 lies at" of &pmd:W@at &pmd:A@at';
    const other = `select(==(${either}, &pmd:W@at), &pmd:A@at, &pmd:W@at)`;
    expect(events(MOVE)).toEqual([
      `clear entry=${other} old=t2 was=page atomic=true`,
      `set entry=${either} value=t2`,
    ]);
  });
  test('of different levels stay on the one path', () => {
    const text = MOVE.replace('pmd_t *new_pmd', 'pud_t *pud').replace(
      'set_pmd_at(vma->vm_mm, addr, new_pmd, pmd)',
      'pud_clear(pud)',
    );
    expect(events(text)).toEqual([
      'clear entry=&pmd:W@at old=t2 was=page atomic=true',
      'clear entry=&pud:W@at',
    ]);
  });
});

test('a page at a counted position of a block is the page, not the position', () => {
  const program = lines(`void f(struct page *head, pte_t *ptep, unsigned long addr, pgprot_t prot)
{
	int i;

	for (i = 0; i < PTRS_PER_PTE; i++, addr += PAGE_SIZE)
		set_pte_at(&init_mm, addr, ptep + i, mk_pte(head + i, prot));
}`);
  expect(program.filter((line) => line.includes('make-leaf'))).toEqual([
    expect.stringContaining('make-leaf.pte(choice!"arg0 is" of page:pte:W page:pte:new)'),
  ]);
});

test('arm64 reads an entry with __ptep_get(): what it maps is what is freed', () => {
  expect(
    lines(
      `void f(pte_t *ptep, unsigned long addr)
{
	pte_t pte = __ptep_get(ptep);

	__pte_clear(&init_mm, addr, ptep);
	flush_tlb_kernel_range(addr, addr + PAGE_SIZE);
	__free_page(pte_page(pte));
}`,
      'arm64',
    )[0],
  ).toBe('0 t1 := read(&pte:W@at) -> 1');
});

describe('whether a change owes a flush', () => {
  const PROTECT = `void f(struct mmu_gather *tlb, struct vm_area_struct *vma, pte_t *ptep, unsigned long addr, pgprot_t prot)
{
	pte_t old = ptep_modify_prot_start(vma, addr, ptep);
	pte_t pte = pte_modify(old, prot);

	ptep_modify_prot_commit(vma, addr, ptep, old, pte);
	if (pte_needs_flush(old, pte))
		tlb_flush_pte_range(tlb, addr, PAGE_SIZE);
}`;
  test('is asked of the two values on x86', () => {
    const asked = lines(PROTECT).filter((line) => line.includes('is-write'));
    expect(asked).toHaveLength(1);
    expect(asked[0]).toContain('&&(is-present(t1), ');
    expect(asked[0]).toContain('!=(is-write(t1), is-write(t2))');
  });
  test('is always so where the machine does not say', () => {
    expect(lines(PROTECT, 'arm64').filter((line) => line.includes('needs_flush'))).toEqual([]);
    expect(events(PROTECT, 'arm64').at(-1)).toMatch(/^gather-track /);
  });
});

test("userfaultfd's mark takes the right to write", () => {
  expect(
    lines(`void f(struct mm_struct *mm, pte_t *ptep, unsigned long addr)
{
	pte_t pte = ptep_get_and_clear(mm, addr, ptep);

	set_pte_at(mm, addr, ptep, pte_mkuffd_wp(pte));
}`).filter((line) => line.includes('with-write')),
  ).toEqual([expect.stringMatching(/with-write\(t\d+, 0\)/)]);
});

describe('what clear_young_dirty_ptes() clears is up to its flags', () => {
  const program = (
    flags: string,
  ): string => `void f(struct mmu_gather *tlb, struct vm_area_struct *vma, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *ptep = pte_offset_map_lock(vma->vm_mm, NULL, addr, &ptl);

	if (!ptep)
		return;
	clear_young_dirty_ptes(vma, addr, ptep, 1, ${flags});
	pte_unmap_unlock(ptep, ptl);
}
`;
  const review = (flags: string): string[] => lines(program(flags)).filter((line) => / change /.test(line));
  test('young alone', () => {
    expect(review('CYDP_CLEAR_YOUNG')).toEqual([
      expect.stringContaining('value=select(&(1, 2), with-dirty('),
    ]);
  });
  test('dirty too', () => {
    expect(review('CYDP_CLEAR_YOUNG | CYDP_CLEAR_DIRTY')).toEqual([
      expect.stringMatching(/value=select\(&\((3|\|\(1, 2\)|t\d+), 2\), with-dirty\(/),
    ]);
  });
});

describe('page_vma_mapped_walk()', () => {
  test('says which address it found', () => {
    const [flush] = lines(`void f(struct vm_area_struct *vma, struct page_vma_mapped_walk *pvmw)
{
	while (page_vma_mapped_walk(pvmw)) {
		if (pvmw->pte)
			ptep_clear_flush(vma, pvmw->address, pvmw->pte);
	}
}`).filter((line) => line.includes(' flush '));
    expect(flush).not.toContain('*arg1.address');
  });
  test('handed to a helper, it holds the entries of the followed address', () => {
    expect(
      events(`void f(struct page_vma_mapped_walk *pvmw, struct vm_area_struct *vma)
{
	pmdp_huge_get_and_clear(vma->vm_mm, pvmw->address, pvmw->pmd);
}`)[0],
    ).toMatch(/^clear entry=&pmd:W@at /);
  });
});

test('apply_to_page_range() comes to the followed entry, wherever the range begins', () => {
  expect(
    events(`static int drop(pte_t *ptep, unsigned long addr, void *data)
{
	pte_clear(&init_mm, addr, ptep);
	return 0;
}
void f(unsigned long start, unsigned long size)
{
	apply_to_existing_page_range(&init_mm, start, size, drop, NULL);
}`),
  ).toEqual(['clear entry=&pte:W@at']);
});

test('smp_wmb() does not order an entry before the walks of the MMU on arm64; wmb() does', () => {
  const body = (barrier: string, machine: string): string[] =>
    events(
      `void f(pte_t *ptep, unsigned long addr)
{
	pte_clear(&init_mm, addr, ptep);
	${barrier}();
}`,
      machine,
    ).slice(1);
  expect(body('smp_wmb', 'arm64')).toEqual(['barrier strength=compiler']);
  expect(body('wmb', 'arm64')).toEqual(['barrier strength=store']);
  expect(body('mb', 'arm64')).toEqual(['barrier strength=full']);
  expect(body('smp_wmb', 'x86-64')).toEqual(['barrier strength=store']);
});

test('a table and the index of an address are the entry of that address, on a level that is followed', () => {
  const program = programOf(`static void drop(pte_t *start, unsigned long addr)
{
	pte_t *ptep = start + pte_index(addr);

	pte_clear(&init_mm, addr, ptep);
}
void f(pmd_t *pmd, unsigned long addr)
{
	drop((pte_t *)pmd_page_vaddr(*pmd), addr);
}`);
  expect(program.levels).toEqual(['pte', 'pmd']);
  expect(linesOf(program).filter((line) => line.includes('couple'))).toEqual([
    expect.stringMatching(/:= couple\(first-entry\.pte\(t\d+\), /),
  ]);
});

describe("init_mm's page_table_lock", () => {
  const body = (lock: string): string[] =>
    lines(`void f(struct mm_struct *mm, pmd_t *pmd)
{
	spin_lock(${lock});
	pmd_clear(pmd);
	spin_unlock(${lock});
}`).filter((line) => line.includes('lock '));
  test('is what the kernel takes to fill its tables', () => {
    expect(body('&init_mm.page_table_lock')).toEqual([
      '0 lock lock=$lock:kernel_ptl class=kernel-ptl -> 1',
      '2 unlock lock=$lock:kernel_ptl class=kernel-ptl -> 3',
    ]);
  });
  test("is not a process's", () => {
    expect(body('&mm->page_table_lock')).toEqual([]);
  });
});

test('huge_pmd_unshare_flush() flushes only where something was unshared', () => {
  const body = (unshare: string): string[] =>
    lines(`void f(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep)
{
	struct mmu_gather tlb;

	tlb_gather_mmu_vma(&tlb, vma);
	${unshare}
	huge_ptep_get_and_clear(vma->vm_mm, addr, ptep, PMD_SIZE);
	huge_pmd_unshare_flush(&tlb, vma);
}`);
  const flag = (all: string[]): string[] => all.filter((line) => line.includes('unshared_tables :='));
  expect(flag(body(''))).toEqual([expect.stringMatching(/m:L1\.local1\.unshared_tables := 0 /)]);
  expect(flag(body('huge_pmd_unshare(&tlb, vma, addr, ptep);'))).toHaveLength(2);
  // The flush stands behind a test of the flag.
  const all = body('');
  const flush = all.findIndex((line) => line.includes(' gather-flush '));
  expect(
    all.filter((line) => line.startsWith(`${flush - 1} if t`) || line.includes(` -> ${flush} else `)),
  ).toEqual([expect.stringMatching(/^\d+ if t\d+ -> \d+ else \d+$/)]);
});

test('a page that may be pinned can refuse to be shared: the path that puts the entry back is there', () => {
  expect(
    events(`void f(struct vm_area_struct *vma, struct folio *folio, struct page *page, pte_t *ptep, unsigned long addr)
{
	pte_t pte = ptep_clear_flush(vma, addr, ptep);

	if (folio_try_share_anon_rmap_pte(folio, page)) {
		set_pte_at(vma->vm_mm, addr, ptep, pte);
		return;
	}
	folio_put(folio);
}`).filter((line) => line.startsWith('set ')),
  ).toHaveLength(1);
});

test('no machine here keeps a table in reserve for huge pages of files', () => {
  expect(
    events(`void f(struct mm_struct *mm, pmd_t *pmd)
{
	pmd_clear(pmd);
	if (arch_needs_pgtable_deposit())
		pte_free(mm, pgtable_trans_huge_withdraw(mm, pmd));
}`),
  ).toEqual(['clear entry=&pmd:W@at']);
});

test("hugetlb's allocator gives a page, and is not followed into its pools", () => {
  const program =
    programOf(`struct folio *alloc_hugetlb_folio(struct vm_area_struct *vma, unsigned long addr, int avoid)
{
	struct folio *folio = list_first_entry(&pool, struct folio, lru);

	folio_put(folio);
	return folio;
}
void f(struct vm_area_struct *vma, pte_t *ptep, unsigned long addr)
{
	struct folio *folio = alloc_hugetlb_folio(vma, addr, 0);

	if (IS_ERR(folio))
		return;
	huge_ptep_clear_flush(vma, addr, ptep);
	set_huge_pte_at(vma->vm_mm, addr, ptep, make_huge_pte(vma, &folio->page, 1), PMD_SIZE);
}`);
  expect(program.nodes.flatMap((node) => (node.kind === 'event' ? [node.event.kind] : []))).toEqual([
    'alloc',
    'clear',
    'flush',
    'set',
  ]);
});
