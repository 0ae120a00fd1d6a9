import { describe, expect, test } from 'vitest';
import type { ReviewedPatch, ReviewOptions } from '#review/document.js';
import { filesToScan, scanFile } from '#review/review-files.js';
import { Kept } from '#review/session.js';
import { loadRules } from '#rules/load-rules.js';
import type { Tree } from '#source/snapshot.js';
import { change } from './memory-tree.js';

const rules = loadRules();

function scanned(
  text: string,
  machines: readonly string[],
  onProgress: ReviewOptions['onProgress'] = () => {},
  beside: Readonly<Record<string, string>> = {},
  file = 'mm/a.c',
): ReviewedPatch {
  const tree: Tree = change({}, { ...beside, [file]: text }).after;
  const options: ReviewOptions = {
    machines,
    existing: true,
    limits: { states: 20_000, milliseconds: 5_000 },
    allowance: 'function',
    kindCallers: true,
    now: () => 0,
    onProgress,
  };
  return scanFile(tree, file, rules, options, new Kept()).patch;
}

/** `hazard in function:line` of everything that a scan shows in one file, in order. */
const scan = (text: string, machines: readonly string[] = ['x86-64', 'arm64']): string[] =>
  scanned(text, machines).findings.map(
    (finding) => `${finding.hazard} in ${finding.function}:${finding.line}`,
  );

/** `function: reason` of what was not decided, without machines and states. */
const undecided = (text: string, machines: readonly string[]): string[] =>
  scanned(text, machines).undecided.map(
    ({ function: name, reason }) => `${name}: ${reason.replace(/ on .*/, '')}`,
  );

/** Names of the functions that a scan searches, in order. */
function searched(text: string, beside: Readonly<Record<string, string>> = {}, file = 'mm/a.c'): string[] {
  const names: string[] = [];
  const note: ReviewOptions['onProgress'] = (event) => {
    if (event.kind === 'function') names.push(event.function);
  };
  scanned(text, ['x86-64'], note, beside, file);
  return names;
}

test('a function is searched by itself once, behind those that it calls', () => {
  const args = 'struct mm_struct *mm, unsigned long addr, pte_t *ptep';
  const clear = 'static void drop(ARGS)\n{\n\tptep_get_and_clear(mm, addr, ptep);\n}\n';
  const both = '#define BOTH(mm, addr, ptep) drop(mm, addr, ptep)\n';
  const outer = 'void outer(ARGS)\n{\n\tinner(mm, addr, ptep);\n\tdrop(mm, addr, ptep);\n}\n';
  const inner = 'void inner(ARGS)\n{\n\tBOTH(mm, addr, ptep);\n}\n';
  const text = `void inner(ARGS);\n${clear}${both}${outer}${inner}`.replaceAll('ARGS', args);
  expect(searched(text)).toEqual(['inner', 'outer']);
});

test('a function that knows where an entry lies and comes to none is not searched', () => {
  const look = (at: string): string => `int look(struct vm_fault *vmf)\n{\n\treturn vmf->${at} != 0;\n}\n`;
  expect(searched(look('address'))).toEqual([]);
  expect(searched(look('pte'))).toEqual(['look']);
  const free = (head: string): string => `void look(${head})\n{\n\tremove_vm_area((void *)addr);\n}\n`;
  expect(searched(free('unsigned long addr'))).toEqual([]);
  expect(searched(free('unsigned long addr, pte_t *ptep'))).toEqual(['look']);
});

test('a header is searched where it, or the file beside it that includes it, leads to an entry', () => {
  const header =
    'static inline int count(int n)\n{\n\treturn n + 1;\n}\n\nstatic inline void sweep(int n)\n{\n\tdrop(n);\n}\n';
  const beside = (drop: string): Readonly<Record<string, string>> => ({
    'mm/a.c': `#include "a.h"\n\nstatic pte_t *slot(int n);\n\nstatic void drop(int n)\n{\n${drop}}\n`,
  });
  expect(searched(header, {}, 'mm/a.h')).toEqual([]);
  expect(searched(header, beside('\tcond_resched();\n'), 'mm/a.h')).toEqual([]);
  expect(
    searched(header, beside('\tpte_t *ptep = slot(n);\n\n\tpte_clear(&init_mm, 0, ptep);\n'), 'mm/a.h'),
  ).toEqual(['sweep']);
});

