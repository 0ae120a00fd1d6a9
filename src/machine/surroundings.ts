/**
 * What came before a program, and what its callers hold, when they do everything right. A search that asks what a
 * program itself does wrong answers with these; one that compares two sides lets callers do anything.
 */
import { LEVELS } from '#event/value.js';
import type { ChoiceVector } from './run.js';

/** What is asked of the caller where a secondary translation decides. */
export const NOTIFIER_AT_ENTRY = 'mmu notifier section open at entry';

/** By question: the answer that leaves the program the most room. */
export const KINDEST: ChoiceVector = new Map<string, readonly string[]>([
  [NOTIFIER_AT_ENTRY, ['yes']],
  ['tlb_flush_pending raised at entry', ['yes']],
  ['mmap_lock held for write at entry', ['yes']],
  ['mmu_lock held for write at entry', ['yes']],
  ['RCU section open at entry', ['yes']],
  ['history page', ['never-linked']],
  ['history range', ['never-linked']],
  ...LEVELS.map((level) => [`history table ${level}`, ['never-linked']] as const),
]);
