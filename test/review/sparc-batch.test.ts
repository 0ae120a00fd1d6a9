/** sparc64: a changed entry is flushed from the TSB, from which refills come, and then from the TLBs, at once or in a batch. */
import { describe, expect, test } from 'vitest';
import { introducedIn } from './introduced.js';

const FILE = 'arch/sparc/mm/tlb.c';
const TSB = '\t\tflush_tsb_user_page(mm, vaddr, shift);\n';
const TLB = '\t\tglobal_flush_tlb_page(mm, vaddr);\n';
const BATCH_TSB = '\tflush_tsb_user(tb);\n';
const LEAVE = '\tif (tb->tlb_nr)\n\t\tflush_tlb_pending();\n';
const COUNT = '\ttb->tlb_nr = nr + 1;\n';

const CODE = `static DEFINE_PER_CPU(struct tlb_batch, tlb_batch);

void flush_tlb_pending(void)
{
	struct tlb_batch *tb = &get_cpu_var(tlb_batch);

	if (!tb->tlb_nr)
		return;
${BATCH_TSB}	if (tb->tlb_nr == 1)
		global_flush_tlb_page(tb->mm, tb->vaddrs[0]);
	else
		smp_flush_tlb_pending(tb->mm, tb->tlb_nr, &tb->vaddrs[0]);
	tb->tlb_nr = 0;
}

void arch_enter_lazy_mmu_mode(void)
{
	struct tlb_batch *tb = this_cpu_ptr(&tlb_batch);

	tb->active = 1;
}

void arch_leave_lazy_mmu_mode(void)
{
	struct tlb_batch *tb = this_cpu_ptr(&tlb_batch);

${LEAVE}	tb->active = 0;
}

static void tlb_batch_add_one(struct mm_struct *mm, unsigned long vaddr, unsigned int shift)
{
	struct tlb_batch *tb = &get_cpu_var(tlb_batch);
	unsigned long nr = tb->tlb_nr;

	if (!tb->active) {
${TSB}${TLB}		return;
	}
	tb->mm = mm;
	tb->vaddrs[nr] = vaddr;
${COUNT}	if (nr >= TLB_BATCH_NR)
		flush_tlb_pending();
}

void tlb_batch_add(struct mm_struct *mm, unsigned long vaddr, pte_t *ptep, pte_t orig, int fullmm, unsigned int shift)
{
	if (!fullmm)
		tlb_batch_add_one(mm, vaddr, shift);
}
`;

function introduced(from: string, to: string): string[] {
  expect(CODE.split(from)).toHaveLength(2);
  return introducedIn({ [FILE]: CODE }, { [FILE]: CODE.replace(from, to) }, 'sparc64');
}

describe('outside of a batch', () => {
  test('both are flushed', () => {
    expect(introduced(TLB, '')).toEqual(['free-before-flush in tlb_batch_add_one']);
    expect(introduced(TSB, '')).toEqual(['flush-scope-too-narrow in tlb_batch_add_one']);
  });
  test('the TSB is flushed first: what stands in it comes back', () => {
    expect(introduced(TSB + TLB, TLB + TSB)).toEqual(['flush-scope-too-narrow in tlb_batch_add_one']);
  });
  test('the TLB may be flushed twice', () => {
    expect(introduced(TSB, TLB + TSB)).toEqual([]);
  });
});

describe('in a batch', () => {
  test('both are flushed, the TSB first', () => {
    expect(introduced(BATCH_TSB, '')).toEqual(['flush-scope-too-narrow in flush_tlb_pending']);
    const late = '\ttb->tlb_nr = 0;\n';
    const moved = CODE.replace(BATCH_TSB, '').replace(late, BATCH_TSB + late);
    expect(introducedIn({ [FILE]: CODE }, { [FILE]: moved }, 'sparc64')).toEqual([
      'flush-scope-too-narrow in flush_tlb_pending',
    ]);
  });
  test('what was queued is counted until it is flushed', () => {
    const early = CODE.replace('\ttb->tlb_nr = 0;\n', '').replace(
      BATCH_TSB,
      `\ttb->tlb_nr = 0;\n${BATCH_TSB}`,
    );
    expect(introducedIn({ [FILE]: CODE }, { [FILE]: early }, 'sparc64')).toEqual([
      'free-before-flush in flush_tlb_pending',
    ]);
  });
  test('what was added is flushed at the end', () => {
    expect(introduced(LEAVE, '')).toEqual(['free-before-flush in arch_leave_lazy_mmu_mode']);
    expect(introduced(COUNT, '')).toEqual(['free-before-flush in tlb_batch_add_one']);
  });
  test('an empty one may be looked through, too', () => {
    expect(introduced(LEAVE, '\tflush_tlb_pending();\n')).toEqual([]);
  });
});
