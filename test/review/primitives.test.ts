/** Patches to the bodies of primitives: in the clients that come to them, and by themselves where none does. */
import { describe, expect, test } from 'vitest';
import { introducedIn } from './introduced.js';

/** What a change of the file brings in, and what is left open. */
function introduced(file: string, machine: string, before: string, after: string): string[] {
  expect(after).not.toBe(before);
  return introducedIn({ [file]: before }, { [file]: after }, machine);
}

describe('a primitive that no client comes to', () => {
  const file = 'arch/riscv/mm/hugetlbpage.c';
  const write = (flush: string): string => `void huge_ptep_set_wrprotect(struct mm_struct *mm,
			     unsigned long addr, pte_t *ptep)
{
	struct vm_area_struct vma = TLB_FLUSH_VMA(mm, 0);
	pte_t pte;

	if (!pte_napot(ptep_get(ptep))) {
		ptep_set_wrprotect(mm, addr, ptep);
		return;
	}
	pte = ptep_get_and_clear(mm, addr, ptep);
${flush}	set_pte(ptep, pte_wrprotect(pte));
}
`;
  const right = write('\tflush_tlb_range(&vma, addr, addr + PAGE_SIZE);\n');
  test('is judged by itself', () => {
    expect(introduced(file, 'riscv64', right, write(''))).toEqual([
      'missing-flush in huge_ptep_set_wrprotect',
    ]);
  });
  test('may flush more than it did', () => {
    expect(introduced(file, 'riscv64', right, write('\tflush_tlb_mm(mm);\n'))).toEqual([]);
  });
});

describe('a contiguous block that is replaced where it stands', () => {
  const file = 'arch/arm64/mm/hugetlbpage.c';
  const block = (flush: string): string => `static void clear_flush(struct mm_struct *mm, unsigned long addr,
			pte_t *ptep, unsigned long pgsize, unsigned long ncontig)
{
	struct vm_area_struct vma = TLB_FLUSH_VMA(mm, 0);
	unsigned long i, saddr = addr;

	for (i = 0; i < ncontig; i++, addr += pgsize, ptep++)
		__ptep_get_and_clear(mm, addr, ptep);

${flush}}

void set_huge_pte_at(struct mm_struct *mm, unsigned long addr, pte_t *ptep, pte_t pte, unsigned long sz)
{
	unsigned long i, pfn = pte_pfn(pte);

	if (!pte_cont(pte)) {
		__set_pte(ptep, pte);
		return;
	}
	clear_flush(mm, addr, ptep, PAGE_SIZE, CONT_PTES);
	for (i = 0; i < CONT_PTES; i++, ptep++, addr += PAGE_SIZE, pfn++)
		__set_pte(ptep, pfn_pte(pfn, pte_pgprot(pte)));
}
`;
  const right = block('\tflush_tlb_range(&vma, saddr, addr);\n');
  const wrong = ['break-before-make in clear_flush'];
  test('is flushed', () => {
    expect(introduced(file, 'arm64', right, block(''))).toEqual(wrong);
  });
  test('is flushed to its end', () => {
    const first = block('\tflush_tlb_range(&vma, saddr, saddr + pgsize);\n');
    expect(introduced(file, 'arm64', right, first)).toEqual(wrong);
  });
  test('may be flushed with everything else', () => {
    expect(introduced(file, 'arm64', right, block('\tflush_tlb_mm(mm);\n'))).toEqual([]);
  });
});

test('a range flush with the hint of a large page leaves the small pages of a table that was unlinked', () => {
  const file = 'mm/pgtable-generic.c';
  const collapse = (
    flush: string,
  ): string => `pmd_t pmdp_collapse_flush(struct vm_area_struct *vma, unsigned long address, pmd_t *pmdp)
{
	pmd_t pmd = pmdp_huge_get_and_clear(vma->vm_mm, address, pmdp);

	${flush}(vma, address, address + HPAGE_PMD_SIZE);
	return pmd;
}
`;
  const right = collapse('flush_tlb_range');
  expect(introduced(file, 'arm64', right, collapse('flush_pmd_tlb_range'))).toEqual([
    'flush-scope-too-narrow in pmdp_collapse_flush',
  ]);
  expect(introduced(file, 'x86-64', right, collapse('flush_pmd_tlb_range'))).toEqual([]);
});

