/** A right order rewritten as another right one: neither way round brings anything in, and the nearest wrong one does. */
import { describe, expect, test } from 'vitest';
import { reviewSeries } from '#review/review-series.js';
import { loadRules } from '#rules/load-rules.js';
import { programOf } from '../extract/extracted.js';
import { change, type Files } from './memory-tree.js';

const rules = loadRules();

const verdicts = (machines: readonly string[], before: Files, after: Files, existing = false): string[] =>
  reviewSeries([change(before, after)], rules, {
    machines,
    existing,
    limits: { states: 60_000, milliseconds: 60_000 },
    now: () => 0,
    onProgress: () => {},
  }).patches.flatMap((patch) => [
    ...patch.findings.map(
      (finding) =>
        `${finding.status} ${finding.hazard} in ${finding.function} on ${finding.machines.join(', ')}`,
    ),
    ...patch.undecided.map((gap) => `undecided: ${gap.reason}`),
  ]);

/** Neither from `one` to `other` nor back. */
function silentBothWays(machines: readonly string[], one: Files, other: Files): void {
  expect(verdicts(machines, one, other)).toEqual([]);
  expect(verdicts(machines, other, one)).toEqual([]);
}

describe('entries moved from one address to another', () => {
  const move = (note: string, flush: string): Files => ({
    'mm/mremap.c': `
static int move_some(struct vm_area_struct *vma, pmd_t *old_pmd, unsigned long old_addr, unsigned long old_end,
		     pmd_t *new_pmd, unsigned long new_addr)
{
	struct mm_struct *mm = vma->vm_mm;
	pte_t *old_pte, *new_pte, pte;
	spinlock_t *old_ptl, *new_ptl;
	bool stale = false;
	unsigned long start = old_addr;

	old_pte = pte_offset_map_lock(mm, old_pmd, old_addr, &old_ptl);
	if (!old_pte)
		return -EAGAIN;
	new_pte = pte_offset_map_nolock(mm, new_pmd, new_addr, &new_ptl);
	if (!new_pte) {
		pte_unmap_unlock(old_pte, old_ptl);
		return -EAGAIN;
	}
	if (new_ptl != old_ptl)
		spin_lock(new_ptl);
	for (; old_addr < old_end; old_pte++, old_addr += PAGE_SIZE, new_pte++, new_addr += PAGE_SIZE) {
		if (pte_none(ptep_get(old_pte)))
			continue;
		pte = ptep_get_and_clear(mm, old_addr, old_pte);
		${note}
		set_pte_at(mm, new_addr, new_pte, pte);
	}
	${flush}
	if (new_ptl != old_ptl)
		spin_unlock(new_ptl);
	pte_unmap_unlock(old_pte - 1, old_ptl);
	return 0;
}
`,
  });
  const PRESENT = move(
    'if (pte_present(pte)) stale = true;',
    'if (stale) flush_tlb_range(vma, start, old_end);',
  );
  const ALWAYS = move('', 'flush_tlb_range(vma, start, old_end);');

  test('a flush where one was present does what a flush always does', () => {
    silentBothWays(['x86-64', 'arm64'], PRESENT, ALWAYS);
  });
  test('a flush for dirty ones alone leaves clean ones unflushed', () => {
    const dirty = move(
      'if (pte_dirty(pte)) stale = true;',
      'if (stale) flush_tlb_range(vma, start, old_end);',
    );
    expect(verdicts(['x86-64'], ALWAYS, dirty)).toEqual([
      'introduced unlock-before-flush in move_some on x86-64',
    ]);
  });
});

describe('an mm that no other CPU has loaded', () => {
  const drop = (local: string): Files => ({
    'arch/s390/mm/pgtable.c': `
void drop_one(struct mm_struct *mm, unsigned long addr, pte_t *ptep)
{
	struct page *page;

	if (!pte_present(*ptep))
		return;
	page = pte_page(*ptep);
	if (${local})
		__ptep_ipte(addr, ptep, 0, 0, 1);
	else
		__ptep_ipte(addr, ptep, 0, 0, 0);
	put_page(page);
}
`,
  });
  const GLOBAL = drop('0');

  test('needs no more than a purge of this CPU', () => {
    silentBothWays(['s390'], GLOBAL, drop('cpumask_equal(mm_cpumask(mm), cpumask_of(smp_processor_id()))'));
  });
  test('is not shown by the mask of a CPU that somebody else chose', () => {
    expect(verdicts(['s390'], GLOBAL, drop('cpumask_equal(mm_cpumask(mm), cpumask_of(first_cpu))'))).toEqual([
      'introduced flush-scope-too-narrow in drop_one on s390',
    ]);
  });
  test('is not shown by its having few users', () => {
    expect(verdicts(['s390'], GLOBAL, drop('atomic_read(&mm->mm_count) == 1'))).toEqual([
      'introduced flush-scope-too-narrow in drop_one on s390',
    ]);
  });
});