describe('what callers out of view did before', () => {
  test('a page that is handed over is taken to be unmapped and flushed', () => {
    expect(scan('void drop(struct page *page)\n{\n\t__free_page(page);\n}\n')).toEqual([]);
  });

  test('one that the function itself unmaps is not', () => {
    const unmap = (...steps: readonly string[]): string =>
      `void drop(pte_t *ptep, unsigned long addr)\n{\n\tstruct page *page;\n\n\tif (!pte_present(*ptep))\n\t\treturn;\n\tpage = pte_page(*ptep);\n${steps.join('')}}\n`;
    const clear = '\tpte_clear(&init_mm, addr, ptep);\n';
    const flush = '\tflush_tlb_kernel_range(addr, addr + PAGE_SIZE);\n';
    const free = '\t__free_page(page);\n';
    expect(scan(unmap(clear, free, flush))).toEqual(['free-before-flush in drop:9']);
    expect(scan(unmap(clear, flush, free))).toEqual([]);
  });

  test('one that is only copied is taken to be written by nobody, one that it unmaps is not', () => {
    const copy = (steps: string): string =>
      `void copy(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep, struct page *to, struct page *from)\n{\n${steps}\tcopy_highpage(to, from);\n\tflush_tlb_page(vma, addr);\n}\n`;
    const unmap = (clear: string): string =>
      `\tif (!pte_present(*ptep))\n\t\treturn;\n\tfrom = pte_page(*ptep);\n\t${clear};\n`;
    expect(scan(copy(''))).toEqual([]);
    expect(scan(copy(unmap('ptep_clear_flush(vma, addr, ptep)')))).toEqual([]);
    expect(scan(copy(unmap('ptep_get_and_clear(vma->vm_mm, addr, ptep)')))).toEqual([
      'missing-flush in copy:7',
    ]);
  });

  const store = (look: string): string =>
    `void put(struct mm_struct *mm, unsigned long addr, pte_t *ptep, struct page *page)\n{\n${look}\tset_pte_at(mm, addr, ptep, mk_pte(page, PAGE_KERNEL));\n}\n`;

  test('an entry that the function never looks at is taken to be empty', () => {
    expect(scan(store(''), ['arm64'])).toEqual([]);
    expect(scan(store('\tif (!pte_none(*ptep))\n\t\treturn;\n'), ['arm64'])).toEqual([]);
  });

  test('one that it found present is not', () => {
    expect(scan(store('\tif (!pte_present(*ptep))\n\t\treturn;\n'), ['arm64'])).toEqual([
      'break-before-make in put:5',
    ]);
  });

  test('who drops a reference of a mapped page that it was not seen to take holds one', () => {
    const drop = (before: string): string =>
      `void look(struct mm_struct *mm, unsigned long addr, pte_t *ptep)\n{\n\tpte_t pte = ptep_get(ptep);\n\n\tif (!pte_present(pte))\n\t\treturn;\n${before}\tput_page(pte_page(pte));\n}\n`;
    expect(scan(drop(''))).toEqual([]);
    expect(scan(drop('\tptep_get_and_clear(mm, addr, ptep);\n'))).toEqual(['free-before-flush in look:8']);
  });
});

describe('what callers out of view hold', () => {
  const freeTable = (head: string, find: string): string =>
    `int free_table(${head}unsigned long addr)\n{\n\tpte_t *table;\n${find}\ttable = (pte_t *)pmd_page_vaddr(*pmdp);\n\tpmd_clear(pmdp);\n\tflush_tlb_kernel_range(addr, addr + PMD_SIZE);\n\tfree_page((unsigned long)table);\n\treturn 1;\n}\n`;
  const walk = `
	pgd_t *pgdp = pgd_offset_k(addr);
	pmd_t *pmdp = pmd_offset(pud_offset(p4d_offset(pgdp, addr), addr), addr);

	if (!pmd_present(*pmdp) || pmd_leaf(*pmdp))
		return 0;
`;

  test('keeps those out who take a lock, where the entry is handed over', () => {
    expect(scan(freeTable('pmd_t *pmdp, ', ''), ['x86-64'])).toEqual([]);
    expect(scan(freeTable('', walk), ['x86-64'])).toEqual(['shared-table-walk-race in free_table:13']);
  });

  const replace = (value: string, unless: string): string =>
    `void put(struct mm_struct *mm, unsigned long addr, pte_t *ptep, pte_t entry, struct page *page)\n{\n\tif (!pte_present(*ptep)${unless})\n\t\treturn;\n\tset_pte_at(mm, addr, ptep, ${value});\n}\n`;

  test('a value that comes in whole may be put where it is put, one of another page may not', () => {
    expect(scan(replace('entry', ' || pte_same(*ptep, entry)'), ['arm64'])).toEqual([]);
    expect(scan(replace('mk_pte(page, PAGE_KERNEL)', ''), ['arm64'])).toEqual(['break-before-make in put:5']);
  });

  const drop = (page: string): string =>
    `void drop(struct mm_struct *mm, unsigned long addr, pte_t *ptep, struct page *page)\n{\n\tif (!pte_present(*ptep))\n\t\treturn;\n${page}\tptep_get_and_clear(mm, addr, ptep);\n\tput_page(page);\n\tput_page(page);\n\tflush_tlb_mm(mm);\n}\n`;

  test('a page that they pass is theirs, one that the entry maps is not', () => {
    expect(scan(drop(''), ['x86-64'])).toEqual([]);
    expect(scan(drop('\tpage = pte_page(*ptep);\n'), ['x86-64'])).toEqual(['free-before-flush in drop:7']);
  });
});