test('a fixed mapping that is taken away is flushed', () => {
  const file = 'arch/arm64/mm/fixmap.c';
  const fixmap = (
    steps: string,
  ): string => `void __set_fixmap(enum fixed_addresses idx, phys_addr_t phys, pgprot_t flags)
{
	unsigned long addr = __fix_to_virt(idx);
	pte_t *ptep = fixmap_pte(addr);

	if (pgprot_val(flags)) {
		__set_pte(ptep, pfn_pte(phys >> PAGE_SHIFT, flags));
	} else {
${steps}	}
}
`;
  const clear = '\t\t__pte_clear(&init_mm, addr, ptep);\n';
  const flush = '\t\tflush_tlb_kernel_range(addr, addr + PAGE_SIZE);\n';
  const wrong = ['missing-flush in __set_fixmap'];
  expect(introduced(file, 'arm64', fixmap(clear + flush), fixmap(clear))).toEqual(wrong);
  expect(introduced(file, 'arm64', fixmap(clear + flush), fixmap(flush + clear))).toEqual(wrong);
  expect(introduced(file, 'arm64', fixmap(clear + flush), fixmap(`${clear}\t\tflush_tlb_all();\n`))).toEqual(
    [],
  );
});

test('virtual CPUs that run are flushed by interrupt', () => {
  const file = 'arch/x86/kernel/kvm.c';
  const multi = (
    flush: string,
  ): string => `static void kvm_flush_tlb_multi(const struct cpumask *cpumask, const struct flush_tlb_info *info)
{
	struct cpumask *flushmask = this_cpu_cpumask_var_ptr(__pv_cpu_mask);

	cpumask_copy(flushmask, cpumask);
${flush}}
`;
  const right = multi('\tnative_flush_tlb_multi(flushmask, info);\n');
  const some = multi('\tif (info->end == TLB_FLUSH_ALL)\n\t\tnative_flush_tlb_multi(flushmask, info);\n');
  const same = multi('\tif (info)\n\t\tpr_debug("flush\\n");\n\tnative_flush_tlb_multi(flushmask, info);\n');
  expect(introduced(file, 'x86-64-kvm', right, some)).toEqual(['missing-flush in kvm_flush_tlb_multi']);
  expect(introduced(file, 'x86-64-kvm', right, same)).toEqual([]);
});

describe('a table whose own tables were freed before', () => {
  const file = 'arch/arm64/mm/mmu.c';
  const free = (
    inner: string,
    outer: string,
  ): string => `int pud_free_pmd_page(pud_t *pudp, unsigned long addr)
{
	pmd_t *table, *pmdp;
	unsigned long next, end;
	pud_t pud = READ_ONCE(*pudp);

	if (!pud_table(pud))
		return 1;
	table = pmd_offset(pudp, addr);
	pmdp = table;
	next = addr;
	end = addr + PUD_SIZE;
	do {
		if (pmd_table(READ_ONCE(*pmdp))) {
			pte_t *ptep = pte_offset_kernel(pmdp, next);

			pmd_clear(pmdp);
${inner}			pte_free_kernel(NULL, ptep);
		}
	} while (pmdp++, next += PMD_SIZE, next != end);
	pud_clear(pudp);
${outer}	pmd_free(NULL, table);
	return 1;
}
`;
  const below = '\t\t\t__flush_tlb_kernel_pgtable(next);\n';
  const all = free(below, '\tflush_tlb_all();\n');
  test('leaves nothing stale below', () => {
    expect(introduced(file, 'arm64', all, free(below, '\t__flush_tlb_kernel_pgtable(addr);\n'))).toEqual([]);
  });
  test('is flushed itself', () => {
    expect(introduced(file, 'arm64', all, free(below, ''))).toEqual([
      'table-free-before-flush in pud_free_pmd_page',
    ]);
  });
  test('is not what flushes those below in time', () => {
    expect(introduced(file, 'arm64', all, free('', '\tflush_tlb_all();\n'))).toEqual([
      'table-free-before-flush in pud_free_pmd_page',
    ]);
  });
});
