/** s390's flush that is owed: who does it and who owes the next one, on two CPUs. */
import { describe, expect, test } from 'vitest';
import { introducedIn } from './introduced.js';

const FILE = 'arch/s390/include/asm/tlbflush.h';

const lazy = (body: string): string => `static inline void __tlb_flush_mm(struct mm_struct *mm)
{
	barrier();
	__tlb_flush_idte(mm->context.asce);
}

static inline void __tlb_flush_mm_lazy(struct mm_struct *mm)
{
${body}}
`;

const RIGHT = `	spin_lock(&mm->context.lock);
	if (mm->context.flush_mm) {
		mm->context.flush_mm = 0;
		__tlb_flush_mm(mm);
	}
	spin_unlock(&mm->context.lock);
`;

const introduced = (body: string): string[] =>
  introducedIn({ [FILE]: lazy(RIGHT) }, { [FILE]: lazy(body) }, 's390');

const WRONG = ['free-before-flush in __tlb_flush_mm_lazy'];
const cleared = '\t\tmm->context.flush_mm = 0;\n';
const flushed = '\t\t__tlb_flush_mm(mm);\n';

describe('the flush that an mm owes', () => {
  test('is no longer owed once somebody began it, not when it is done', () => {
    expect(introduced(RIGHT.replace(cleared + flushed, flushed + cleared))).toEqual(WRONG);
  });
  test('is done under the lock that the next one waits for', () => {
    expect(introduced(RIGHT.replace(/\tspin_(un)?lock.*\n/g, ''))).toEqual(WRONG);
  });
  test('may be looked for in any way', () => {
    expect(introduced(RIGHT.replace('if (mm', 'if (likely(mm').replace('mm) {', 'mm)) {'))).toEqual([]);
    expect(
      introduced(RIGHT.replace('\tif (mm->context.flush_mm) {\n', '\tif (mm->context.flush_mm != 0) {\n')),
    ).toEqual([]);
  });
});
