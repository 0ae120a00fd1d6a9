/** Code of mm/ and kernel/ by its kinds: for each, what is right stays silent and the nearest wrong order is found. */
import { describe, expect, test } from 'vitest';
import { reviewSeries } from '#review/review-series.js';
import { loadRules } from '#rules/load-rules.js';
import { change, type Files } from './memory-tree.js';

const rules = loadRules();

function findings(machines: readonly string[], before: Files, after: Files): string[] {
  return reviewSeries([change(before, after)], rules, {
    machines,
    existing: false,
    limits: { states: 60_000, milliseconds: 60_000 },
    now: () => 0,
    onProgress: () => {},
  }).patches.flatMap((patch) => [
    ...patch.findings.map((finding) => `${finding.status} ${finding.hazard} in ${finding.function}`),
    ...patch.undecided.map((gap) => `undecided: ${gap.reason}`),
  ]);
}

const X86 = ['x86-64'];

describe("a walk over a page's mappings", () => {
  const clean = (clear: string): Files => ({
    'mm/rmap.c': `
int clean_one(struct page_vma_mapped_walk *pvmw, struct mmu_notifier_range *range)
{
	struct vm_area_struct *vma = pvmw->vma;
	int cleaned = 0;

	mmu_notifier_invalidate_range_start(range);
	while (page_vma_mapped_walk(pvmw)) {
		unsigned long address = pvmw->address;

		if (pvmw->pte) {
			pte_t entry = ptep_get(pvmw->pte);

			if (!pte_dirty(entry) && !pte_write(entry))
				continue;
			entry = ptep_clear_flush(vma, address, pvmw->pte);
			set_pte_at(vma->vm_mm, address, pvmw->pte, pte_mkclean(pte_wrprotect(entry)));
		} else {
			pmd_t *pmd = pvmw->pmd;
			pmd_t entry;

			if (!pmd_dirty(*pmd) && !pmd_write(*pmd))
				continue;
			entry = ${clear};
			set_pmd_at(vma->vm_mm, address, pmd, pmd_mkclean(pmd_wrprotect(entry)));
		}
		cleaned++;
	}
	mmu_notifier_invalidate_range_end(range);
	return cleaned;
}
`,
  });
  const right = clean('pmdp_invalidate(vma, address, pmd)');

  test('finds a large entry by itself: what changes it is flushed before the lock goes', () => {
    expect(findings(X86, right, clean('pmdp_huge_get_and_clear(vma->vm_mm, address, pmd)'))).toEqual([
      'introduced unlock-before-flush in clean_one',
    ]);
  });
  test('is silent where the flush comes with the clear', () => {
    expect(findings(X86, right, clean('pmdp_huge_clear_flush(vma, address, pmd)'))).toEqual([]);
  });
});

describe('large entries', () => {
  const drop = (clear: string): Files => ({
    'mm/huge_memory.c': `
void drop_huge(struct vm_area_struct *vma, pmd_t *pmd, unsigned long haddr, struct mmu_notifier_range *range)
{
	pmd_t old;

	mmu_notifier_invalidate_range_start(range);
	${clear}
	put_page(pmd_page(old));
	mmu_notifier_invalidate_range_end(range);
}
`,
  });

  test('are leaves to what clears them: their page is freed, no table', () => {
    expect(
      findings(
        X86,
        drop('old = pmdp_huge_clear_flush(vma, haddr, pmd);'),
        drop('old = pmdp_huge_get_and_clear(vma->vm_mm, haddr, pmd);'),
      ),
    ).toEqual(['introduced free-before-flush in drop_huge']);
  });
});

describe('areas that vmalloc gives back lazily', () => {
  const unmap = (...lines: string[]): Files => ({
    'mm/vmalloc.c': `
void unmap_area(struct vmap_area *va)
{
	${lines.join('\n\t')}
}
`,
  });
  const clear = 'vunmap_range_noflush(va->va_start, va->va_end);';
  const flush = 'flush_tlb_kernel_range(va->va_start, va->va_end);';
  const give = 'free_vmap_area_noflush(va);';

  test('owe no flush of their own', () => {
    expect(findings(X86, unmap(clear, flush, give), unmap(clear, give))).toEqual([]);
    expect(findings(X86, unmap(clear, give), unmap(clear, flush, give))).toEqual([]);
  });
  test('are empty before they are given back', () => {
    expect(findings(X86, unmap(clear, give), unmap(give, clear))).toEqual([
      'introduced free-before-clear in unmap_area',
    ]);
    expect(findings(X86, unmap(clear, give), unmap(give, clear, flush))).toEqual([
      'introduced free-before-clear in unmap_area',
    ]);
  });
  test('owe it where nobody takes them', () => {
    expect(findings(X86, unmap(clear, flush), unmap(clear))).toEqual([
      'introduced missing-flush in unmap_area',
    ]);
  });
});

