/** Every page of rules/hazards shows a wrong order and a right one: the wrong one is that hazard, the right one is none. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { reviewSeries } from '#review/review-series.js';
import { HAZARD_IDS } from '#rules/compile-hazard.js';
import { loadRules } from '#rules/load-rules.js';
import { change } from './memory-tree.js';

const rules = loadRules();

/** Files of samples that are about one architecture, or are a primitive that the kernel has in one place. */
const FILES: Readonly<Record<string, string>> = {
  'flush-scope-too-narrow': 'arch/arm64/mm/sample.c',
  'shared-table-walk-race': 'arch/arm64/mm/sample.c',
  'table-free-under-deferred-flush': 'arch/x86/mm/sample.c',
  'table-free-without-sync': 'arch/x86/kvm/mmu/tdp_mmu.c',
  'torn-pte-read': 'include/linux/pgtable.h',
};

/** The text under a heading of the page that is C. */
function sample(id: string, heading: string): string {
  const page = readFileSync(`rules/hazards/${id}.md`, 'utf8');
  const section = page.split(/^## /m).find((text) => text.startsWith(heading)) ?? '';
  const code = /```c\n([\s\S]*?)```/.exec(section)?.[1];
  if (code === undefined) throw new Error(`${id}: no sample of the ${heading}`);
  return code;
}

/** Status and hazard of what the patch from one text to the other does. */
function findings(id: string, before: string, after: string): string[] {
  const file = FILES[id] ?? 'mm/sample.c';
  const { patches } = reviewSeries([change({ [file]: before }, { [file]: after })], rules, {
    machines: [],
    existing: false,
    suggestions: false,
    limits: { states: 60_000, milliseconds: 20_000 },
    now: () => 0,
    onProgress: () => {},
  });
  expect(patches.flatMap(({ undecided }) => undecided)).toEqual([]);
  return patches.flatMap((patch) => patch.findings.map(({ status, hazard }) => `${status} ${hazard}`));
}

describe.each(HAZARD_IDS)('the page of %s', (id) => {
  const [wrong, right] = [sample(id, 'Wrong order'), sample(id, 'Right order')];
  test('shows a wrong order that is found', () => {
    expect(findings(id, right, wrong)).toEqual([`introduced ${id}`]);
  });
  test('shows a right order that brings nothing in and takes the hazard away', () => {
    expect(findings(id, wrong, right)).toEqual([`fixed ${id}`]);
  });
});
