/** Functions that say which change of an entry owes a flush: flags are followed bit by bit, as numbers. */
import { expect, test } from 'vitest';
import { introducedIn } from './introduced.js';

const introduced = (file: string, machine: string, before: string, after: string): string[] => {
  expect(after).not.toBe(before);
  return introducedIn({ [file]: before }, { [file]: after }, machine);
};

interface Parts {
  readonly cleared?: string;
  readonly changed?: string;
  readonly present?: string;
  readonly frame?: string;
  readonly tests?: string;
}

const TESTS = `	if (diff & before & on_clear)
		return true;
	return diff & on_change;
`;

const X86 = 'arch/x86/include/asm/tlbflush.h';

/** Flags at both ends of a word: 64 bits matter. */
const x86 = ({
  cleared = '_PAGE_PRESENT | _PAGE_DIRTY',
  changed = '_PAGE_RW | _PAGE_USER | _PAGE_PCD | _PAGE_NX | _PAGE_PKEY_BIT0',
  present = '!(pte_flags(old) & _PAGE_PRESENT)',
  frame = '\tif (pte_pfn(old) != pte_pfn(new))\n\t\treturn true;\n',
  tests = TESTS,
}: Parts = {}): string => `#define _PAGE_PRESENT (_AT(pteval_t, 1) << 0)	/* hardware uses it */
#define _PAGE_RW (_AT(pteval_t, 1) << 1)	/* and may write */
#define _PAGE_USER (_AT(pteval_t, 1) << 2)
#define _PAGE_PWT (_AT(pteval_t, 1) << 3)
#define _PAGE_PCD (_AT(pteval_t, 1) << 4)
#define _PAGE_ACCESSED (_AT(pteval_t, 1) << 5)
#define _PAGE_DIRTY (_AT(pteval_t, 1) << 6)
#define _PAGE_PKEY_BIT0 (_AT(pteval_t, 1) << 59)
#define _PAGE_NX (_AT(pteval_t, 1) << 63)

static inline bool pte_flags_need_flush(unsigned long before, unsigned long after)
{
	const pteval_t on_clear = ${cleared};
	const pteval_t on_change = ${changed} | _PAGE_PWT;
	unsigned long diff = before ^ after;

${tests}}

static inline bool pte_needs_flush(pte_t old, pte_t new)
{
	if (${present})
		return false;
${frame}	return pte_flags_need_flush(pte_flags(old), pte_flags(new));
}
`;

const WRONG: readonly (readonly [what: string, parts: Parts, where: string])[] = [
  [
    'not for the right to write',
    { changed: '_PAGE_USER | _PAGE_PCD | _PAGE_NX | _PAGE_PKEY_BIT0' },
    'pte_flags_need_flush',
  ],
  ['not for users', { changed: '_PAGE_RW | _PAGE_PCD | _PAGE_NX | _PAGE_PKEY_BIT0' }, 'pte_flags_need_flush'],
  [
    'not for execution',
    { changed: '_PAGE_RW | _PAGE_USER | _PAGE_PCD | _PAGE_PKEY_BIT0' },
    'pte_flags_need_flush',
  ],
  ['not for keys', { changed: '_PAGE_RW | _PAGE_USER | _PAGE_PCD | _PAGE_NX' }, 'pte_flags_need_flush'],
  ['not for dirty', { cleared: '_PAGE_PRESENT' }, 'pte_flags_need_flush'],
  ['not for present', { cleared: '_PAGE_DIRTY' }, 'pte_flags_need_flush'],
  [
    'only where flags are set',
    { tests: TESTS.replace('diff & before', 'diff & after') },
    'pte_flags_need_flush',
  ],
  ['never', { tests: '\treturn false;\n' }, 'pte_flags_need_flush'],
  ['not for another page', { frame: '' }, 'pte_needs_flush'],
  ['only where nothing was mapped', { present: 'pte_flags(old) & _PAGE_PRESENT' }, 'pte_needs_flush'],
];

test.each(WRONG)('x86: %s', (_, parts, where) => {
  expect(introduced(X86, 'x86-64', x86(), x86(parts))).toEqual([`missing-flush in ${where}`]);
});

