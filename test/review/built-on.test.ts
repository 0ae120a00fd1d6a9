import { expect, test } from 'vitest';
import { isBuiltOn } from '#review/built-on.js';
import { loadRules } from '#rules/load-rules.js';

const FS = `config HUGETLB_PAGE_OPTIMIZE_VMEMMAP
	def_bool HUGETLB_PAGE
	depends on ARCH_WANT_OPTIMIZE_HUGETLB_VMEMMAP
	depends on SPARSEMEM_VMEMMAP

config OTHER
	bool "other"
`;

/** Is mm/hugetlb_vmemmap.c built on a machine that asks for it, with these Kconfig files beside it? */
function isBuilt(kconfigs: Readonly<Record<string, string>>, name = 'arm64'): boolean {
  const machine = loadRules().machines.find((known) => known.name === name);
  if (machine === undefined) throw new Error(`no machine ${name}`);
  const files: Readonly<Record<string, string>> = {
    'mm/Makefile': 'obj-$(CONFIG_HUGETLB_PAGE_OPTIMIZE_VMEMMAP) += hugetlb_vmemmap.o\n',
    'fs/Kconfig': FS,
    ...kconfigs,
  };
  return isBuiltOn(
    'mm/hugetlb_vmemmap.c',
    machine,
    () => 'y',
    (path) => files[path] ?? null,
  );
}

test('a file is not built where its symbol needs one that the architecture never selects', () => {
  expect(isBuilt({ 'arch/arm64/Kconfig': 'config ARM64\n\tdef_bool y\n' })).toBe(false);
  const selects = 'config ARM64\n\tdef_bool y\n\tselect ARCH_WANT_OPTIMIZE_HUGETLB_VMEMMAP\n';
  expect(isBuilt({ 'arch/arm64/Kconfig': selects })).toBe(true);
});

test('what an architecture selects may stand in a file that its Kconfig reads', () => {
  const main = 'config ARM64\n\tdef_bool y\n\nsource "arch/arm64/platforms/Kconfig"\n';
  const deeper = 'source "arch/arm64/platforms/Kconfig.cputype"\n';
  const cputype = 'config BIG\n\tbool "big"\n\tselect ARCH_WANT_OPTIMIZE_HUGETLB_VMEMMAP if SMP\n';
  const files = { 'arch/arm64/Kconfig': main, 'arch/arm64/platforms/Kconfig': deeper };
  expect(isBuilt(files)).toBe(false);
  expect(isBuilt({ ...files, 'arch/arm64/platforms/Kconfig.cputype': cputype })).toBe(true);
});

test('without Kconfig files, what the machine asks for holds', () => {
  expect(isBuilt({})).toBe(true);
});