describe('areas of the kernel that come back', () => {
  const purge = (flush: string): Files => ({
    'mm/vmalloc.c': `
void give_back(struct vmap_area *va)
{
	${flush}
	merge_or_add_vmap_area_augment(va, &free_vmap_area_root, &free_vmap_area_list);
}
`,
  });
  test('hold nothing stale where the clear itself purges', () => {
    const on = ['powerpc64-hash', 'powerpc64-radix', 's390'];
    expect(verdicts(on, purge('flush_tlb_all();'), purge(''))).toEqual([
      'introduced reuse-under-deferred-flush in give_back on powerpc64-radix',
    ]);
  });
});

describe('what both sides do wrong', () => {
  const unmap = (first: string): Files => ({
    'mm/a.c': `
void unmap_one(pte_t *ptep, unsigned long addr)
{
	struct page *page;

	if (!pte_present(*ptep))
		return;
	page = pte_page(*ptep);
	${first}
	pte_clear(&init_mm, addr, ptep);
}
`,
  });
  const EARLY = unmap('__free_page(page);');
  const LEAKED = unmap('');

  test('is not brought in by who mends what went wrong before it', () => {
    expect(verdicts(['x86-64'], EARLY, LEAKED)).toEqual(['fixed free-before-clear in unmap_one on x86-64']);
  });
  test('does not hide what is brought in before it', () => {
    expect(verdicts(['x86-64'], LEAKED, EARLY)).toEqual([
      'introduced free-before-clear in unmap_one on x86-64',
    ]);
  });
});

describe('a pointer and an address that step together', () => {
  test('go by one count, put together as C does', () => {
    const program = programOf(`
void f(struct mm_struct *mm, unsigned long addr, pte_t *ptep, unsigned int nr)
{
	unsigned long last_addr = addr + PAGE_SIZE * (nr - 1);
	pte_t *last = ptep + nr - 1;

	pte_clear(mm, last_addr, last);
	flush_tlb_kernel_range(last_addr, last_addr + PAGE_SIZE);
}
`);
    const asked = JSON.stringify(program.nodes).match(/"key":"[^"]*arg3[^"]*"/g) ?? [];
    expect(new Set(asked)).toEqual(new Set(['"key":"(arg3 - 1)"']));
  });

  const RIGHT: Files = {
    'arch/arm64/mm/contpte.c': `
static void convert(struct mm_struct *mm, unsigned long addr, pte_t *ptep, pte_t pte)
{
	struct vm_area_struct vma = TLB_FLUSH_VMA(mm, 0);
	unsigned long start_addr;
	pte_t *start;
	int i;

	start = ptep = contpte_align_down(ptep);
	start_addr = addr = ALIGN_DOWN(addr, CONT_PTE_SIZE);
	pte = pfn_pte(ALIGN_DOWN(pte_pfn(pte), CONT_PTES), pte_pgprot(pte));
	for (i = 0; i < CONT_PTES; i++, ptep++, addr += PAGE_SIZE)
		__ptep_get_and_clear(mm, addr, ptep);
	__flush_tlb_range(&vma, start_addr, addr, PAGE_SIZE, true, 3);
	__set_ptes(mm, start_addr, start, pte, CONT_PTES);
}

void unfold_ends(struct mm_struct *mm, unsigned long addr, pte_t *ptep, unsigned int nr, int both)
{
	if (nr < CONT_PTES && pte_valid_cont(__ptep_get(ptep)))
		convert(mm, addr, ptep, pte_mknoncont(__ptep_get(ptep)));
	if (both && pte_valid_cont(__ptep_get(ptep + nr - 1)))
		convert(mm, addr + PAGE_SIZE * (nr - 1), ptep + nr - 1, pte_mknoncont(__ptep_get(ptep + nr - 1)));
}
`,
  };

  test('a block behind the followed entry is cleared as the first one is', () => {
    const text = RIGHT['arch/arm64/mm/contpte.c'] ?? '';
    const first: Files = { 'arch/arm64/mm/contpte.c': text.replace('if (both &&', 'if (0 &&') };
    silentBothWays(['arm64'], RIGHT, first);
  });
  test('a block that is set again without a flush is found', () => {
    const text = RIGHT['arch/arm64/mm/contpte.c'] ?? '';
    const flush = '\t__flush_tlb_range(&vma, start_addr, addr, PAGE_SIZE, true, 3);\n';
    expect(text).toContain(flush);
    expect(verdicts(['arm64'], RIGHT, { 'arch/arm64/mm/contpte.c': text.replace(flush, '') })).toEqual([
      'introduced missing-flush in convert on arm64',
    ]);
  });
});

