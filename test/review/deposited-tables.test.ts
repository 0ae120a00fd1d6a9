/** Tables that are put aside for large entries lie on lists that go through them; each wrong way beside a right one. */
import { describe, expect, test } from 'vitest';
import { introducedIn } from './introduced.js';

const introduced = (file: string, machine: string, before: string, after: string): string[] => {
  expect(after).not.toBe(before);
  return introducedIn({ [file]: before }, { [file]: after }, machine, 100_000);
};

describe('by the list node of their pages', () => {
  const file = 'mm/pgtable-generic.c';
  const KEEP = `	if (!pmd_huge_pte(mm, pmdp))
		INIT_LIST_HEAD(&table->lru);
	else
		list_add(&table->lru, &pmd_huge_pte(mm, pmdp)->lru);
`;
  const NEXT = '	pmd_huge_pte(mm, pmdp) = list_first_entry_or_null(&table->lru, struct page, lru);\n';
  const OFF = '	if (pmd_huge_pte(mm, pmdp))\n		list_del(&table->lru);\n';
  const code = (
    keep: string,
    ...take: readonly string[]
  ): string => `#define pmd_huge_pte(mm, pmd) (pmd_ptdesc(pmd)->pmd_huge_pte)

void pgtable_trans_huge_deposit(struct mm_struct *mm, pmd_t *pmdp, pgtable_t table)
{
${keep}	pmd_huge_pte(mm, pmdp) = table;
}

pgtable_t pgtable_trans_huge_withdraw(struct mm_struct *mm, pmd_t *pmdp)
{
	pgtable_t table = pmd_huge_pte(mm, pmdp);

${take.join('')}	return table;
}
`;
  const right = code(KEEP, NEXT, OFF);
  const TAKEN = ['free-before-clear in pgtable_trans_huge_withdraw'];
  test('one that stays the first comes twice', () => {
    expect(introduced(file, 'x86-64', right, code(KEEP))).toEqual(TAKEN);
  });
  test('one that stays on the list of the next comes back', () => {
    expect(introduced(file, 'x86-64', right, code(KEEP, NEXT))).toEqual(TAKEN);
  });
  test('one that is taken off first leaves the others behind', () => {
    expect(introduced(file, 'x86-64', right, code(KEEP, '	list_del_init(&table->lru);\n', NEXT))).toEqual(
      TAKEN,
    );
  });
  test('one that begins a list of its own loses those before it', () => {
    expect(introduced(file, 'x86-64', right, code('	INIT_LIST_HEAD(&table->lru);\n', NEXT, OFF))).toEqual([
      'free-before-clear in pgtable_trans_huge_deposit',
    ]);
  });
  test('the two cases may be told apart by the list', () => {
    const told = `	if (list_empty(&table->lru)) {
		pmd_huge_pte(mm, pmdp) = NULL;
	} else {
		pmd_huge_pte(mm, pmdp) = list_first_entry(&table->lru, struct page, lru);
		list_del(&table->lru);
	}
`;
    expect(introduced(file, 'x86-64', right, code(KEEP, told))).toEqual([]);
  });
  test('each may begin a list of its own before it comes on that of the others', () => {
    const both = `	pgtable_t head = pmd_huge_pte(mm, pmdp);

	INIT_LIST_HEAD(&table->lru);
	if (head)
		list_add(&table->lru, &head->lru);
`;
    expect(introduced(file, 'x86-64', right, code(both, NEXT, OFF))).toEqual([]);
  });
});

describe('by their first words', () => {
  const file = 'arch/sparc/mm/tlb.c';
  const code = (last: string, off: string): string => `#define pmd_huge_pte(mm, pmd) ((mm)->pmd_huge_pte)

void pgtable_trans_huge_deposit(struct mm_struct *mm, pmd_t *pmdp, pgtable_t table)
{
	struct list_head *links = (struct list_head *)table;

	if (!pmd_huge_pte(mm, pmdp))
		INIT_LIST_HEAD(links);
	else
		list_add(links, (struct list_head *)pmd_huge_pte(mm, pmdp));
	pmd_huge_pte(mm, pmdp) = table;
}

pgtable_t pgtable_trans_huge_withdraw(struct mm_struct *mm, pmd_t *pmdp)
{
	pgtable_t table = pmd_huge_pte(mm, pmdp);
	struct list_head *links = (struct list_head *)table;

	if (list_empty(links)) {
${last}	} else {
		pmd_huge_pte(mm, pmdp) = (pgtable_t)links->next;
${off}	}
	return table;
}
`;
  const LAST = '		pmd_huge_pte(mm, pmdp) = NULL;\n';
  const OFF = '		list_del(links);\n';
  test('the links of one that maps pages again are not to be written', () => {
    expect(introduced(file, 'sparc64', code(LAST, OFF), code(LAST, ''))).toEqual([
      'free-before-clear in pgtable_trans_huge_withdraw',
    ]);
    expect(introduced(file, 'sparc64', code(LAST, OFF), code('', OFF))).toEqual([
      'free-before-clear in pgtable_trans_huge_withdraw',
    ]);
  });
  test('links that lead nowhere once it is taken off are as good', () => {
    expect(introduced(file, 'sparc64', code(LAST, OFF), code(LAST, '		list_del_init(links);\n'))).toEqual(
      [],
    );
  });
});
