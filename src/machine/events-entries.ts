/** Entries: set, clear, change, reads, half-word stores and loads, whole ranges. */
import type { Event } from '#event/event.js';
import { ANY, type EntryPointer, type EntryValue, LEVELS, type Value } from '#event/value.js';
import { changesBlock, noteBlock, otherEntry, storeOther } from './blocks.js';
import { halvesEqual, placePointer, readEntry } from './evaluate.js';
import { isPresent, isWalked, leafUsable, storeEntry, walkStale } from './hardware.js';
import { compare, isPast } from './position.js';
import { checkUse, secondaryStale } from './relies.js';
import { checkRetired } from './retired.js';
import { HALVES, IRQ_OFF, LEAF_FLAGS, MISSED, MOVED, MOVES, WALK_FLAGS } from './state.js';
import {
  BROUGHT_VALUE,
  comparedName,
  levelAt,
  noneValue,
  RECLAIMED,
  type Step,
  unknownEntry,
} from './step.js';

type Of<K extends Event<Value>['kind']> = Extract<Event<Value>, { readonly kind: K }>;

const pointerOf = (step: Step, value: Value): EntryPointer | null =>
  value.kind === 'entry-pointer' ? placePointer(step, value) : null;

const isWitness = (pointer: EntryPointer): boolean => pointer.table === 'W' && pointer.gap === 'at';
const isAlias = (pointer: EntryPointer): boolean => pointer.table === 'A' && pointer.gap === 'at';

/** Halves that do not belong together. */
const WRONG_FRAME =
  'a CPU loads a translation to a frame that nobody mapped, and reads or writes memory of somebody else';

/** Noted when this run cleared the second address's entry of the level: what is stored next may be what was moved. */
const sourceName = (level: number): string => `source:${level}`;

/** What a store writes, as an entry value of the level. */
function valueFor(
  step: Step,
  value: Value,
  level: EntryPointer['level'],
  kindest?: EntryValue['maps'],
): EntryValue {
  if (value.kind === 'entry-value') {
    const known = step.settleMaps(value, kindest);
    return known.level === level ? known : { ...known, level };
  }
  if (value.kind === 'int' && value.n === 0) return noneValue(level);
  return { ...unknownEntry(LEVELS.indexOf(level), 'new'), maps: 'page' };
}

/** The witness's page, or the table that maps it, now stands at a second address. */
function noteMove(step: Step, next: EntryValue): void {
  if (next.of !== 'W' || !isPresent(next)) return;
  const how = next.maps === 'table' ? MOVES.table : MOVES.page;
  step.set(MOVED, Math.max(step.get(MOVED), how));
}

/** Stores into an entry; what was there. `live`: may a present entry be replaced by another present one unchecked? */
function store(step: Step, pointer: EntryPointer, value: Value): EntryValue {
  const level = LEVELS.indexOf(pointer.level);
  if (pointer.table === 'other' || pointer.gap !== 'at') {
    const there = otherEntry(step, pointer);
    if (there !== null && storeOther(step, pointer, value)) return there;
    if (value.kind === 'entry-value') noteMove(step, value);
    return unknownEntry(level, 'other');
  }
  checkUse(step, 'table', level);
  if (isAlias(pointer)) {
    const old = step.alias(level);
    const next = valueFor(step, value, pointer.level);
    step.putAlias(level, next);
    if (old.maps !== 'none' && next.maps === 'none') step.state.note(sourceName(level), 'cleared');
    noteMove(step, next);
    return old;
  }
  if (step.get(HALVES + level) !== 0) {
    step.set(HALVES + level, 0);
    step.state.note(halfName(level), null);
  }
  let next = valueFor(step, value, pointer.level);
  // Who moves an entry and never looks where to has taken away what was there: else it would leak whatever is mapped.
  if (step.entry(level).maps === '?' && step.state.extra.has(sourceName(level))) {
    step.assume('an entry is moved to where none was');
    step.settleTo(level, 'none');
  }
  // A program that puts a present value where it never looked leaves it to its callers that the entry is empty.
  const first = step.settleMaps(readEntry(step, pointer), isPresent(next) ? 'none' : undefined);
  const old = step.entry(level).maps === '?' ? first : step.entry(level);
  if (value.kind === 'entry-value' && next.maps === '?') next = valueFor(step, value, pointer.level);
  // What stands in a value that came in whole is the callers' affair, as is what it may replace.
  const isWhole = value.kind !== 'entry-value' || value.maps === '?' || step.state.extra.has(BROUGHT_VALUE);
  const isBrought = step.machine.kind && next.of === 'new' && isWhole;
  // What callers saw there may go for what they know of it; what is left of it in TLBs may not.
  const isCompared = step.state.extra.has(comparedName(level)) && isPresent(old);
  step.state.note(comparedName(level), null);
  if (isPresent(next) && !isBrought && !isCompared) checkReplacement(step, level, old, next);
  if (step.machine.space === 'guest' && old.maps === 'soft' && next.maps !== 'soft') checkThaw(step, level);
  if (step.state.violation !== null) return old;
  if (next.torn === true) {
    step.fail(
      'torn-pte-read',
      `entry:${pointer.level}`,
      'a value that the entry never held is written',
      null,
      WRONG_FRAME,
    );
    return old;
  }
  if (isPresent(old) && old.of === 'W') checkRetired(step, level);
  noteBlock(step, level, old);
  if (step.state.violation === null) storeEntry(step, level, old, next);
  return old;
}

