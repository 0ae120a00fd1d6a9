/**
 * Contiguous blocks whose entries are told apart (event `witness` with `block`): what stands in the other entries of
 * the witness's block decides, since a CPU may load the translation of the whole block from any of them (DDI 0487,
 * D8.7.1). Pointers to such entries carry the number of their slot. All pages of the block count as the witness's.
 */
import { type EntryPointer, type EntryValue, LEVELS, type Level, type Value } from '#event/value.js';
import { witnessNumber } from './numbers.js';
import type { Step } from './step.js';

/** Entries of a block with 4K pages (arch/arm64/include/asm/pgtable-hwdef.h, CONT_PTES, CONT_PMDS). */
const ENTRIES = 16;
/** Bytes of an entry. */
const ENTRY_SIZE = 8;

const noteOf = (level: Level): string => `block:${level}`;
const bytesOf = (level: Level): number => 4096 * 512 ** LEVELS.indexOf(level);

/** What the other entries may hold, a letter each. Large: part of the block; small: by itself. `-`: nothing present. */
const LETTERS = { whole: 'W', wholeReadOnly: 'R', single: 'w', singleReadOnly: 'r', none: '-' } as const;

/**
 * The entries around the witness's are present from here on, and those of a block belong together if `whole` is not 0;
 * where it is 2 they are read-only. The last letter is for entries of other blocks, which are not told apart.
 */
export function openBlock(step: Step, level: Value, whole: Value | undefined): void {
  const name = level.kind === 'int' ? LEVELS[level.n] : undefined;
  const kinds = [LETTERS.single, LETTERS.whole, LETTERS.wholeReadOnly];
  const letter = (whole?.kind === 'int' ? kinds[whole.n] : undefined) ?? LETTERS.whole;
  if (name === undefined) return;
  step.state.note(noteOf(name), letter.repeat(ENTRIES + 1));
  // Among entries that stand by themselves it is no part of a block either.
  const at = LEVELS.indexOf(name);
  const own = step.entry(at);
  if (letter === LETTERS.single && own.cont === '?') step.putEntry(at, { ...own, cont: false });
}

/** The entry that maps the address, where the witness's is a number too; null elsewhere. */
export function numberedEntry(step: Step, level: Level, address: Value): EntryPointer | null {
  if (address.kind !== 'int') return null;
  return inSlot(step, level, Math.floor(address.n / bytesOf(level)));
}

/** The entry so many behind this one, before it where that is negative; null where its slot is not known. */
export function stepSlot(step: Step, pointer: EntryPointer, count: Value): EntryPointer | null {
  if (pointer.slot === undefined || count.kind !== 'int') return null;
  return inSlot(step, pointer.level, pointer.slot + count.n);
}

/** The pointer rounded down, or up, to a multiple of so many bytes. */
export function alignSlot(step: Step, pointer: EntryPointer, bytes: Value, up: boolean): EntryPointer {
  if (pointer.slot === undefined || bytes.kind !== 'int' || bytes.n < ENTRY_SIZE) return pointer;
  const entries = Math.floor(bytes.n / ENTRY_SIZE);
  const round = up ? Math.ceil : Math.floor;
  return inSlot(step, pointer.level, round(pointer.slot / entries) * entries) ?? pointer;
}

function inSlot(step: Step, level: Level, slot: number): EntryPointer | null {
  const own = ownSlot(step, level);
  if (own === null) return null;
  const gap = slot === own ? 'at' : slot < own ? 'before' : 'past';
  return { kind: 'entry-pointer', level, table: 'W', gap, slot };
}

function ownSlot(step: Step, level: Level): number | null {
  const address = witnessNumber(step);
  return address === null ? null : Math.floor(address / bytesOf(level));
}

/** Where in the witness's block the pointer points; null for its own entry and for those of other blocks. */
function siblingOf(step: Step, pointer: EntryPointer): number | null {
  const own = ownSlot(step, pointer.level);
  const { slot } = pointer;
  if (own === null || slot === undefined || slot === own) return null;
  return Math.floor(slot / ENTRIES) === Math.floor(own / ENTRIES) ? slot % ENTRIES : null;
}