describe('pages that leave the direct map', () => {
  const hide = (...lines: string[]): Files => ({
    'mm/secretmem.c': `
int hide_page(struct page *page, struct address_space *mapping)
{
	unsigned long addr = (unsigned long)page_address(page);
	int err;

	err = set_direct_map_invalid_noflush(page);
	if (err)
		return err;
	${lines.join('\n\t')}
	return 0;
}
`,
  });
  const add = 'err = add_to_mapping(mapping, page);';
  const undo = 'if (err) { set_direct_map_default_noflush(page); return err; }';
  const flush = 'flush_tlb_kernel_range(addr, addr + PAGE_SIZE);';

  test('are flushed at any time before the end; a page that is mapped again is not stale', () => {
    expect(findings(X86, hide(flush, add, undo), hide(add, undo, flush))).toEqual([]);
    expect(findings(X86, hide(add, undo, flush), hide(flush, add, undo))).toEqual([]);
  });
  test('stay visible without a flush', () => {
    expect(findings(X86, hide(add, undo, flush), hide(add, undo))).toEqual([
      'introduced missing-flush in hide_page',
    ]);
  });
});

describe('slots of local mappings', () => {
  const unmap = (after: string): Files => ({
    'mm/highmem.c': `
void unmap_slot(unsigned long addr, pte_t *kmap_pte)
{
	pte_clear(&init_mm, addr, kmap_pte);
	${after}
}
`,
  });

  test('are flushed by the CPU that uses them', () => {
    const right = unmap('arch_kmap_local_post_unmap(addr);');
    expect(findings(['x86-32-pae'], right, unmap(''))).toEqual(['introduced missing-flush in unmap_slot']);
    expect(findings(['x86-32-pae'], right, unmap('flush_tlb_kernel_range(addr, addr + PAGE_SIZE);'))).toEqual(
      [],
    );
  });
});

describe('batches of entries', () => {
  const zap = (track: string): Files => ({
    'mm/memory.c': `
void zap_batch(struct mmu_gather *tlb, struct page *page, pte_t *pte, unsigned int nr, unsigned long addr)
{
	clear_full_ptes(tlb->mm, addr, pte, nr, tlb->fullmm);
	${track}
	__tlb_remove_folio_pages(tlb, page, nr, false);
}
`,
  });

  test('have one entry at least', () => {
    const all = zap('tlb_remove_tlb_entries(tlb, pte, nr, addr);');
    expect(findings(X86, zap(''), all)).toEqual(['fixed free-before-flush in zap_batch']);
    expect(findings(X86, all, zap(''))).toEqual(['introduced free-before-flush in zap_batch']);
  });
});