test('an assertion tells what an entry holds where every kernel makes it', () => {
  const put = (assertion: string): string =>
    `void put(struct mm_struct *mm, unsigned long addr, pte_t *ptep, struct page *page)\n{\n\tpte_t old = *ptep;\n\n\tif (pte_none(old))\n\t\treturn;\n\t${assertion};\n\tset_pte_at(mm, addr, ptep, mk_pte(page, PAGE_KERNEL));\n}\n`;
  const scanned = (assertion: string) => scan(put(assertion), ['arm64']);
  expect(scanned('BUG_ON(pte_present(old))')).toEqual([]);
  expect(scanned('if (pte_present(old))\n\t\tpanic("mapped")')).toEqual([]);
  const wrong = ['break-before-make in put:8'];
  expect(scanned('BUG_ON(!pte_present(old))')).toEqual(wrong);
  expect(scanned('BUG_ON(pte_present(old) && !mm)')).toEqual(wrong);
  expect(scanned('WARN_ON(pte_present(old))')).toEqual(wrong);
  expect(scanned('VM_BUG_ON(pte_present(old))')).toEqual(wrong);
});

describe('what an entry held that callers saw before', () => {
  const fault = (check: string, between = ''): string =>
    `void fault(struct vm_fault *vmf, struct vm_area_struct *vma, struct page *page)\n{\n\tpte_t old = ptep_get(vmf->pte);\n\n\tif (!pte_present(old))\n\t\treturn;\n\tspin_lock(vmf->ptl);\n\tif (${check})\n\t\tgoto out;\n${between}\tset_pte_at(vma->vm_mm, vmf->address, vmf->pte, mk_pte(page, vma->vm_page_prot));\nout:\n\tspin_unlock(vmf->ptl);\n}\n`;
  const same = '!pte_same(ptep_get(vmf->pte), vmf->orig_pte)';

  test('is theirs to replace where it is found to be there still', () => {
    expect(scan(fault(same), ['arm64'])).toEqual([]);
  });

  test('is not where the code itself saw it, and not behind the lock', () => {
    expect(scan(fault('!pte_same(ptep_get(vmf->pte), old)'), ['arm64'])).toEqual([
      'break-before-make in fault:10',
    ]);
    const again = '\tspin_unlock(vmf->ptl);\n\tspin_lock(vmf->ptl);\n';
    expect(scan(fault(same, again), ['arm64'])).toEqual(['break-before-make in fault:12']);
  });

  test('is not once it is cleared: TLBs may still hold it', () => {
    const clear = '\tptep_get_and_clear(vma->vm_mm, vmf->address, vmf->pte);\n';
    expect(scan(fault(same, clear), ['arm64'])).toEqual(['break-before-make in fault:11']);
  });
});

test('a table that hangs nowhere may be filled again and again, one that is linked may not', () => {
  const fill = (...steps: readonly string[]): string =>
    `void fill(struct mm_struct *mm, pmd_t *pmdp, unsigned long addr, struct page *first, struct page *second)\n{\n\tpte_t *ptep = pte_offset_kernel(pmdp, addr);\n\n\tif (!pte_none(ptep_get(ptep)))\n\t\treturn;\n${steps.join('')}}\n`;
  const put = (page: string): string => `\tset_pte_at(mm, addr, ptep, mk_pte(${page}, PAGE_KERNEL));\n`;
  const unlink = '\tpmd_clear(pmdp);\n';
  const flush = '\tflush_tlb_mm(mm);\n';
  expect(scan(fill(unlink, flush, put('first'), put('second')), ['arm64'])).toEqual([]);
  expect(scan(fill(put('first'), put('second')), ['arm64'])).toEqual(['break-before-make in fill:8']);
  // Walk caches lead to it until the flush.
  expect(scan(fill(unlink, put('first'), put('second'), flush), ['arm64'])).toContain(
    'break-before-make in fill:9',
  );
});