/** What another entry holds; null where entries of blocks are not told apart. */
export function otherEntry(step: Step, pointer: EntryPointer): EntryValue | null {
  const block = step.state.extra.get(noteOf(pointer.level));
  if (block === undefined || pointer.slot === undefined) return null;
  const sibling = siblingOf(step, pointer);
  const letter = block[sibling ?? ENTRIES] ?? LETTERS.none;
  return {
    kind: 'entry-value',
    level: pointer.level,
    maps: letter === LETTERS.none ? 'none' : 'page',
    of: sibling === null ? 'other' : 'W',
    write: letter === LETTERS.whole || letter === LETTERS.single,
    dirty: false,
    young: true,
    exec: false,
    cont: letter === LETTERS.whole || letter === LETTERS.wholeReadOnly,
  };
}

/** Another entry is stored to: true where that is all that there is to it. */
export function storeOther(step: Step, pointer: EntryPointer, value: Value): boolean {
  const block = step.state.extra.get(noteOf(pointer.level));
  if (block === undefined || pointer.slot === undefined) return false;
  const sibling = siblingOf(step, pointer);
  if (sibling === null) return true;
  const letter = letterFor(value);
  step.state.note(noteOf(pointer.level), block.slice(0, sibling) + letter + block.slice(sibling + 1));
  return true;
}

function letterFor(value: Value): string {
  if (value.kind !== 'entry-value' || value.maps !== 'page') return LETTERS.none;
  const isReadOnly = value.write === false;
  if (value.cont === true) return isReadOnly ? LETTERS.wholeReadOnly : LETTERS.whole;
  return isReadOnly ? LETTERS.singleReadOnly : LETTERS.single;
}

/** May a CPU load what the witness's entry no longer says from another entry of its block? */
export function blockRefills(step: Step, level: number): boolean {
  const name = LEVELS[level] ?? 'pgd';
  const block = step.state.extra.get(noteOf(name));
  if (block === undefined) return false;
  const entry = step.entry(level);
  const own = entry.maps === 'page' && entry.of === 'W';
  if (own && entry.write !== false) return false;
  return siblings(step, name, block).some(
    (letter) => letter === LETTERS.whole || (!own && letter === LETTERS.wholeReadOnly),
  );
}

/** Is the witness's entry one of a block that the other entries of the block do not agree with? */
export function blockDiffers(step: Step, level: number): boolean {
  const name = LEVELS[level] ?? 'pgd';
  const block = step.state.extra.get(noteOf(name));
  const entry = step.entry(level);
  if (block === undefined || entry.maps !== 'page' || entry.of !== 'W' || entry.cont !== true) return false;
  const own = letterFor(entry);
  return siblings(step, name, block).some((letter) => letter !== own);
}

/** What the other entries of the witness's own block hold. */
function siblings(step: Step, level: Level, block: string): readonly string[] {
  const own = (ownSlot(step, level) ?? 0) % ENTRIES;
  return [...block.slice(0, ENTRIES)].filter((_, at) => at !== own);
}

/**
 * Did the entry, when it was last taken away, belong to a block, or not, other than what comes now? In a block, what may
 * be written counts, too: CPUs may join what they hold of its entries.
 */
export function changesBlock(step: Step, level: number, next: EntryValue): boolean {
  const was = step.state.extra.get(`${noteOf(LEVELS[level] ?? 'pgd')} was`);
  if (was === undefined || next.cont === '?') return false;
  const [cont, write] = was.split(' ');
  return cont !== String(next.cont) || (next.cont && next.write !== '?' && write !== String(next.write));
}

/** The witness's own entry is taken away: whether it was part of the block is kept until the next one comes. */
export function noteBlock(step: Step, level: number, old: EntryValue): void {
  const name = noteOf(LEVELS[level] ?? 'pgd');
  if (!step.state.extra.has(name) || old.maps !== 'page' || old.cont === '?') return;
  step.state.note(`${name} was`, `${old.cont} ${old.write}`);
}
