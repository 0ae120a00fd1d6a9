import { expect, test } from 'vitest';
import { IndexCache, Resolver } from '#extract/resolve.js';
import { loadRules } from '#rules/load-rules.js';

const [machine] = loadRules().machines;
const lookIn = (files: Readonly<Record<string, string>>, name: string): string | null => {
  if (machine === undefined) throw new Error('no machine');
  const resolver = new Resolver((path) => files[path] ?? null, machine, new IndexCache());
  return resolver.define(name, 'mm/a.c')?.index.file ?? null;
};

test('headers are in view as far as three includes lead', () => {
  const define = (name: string): string => `static inline int ${name}(void)\n{\n\treturn 0;\n}\n`;
  const files = {
    'mm/a.c': '#include <linux/mm.h>\n',
    'include/linux/mm.h': `#include <linux/pgtable.h>\n${define('first')}`,
    'include/linux/pgtable.h': `#include <linux/mmu.h>\n${define('second')}`,
    'include/linux/mmu.h': `#include <linux/swap.h>\n${define('third')}`,
    'include/linux/swap.h': define('fourth'),
  };
  expect(['first', 'second', 'third', 'fourth'].map((name) => lookIn(files, name))).toEqual([
    'include/linux/mm.h',
    'include/linux/pgtable.h',
    'include/linux/mmu.h',
    null,
  ]);
});

test("the machine's own header goes before the generic one, whichever is included first", () => {
  const define = 'static inline int own(void)\n{\n\treturn 0;\n}\n';
  const own = `arch/${machine?.arch}/include/asm/tlb.h`;
  const files = {
    'mm/a.c': '#include <asm-generic/tlb.h>\n#include <asm/tlb.h>\n',
    'include/asm-generic/tlb.h': define,
    [own]: define,
  };
  expect(lookIn(files, 'own')).toBe(own);
});