/** A present value goes in: over another live one, or where the last one may still be cached. */
function checkReplacement(step: Step, level: number, old: EntryValue, next: EntryValue): void {
  const name = levelAt(level);
  const object = `entry:${name}`;
  if (isPresent(old) && (step.machine.unloaded || !isWalked(step, level))) return;
  const sameTarget = isPresent(old) && old.maps === next.maps && old.of === next.of;
  if (sameTarget) {
    if (old.maps !== 'page' || old.cont === '?' || next.cont === '?' || old.cont === next.cont) return;
    if (step.fact('break-before-make') === true)
      step.fail(
        'break-before-make',
        object,
        `the contiguous bit of a live ${name} entry changes without break-before-make`,
        'consequence-live-replace',
      );
    return;
  }
  if (isPresent(old)) {
    if (step.fact('break-before-make') === true) {
      step.fail(
        'break-before-make',
        object,
        `a live ${name} entry is replaced by another live one without clear and flush in between`,
        'consequence-live-replace',
      );
    }
    return;
  }
  const stale =
    (leafUsable(step, level) && (staleDiffers(next) || changesBlock(step, level, next))) ||
    (level > 0 && next.maps === 'page' && pagesBelowUsable(step, level)) ||
    (level > 0 && walkStale(step, level - 1) && !(next.maps === 'table' && next.of === 'W'));
  // Reclaim keeps the page locked until its batch is flushed: who would put another one there waits for that.
  const mine = !step.state.extra.has(RECLAIMED);
  if (stale && mine && step.fact('break-before-make') === true) {
    step.fail(
      'break-before-make',
      object,
      `a new ${name} entry is set while CPUs may still hold the one that was cleared: no flush in between`,
      'consequence-live-replace',
    );
    return;
  }
  if (next.of !== 'W' && secondaryStale(step))
    step.fail(
      'notifier-order',
      object,
      `the ${name} entry is replaced while a secondary MMU may still map the old page: no notifier section kept it out`,
      null,
      'a guest or device sees another page than the CPUs',
    );
}

/**
 * A frozen entry keeps other threads out while its old translation is flushed: whoever puts something else there lets
 * them in.
 */
function checkThaw(step: Step, level: number): void {
  const stale =
    leafUsable(step, level) || (level > 0 && (walkStale(step, level - 1) || pagesBelowUsable(step, level)));
  if (!stale) return;
  if (wasMissed(step, level)) {
    step.fail(
      'flush-scope-too-narrow',
      `entry:${levelAt(level)}`,
      `the frozen ${levelAt(level)} entry is released, and the flush that was done does not cover all that vCPUs may still use of its old translation`,
      'consequence-stale-page',
    );
    return;
  }
  step.fail(
    'unlock-before-flush',
    `entry:${levelAt(level)}`,
    `the frozen ${levelAt(level)} entry is released before the flush: another thread may fill it while vCPUs still use the old translation`,
    'consequence-stale-page',
  );
}

/** Was a flush done that left something of the entry's old translation? */
function wasMissed(step: Step, level: number): boolean {
  for (let cls = 0; cls < step.machine.layout.classes; cls += 1) {
    for (let below = 0; below <= level; below += 1)
      if ((step.classByte(cls, LEAF_FLAGS + below) & MISSED) !== 0) return true;
    if (level > 0 && (step.classByte(cls, WALK_FLAGS + level - 1) & MISSED) !== 0) return true;
  }
  return false;
}