test('nobody is inside the tables of an mm that goes as a whole', () => {
  const drop = (gather: string): string =>
    `void drop(struct mm_struct *mm, pmd_t *pmdp, unsigned long addr)\n{\n\tstruct mmu_gather tlb;\n\tpgtable_t table = pmd_pgtable(*pmdp);\n\n\tif (!pmd_present(*pmdp))\n\t\treturn;\n\t${gather}(&tlb, mm);\n\tpmd_clear(pmdp);\n\tpte_free_tlb(&tlb, table, addr);\n\ttlb_finish_mmu(&tlb);\n}\n`;
  expect(scan(drop('tlb_gather_mmu_fullmm'), ['mips64-ginvt'])).toEqual([]);
  expect(scan(drop('tlb_gather_mmu'), ['mips64-ginvt'])).toEqual(['flush-without-ipi in drop:11']);
});

describe('calls that nest too deep', () => {
  const nest = (depth: number, handed: string, last: string): string => {
    const parameters = handed === 'ptep' ? 'struct mm_struct *mm, pte_t *ptep' : 'struct mm_struct *mm';
    const args = handed === 'ptep' ? 'mm, ptep' : 'mm';
    const body = (n: number): string => (n === depth ? last : `\tdown${n + 1}(${args});\n`);
    const downs = Array.from({ length: depth }, (_, n) => depth - n).map(
      (n) => `static noinline void down${n}(${parameters})\n{\n${body(n)}}\n\n`,
    );
    return `${downs.join('')}void put(struct mm_struct *mm, unsigned long addr, pte_t *ptep, struct page *page)\n{\n\tif (!pte_present(*ptep))\n\t\treturn;\n\tdown1(${args});\n\tset_pte_at(mm, addr, ptep, mk_pte(page, PAGE_KERNEL));\n}\n`;
  };
  const clear = '\tpte_clear(mm, 0, ptep);\n\tflush_tlb_mm(mm);\n';
  const flush = '\tflush_tlb_mm(mm);\n';

  test('end the run where they are handed the entry: what they do with it is not known', () => {
    expect(scan(nest(12, 'ptep', clear), ['arm64'])).toEqual([]);
    expect(scan(nest(3, 'ptep', clear), ['arm64'])).toEqual([]);
    expect(scan(nest(3, 'ptep', flush), ['arm64'])).toEqual(['break-before-make in put:21']);
  });

  test('are left out where they are not', () => {
    expect(scan(nest(12, 'mm', flush), ['arm64'])).toEqual(['break-before-make in put:66']);
  });

  test('leave the function undecided', () => {
    expect(undecided(nest(12, 'ptep', clear), ['arm64'])).toContain('put: calls nest too deep');
    expect(undecided(nest(12, 'mm', flush), ['arm64'])).toEqual([]);
  });
});

