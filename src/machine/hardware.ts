/**
 * What hardware may hold. A closure, not a guess (DESIGN.md rule 8): while an entry is present and visible, every CPU
 * may hold it; when it changes, every CPU may go on holding the old value until a flush that covers it. Only those
 * stale values are stored, per CPU and level; fills need no steps of their own.
 */
import { type EntryValue, LEVELS } from '#event/value.js';
import { blockRefills } from './blocks.js';
import { readGathers } from './gather-state.js';
import { forgetSecondStage, guestWalkers } from './guest.js';
import {
  BUFFERED,
  CHANGED,
  COND,
  CONDITION,
  DEVICE,
  KNOWN,
  LAZY_MMU,
  LEAF,
  LEAF_FLAGS,
  MAP_REF,
  NOTIFIER,
  OWED,
  SECONDARY,
  SILENT_FLUSH,
  TABLE_KNOWN,
  UNNOTIFIED,
  WALK,
  WALK_FLAGS,
  WALKERS,
} from './state.js';
import { cleanName, noneValue, RMAP_CHANGED, RMAP_LOCK, type Step } from './step.js';

/** Stale leaf of another target than the witness's page. */
const OTHER_TARGET = 4;

export const isPresent = (value: EntryValue): boolean => value.maps === 'page' || value.maps === 'table';

/** Do walks that start at the root still come to the table of this level? Unknown entries above count as links. */
export function reachable(step: Step, level: number): boolean {
  for (let above = level + 1; above < LEVELS.length; above += 1) {
    if ((step.state.entries[above] ?? 0) === 0) continue;
    const entry = step.entry(above);
    if (entry.of !== 'W' || (entry.maps !== 'table' && entry.maps !== '?')) return false;
  }
  return step.get(TABLE_KNOWN + level) !== KNOWN.unlinked && step.get(TABLE_KNOWN + level) !== KNOWN.never;
}

/**
 * Does any walk come to the table of this level, from the root or by way of a stale link? What stands in a table that
 * hangs nowhere, yet or any more, no hardware loads.
 */
export const isWalked = (step: Step, level: number): boolean =>
  reachable(step, level) || staleWay(step, level);

/** Level of a present entry that maps the witness's page and that walks reach; -1: none; null: not known. */
export function leafLinked(step: Step): number | null {
  let unknown = true;
  for (let level = 0; level <= 2; level += 1) {
    if ((step.state.entries[level] ?? 0) === 0) continue;
    const entry = step.entry(level);
    if (entry.maps === 'page' && entry.of === 'W' && reachable(step, level)) return level;
    // An entry that is settled and leads to no lower level decides: the page is not on the path.
    if (entry.maps !== '?' && entry.maps !== 'table') unknown = false;
    if (entry.maps === 'table' && level > 0 && !reachable(step, level - 1)) unknown = false;
    if (entry.maps === 'page') unknown = false;
  }
  for (let level = 0; level <= 2; level += 1) {
    const entry = step.alias(level);
    if ((step.state.entries[LEVELS.length + level] ?? 0) !== 0 && entry.maps === 'page' && entry.of === 'W')
      return level;
  }
  return unknown ? null : -1;
}

/** The next level above whose entry is followed: it is what links the table. -1: nobody looked at one. */
export function linkAbove(step: Step, level: number): number {
  for (let above = level + 1; above < LEVELS.length; above += 1)
    if ((step.state.entries[above] ?? 0) !== 0) return above;
  return -1;
}

function markLeaf(step: Step, level: number, old: EntryValue): void {
  // In lazy MMU mode the purge is only queued: the flush that stands behind the change says so.
  const held = step.cpuByte(step.cpu, LAZY_MMU) !== 0;
  if (!held && step.machine.space === 'kernel' && step.fact('kernel-clear-purges') === true) return;
  const mark = old.of === 'W' ? (old.write === '?' ? 3 : old.write ? 2 : 1) : OTHER_TARGET;
  for (let cls = 0; cls < step.machine.layout.classes; cls += 1) {
    if (step.classByte(cls, CONDITION) === COND.without) continue;
    const stale = step.classByte(cls, LEAF + level);
    const w = Math.max(stale & 3, mark & 3);
    step.setClassByte(cls, LEAF + level, w | ((stale | mark) & OTHER_TARGET));
    step.setClassByte(cls, LEAF_FLAGS + level, 0);
    forgetSecondStage(step, cls, 'leaf', level);
  }
}

