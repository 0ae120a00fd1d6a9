/** The miniature kernel, and changes to it that go wrong. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Files } from './git-objects.js';

const FOLDER = join(import.meta.dirname, '../../fixtures/kernel');

export const kernel: Files = Object.fromEntries(
  readdirSync(FOLDER, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [relative(FOLDER, path), readFileSync(path, 'utf8')];
    }),
);

export function edit(files: Files, path: string, change: (text: string) => string): Files {
  const before = files[path] ?? '';
  const after = change(before);
  if (before === after) throw new Error(`${path}: the change changes nothing`);
  return { ...files, [path]: after };
}

/** A table is freed after a flush that interrupts nobody on some machines: `flush-without-ipi` at line 17. */
export const collapseWrong = (files: Files): Files =>
  edit(files, 'mm/khugepaged.c', (text) => text.replace('\ttlb_remove_table_sync_one();\n', ''));

/** A page is freed before the flush: `free-before-flush` in arch/arm64/mm/mmu.c. */
export const removeWrong = (files: Files): Files =>
  edit(files, 'arch/arm64/mm/mmu.c', (text) =>
    text
      .replace('\tpte_t *ptep, pte;\n', '\tunsigned long start = addr;\n\tpte_t *ptep, pte;\n')
      .replace('\t\tflush_tlb_kernel_range(addr, addr + PAGE_SIZE);\n', '')
      .replace(
        '\t} while (addr += PAGE_SIZE, addr < end);\n',
        '\t} while (addr += PAGE_SIZE, addr < end);\n\n\tflush_tlb_kernel_range(start, end);\n',
      ),
  );

export const wrong: Files = collapseWrong(kernel);

/** Many functions in a new file, each wrong in the same way. */
export function manyWrong(count: number): Files {
  const one = (n: number): string => `
void collapse_free_table_${n}(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long addr, pmd_t *pmd)
{
	spinlock_t *ptl;
	pmd_t old;

	mmap_assert_write_locked(mm);

	ptl = pmd_lock(mm, pmd);
	old = pmdp_collapse_flush(vma, addr, pmd);
	spin_unlock(ptl);
	mm_dec_nr_ptes(mm);
	pte_free(mm, pmd_pgtable(old));
}
`;
  const head = '#include <linux/mm.h>\n#include <asm-generic/tlb.h>\n';
  const makefile = (kernel['mm/Makefile'] ?? '').replace('vmalloc.o', 'vmalloc.o many.o');
  const text = head + Array.from({ length: count }, (_, n) => one(n)).join('');
  return { ...kernel, 'mm/Makefile': makefile, 'mm/many.c': text };
}