describe('entries in halves', () => {
  const halves = `static void put_halves(u64 *sptep, u64 spte)
{
	union split_spte *to = (union split_spte *)sptep;
	union split_spte from = (union split_spte)spte;

	to->spte_high = from.spte_high;
	smp_wmb();
	WRITE_ONCE(to->spte_low, from.spte_low);
}

static void take_halves(u64 *sptep, u64 spte)
{
	union split_spte *to = (union split_spte *)sptep;
	union split_spte from = (union split_spte)spte;

	WRITE_ONCE(to->spte_low, from.spte_low);
	smp_wmb();
	to->spte_high = from.spte_high;
}

`;
  const slot = (look: string): string =>
    `${halves}void sync(struct kvm_mmu_page *sp, int i, kvm_pfn_t pfn)\n{\n\tu64 *sptep = &sp->spt[i];\n\n\tif (${look})\n\t\treturn;\n\tput_halves(sptep, make_mmio_spte(0, pfn, 0));\n}\n`;

  test('one slot of a table is one entry, however often it is named', () => {
    expect(scan(slot('is_shadow_present_pte(*sptep)'), ['x86-32-pae'])).toEqual([]);
    expect(scan(slot('is_shadow_present_pte(sp->spt[i])'), ['x86-32-pae'])).toEqual([]);
    expect(scan(slot('!is_shadow_present_pte(*sptep)'), ['x86-32-pae'])).toEqual([
      'split-pte-write-order in put_halves:6',
    ]);
  });

  const fault = (look: string): string =>
    `${halves}void fault_in(struct kvm_page_fault *fault, u64 *sptep)\n{\n\tu64 spte;\n\n\tif (!is_shadow_present_pte(*sptep)${look})\n\t\treturn;\n\tmake_spte(0, 0, 0, 0, 0, fault->pfn, *sptep, false, true, true, &spte);\n\ttake_halves(sptep, spte);\n}\n`;

  test('who is handed a value clears by the low half and fills by the high one', () => {
    expect(scan(halves, ['x86-32-pae'])).toEqual([]);
    const present =
      'void put_page_low_first(u64 *sptep, u64 old)\n{\n\ttake_halves(sptep, make_huge_page_split_spte(0, old, 0, 0));\n}\n';
    expect(scan(halves + present, ['x86-32-pae'])).toEqual(['split-pte-write-order in take_halves:16']);
    const unordered = halves.replace(
      '\tsmp_wmb();\n\tWRITE_ONCE(to->spte_low, from.spte_low);',
      '\tto->spte_low = from.spte_low;',
    );
    expect(scan(unordered, ['x86-32-pae'])).toEqual(['split-pte-write-order in put_halves:7']);
  });

  test('the page of a fault may be the one that is mapped: who compares them knows', () => {
    expect(scan(fault(' || fault->pfn != spte_to_pfn(*sptep)'), ['x86-32-pae'])).toEqual([]);
    expect(scan(fault(''), ['x86-32-pae'])).toEqual(['split-pte-write-order in take_halves:16']);
  });
});

test('entries that are found in two areas are two, in one area one', () => {
  const copy = (from: string, to: string): string =>
    `void copy(struct mm_struct *mm, struct vm_area_struct *new, struct vm_area_struct *old, unsigned long addr, unsigned long size, struct page *page)\n{\n\tpte_t *src = hugetlb_walk(old, addr, size);\n\tpte_t *dst = huge_pte_alloc(mm, ${from}, addr, size);\n\n\tif (!src || !dst || !pte_present(huge_ptep_get(mm, addr, src)))\n\t\treturn;\n\tset_huge_pte_at(mm, addr, ${to}, mk_pte(page, PAGE_KERNEL), size);\n}\n`;
  expect(scan(copy('new', 'dst'), ['arm64'])).toEqual([]);
  expect(scan(copy('new', 'src'), ['arm64'])).toEqual(['break-before-make in copy:8']);
  expect(scan(copy('old', 'dst'), ['arm64'])).toEqual(['break-before-make in copy:8']);
});

test('pointer and address of a loop go together, though the pointer may be found again on the way', () => {
  const zap = (track: string): string => `
int zap(pmd_t *pmd, unsigned long addr, unsigned long end, struct mm_walk *walk)
{
	struct mmu_gather *tlb = walk->private;
	pte_t *start, *pte;
	spinlock_t *ptl;
	int nr;

	start = pte = pte_offset_map_lock(tlb->mm, pmd, addr, &ptl);
	if (!start)
		return 0;
	for (; addr != end; pte += nr, addr += PAGE_SIZE * nr) {
		nr = 1;
		if (!pte_present(ptep_get(pte)))
			continue;
		if (spin_needbreak(ptl)) {
			pte_unmap_unlock(start, ptl);
			start = pte = pte_offset_map_lock(tlb->mm, pmd, addr, &ptl);
			if (!start)
				return 0;
		}
		ptep_get_and_clear(tlb->mm, addr, pte);
		tlb_remove_tlb_entry(tlb, pte, ${track});
	}
	pte_unmap_unlock(start, ptl);
	return 0;
}
`;
  expect(scan(zap('addr'), ['x86-64'])).toEqual([]);
  expect(scan(zap('addr + PAGE_SIZE'), ['x86-64'])).not.toEqual([]);
});