const RIGHT: readonly (readonly [what: string, parts: Parts])[] = [
  [
    'for each flag that is cleared, and only then',
    {
      cleared: '_PAGE_PRESENT | _PAGE_DIRTY | _PAGE_RW',
      changed: '_PAGE_USER | _PAGE_PCD | _PAGE_NX | _PAGE_PKEY_BIT0',
    },
  ],
  ['also for those that nobody has to', { cleared: '_PAGE_PRESENT | _PAGE_DIRTY | _PAGE_ACCESSED' }],
  ['for every difference', { tests: '\treturn diff;\n' }],
  ['not where nothing differs', { tests: `\tif (!diff)\n\t\treturn false;\n${TESTS}` }],
  ['asked by the predicate of entries', { present: '!pte_present(old)' }],
];

test.each(RIGHT)('x86: %s', (_, parts) => {
  expect(introduced(X86, 'x86-64', x86(), x86(parts))).toEqual([]);
});

test('x86: the accessed bit may go without a flush, the dirty bit may not', () => {
  const both = x86({ cleared: '_PAGE_PRESENT | _PAGE_DIRTY | _PAGE_ACCESSED' });
  expect(introduced(X86, 'x86-64', both, x86({ cleared: '_PAGE_PRESENT | _PAGE_DIRTY' }))).toEqual([]);
  expect(introduced(X86, 'x86-64', both, x86({ cleared: '_PAGE_PRESENT | _PAGE_ACCESSED' }))).toEqual([
    'missing-flush in pte_flags_need_flush',
  ]);
});

const POWERPC = 'arch/powerpc/include/asm/book3s/64/tlbflush.h';
const powerpc = (lost: string): string => `#define _PAGE_EXEC 0x00001 /* may be executed */
#define _PAGE_WRITE 0x00002
#define _PAGE_READ 0x00004
#define _PAGE_RWX (_PAGE_READ | _PAGE_WRITE | _PAGE_EXEC)
#define _PAGE_SAO 0x00010
#define _PAGE_TOLERANT 0x00030
#define _PAGE_DIRTY 0x00080
#define _PAGE_ACCESSED 0x00100
#define _PAGE_PTE 0x4000000000000000UL
#define _PAGE_PRESENT 0x8000000000000000UL

static inline bool __pte_flags_need_flush(unsigned long before, unsigned long after)
{
	unsigned long delta = before ^ after;

	if (delta & ~(_PAGE_RWX | _PAGE_DIRTY | _PAGE_ACCESSED))
		return true;
	return delta & before & ${lost};
}

static inline bool huge_pmd_needs_flush(pmd_t old, pmd_t new)
{
	return __pte_flags_need_flush(pmd_val(old), pmd_val(new));
}
`;

test('powerpc: each right that is lost counts', () => {
  const right = powerpc('~_PAGE_ACCESSED');
  const wrong = ['missing-flush in __pte_flags_need_flush'];
  for (const lost of [
    '_PAGE_WRITE',
    '~(_PAGE_ACCESSED | _PAGE_WRITE)',
    '~(_PAGE_ACCESSED | _PAGE_DIRTY)',
    '_PAGE_RWX',
  ])
    expect(introduced(POWERPC, 'powerpc64-radix', right, powerpc(lost))).toEqual(wrong);
  for (const lost of ['(_PAGE_READ | _PAGE_WRITE | _PAGE_EXEC | _PAGE_DIRTY)', '~0UL'])
    expect(introduced(POWERPC, 'powerpc64-radix', right, powerpc(lost))).toEqual([]);
});

test('elsewhere every change owes a flush, of entries that are present', () => {
  const file = 'include/asm-generic/tlb.h';
  const needs = (answer: string): string => `static inline bool pte_needs_flush(pte_t old, pte_t new)
{
	return ${answer};
}
`;
  const wrong = ['missing-flush in pte_needs_flush'];
  expect(introduced(file, 'riscv64', needs('true'), needs('false'))).toEqual(wrong);
  expect(introduced(file, 'riscv64', needs('true'), needs('pte_write(new)'))).toEqual(wrong);
  expect(introduced(file, 'riscv64', needs('true'), needs('pte_present(old)'))).toEqual([]);
});