/** Is a page still in use that a guest's table mapped which stood in this entry? */
function pagesBelowUsable(step: Step, level: number): boolean {
  if (step.machine.space !== 'guest') return false;
  for (let below = 0; below < level; below += 1) if (leafUsable(step, below)) return true;
  return false;
}

function staleDiffers(next: EntryValue): boolean {
  if (next.maps !== 'page' || next.of !== 'W') return true;
  return false;
}

export function runSet(step: Step, event: Of<'set'>): void {
  const pointer = pointerOf(step, event.entry);
  if (pointer === null) {
    if (event.old !== undefined) step.assign(event.old, ANY);
    return;
  }
  const old = store(step, pointer, event.value);
  if (event.old !== undefined) step.assign(event.old, old);
}

export function runChange(step: Step, event: Of<'change'>): void {
  runSet(step, {
    kind: 'set',
    entry: event.entry,
    value: event.value,
    ...(event.old === undefined ? {} : { old: event.old }),
  });
}

export function runClear(step: Step, event: Of<'clear'>): void {
  const pointer = pointerOf(step, event.entry);
  if (pointer === null) {
    if (event.old !== undefined) step.assign(event.old, ANY);
    return;
  }
  const old = store(step, pointer, noneValue(pointer.level));
  if (event.old !== undefined) step.assign(event.old, old);
}

/** What the kernel requires of an entry settles what it holds where nothing else did, before it is looked at. */
export function settleWas(step: Step, entry: Value, was: 'page' | 'table'): void {
  const pointer = pointerOf(step, entry);
  if (pointer === null || !isWitness(pointer)) return;
  const level = LEVELS.indexOf(pointer.level);
  if (step.entry(level).maps !== '?') return;
  readEntry(step, pointer);
  step.settleTo(level, was);
}

export function runRead(step: Step, event: Of<'read' | 'walk'>): void {
  const pointer = pointerOf(step, event.entry);
  if (pointer === null) {
    step.assign(event.into, ANY);
    return;
  }
  if (isWitness(pointer)) checkUse(step, 'table', LEVELS.indexOf(pointer.level));
  step.assign(event.into, readEntry(step, pointer));
}

/** `clear-range`: every leaf of [start, end) goes, in whatever order. */
export function runClearRange(step: Step, event: Of<'clear-range'>): void {
  const start = event.start.kind === 'address' ? event.start.gap : '?';
  const end = event.end.kind === 'address' ? event.end.gap : '?';
  if (isPast(start) || (end !== '?' && !isPast(end))) return;
  if (start === '?' || end === '?') {
    if (compare(start, end) === 0) return;
    step.assume('a range of unknown ends holds the address');
  }
  const level = [0, 1, 2].find((l) => step.onPath(l)) ?? 0;
  store(
    step,
    { kind: 'entry-pointer', level: levelAt(level), table: 'W', gap: 'at' },
    noneValue(levelAt(level)),
  );
}

// ---- halves

const LOW_FIRST = 1;
const HIGH_FIRST = 2;
const AFTER_BARRIER = 4;
const VOLATILE = 8;
/** The half that is still to be written belongs to the new value: kept as text until it comes. */
const halfName = (level: number): string => `half:${level}`;

/**
 * A store of one half. Clearing must store low first (no longer present), setting must store high first; between the
 * two a compiler barrier must stand, or both are volatile stores. A store order of the machine is not needed on the
 * machines that have halves: they are strongly ordered.
 */