describe('lists that callers filled', () => {
  const drop = (look: string, list = 'struct list_head *list', add = ''): string =>
    `void drop(pte_t *ptep, unsigned long addr, ${list})\n{\n\tstruct page *page, *next;\n\n${look}${add}\tlist_for_each_entry_safe(page, next, list, lru)\n\t\t__free_page(page);\n}\n`;
  const look = '\tif (!pte_present(*ptep))\n\t\treturn;\n';
  const clear = '\tpte_clear(&init_mm, addr, ptep);\n';

  test('hold no page that is found linked, and may hold one that was unlinked here', () => {
    expect(scan(drop(look), ['x86-64'])).toEqual([]);
    expect(scan(drop(look + clear), ['x86-64'])).toEqual(['free-before-flush in drop:9']);
  });

  test('hold what was put there here', () => {
    expect(
      scan(drop(look, 'struct list_head *list', '\tlist_add(&pte_page(*ptep)->lru, list);\n'), ['x86-64']),
    ).toEqual(['free-before-clear in drop:9']);
  });
});

describe('mmu_lock', () => {
  const zap = (take: string, drop: string, below: string): string =>
    `static void zap_one(struct kvm *kvm, u64 *sptep)\n{\n${below}\tmmu_spte_clear(sptep);\n}\n\nvoid zap(struct kvm *kvm, u64 *sptep, bool shared)\n{\n\tif (!is_shadow_present_pte(*sptep))\n\t\treturn;\n\t${take}(&kvm->mmu_lock);\n\tzap_one(kvm, sptep);\n\t${drop}(&kvm->mmu_lock);\n}\n`.replace(
      'mmu_spte_clear(sptep)',
      'WRITE_ONCE(*sptep, SHADOW_NONPRESENT_VALUE)',
    );
  const asserts = '\tlockdep_assert_held_write(&kvm->mmu_lock);\n';

  test('who took it the other way does not come to where it is asserted', () => {
    expect(scan(zap('read_lock', 'read_unlock', asserts), ['x86-64'])).toEqual([]);
    expect(scan(zap('read_lock', 'read_unlock', ''), ['x86-64'])).toEqual(['unlock-before-flush in zap:12']);
    expect(scan(zap('write_lock', 'write_unlock', asserts), ['x86-64'])).toEqual([
      'unlock-before-flush in zap:13',
    ]);
  });
});

test('a table has parents as long as an entry leads to it', () => {
  const zap = (unlink: string): string =>
    `void zap(struct kvm *kvm, struct kvm_mmu_page *sp)\n{\n\tstruct rmap_iterator iter;\n\tu64 *sptep;\n\n\tif (!is_shadow_present_pte(*sp->ptep))\n\t\treturn;\n${unlink}\tkvm_flush_remote_tlbs(kvm);\n\tfree_page((unsigned long)sp->spt);\n}\n`;
  const loop =
    '\twhile ((sptep = rmap_get_first(&sp->parent_ptes, &iter)))\n\t\tWRITE_ONCE(*sptep, SHADOW_NONPRESENT_VALUE);\n';
  expect(scan(zap(loop), ['x86-64'])).toEqual([]);
  expect(scan(zap(''), ['x86-64'])).toEqual(['free-before-clear in zap:9']);
});

describe('code that runs while the kernel boots', () => {
  const fill = (init: string, more = ''): string =>
    `static int${init} fill(pte_t *ptep, unsigned long addr, struct page *page)\n{\n\tif (!pte_present(*ptep))\n\t\treturn 0;\n\tset_pte_at(&init_mm, addr, ptep, mk_pte(page, PAGE_KERNEL));\n\treturn 0;\n}\n${more}`;

  test('fills tables that no CPU has loaded', () => {
    expect(scan(fill(' __init'), ['arm64'])).toEqual([]);
    expect(scan(fill(''), ['arm64'])).toEqual(['break-before-make in fill:5']);
  });

  test('initcalls run when all CPUs do', () => {
    expect(scan(fill(' __init', 'late_initcall(fill);\n'), ['arm64'])).toEqual([
      'break-before-make in fill:5',
    ]);
  });

  test('frees nothing that is linked', () => {
    const drop = `void __init drop(pte_t *ptep, unsigned long addr)\n{\n\tif (!pte_present(*ptep))\n\t\treturn;\n\t__free_page(pte_page(*ptep));\n\tpte_clear(&init_mm, addr, ptep);\n}\n`;
    expect(scan(drop, ['arm64'])).toEqual(['free-before-clear in drop:5']);
  });
});