describe('a function that does the same on both sides', () => {
  const unmap = (...lines: readonly string[]): Files => ({
    'mm/a.c': `
void unmap_one(pte_t *ptep, unsigned long addr)
{
	struct page *page = pte_page(*ptep);

	pte_clear(&init_mm, addr, ptep);
	${lines.join('\n\t')}
}
`,
  });
  const counted = (before: Files, after: Files, existing: boolean): readonly [number, string[]] => {
    const document = reviewSeries([change(before, after)], rules, {
      machines: ['x86-64', 'arm64'],
      existing,
      limits: { states: 60_000, milliseconds: 60_000 },
      now: () => 0,
      onProgress: () => {},
    });
    const found = document.patches.flatMap((patch) => patch.findings.map((f) => `${f.status} ${f.hazard}`));
    expect(document.patches.flatMap((patch) => patch.analysed.map((a) => a.function))).toEqual(['unmap_one']);
    return [document.stats.programs, found];
  };
  const WRONG = unmap('__free_page(page);');

  test('is not searched', () => {
    expect(counted(WRONG, unmap('/* Gone. */', '__free_page(page);;'), false)).toEqual([0, []]);
  });
  test('is searched once for each machine where it is asked what was there before', () => {
    expect(counted(WRONG, unmap('/* Gone. */', '__free_page(page);;'), true)).toEqual([
      2,
      ['existing free-before-flush'],
    ]);
  });
  test('is searched where what it stands for changed beside it', () => {
    const flush = (body: string): Files => ({
      'mm/a.c': `static void settle(unsigned long addr) { ${body} }\n${unmap('settle(addr);', '__free_page(page);')['mm/a.c']}`,
    });
    expect(
      verdicts(['x86-64'], flush('flush_tlb_kernel_range(addr, addr + PAGE_SIZE);'), flush(';')),
    ).toEqual(['introduced free-before-flush in unmap_one on x86-64']);
  });
  test('is cut off by time machine by machine', () => {
    let clock = 0;
    const document = reviewSeries([change(WRONG, unmap(';', '__free_page(page);'))], rules, {
      machines: ['x86-64', 'arm64'],
      existing: true,
      limits: { states: 60_000, milliseconds: 60_000, unchangedMilliseconds: 1 },
      now: () => {
        clock += 1;
        return clock;
      },
      onProgress: () => {},
    });
    const [patch] = document.patches;
    expect(patch?.undecided.map(({ kind, function: name }) => `${kind} ${name}`)).toEqual([
      'limit unmap_one',
    ]);
    expect(patch?.undecided[0]?.reason).toContain('time-limit on');
  });
});

describe('what goes away with what was wrong', () => {
  const FREE = (order: string): string => `
void drop_area_page(pmd_t *pmd, unsigned long addr)
{
	pte_t *ptep = pte_offset_kernel(pmd, addr);
	pte_t pte = ptep_get(ptep);

	if (!pte_present(pte))
		return;
	pte_clear(&init_mm, addr, ptep);
	${order}
}
`;
  const WRONG = FREE('__free_page(pte_page(pte)); flush_tlb_kernel_range(addr, addr + PAGE_SIZE);');
  const OTHER = 'void nothing_here(void)\n{\n}\n';

  test('a function that is removed, as one that is new brings it in', () => {
    const [without, having] = [{ 'mm/a.c': OTHER }, { 'mm/a.c': `${OTHER}${WRONG}` }];
    expect(verdicts(['x86-64'], without, having)).toEqual([
      'introduced free-before-flush in drop_area_page on x86-64',
    ]);
    expect(verdicts(['x86-64'], having, without)).toEqual([
      'fixed free-before-flush in drop_area_page on x86-64',
    ]);
  });
  test('nothing, where the function was right', () => {
    const right = FREE('flush_tlb_kernel_range(addr, addr + PAGE_SIZE); __free_page(pte_page(pte));');
    silentBothWays(['x86-64'], { 'mm/a.c': OTHER }, { 'mm/a.c': `${OTHER}${right}` });
  });
});

describe('a range that is kept in an mmu_gather by hand', () => {
  const adjust = (start: string, size = 'PAGE_SIZE'): Files => ({
    'mm/a.c': `
struct span { unsigned long start; unsigned long end; };

static inline void widen(struct span *span, unsigned long addr, unsigned long size)
{
	span->start = min(span->start, addr);
	span->end = max(span->end, addr + size);
}

void drop_page(struct vm_area_struct *vma, pte_t *ptep, unsigned long addr)
{
	struct span span;
	pte_t old = ptep_get(ptep);

	if (!pte_present(old))
		return;
	span.start = -1UL;
	span.end = 0;
	pte_clear(vma->vm_mm, addr, ptep);
	widen(&span, ${start}, ${size});
	flush_tlb_range(vma, span.start, span.end);
	put_page(pte_page(old));
}
`,
  });
  test('holds the address that joined it by min() and max()', () => {
    expect(verdicts(['x86-64'], adjust('addr'), adjust('addr & PAGE_MASK'))).toEqual([]);
    expect(verdicts(['x86-64'], adjust('addr'), adjust('addr'), true)).toEqual([]);
  });
  test('holds nothing where it ends with its start', () => {
    expect(verdicts(['x86-64'], adjust('addr'), adjust('addr', '0'))).toEqual([
      'introduced flush-scope-too-narrow in drop_page on x86-64',
    ]);
  });
});