function markWalk(step: Step, table: number): void {
  if (step.fact('walk-cache') === true) {
    for (let cls = 0; cls < step.machine.layout.classes; cls += 1) {
      if (step.classByte(cls, CONDITION) === COND.without) continue;
      step.setClassByte(cls, WALK + table, 1);
      step.setClassByte(cls, WALK_FLAGS + table, 0);
      forgetSecondStage(step, cls, 'walk', table);
    }
  }
  if (step.machine.ambient && step.machine.space === 'guest') {
    step.set(WALKERS + table, guestWalkers(step));
    return;
  }
  // GUP-fast walks the tables of its own task: of an mm that goes as a whole there is none any more.
  const used = !readGathers(step).some((gather) => gather.full);
  if (step.machine.ambient && step.machine.space === 'user' && used && step.fact('gup-fast') === true) {
    step.set(WALKERS + table, 1);
    step.set(SILENT_FLUSH + table, 0);
  }
}

/** The entry of `level` no longer leads to its table: everything below stands only in stale links. */
function unlinkBelow(step: Step, level: number): void {
  for (let table = level - 1; table >= 0; table -= 1) {
    if (table < level - 1 && leadsElsewhere(step, table + 1)) return;
    if (table < level - 1 && !hasUse(step, table)) continue;
    markWalk(step, table);
    step.set(TABLE_KNOWN + table, KNOWN.unlinked);
    if (step.machine.space === 'user' && step.get(NOTIFIER) === 0)
      step.set(UNNOTIFIED, step.get(UNNOTIFIED) | (1 << table));
    if ((step.machine.space === 'guest' || step.machine.movesTable) && step.onPath(table)) {
      // One kick of the vCPUs flushes for a whole range: what the table mapped counts, whoever looked at it. So it does
      // where the table goes on mapping it at another address.
      if ((step.state.entries[table] ?? 0) === 0) step.putEntry(table, step.entry(table));
      step.settleMaps(step.entry(table));
    }
    const entry = step.entry(table);
    if ((step.state.entries[table] ?? 0) !== 0 && entry.maps === 'page') {
      markLeaf(step, table, entry);
      if (entry.of === 'W') {
        step.set(MAP_REF, 1);
        markSecondary(step, entry);
      }
    }
  }
}

/** Is the entry known to lead to no table? What it led to before was left stale, and flushed or not, when it changed. */
function leadsElsewhere(step: Step, level: number): boolean {
  if ((step.state.entries[level] ?? 0) === 0 || step.get(BUFFERED + level) !== 0) return false;
  const { maps } = step.entry(level);
  return maps !== 'table' && maps !== '?';
}

function hasUse(step: Step, table: number): boolean {
  return step.onPath(table) || step.onPath(table + 1);
}

/** A stale secondary translation of the page, unless a notifier section keeps secondary MMUs away. */
function markSecondary(step: Step, old: EntryValue): void {
  if (step.machine.space !== 'user' || old.of !== 'W') return;
  if (step.fact('flush-notifies-secondary') === true) step.set(DEVICE, 1);
  if (step.get(NOTIFIER) > 0) return;
  step.set(SECONDARY, Math.max(step.get(SECONDARY), old.write === false ? 1 : 2));
}

/**
 * The same for an entry in a table that was unlinked before. Nobody comes to the entry from then on: what secondary
 * MMUs may map was settled at the unlink, and devices come there only as long as their caches lead to the table.
 */
function markSecondaryUnlinked(step: Step, level: number, old: EntryValue): void {
  if ((step.get(UNNOTIFIED) & (1 << level)) !== 0)
    step.set(SECONDARY, Math.max(step.get(SECONDARY), old.write === false ? 1 : 2));
  if (staleWay(step, level) && step.fact('flush-notifies-secondary') === true) step.set(DEVICE, 1);
}

/**
 * Stores `value` into W's entry of `level`. `live`: what is forbidden was checked by the caller; here only the
 * consequences for hardware follow. Both values must be settled.
 */
export function storeEntry(step: Step, level: number, old: EntryValue, value: EntryValue): void {
  const wasVisible = step.get(BUFFERED + level) === 0 ? old : step.entry(level);
  step.putEntry(level, value);
  if (step.machine.buffers && step.fact('store-order') === 'weak') {
    if (step.get(BUFFERED + level) === 0) step.state.putBefore(level, step.machine.values.id(wasVisible));
    step.set(BUFFERED + level, step.cpu + 1);
  }
  const sameTarget = old.maps === value.maps && old.of === value.of && isPresent(old);
  if (sameTarget) {
    if (old.maps === 'table') return;
    if (!lowers(old, value)) return;
    markLeaf(step, level, { ...old, write: old.write === '?' ? '?' : true });
    changed(step, level);
    markSecondary(step, old);
    return;
  }
  if (isPresent(old)) {
    changed(step, level);
    if (old.maps === 'table') unlinkBelow(step, level);
    else {
      if (reachable(step, level) || staleWay(step, level)) markLeaf(step, level, old);
      if (old.of === 'W') {
        step.state.note(cleanName(level), old.dirty === false ? 'yes' : null);
        step.set(MAP_REF, 1);
        if (step.machine.space === 'user' && !reachable(step, level)) markSecondaryUnlinked(step, level, old);
        else markSecondary(step, old);
      }
    }
  }
  if (value.maps === 'page' && value.of === 'W') {
    step.set(MAP_REF, 0);
    forgiveSame(step, level, value);
  }
  if (value.maps === 'table' && value.of === 'W' && level > 0) {
    step.set(TABLE_KNOWN + level - 1, KNOWN.unknown);
    step.set(UNNOTIFIED, step.get(UNNOTIFIED) & ~(1 << (level - 1)));
    for (let cls = 0; cls < step.machine.layout.classes; cls += 1)
      step.setClassByte(cls, WALK + level - 1, 0);
  }
}