test('no CPU has a page directory loaded that is handed over to be freed', () => {
  const drop = (last: string): string =>
    `void drop(struct mm_struct *mm, pgd_t *pgd)\n{\n\tp4d_t *table = (p4d_t *)pgd_page_vaddr(*pgd);\n\n\tif (!pgd_present(*pgd))\n\t\treturn;\n\tpgd_clear(pgd);\n\tp4d_free(mm, table);\n${last}}\n`;
  expect(scan(drop('\tfree_page((unsigned long)pgd);\n'), ['x86-64'])).toEqual([]);
  expect(scan(drop(''), ['x86-64'])).toEqual(['table-free-before-flush in drop:8']);
});

test('numbers of 64 bits are read', () => {
  expect(scan('void mask(u64 *p)\n{\n\t*p = 0xfedcba9876543210ULL;\n}\n')).toEqual([]);
});

describe('places', () => {
  const tear = (pte: string, pmd: string): string => `
static void give_back(struct page *page)
{
	__free_page(page);
}

static void drop_pte(pte_t *ptep, unsigned long addr)
{
	struct page *page = pte_page(*ptep);

${pte}}

static void drop_pmd(pmd_t *pmdp)
{
	struct page *page = pmd_page(*pmdp);

${pmd}}

void tear(pmd_t *pmdp, unsigned long addr)
{
	pte_t *ptep;

	if (pmd_leaf(*pmdp)) {
		drop_pmd(pmdp);
	} else {
		ptep = pte_offset_kernel(pmdp, addr);
		if (pte_present(*ptep))
			drop_pte(ptep, addr);
	}
	flush_tlb_kernel_range(addr, addr + PMD_SIZE);
}
`;
  const PTE = ['\tpte_clear(&init_mm, addr, ptep);\n', '\tgive_back(page);\n'] as const;
  const PMD = ['\tpmd_clear(pmdp);\n', '\tgive_back(page);\n'] as const;

  test('each is a finding, in the function that deals with the entry', () => {
    const found = scan(tear(PTE.toReversed().join(''), PMD.join('')), ['x86-64']);
    expect(found).toEqual(['free-before-clear in drop_pte:11', 'free-before-flush in drop_pmd:20']);
  });
});

describe('filesToScan', () => {
  test('gives C files and headers of folders, each once, in the order that was asked for', () => {
    const { after } = change({}, { 'mm/b.c': '', 'mm/a.h': '', 'mm/sub/c.c': '', 'mm/Kconfig': '' });
    expect(filesToScan(after, ['mm/sub/', 'mm'])).toEqual(['mm/sub/c.c', 'mm/a.h', 'mm/b.c']);
  });
});

