import { describe, expect, test } from 'vitest';
import { reviewSeries } from '#review/review-series.js';
import { loadRules } from '#rules/load-rules.js';
import { change } from './memory-tree.js';

const rules = loadRules();
const FILE = 'arch/arm64/mm/mmu.c';

/** `hazard beside the other party` of what the patch to FILE or mm/vmalloc.c brings in on arm64. */
function found(before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): string[] {
  const document = reviewSeries([change(before, after)], rules, {
    machines: ['arm64'],
    existing: false,
    limits: { states: 60_000, milliseconds: 20_000 },
    now: () => 0,
    onProgress: () => {},
  });
  expect(document.patches.flatMap((patch) => patch.undecided)).toEqual([]);
  return document.patches.flatMap((patch) =>
    patch.findings.map((finding) => {
      const beside = finding.trace.find((step) => step.who !== finding.function)?.who;
      return `${finding.status} ${finding.hazard} beside ${beside}`;
    }),
  );
}

/** Frees an empty table between `enter` and `leave`; without a free, the table stays. */
const teardown = (enter: string, leave: string, free: boolean): string =>
  `void drop_pte_table(pmd_t *pmdp, unsigned long addr)
{
	pmd_t pmd;
	pte_t *ptep;

${enter}	pmd = READ_ONCE(*pmdp);
	if (!pmd_table(pmd)) {
${leave}		return;
	}
	ptep = pte_offset_kernel(pmdp, addr);
	if (pte_none(*ptep)) {
${free ? '\t\tpmd_clear(pmdp);\n\t\t__flush_tlb_kernel_pgtable(addr);\n\t\t__free_page(pmd_page(pmd));\n' : ''}	}
${leave}}
`;

const fill = (enter: string, leave: string): string =>
  `int fill_one(pmd_t *pmd, unsigned long addr, struct page *page, pgprot_t prot)
{
	pte_t *pte;

${enter}	pte = pte_alloc_kernel(pmd, addr);
	if (!pte) {
${leave}		return -ENOMEM;
	}
	set_pte_at(&init_mm, addr, pte, mk_pte(page, prot));
${leave}	return 0;
}
`;

const READ = ['\tget_online_mems();\n', '\tput_online_mems();\n'] as const;
const WRITE = ['\tmem_hotplug_begin();\n', '\tmem_hotplug_done();\n'] as const;
const NONE = ['', ''] as const;

describe('code that begins to free a kernel table', () => {
  const free = (
    lock: readonly [string, string],
    walker: readonly [string, string] | null,
  ): readonly string[] => {
    const other: Record<string, string> = walker === null ? {} : { 'mm/vmalloc.c': fill(...walker) };
    return found(
      { [FILE]: teardown(...lock, false), ...other },
      { [FILE]: teardown(...lock, true), ...other },
    );
  };

  test('meets nobody where it frees a page: what the walker does by itself is not brought in', () => {
    const page = `void drop_page(pte_t *ptep, unsigned long addr)
{
	struct page *page = pte_page(ptep_get(ptep));

	pte_clear(&init_mm, addr, ptep);
	flush_tlb_kernel_range(addr, addr + PAGE_SIZE);
	__free_page(page);
}
`;
    const walker = { 'mm/vmalloc.c': fill(...NONE) };
    expect(found(walker, { ...walker, [FILE]: page })).toEqual([]);
    expect(found({}, { [FILE]: page })).toEqual([]);
  });

  test('meets the walker of the tree, which takes no lock', () => {
    expect(free(NONE, NONE)).toEqual(['introduced shared-table-walk-race beside fill_one']);
  });

  test('meets the walker of the rules where the tree has none', () => {
    expect(free(WRITE, null)).toEqual(['introduced shared-table-walk-race beside vmalloc-walker']);
  });

  test('is kept apart from a walker that reads the lock which it writes', () => {
    expect(free(WRITE, READ)).toEqual([]);
  });

  test('is not kept apart when both only read it', () => {
    expect(free(READ, READ)).toEqual(['introduced shared-table-walk-race beside fill_one']);
  });

  test('is not kept apart by a lock that the walker does not take', () => {
    expect(free(WRITE, NONE)).toEqual(['introduced shared-table-walk-race beside fill_one']);
  });
});

describe('code that walks kernel tables', () => {
  const walk = (before: readonly [string, string], after: readonly [string, string]): readonly string[] =>
    found({ 'mm/vmalloc.c': fill(...before) }, { 'mm/vmalloc.c': fill(...after) });

  test('goes wrong beside hot remove when it drops the lock', () => {
    expect(walk(READ, NONE)).toEqual(['introduced shared-table-walk-race beside hot-remove']);
  });

  test('is fixed by taking it', () => {
    expect(walk(NONE, READ)).toEqual(['fixed shared-table-walk-race beside hot-remove']);
  });

  test('may take it another way', () => {
    expect(walk(READ, WRITE)).toEqual([]);
  });
});

describe('code that looks at user tables without their lock', () => {
  const MAPPED = 'mm/mapped.c';
  const look = (enter: string, middle: string, leave: string): string =>
    `int mapped_level(struct mm_struct *mm, unsigned long addr)
{
	unsigned long flags;
	int level = 0;
	pgd_t pgd;
	p4d_t p4d;
	pud_t pud;
	pmd_t pmd;

${enter}	pgd = READ_ONCE(*pgd_offset(mm, addr));
	if (pgd_none(pgd))
		goto out;
	p4d = READ_ONCE(*p4d_offset(&pgd, addr));
	if (!p4d_present(p4d))
		goto out;
	pud = READ_ONCE(*pud_offset(&p4d, addr));
	if (!pud_present(pud))
		goto out;
${middle}	pmd = READ_ONCE(*pmd_offset(&pud, addr));
	if (pmd_leaf(pmd))
		level = 1;
out:
${leave}	return level;
}
`;
  const OFF = '\tlocal_irq_save(flags);\n';
  const ON = '\tlocal_irq_restore(flags);\n';
  const changed = (after: string): string[] => found({ [MAPPED]: look(OFF, '', ON) }, { [MAPPED]: after });

  test('meets munmap() once interrupts are on', () => {
    const wrong = ['introduced table-free-without-sync beside munmap'];
    expect(changed(look('', '', ''))).toEqual(wrong);
    expect(changed(look('\tpreempt_disable();\n', '', '\tpreempt_enable();\n'))).toEqual(wrong);
    expect(changed(look(OFF, ON + OFF, ON))).toEqual(wrong);
  });

  test('is kept from the tables by what they are freed after', () => {
    // arm64 frees tables after a grace period, and munmap() takes mmap_lock for write.
    expect(changed(look('\trcu_read_lock();\n', '', '\trcu_read_unlock();\n'))).toEqual([]);
    expect(changed(look('\tmmap_read_lock(mm);\n', '', '\tmmap_read_unlock(mm);\n'))).toEqual([]);
    expect(changed(look(`\tpreempt_disable();\n${OFF}`, '', `${ON}\tpreempt_enable();\n`))).toEqual([]);
  });
});