describe('what a walk calls back', () => {
  const record = (start: string, post = 'flush_tlb_range(walk->vma, wp->start, wp->end);'): Files => ({
    'mm/dirty.c': `
struct wp_walk { struct mmu_notifier_range range; unsigned long start; unsigned long end; unsigned long total; };

static int clean_pte(pte_t *pte, unsigned long addr, unsigned long end, struct mm_walk *walk)
{
	struct wp_walk *wp = walk->private;
	pte_t entry = ptep_get(pte);

	if (pte_dirty(entry)) {
		pte_t old = ptep_modify_prot_start(walk->vma, addr, pte);

		ptep_modify_prot_commit(walk->vma, addr, pte, old, pte_mkclean(old));
		wp->total++;
		${start}
		wp->end = max(wp->end, addr + PAGE_SIZE);
	}
	return 0;
}

static int clean_pre(unsigned long start, unsigned long end, struct mm_walk *walk)
{
	struct wp_walk *wp = walk->private;

	wp->start = end;
	wp->end = start;
	mmu_notifier_range_init(&wp->range, MMU_NOTIFY_PROTECTION_PAGE, 0, walk->mm, start, end);
	mmu_notifier_invalidate_range_start(&wp->range);
	return 0;
}

static void clean_post(struct mm_walk *walk)
{
	struct wp_walk *wp = walk->private;

	if (wp->end > wp->start)
		${post}
	mmu_notifier_invalidate_range_end(&wp->range);
}

static const struct mm_walk_ops clean_ops = {
	.pte_entry = clean_pte,
	.pre_vma = clean_pre,
	.post_vma = clean_post,
};

unsigned long clean_range(struct address_space *mapping, pgoff_t first, pgoff_t nr)
{
	struct wp_walk wp = { .total = 0 };

	walk_page_mapping(mapping, first, nr, &clean_ops, &wp);
	return wp.total;
}
`,
  });
  const right = record('wp->start = min(wp->start, addr);');

  test('is judged in the function that walks', () => {
    expect(findings(X86, right, record('if (first_time(addr)) wp->start = min(wp->start, addr);'))).toEqual([
      'introduced flush-scope-too-narrow in clean_range',
    ]);
    expect(findings(X86, right, record('wp->start = min(wp->start, addr);', 'wp->total = 0;'))).toEqual([
      'introduced missing-flush in clean_range',
    ]);
  });
  test('may record more than it changed', () => {
    expect(findings(X86, right, record('wp->start = min(wp->start, addr & PMD_MASK);'))).toEqual([]);
    const whole = 'flush_tlb_range(walk->vma, wp->range.start, wp->range.end);';
    expect(findings(X86, right, record('wp->start = min(wp->start, addr);', whole))).toEqual([]);
  });
});

describe('two addresses', () => {
  const move = (clear: string, behind = ''): Files => ({
    'mm/userfaultfd.c': `
int move_one(struct mm_struct *mm, struct vm_area_struct *dst_vma, struct vm_area_struct *src_vma,
	     unsigned long dst_addr, unsigned long src_addr, pte_t *dst_pte, pte_t *src_pte,
	     spinlock_t *dst_ptl, spinlock_t *src_ptl)
{
	pte_t old;

	double_pt_lock(dst_ptl, src_ptl);
	if (!pte_none(ptep_get(dst_pte))) {
		double_pt_unlock(dst_ptl, src_ptl);
		return -EAGAIN;
	}
	${clear}
	set_pte_at(mm, dst_addr, dst_pte, old);
	double_pt_unlock(dst_ptl, src_ptl);
	${behind}
	return 0;
}
`,
  });
  const right = move('old = ptep_clear_flush(src_vma, src_addr, src_pte);');
  const plain = 'old = ptep_get_and_clear(mm, src_addr, src_pte);';

  test('are flushed each for itself', () => {
    expect(findings(X86, right, move(`${plain} flush_tlb_page(src_vma, src_addr);`))).toEqual([]);
    expect(findings(X86, right, move(`${plain} flush_tlb_page(dst_vma, dst_addr);`))).toEqual([
      'introduced flush-scope-too-narrow in move_one',
    ]);
  });
  test('are flushed before the locks that came in are dropped', () => {
    expect(findings(X86, right, move(plain, 'flush_tlb_page(src_vma, src_addr);'))).toEqual([
      'introduced unlock-before-flush in move_one',
    ]);
  });
  test('that need no flush of the other one take it and leave it', () => {
    const both = move(
      'old = ptep_clear_flush(src_vma, src_addr, src_pte);',
      'flush_tlb_page(dst_vma, dst_addr);',
    );
    expect(findings(X86, right, both)).toEqual([]);
    expect(findings(X86, both, right)).toEqual([]);
  });
});

describe('a page that may be given or not', () => {
  const unmap = (flush: string): Files => ({
    'mm/hugetlb.c': `
void unmap_one(struct vm_area_struct *vma, unsigned long addr, pte_t *pte, struct page *ref_page,
	       struct mmu_notifier_range *range)
{
	pte_t old = ptep_get(pte);
	struct page *page;

	if (!pte_present(old))
		return;
	page = pte_page(old);
	if (ref_page && page != ref_page)
		return;
	mmu_notifier_invalidate_range_start(range);
	ptep_get_and_clear(vma->vm_mm, addr, pte);
	${flush}
	put_page(page);
	mmu_notifier_invalidate_range_end(range);
}
`,
  });

  test('is held by nobody else where it is not', () => {
    const right = unmap('flush_tlb_page(vma, addr);');
    expect(findings(X86, right, unmap(''))).toEqual(['introduced free-before-flush in unmap_one']);
    expect(findings(X86, right, unmap('flush_tlb_range(vma, addr, addr + PAGE_SIZE);'))).toEqual([]);
  });
});