describe('code that has nothing to do with entries is not searched', () => {
  const free = (page: string): string =>
    `\tpte_clear(&init_mm, 0, ${page});\n\t__free_page(pte_page(old));\n`;
  /** Functions in which the page that an entry maps is freed with no flush, and searches that a scan makes. */
  const found = (
    text: string,
    headers: Record<string, string> = {},
    machines: readonly string[] = OPTIONS.machines,
  ): { readonly functions: readonly string[]; readonly states: number } => {
    const tree = change({}, { 'mm/a.c': text, ...headers }).after;
    const { patch, states } = scanFile(tree, 'mm/a.c', rules, { ...OPTIONS, machines }, new Kept());
    return { functions: [...new Set(patch.findings.map((finding) => finding.function))], states };
  };
  const OPTIONS = {
    machines: ['x86-64'],
    existing: true,
    limits: { states: 20_000, milliseconds: 5_000 },
    allowance: 'function',
    kindCallers: true,
    now: () => 0,
    onProgress: () => {},
  } as const;

  /** Is the function asked about on some machine? */
  const isLookedThrough = (text: string): boolean => {
    const tree = change({}, { 'mm/a.c': text }).after;
    const asked: string[] = [];
    const onProgress: ReviewOptions['onProgress'] = (event) => {
      if (event.kind === 'function') asked.push(event.function);
    };
    scanFile(tree, 'mm/a.c', rules, { ...OPTIONS, onProgress }, new Kept());
    return asked.includes('drop');
  };

  test('a page that comes from nowhere near one', () => {
    const text = `void drop(struct list_head *list, struct page *page, int n)\n{\n\tif (n > 1)\n\t\tlist_add(&page->lru, list);\n\telse\n\t\t__free_page(page);\n}\n`;
    expect(found(text)).toEqual({ functions: [], states: 0 });
  });

  test('one machine may come to an entry by a name that leads nowhere on another', () => {
    const text = `#include <asm/pgtable.h>\nvoid drop(struct page *page, unsigned long addr)\n{\n\tunlink(page, addr);\n\t__free_page(page);\n}\n`;
    const own = (body: string): string =>
      `static inline void unlink(struct page *page, unsigned long addr)\n{\n${body}}\n`;
    const headers = {
      'arch/x86/include/asm/pgtable.h': own('\tpage = NULL;\n'),
      'arch/arm64/include/asm/pgtable.h': own(
        '\tpte_t *ptep = pte_offset_kernel(NULL, addr);\n\n\tif (pte_present(*ptep))\n\t\tpte_clear(&init_mm, addr, ptep);\n',
      ),
    };
    expect(found(text, headers, ['x86-64'])).toEqual({ functions: [], states: 0 });
    expect(found(text, headers, ['x86-64', 'arm64']).states).toBeGreaterThan(0);
    expect(found(text, { ...headers, 'mm/a.c': text.replace(/#include.*\n/, '') }, ['arm64']).states).toBe(0);
  });

  test('an entry that is met deeper than calls are followed', () => {
    const nest = (depth: number): string => {
      const body = (n: number): string => (n === depth ? free('vmf->pte') : `\tdown${n + 1}(vmf);\n`);
      const downs = Array.from({ length: depth + 1 }, (_, n) => depth - n).map(
        (n) => `static void ${n === 0 ? 'drop' : `down${n}`}(struct vm_fault *vmf)\n{\n${body(n)}}\n`,
      );
      return downs.join('').replace('static void drop', 'void drop');
    };
    expect(isLookedThrough(nest(7))).toBe(true);
    expect(isLookedThrough(nest(8))).toBe(false);
  });

  test.each([
    ['a size', '#define ORDER (sizeof(pte_t) * 2)', '#define ORDER ((pte_t *)vmf)->pte'],
    ['a list that may be empty', '#define ORDER log(1, ##vmf)', '#define ORDER vmf->p##te'],
    ['a constant of that name', '#define ORDER no_such_pmd', '#define ORDER vmf->pte'],
  ])('%s is no entry', (_, macro, entry) => {
    const use = (define: string): string =>
      `${define}\nvoid drop(struct vm_fault *vmf, struct page *page)\n{\n\tuse(ORDER);\n\t__free_page(page);\n}\n`;
    expect(isLookedThrough(use(macro))).toBe(false);
    expect(isLookedThrough(use(entry))).toBe(true);
  });

  test('flags of a page are no entry in it', () => {
    const text = (p: string): string =>
      `void mark(struct page *page, pte_t *ptep, unsigned long old)\n{\n\ttry_cmpxchg(${p}, &old, old | 4);\n\t__free_page(page);\n}\n`;
    const { states } = found(text('&page->flags').replace('pte_t *ptep, ', ''));
    expect(states).toBe(0);
    expect(found(text('ptep')).states).toBeGreaterThan(0);
  });

  test.each([
    [
      'a type',
      `void drop(pte_t *ptep)\n{\n\tpte_t old = *ptep;\n\n\tif (!pte_present(old))\n\t\treturn;\n${free('ptep')}}\n`,
      'drop',
    ],
    [
      'a member',
      `void drop(struct vm_fault *vmf)\n{\n\tstruct page *page;\n\n\tif (!pte_present(*vmf->pte))\n\t\treturn;\n\tpage = pte_page(*vmf->pte);\n\tpte_clear(&init_mm, 0, vmf->pte);\n\t__free_page(page);\n}\n`,
      'drop',
    ],
    [
      'a function that it calls',
      `static void inner(struct vm_fault *vmf)\n{\n\tpte_t old = *vmf->pte;\n\n\tif (!pte_present(old))\n\t\treturn;\n${free('vmf->pte')}}\nstatic void middle(struct vm_fault *vmf)\n{\n\tinner(vmf);\n}\nvoid drop(struct vm_fault *vmf)\n{\n\tmiddle(vmf);\n}\n`,
      'inner',
    ],
    [
      'a callback in a table',
      `static int one(pte_t *ptep, unsigned long addr, unsigned long next, struct mm_walk *walk)\n{\n\tpte_t old = *ptep;\n\n\tif (!pte_present(old))\n\t\treturn 0;\n${free('ptep')}\treturn 0;\n}\nstatic const struct mm_walk_ops ops = { .pte_entry = one };\nvoid drop(struct mm_struct *mm)\n{\n\twalk_page_range(mm, 0, 4096, &ops, NULL);\n}\n`,
      'one',
    ],
  ])('what comes to one through %s is', (_, text, name) => {
    expect(found(text).functions).toEqual([name]);
  });
});