export function runWriteHalf(step: Step, event: Of<'write-low' | 'write-high'>): void {
  const pointer = pointerOf(step, event.entry);
  if (pointer === null || !isWitness(pointer)) return;
  const low = event.kind === 'write-low';
  const level = LEVELS.indexOf(pointer.level);
  if (step.fact('entry-halves') !== true) {
    if (low) store(step, pointer, event.value);
    return;
  }
  const state = step.get(HALVES + level);
  const first = state & 3;
  // Which half comes first says what the code is for, and what its callers leave to it: where it is the low one, to
  // clear the entry; where it is the high one, to fill an empty one.
  if (step.machine.kind && first === 0 && !low) step.settleMaps(readEntry(step, pointer), 'none');
  const value = valueFor(step, event.value, pointer.level, first === 0 && low ? 'none' : undefined);
  const old = step.settleMaps(readEntry(step, pointer));
  const object = `entry:${pointer.level}`;
  if (first === 0) {
    if (low && isPresent(value) && value.of !== old.of) {
      step.fail(
        'split-pte-write-order',
        object,
        'the low half with the present bit is stored before the high half: a walker may see a present entry with a bogus frame',
        null,
        WRONG_FRAME,
      );
      return;
    }
    if (!low && isPresent(old) && old.of !== value.of) {
      step.fail(
        'split-pte-write-order',
        object,
        'the high half is stored while the low half still says present: a walker may see a present entry with a bogus frame',
        null,
        WRONG_FRAME,
      );
      return;
    }
    if (low) store(step, pointer, value);
    step.set(HALVES + level, (low ? LOW_FIRST : HIGH_FIRST) | (event.order === 'once' ? VOLATILE : 0));
    // The half that readers find beside the low one until its own store.
    step.state.note(halfName(level), String(step.machine.values.id(low ? old : value)));
    return;
  }
  const ordered = (state & AFTER_BARRIER) !== 0 || ((state & VOLATILE) !== 0 && event.order === 'once');
  if ((first === LOW_FIRST) === low) {
    const high = step.state.extra.get(halfName(level)) ?? null;
    if (low) store(step, pointer, value);
    step.set(HALVES + level, (low ? LOW_FIRST : HIGH_FIRST) | (event.order === 'once' ? VOLATILE : 0));
    step.state.note(halfName(level), low ? high : String(step.machine.values.id(value)));
    return;
  }
  step.set(HALVES + level, 0);
  step.state.note(halfName(level), null);
  if (!ordered) {
    step.fail(
      'split-pte-write-order',
      object,
      'nothing keeps the compiler from swapping the stores of the two halves: a walker may see a present entry with a bogus frame',
      null,
      WRONG_FRAME,
    );
    return;
  }
  if (low) store(step, pointer, value);
}

/** A barrier stands between the halves. */
export function orderHalves(step: Step): void {
  for (let level = 0; level < LEVELS.length; level += 1) {
    const state = step.get(HALVES + level);
    if ((state & 3) !== 0) step.set(HALVES + level, state | AFTER_BARRIER);
  }
}

export function runReadHalf(step: Step, event: Of<'read-low' | 'read-high'>): void {
  const pointer = pointerOf(step, event.entry);
  if (pointer === null) {
    step.assign(event.into, ANY);
    return;
  }
  const value = heldHigh(step, pointer, event.kind) ?? readEntry(step, pointer);
  // Entries off the path are not followed from one load to the next: they have no halves to compare.
  const followed = isWitness(pointer) || isAlias(pointer);
  step.assign(
    event.into,
    followed && step.fact('entry-halves') === true
      ? { ...step.settleMaps(value), half: event.kind === 'read-low' ? 'low' : 'high' }
      : value,
  );
}

/** The high half while the low one was stored and it was not, or the other way round. */
function heldHigh(step: Step, pointer: EntryPointer, kind: 'read-low' | 'read-high'): EntryValue | null {
  const level = LEVELS.indexOf(pointer.level);
  if (kind === 'read-low' || !isWitness(pointer) || step.get(HALVES + level) === 0) return null;
  const held = step.state.extra.get(halfName(level));
  const value = held === undefined ? null : step.machine.values.value(Number(held));
  return value?.kind === 'entry-value' ? value : null;
}

/** The two halves become one value; if they never stood together it is one that the entry never held. */
export function runUseHalves(step: Step, event: Of<'use-halves'>): void {
  const { low, high } = event;
  if (low.kind !== 'entry-value' || high.kind !== 'entry-value') {
    if (event.into !== undefined) step.assign(event.into, low);
    return;
  }
  const { half, ...whole } = low;
  if (half === undefined || !isPresent(low)) {
    if (event.into !== undefined) step.assign(event.into, whole);
    return;
  }
  const whichever = low.of === high.of || halvesEqual(step, 'low', low.of, high.of);
  if (!whichever || low.maps !== high.maps) {
    const masked = step.cpuByte(step.cpu, IRQ_OFF) !== 0 ? ' although interrupts were off' : '';
    step.fail(
      'torn-pte-read',
      `entry:${low.level}`,
      `the low half of one value and the high half of another were read${masked}: the ${low.level} entry never held this address`,
      null,
      'the reader takes a page that was never mapped there: GUP-fast hands its caller a wrong page',
    );
    return;
  }
  if (event.into !== undefined) step.assign(event.into, whole);
}
