/** Entries of two words: who reads one without its lock needs a function that is written for it. */
import { describe, expect, test } from 'vitest';
import { reviewSeries } from '#review/review-series.js';
import { loadRules } from '#rules/load-rules.js';
import { change, type Files } from './memory-tree.js';

const rules = loadRules();

/** `status hazard in function:line` of what a patch changes on the machine. */
function found(before: Files, after: Files, machine = 'x86-32-pae'): string[] {
  const document = reviewSeries([change(before, after)], rules, {
    machines: [machine],
    existing: false,
    suggestions: false,
    limits: { states: 60_000, milliseconds: 20_000 },
    now: () => 0,
    onProgress: () => {},
  });
  expect(document.patches.flatMap((patch) => patch.undecided)).toEqual([]);
  return document.patches.flatMap((patch) =>
    patch.findings.map(
      ({ status, hazard, function: name, line }) => `${status} ${hazard} in ${name}:${line}`,
    ),
  );
}

const reader = (read: string, use = 'folio_try_get(pte_page(pte))'): Files => ({
  'mm/gup.c': `void look(struct mm_struct *mm, pmd_t *pmdp, pte_t *ptep)
{
	unsigned long flags;
	spinlock_t *ptl = pte_lockptr(mm, pmdp);
	pte_t pte;

	local_irq_save(flags);
${read}	if (pte_present(pte))
		${use};
	local_irq_restore(flags);
}
`,
});
const LOCKLESS = '\tpte = ptep_get_lockless(ptep);\n';
const PLAIN = '\tpte = ptep_get(ptep);\n';
const LOCKED = `\tspin_lock(ptl);\n${PLAIN}\tspin_unlock(ptl);\n`;

describe('a lockless read that becomes a load like any other', () => {
  test('may make one value of two, whatever the load is called', () => {
    const torn = ['introduced torn-pte-read in look:8'];
    expect(found(reader(LOCKLESS), reader(PLAIN))).toEqual(torn);
    expect(found(reader(LOCKLESS), reader('\tpte = READ_ONCE(*ptep);\n'))).toEqual(torn);
    expect(found(reader(LOCKLESS), reader('\tpte = *ptep;\n'))).toEqual(torn);
  });
  test('the other way round is reported fixed', () => {
    expect(found(reader(PLAIN), reader(LOCKLESS))).toEqual(['fixed torn-pte-read in look:8']);
  });
  test('is one load where an entry is one word', () => {
    expect(found(reader(LOCKLESS), reader(PLAIN), 'x86-64')).toEqual([]);
  });
  test('is fine under the lock that whoever changes the entry holds', () => {
    expect(found(reader(LOCKLESS), reader(LOCKED))).toEqual([]);
  });
  test('is fine where nothing is found from the value', () => {
    expect(found(reader(LOCKLESS, 'cond_resched()'), reader(PLAIN, 'cond_resched()'))).toEqual([]);
  });
});

const header = (body: string): Files => ({
  'arch/x86/include/asm/pgtable-3level.h': `#define pmd_read_atomic pmd_read_atomic
static inline pmd_t pmd_read_atomic(pmd_t *pmdp)
{
${body}}
`,
});
const words = (first: string, second: string): string => `	pmdval_t ret;
	u32 *half = (u32 *)pmdp;

	ret = (pmdval_t)(*${first});
	if (ret) {
		smp_rmb();
		ret |= ((pmdval_t)(*${second})) << 32;
	}

	return (pmd_t) { ret };
`;

describe('the function that is written for it', () => {
  const right = header(words('half', '(half + 1)'));
  test('loads in two, the half with the present bit first', () => {
    expect(found(right, header(words('half', '(half + 1)').replace('smp_rmb()', 'rmb()')))).toEqual([]);
  });
  test('does not load the entry like any other variable', () => {
    expect(found(right, header('\treturn READ_ONCE(*pmdp);\n'))).toEqual([
      'introduced torn-pte-read in pmd_read_atomic:4',
    ]);
    expect(found(header('\treturn READ_ONCE(*pmdp);\n'), right)).toEqual([
      'fixed torn-pte-read in pmd_read_atomic:4',
    ]);
  });
});

const lockless = (body: string): Files => ({
  'include/linux/pgtable.h': `static inline pte_t ptep_get_lockless(pte_t *ptep)
{
	pte_t pte;

	do {
${body}	} while (pte.pte_low != ptep->pte_low);

	return pte;
}
`,
});
const LOW = '\t\tpte.pte_low = ptep->pte_low;\n';
const HIGH = '\t\tpte.pte_high = ptep->pte_high;\n';
const BARRIER = '\t\tsmp_rmb();\n';

describe('loads of halves that are compared', () => {
  const right = lockless(`${LOW}${BARRIER}${HIGH}${BARRIER}`);
  const torn = expect.stringMatching(/^introduced torn-pte-read in ptep_get_lockless:/);

  test('need a barrier on either side of the half that is not compared', () => {
    expect(found(right, lockless(`${LOW}${HIGH}${BARRIER}`))).toEqual([torn]);
    expect(found(right, lockless(`${LOW}${BARRIER}${HIGH}`))).toEqual([torn]);
  });
  test('need the half that is compared first', () => {
    expect(found(right, lockless(`${HIGH}${BARRIER}${LOW}${BARRIER}`))).toEqual([torn]);
  });
  test('may have a stronger barrier', () => {
    expect(found(right, lockless(`${LOW}\t\trmb();\n${HIGH}${BARRIER}`))).toEqual([]);
  });
});
