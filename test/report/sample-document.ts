import type { Finding, ReviewDocument, ReviewedPatch } from '#review/document.js';

/** A finding with every field in use; tests change what they are about. */
export const sampleFinding: Finding = {
  fingerprint: 'f1',
  hazard: 'free-before-flush',
  status: 'introduced',
  severity: 'error',
  confidence: 'high',
  why: 'the whole function was followed',
  file: 'arch/arm64/mm/mmu.c',
  side: 'new',
  line: 868,
  function: 'drop_mapped_range',
  message: 'The page is freed while a CPU may still hold the translation that the cleared entry gave it.',
  machines: ['arm64', 'x86-ipi'],
  safeOn: ['x86-pae'],
  notBuiltOn: ['riscv'],
  related: [
    {
      file: 'arch/arm64/mm/mmu.c',
      side: 'new',
      line: 866,
      what: 'the entry is cleared here',
      text: '\t\tpte_clear(&init_mm, addr, ptep);',
    },
    {
      file: 'arch/arm64/mm/mmu.c',
      side: 'new',
      line: 868,
      what: 'the page is freed here',
      text: '\t\tfree_mapped_page(page);',
    },
    {
      file: 'arch/arm64/mm/mmu.c',
      side: 'new',
      line: 870,
      what: 'the flush comes only here',
      text: '\tflush_tlb_kernel_range(start, end);',
    },
    {
      file: 'arch/arm64/mm/mmu.c',
      side: 'old',
      line: 867,
      what: '',
      text: '\t\tflush_tlb_kernel_range(addr, addr + PAGE_SIZE);',
    },
  ],
  trace: [
    {
      cpu: 1,
      who: 'hardware',
      what: 'caches the translation',
      file: null,
      line: null,
      changes: [{ what: 'TLB of CPU1', from: 'empty', to: 'page, writable' }],
    },
    {
      cpu: 0,
      who: 'program',
      what: 'clears the pte entry',
      file: 'arch/arm64/mm/mmu.c',
      line: 866,
      text: '\t\tpte_clear(&init_mm, addr, ptep);',
      changes: [{ what: 'pte entry', from: 'page', to: 'none' }],
    },
    {
      cpu: 0,
      who: 'program',
      what: 'frees the page',
      file: 'arch/arm64/mm/mmu.c',
      line: 868,
      text: '\t\tfree_mapped_page(page);',
      changes: [{ what: 'page', from: 'in use', to: 'free' }],
    },
    {
      cpu: 1,
      who: 'a thread',
      what: 'writes through the stale translation',
      file: null,
      line: null,
      changes: [],
    },
  ],
  consequence: 'CPU1 writes to a page that belongs to somebody else.',
  assumptions: ['memory_notify() changes no entries'],
  closedBy: null,
  suggestion: {
    edits: [
      { file: 'arch/arm64/mm/mmu.c', line: 868, remove: 1, insert: [] },
      { file: 'arch/arm64/mm/mmu.c', line: 871, remove: 0, insert: ['\tfree_mapped_page(page);'] },
    ],
    states: 214,
    machines: ['arm64', 'x86-ipi'],
  },
};

export const samplePatch: ReviewedPatch = {
  subject: '[PATCH v2] arm64/mm: free pages as they are unmapped',
  messageId: '<20240101.1@example.org>',
  commit: null,
  files: ['arch/arm64/mm/mmu.c'],
  context: 'tree',
  analysed: [
    { function: 'drop_mapped_range', file: 'arch/arm64/mm/mmu.c' },
    { function: 'drop_mapped_block', file: 'arch/arm64/mm/mmu.c' },
  ],
  findings: [sampleFinding],
  undecided: [
    {
      function: 'drop_mapped_block',
      file: 'arch/arm64/mm/mmu.c',
      kind: 'limit',
      reason: '200000 states on x86-ipi',
    },
  ],
};

export const documentOf = (...patches: readonly ReviewedPatch[]): ReviewDocument => ({
  version: 1,
  tool: 'shootdown 0.1.0',
  patches,
  stats: { functions: 2, programs: 4, states: 1234, milliseconds: 56 },
});

export const withFinding = (change: Partial<Finding>): ReviewDocument =>
  documentOf({ ...samplePatch, findings: [{ ...sampleFinding, ...change }] });