/** Is something allowed by `old` no longer allowed by `value`? */
function lowers(old: EntryValue, value: EntryValue): boolean {
  if (old.write !== false && value.write === false) return true;
  return old.write !== false && old.dirty !== false && value.dirty === false;
}

/**
 * The page is mapped again as before: what was stale is now what the entry says. A dirty translation of a page that is
 * clean again is not: writes through it are not noticed.
 */
function forgiveSame(step: Step, level: number, value: EntryValue): void {
  const cleaned = value.dirty === false && !step.state.extra.has(cleanName(level));
  step.state.note(cleanName(level), null);
  for (let cls = 0; cls < step.machine.layout.classes; cls += 1) {
    const stale = step.classByte(cls, LEAF + level);
    const w = stale & 3;
    const covered = w === 1 || (!cleaned && (value.write === true || (w === 3 && value.write === '?')));
    if (w !== 0 && covered) step.setClassByte(cls, LEAF + level, stale & OTHER_TARGET);
  }
  step.set(DEVICE, 0);
}

function staleWay(step: Step, level: number): boolean {
  for (let cls = 0; cls < step.machine.layout.classes; cls += 1)
    if (step.classByte(cls, WALK + level) !== 0) return true;
  return false;
}

function changed(step: Step, level: number): void {
  if (step.state.extra.has(RMAP_LOCK)) step.state.note(`${RMAP_CHANGED}${level}`, 'yes');
  step.set(CHANGED + level, step.get(CHANGED + level) | (1 << step.cpu));
}

/** May this CPU's hardware load the old leaf or link again after a flush? */
export function refills(step: Step, cls: number, level: number, kind: 'leaf' | 'walk'): boolean {
  const entryLevel = kind === 'leaf' ? level : linkAbove(step, level);
  if (entryLevel >= 0 && step.get(BUFFERED + entryLevel) !== 0) {
    const seen = step.machine.values.value(step.state.before[entryLevel] ?? 0);
    if (seen.kind === 'entry-value' && seen.maps === (kind === 'leaf' ? 'page' : 'table')) return true;
  }
  if (kind === 'leaf') {
    if (blockRefills(step, level)) return true;
    const entry = step.entry(level);
    const loaded = (step.state.entries[level] ?? 0) !== 0 && entry.maps === 'page' && entry.of === 'W';
    return loaded && !reachable(step, level) && step.classByte(cls, WALK + level) !== 0;
  }
  return false;
}

/** The old value may be in use although the entry above was cleared by history, not by this run. */
export function markUnlinkedLeaf(step: Step): void {
  const entry = { ...noneValue('pte'), maps: 'page' as const, of: 'W' as const, write: true };
  markLeaf(step, 0, entry);
}

export function markUnlinkedTable(step: Step, table: number): void {
  markWalk(step, table);
  step.set(TABLE_KNOWN + table, KNOWN.unlinked);
}

/** Earlier stores of this CPU become visible to every walker. */
export function drainStores(step: Step, cpu: number): void {
  for (let level = 0; level < LEVELS.length; level += 1) {
    if (step.get(BUFFERED + level) !== cpu + 1) continue;
    step.set(BUFFERED + level, 0);
    step.state.putBefore(level, 0);
  }
}

/** As `leafStale`, but for translations that nobody uses before they are flushed. */
export function leafUsable(step: Step, level: number): boolean {
  for (let cls = 0; cls < step.machine.layout.classes; cls += 1) {
    const stale = step.classByte(cls, LEAF + level);
    if (stale !== 0 && (stale & OWED) === 0) return true;
  }
  return false;
}

/** Is any stale translation of the level's leaf left on some CPU? */
export function leafStale(step: Step, level: number): boolean {
  for (let cls = 0; cls < step.machine.layout.classes; cls += 1)
    if (step.classByte(cls, LEAF + level) !== 0) return true;
  return false;
}

export function walkStale(step: Step, table: number): boolean {
  for (let cls = 0; cls < step.machine.layout.classes; cls += 1)
    if (step.classByte(cls, WALK + table) !== 0) return true;
  return false;
}