describe("reclaim's batch", () => {
  const pending = (required: string): Files => ({
    'mm/rmap.c': `
void set_tlb_ubc_flush_pending(struct mm_struct *mm, pte_t pteval, unsigned long uaddr)
{
	struct tlbflush_unmap_batch *tlb_ubc = &current->tlb_ubc;
	bool writable = pte_dirty(pteval);

	if (!pte_accessible(mm, pteval))
		return;
	arch_tlbbatch_add_pending(&tlb_ubc->arch, mm, uaddr);
	${required}
	if (writable)
		tlb_ubc->writable = true;
}

void try_to_unmap_flush(void)
{
	struct tlbflush_unmap_batch *tlb_ubc = &current->tlb_ubc;

	if (!tlb_ubc->flush_required)
		return;
	arch_tlbbatch_flush(&tlb_ubc->arch);
	tlb_ubc->flush_required = false;
	tlb_ubc->writable = false;
}
`,
  });
  const right = pending('tlb_ubc->flush_required = true;');

  test('is flushed only where a flush is said to be owed', () => {
    expect(findings(X86, right, pending('if (writable) tlb_ubc->flush_required = true;'))).toEqual([
      'introduced reuse-under-deferred-flush in set_tlb_ubc_flush_pending',
    ]);
    expect(findings(X86, right, pending('barrier(); tlb_ubc->flush_required = true;'))).toEqual([]);
  });
});

describe('an entry that becomes clean', () => {
  const clean = (flush: string, make: string): Files => ({
    'mm/clean.c': `
void clean_entry(struct vm_area_struct *vma, unsigned long addr, pte_t *pte, spinlock_t *ptl)
{
	pte_t old;

	spin_lock(ptl);
	old = ptep_get_and_clear(vma->vm_mm, addr, pte);
	${flush}
	set_pte_at(vma->vm_mm, addr, pte, ${make});
	spin_unlock(ptl);
}
`,
  });

  test('leaves dirty translations, through which writes go unnoticed', () => {
    const right = clean('flush_tlb_page(vma, addr);', 'pte_mkclean(old)');
    expect(findings(X86, right, clean('', 'pte_mkclean(old)'))).toEqual([
      'introduced unlock-before-flush in clean_entry',
    ]);
  });
  test('needs no flush to become as it was', () => {
    expect(findings(X86, clean('flush_tlb_page(vma, addr);', 'old'), clean('', 'old'))).toEqual([]);
    const known = (flush: string): Files => clean(`if (pte_dirty(old)) ${flush}`, 'pte_mkclean(old)');
    expect(
      findings(
        X86,
        clean('flush_tlb_page(vma, addr);', 'pte_mkclean(old)'),
        known('flush_tlb_page(vma, addr);'),
      ),
    ).toEqual([]);
  });
});

describe('a flag of a walk', () => {
  const unmap = (flags: string): Files => ({
    'mm/pages.c': `
struct walk {
	unsigned long start;
#define WALK_DEEP	BIT(0)
#define WALK_NO_FLUSH	BIT(1)
	unsigned long flags;
};

static void unmap(pte_t *pte, unsigned long addr, struct walk *walk)
{
	pte_clear(&init_mm, addr, pte);
	if (!(walk->flags & WALK_NO_FLUSH))
		flush_tlb_kernel_range(addr, addr + PAGE_SIZE);
}

void take_page(pte_t *pte, unsigned long addr)
{
	struct walk walk = { .start = addr, .flags = ${flags} };
	struct page *page = pte_page(ptep_get(pte));

	unmap(pte, addr, &walk);
	__free_page(page);
}
`,
  });

  test('says whether its helper flushes, where the flag is named inside of the type, too', () => {
    expect(findings(X86, unmap('WALK_DEEP'), unmap('WALK_DEEP | WALK_NO_FLUSH'))).toEqual([
      'introduced free-before-flush in take_page',
    ]);
    expect(findings(X86, unmap('0'), unmap('WALK_DEEP'))).toEqual([]);
  });
});
