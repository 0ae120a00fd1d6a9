/**
 * What others may rely on, and when it does not hold (DESIGN.md rule 7). The order of the tests is the order of
 * HAZARDS.md, "Which id a violation gets".
 */
import type { FactName } from '#event/machine-facts.js';
import { LEVELS, type MemoryValue } from '#event/value.js';
import type { HazardId } from '#rules/rule.js';
import { blockDiffers, blockRefills } from './blocks.js';
import { type Gather, readGathers } from './gather-state.js';
import { keptByOwnSection, meetsWalker, noteHandedOver } from './guest.js';
import {
  leafLinked,
  leafStale,
  linkAbove,
  markUnlinkedLeaf,
  markUnlinkedTable,
  reachable,
  walkStale,
} from './hardware.js';
import {
  BATCHED,
  CHANGED,
  COND,
  CONDITION,
  DEFERRED,
  DEVICE,
  INSIDE,
  IRQ_OFF,
  KNOWN,
  LEAF,
  LEAF_FLAGS,
  LIFE,
  MAP_REF,
  MISSED,
  MOVED,
  MOVES,
  OWED,
  PAGE_KNOWN,
  PAGE_LIFE,
  PAGE_REFS,
  PENDING,
  RANGE_KNOWN,
  RANGE_LIFE,
  RCU,
  SECONDARY,
  SILENT_FLUSH,
  TABLE_KNOWN,
  TABLE_LIFE,
  WALK,
  WALK_FLAGS,
  WALKERS,
} from './state.js';
import { levelAt, RECLAIMED, RMAP_CHANGED, type Step } from './step.js';
import { NOTIFIER_AT_ENTRY } from './surroundings.js';

export type FreeHow = 'now' | 'rcu' | 'after-flush';

const PAGE_INSIDE = 32;

const tableName = (level: number): string => `the ${levelAt(level)} table`;

// ---- histories

/** What happened before the program started to a page that it did not unlink itself (DESIGN.md rule 1). */
function pageHistory(step: Step): void {
  if (step.get(PAGE_KNOWN) !== KNOWN.unknown || step.get(MAP_REF) === 1 || leafLinked(step) !== null) return;
  if ([0, 1, 2].some((level) => leafStale(step, level))) return;
  const history = chooseHistory(step, 'history page', false);
  applyLeafHistory(step, history, PAGE_KNOWN);
}

function rangeHistory(step: Step): void {
  if (step.get(RANGE_KNOWN) !== KNOWN.unknown || leafLinked(step) !== null) return;
  if ([0, 1, 2].some((level) => leafStale(step, level) || step.get(CHANGED + level) !== 0)) return;
  applyLeafHistory(step, chooseHistory(step, 'history range', false), RANGE_KNOWN);
}

function chooseHistory(step: Step, key: string, walkers: boolean): string {
  const options = ['linked'];
  // Where the clear itself purges, nothing of the kernel's is unlinked and still cached.
  const purged = !walkers && step.machine.space === 'kernel' && step.fact('kernel-clear-purges') === true;
  if (!purged) options.push('unlinked-unflushed');
  if (readGathers(step).some((gather) => gather.open)) options.push('unlinked-unflushed-tracked');
  if (walkers) options.push('unlinked-flushed-walkers');
  options.push('unlinked-flushed-clean', 'never-linked');
  return options[step.choose(key, options)] as string;
}

function applyLeafHistory(step: Step, history: string, known: number): void {
  const level = [0, 1, 2].find((l) => (step.state.entries[l] ?? 0) !== 0 && step.entry(l).maps === '?');
  if (history === 'linked') {
    step.set(known, KNOWN.linked);
    if (level !== undefined) step.settleTo(level, 'page');
    return;
  }
  step.set(known, history === 'never-linked' ? KNOWN.never : KNOWN.unlinked);
  if (level !== undefined) step.settleTo(level, 'none');
  if (history === 'unlinked-unflushed' || history === 'unlinked-unflushed-tracked') markUnlinkedLeaf(step);
  if (history === 'unlinked-unflushed-tracked') trackEverywhere(step);
}

function trackEverywhere(step: Step): void {
  for (const gather of readGathers(step)) {
    if (!gather.open) continue;
    gather.tracked |= 1;
    gather.tables = true;
    gather.save();
  }
}

function tableHistory(step: Step, table: number): void {
  const known = step.get(TABLE_KNOWN + table);
  if (known !== KNOWN.unknown) return;
  const above = linkAbove(step, table);
  if (above >= 0) {
    const entry = step.entry(above);
    if (entry.maps === 'table' && entry.of === 'W') return;
  }
  let history: string;
  if (above >= 0 && step.entry(above).maps !== '?') {
    const options = [
      'unlinked-unflushed',
      'unlinked-flushed-walkers',
      'unlinked-flushed-clean',
      'never-linked',
    ];
    history = options[step.choose(`history table ${levelAt(table)}`, options)] as string;
  } else history = chooseHistory(step, `history table ${levelAt(table)}`, true);
  if (above >= 0) step.settleTo(above, history === 'linked' ? 'table' : 'none');
  switch (history) {
    case 'linked':
      step.set(TABLE_KNOWN + table, KNOWN.linked);
      return;
    case 'unlinked-unflushed':
    case 'unlinked-unflushed-tracked':
      markUnlinkedTable(step, table);
      if (history === 'unlinked-unflushed-tracked') trackEverywhere(step);
      return;
    case 'unlinked-flushed-walkers':
      markUnlinkedTable(step, table);
      for (let cls = 0; cls < step.machine.layout.classes; cls += 1) step.setClassByte(cls, WALK + table, 0);
      if (step.get(WALKERS + table) !== 0) step.set(SILENT_FLUSH + table, 1);
      return;
    case 'unlinked-flushed-clean':
      step.set(TABLE_KNOWN + table, KNOWN.unlinked);
      return;
    default:
      step.set(TABLE_KNOWN + table, KNOWN.never);
  }
}

/**
 * A flush, an interrupt or a grace period does something for what was unlinked before the program started: what was
 * is chosen first.
 */
export function chooseHistories(step: Step): void {
  for (const memory of step.machine.brought) {
    if (memory.what === 'page') pageHistory(step);
    else if (memory.what === 'range') rangeHistory(step);
    else tableHistory(step, LEVELS.indexOf(memory.level));
  }
}

// ---- free and reuse

/** The memory goes back for other use: whatever still reaches it is a hazard. */
export function release(step: Step, memory: MemoryValue, how: FreeHow, verb: string): void {
  if (memory.who !== 'W') return;
  switch (memory.what) {
    case 'page':
      pageHistory(step);
      checkPage(step, verb);
      if (step.get(PAGE_LIFE) !== LIFE.freed) step.set(PAGE_LIFE, LIFE.freed);
      return;
    case 'table': {
      const table = LEVELS.indexOf(memory.level);
      tableHistory(step, table);
      if (how === 'rcu' && !tableLinked(step, table) && keptByOwnSection(step)) noteHandedOver(step, table);
      else checkTable(step, table, how, verb);
      step.set(TABLE_LIFE + table, how === 'rcu' ? LIFE.deferred : LIFE.freed);
      if (how === 'rcu') noteKept(step, table);
      return;
    }
    case 'range':
      rangeHistory(step);
      checkRange(step, verb);
      step.set(RANGE_LIFE, LIFE.freed);
  }
}

const keptNote = (cpu: number, table: number): string => `kept:${cpu}:${table}`;

/** CPUs that are in a section when a table is left to RCU keep it until they leave that section; later ones do not. */
function noteKept(step: Step, table: number): void {
  for (let cpu = 0; cpu < step.machine.layout.programs; cpu += 1)
    if (cpu !== step.cpu && (step.cpuByte(cpu, RCU) !== 0 || step.cpuByte(cpu, IRQ_OFF) !== 0))
      step.state.note(keptNote(cpu, table), 'yes');
}

const keeps = (step: Step, cpu: number, table: number): boolean => step.state.extra.has(keptNote(cpu, table));

/** The CPU has interrupts on and is in no RCU section any more. */
export function leaveSections(step: Step): void {
  for (let table = 0; table < LEVELS.length; table += 1) step.state.note(keptNote(step.cpu, table), null);
}

/** The RCU section in which the table was handed over ends: a grace period may end too. */
export function checkHandedOver(step: Step, table: number): void {
  checkTable(step, table, 'rcu', 'left to RCU alone');
}

/**
 * A gather that is full, or that finds no memory for its list of tables, flushes and frees what is queued at once
 * (mm/mmu_gather.c, tlb_remove_table()). So what is queued must be unlinked by then, and a page whose call may flush
 * (`untracked`: nothing of its address is tracked so far) tracked. Only what this program knows counts.
 */
export function checkQueueing(step: Step, memory: MemoryValue, untracked: boolean): void {
  if (memory.what === 'table') {
    const table = LEVELS.indexOf(memory.level);
    const above = linkAbove(step, table);
    if (above < 0 || step.get(TABLE_KNOWN + table) !== KNOWN.unknown || !reachable(step, table)) return;
    const entry = step.entry(above);
    if (entry.maps !== 'table' || entry.of !== 'W') return;
    step.fail(
      'free-before-clear',
      `table:${memory.level}`,
      `${tableName(table)} is queued while the entry above still points to it: a gather without memory for its list flushes and frees it at once`,
      'consequence-stale-table',
    );
    return;
  }
  if (memory.what !== 'page') return;
  for (let level = 0; level <= 2; level += 1) {
    if (!step.onPath(level)) continue;
    const entry = step.entry(level);
    if (entry.maps === 'page' && entry.of === 'W' && reachable(step, level)) {
      step.fail(
        'free-before-clear',
        'page',
        `the page is queued while its ${levelAt(level)} entry still maps it: a full gather flushes and frees it at once`,
        'consequence-stale-page',
      );
      return;
    }
    if (untracked && leafStale(step, level)) {
      step.fail(
        'free-before-flush',
        'page',
        `the page is queued before its address is tracked: a full gather flushes without it and frees the page at once`,
        'consequence-stale-page',
      );
      return;
    }
  }
}

function pageLinked(step: Step): boolean {
  const level = leafLinked(step);
  return level === null ? step.get(PAGE_KNOWN) === KNOWN.linked : level >= 0;
}

function checkPage(step: Step, verb: string): void {
  if (secondaryStale(step)) {
    step.fail(
      'notifier-order',
      'page',
      `the page is ${verb} while a secondary MMU (KVM, IOMMU) may still map it: its translation was neither invalidated nor kept out by a notifier section around the change`,
      null,
      'a guest or device goes on using memory that belongs to somebody else',
    );
    return;
  }
  if (pageLinked(step)) {
    const level = leafLinked(step);
    const entry = level === null || level < 0 ? 'an entry' : `its ${levelAt(level)} entry`;
    step.fail(
      'free-before-clear',
      'page',
      `the page is ${verb} while ${entry} still maps it`,
      'consequence-stale-page',
    );
    return;
  }
  checkLeaves(step, 'page', `the page is ${verb}`, 'free-before-flush');
  if (step.state.violation === null && step.get(DEVICE) !== 0)
    step.fail(
      'notifier-order',
      'page of a device',
      `the page is ${verb} while a device that shares the page tables (IOMMU SVA) may still hold its translation: CPUs were flushed, the device's TLB was not`,
      null,
      'a device goes on reading and writing memory that belongs to somebody else',
    );
}

function checkRange(step: Step, verb: string): void {
  const linked = leafLinked(step);
  if (linked === null ? step.get(RANGE_KNOWN) === KNOWN.linked : linked >= 0) {
    step.fail(
      'free-before-clear',
      'range',
      `the address range is ${verb} while an entry still maps a page there`,
      'consequence-stale-page',
    );
    return;
  }
  checkLeaves(step, 'range', `the address range is ${verb}`, 'reuse-under-deferred-flush');
}

/** Has the CPU other page tables loaded? What it keeps of the witness's is used again when it loads those. */
function away(step: Step, cls: number): boolean {
  if (step.machine.space === 'kernel') return false;
  const condition = step.classByte(cls, CONDITION);
  return condition === COND.away;
}

/** Stale leaves of the witness's page on any CPU that may use them. */
function checkLeaves(step: Step, object: string, what: string, otherwise: HazardId, writable = false): void {
  for (let cls = 0; cls < step.machine.layout.classes; cls += 1) {
    for (let level = 0; level <= 2; level += 1) {
      const stale = step.classByte(cls, LEAF + level);
      if ((stale & OWED) !== 0) continue;
      const target = object === 'range' ? stale !== 0 : writable ? (stale & 3) >= 2 : (stale & 3) !== 0;
      if (!target) continue;
      const flags = step.classByte(cls, LEAF_FLAGS + level);
      const deferred = (flags & DEFERRED) !== 0;
      // A CPU with a program of its own shows by what it touches before its deferred flush whether it does harm.
      if (deferred && cls < step.machine.layout.programs) continue;
      if (away(step, cls)) continue;
      const who = step.cpuName(cls);
      if (deferred || (step.get(BATCHED) & (1 << level)) !== 0) {
        const why = deferred
          ? `the flush is deferred on ${who}`
          : 'the flush is batched and has not been done';
        step.fail(
          'reuse-under-deferred-flush',
          object,
          `${what} while ${who} may still hold the old translation: ${why}`,
          'consequence-stale-page',
        );
      } else if (blockRefills(step, level)) {
        failBlock(step, level, object);
      } else if ((flags & MISSED) !== 0) {
        step.fail(
          'flush-scope-too-narrow',
          object,
          `${what} while ${who} may still hold the old translation: the flush that was done does not cover it`,
          'consequence-stale-page',
        );
      } else {
        step.fail(
          otherwise,
          object,
          `${what} before the old translation is flushed: ${who} may still hold it`,
          'consequence-stale-page',
        );
      }
      return;
    }
  }
}

function tableLinked(step: Step, table: number): boolean {
  const above = linkAbove(step, table);
  const entry = above < 0 ? null : step.entry(above);
  return (
    step.get(TABLE_KNOWN + table) === KNOWN.linked ||
    (entry !== null &&
      entry.maps === 'table' &&
      entry.of === 'W' &&
      step.get(TABLE_KNOWN + table) === KNOWN.unknown &&
      reachable(step, table))
  );
}

function checkTable(step: Step, table: number, how: FreeHow, verb: string): void {
  const object = `table:${levelAt(table)}`;
  if (tableLinked(step, table)) {
    step.fail(
      'free-before-clear',
      object,
      `${tableName(table)} is ${verb} while the entry above still points to it`,
      'consequence-stale-table',
    );
    return;
  }
  if (explicitWalker(step, table, how, verb, object)) return;
  const stale = walkStale(step, table);
  const flushed = !stale || anyFlag(step, table, 0xff);
  const walkers = how !== 'rcu' && (!stale || flushed) && meetsWalker(step, table);
  if (walkers && flushed && how !== 'after-flush') {
    failWalker(step, table, object, verb);
    return;
  }
  if (walkers && how === 'after-flush' && !stale) {
    // Where nothing caches the way to the table, the flush is there for its interrupts: none was sent.
    if (step.get(SILENT_FLUSH + table) === 0 && step.fact('walk-cache') !== true)
      step.fail(
        'table-free-before-flush',
        object,
        `${tableName(table)} is ${verb} before the flush, whose interrupts wait for GUP-fast to leave it`,
        null,
        WRONG_PAGE,
      );
    else failWalker(step, table, object, verb);
    return;
  }
  if (!stale) return;
  for (let cls = 0; cls < step.machine.layout.classes; cls += 1) {
    if (step.classByte(cls, WALK + table) === 0 || away(step, cls)) continue;
    const flags = step.classByte(cls, WALK_FLAGS + table);
    const what = `${tableName(table)} is ${verb}`;
    const who = step.cpuName(cls);
    if ((flags & DEFERRED) !== 0)
      step.fail(
        'table-free-under-deferred-flush',
        object,
        `${what} while the only flush of ${who}'s walk cache is deferred: its hardware may walk the freed table at any time`,
        'consequence-stale-table',
      );
    else if ((flags & MISSED) !== 0)
      step.fail(
        'flush-scope-too-narrow',
        object,
        `${what} while ${who}'s walk cache may still lead to it: the flush that was done does not reach it`,
        'consequence-stale-table',
      );
    else
      step.fail(
        'table-free-before-flush',
        object,
        `${what} before the flush: ${who}'s walk cache may still lead to it`,
        'consequence-stale-table',
      );
    return;
  }
}

function anyFlag(step: Step, table: number, mask: number): boolean {
  if (step.get(SILENT_FLUSH + table) !== 0) return true;
  for (let cls = 0; cls < step.machine.layout.classes; cls += 1)
    if ((step.classByte(cls, WALK_FLAGS + table) & mask) !== 0) return true;
  return false;
}

/** GUP-fast takes a reference to whatever the memory says by then. */
const WRONG_PAGE = 'GUP-fast reads what the freed table holds by then and hands its caller a wrong page';
/** Another writer of kernel tables. */
const WRONG_TABLE = 'it reads or writes entries in memory that already belongs to somebody else';
/** The page is still there: what is wrong is that it can be written. */
const LOST_WRITE =
  'a write through the old translation goes unnoticed: it is lost, or changes what was to be protected';

function failWalker(step: Step, table: number, object: string, verb: string): void {
  if (step.machine.space === 'guest') {
    step.fail(
      'table-free-without-sync',
      object,
      `${tableName(table)} of the guest is ${verb} while another vCPU may still be inside it: nothing since the unlink has waited for it`,
      null,
      'a vCPU that handles a fault follows or fills entries in memory that belongs to somebody else',
    );
    return;
  }
  const silent = step.get(SILENT_FLUSH + table) !== 0;
  if (silent)
    step.fail(
      'flush-without-ipi',
      object,
      `${tableName(table)} is ${verb} while GUP-fast may still be inside it: the flush interrupts nobody on this machine, so it did not wait for CPUs with interrupts off`,
      null,
      WRONG_PAGE,
    );
  else
    step.fail(
      'table-free-without-sync',
      object,
      `${tableName(table)} is ${verb} while GUP-fast may still be inside it: no IPI and no RCU grace period since it was unlinked`,
      null,
      WRONG_PAGE,
    );
}

/** A walker that has a program of its own. */
function explicitWalker(step: Step, table: number, how: FreeHow, verb: string, object: string): boolean {
  for (let cpu = 0; cpu < step.machine.layout.programs; cpu += 1) {
    if (cpu === step.cpu || (step.cpuByte(cpu, INSIDE) & (1 << table)) === 0) continue;
    const protectedByRcu = step.cpuByte(cpu, RCU) !== 0 || step.cpuByte(cpu, IRQ_OFF) !== 0;
    if (how === 'rcu' && protectedByRcu) continue;
    const name = step.machine.names[cpu] ?? step.cpuName(cpu);
    if (step.machine.space === 'kernel') {
      step.fail(
        'shared-table-walk-race',
        object,
        `${tableName(table)} is ${verb} while ${name} on ${step.cpuName(cpu)} is inside it: it takes no lock for its whole walk`,
        null,
        `${name}: ${WRONG_TABLE}`,
      );
    } else if (step.state.extra.get('silent flush') !== undefined) {
      step.fail(
        'flush-without-ipi',
        object,
        `${tableName(table)} is ${verb} while ${name} on ${step.cpuName(cpu)} is inside it: the flush interrupted nobody`,
        null,
        WRONG_PAGE,
      );
    } else {
      step.fail(
        'table-free-without-sync',
        object,
        `${tableName(table)} is ${verb} while ${name} on ${step.cpuName(cpu)} is inside it: no IPI and no grace period since it was unlinked`,
        null,
        WRONG_PAGE,
      );
    }
    return true;
  }
  return false;
}

/** Is a stale secondary translation of the page left? Asks whether the caller opened a notifier section. */
export function secondaryStale(step: Step): boolean {
  if (step.get(SECONDARY) === 0) return false;
  if (step.context(NOTIFIER_AT_ENTRY, ['yes', 'no']) === 'no') return true;
  step.set(SECONDARY, 0);
  return false;
}

/** One reference of the page is dropped. */
export function dropReference(step: Step, memory: MemoryValue): void {
  if (memory.who !== 'W') return;
  if (memory.what !== 'page') {
    release(step, memory, 'now', 'freed');
    return;
  }
  // Who passed the page on keeps it: its own reference is not among those that the program drops.
  if (step.machine.kind && step.machine.pageBrought) return;
  const refs = step.get(PAGE_REFS);
  if (refs > 0) {
    step.set(PAGE_REFS, refs - 1);
    if (refs > 1 || step.get(MAP_REF) === 1) return;
    pageHistory(step);
    if (pageLinked(step)) return;
    release(step, memory, 'now', 'freed (last reference dropped)');
    return;
  }
  if (step.get(MAP_REF) === 1) step.set(MAP_REF, 0);
  // Who drops a reference of a mapped page that it was not seen to take holds one from before.
  else if (step.machine.kind && pageLinked(step)) return;
  release(step, memory, 'now', 'freed (last reference dropped)');
}

/** An explicit statement that nobody may hold translations, writable ones, or be inside. */
export function checkRely(
  step: Step,
  memory: MemoryValue,
  on: 'no-translation' | 'no-writable-translation' | 'no-walker' | 'no-secondary',
): void {
  if (memory.who !== 'W') return;
  const object = memory.what === 'table' ? `table:${memory.level}` : memory.what;
  switch (on) {
    case 'no-secondary':
      if (secondaryStale(step))
        step.fail(
          'notifier-order',
          object,
          'a secondary MMU may still map what must no longer be mapped',
          null,
          'a guest or device uses a stale translation',
        );
      return;
    case 'no-walker':
      if (memory.what !== 'table') return;
      tableHistory(step, LEVELS.indexOf(memory.level));
      if (meetsWalker(step, LEVELS.indexOf(memory.level)))
        failWalker(step, LEVELS.indexOf(memory.level), object, 'relied on');
      return;
    case 'no-translation':
    case 'no-writable-translation': {
      if (memory.what === 'table') return;
      if (memory.what === 'page') pageHistory(step);
      else rangeHistory(step);
      const writable = on === 'no-writable-translation';
      if (!writable && pageLinked(step)) {
        step.fail(
          'free-before-clear',
          object,
          `the ${memory.what} is relied on not to be mapped while an entry still maps it`,
          'consequence-stale-page',
        );
        return;
      }
      const what = writable
        ? `the ${memory.what}'s content is relied on`
        : `the ${memory.what} is relied on not to be mapped`;
      checkLeaves(step, object, what, 'missing-flush', writable);
    }
  }
}

// ---- unlock and return

const changedBy = (step: Step, level: number): boolean => (step.get(CHANGED + level) & (1 << step.cpu)) !== 0;

/** Another thread takes the lock next and relies on what the entries say. */
export function checkUnlock(step: Step, lockClass: string): void {
  const { space } = step.machine;
  const relevant = (space === 'user' && lockClass === 'ptl') || (space === 'guest' && lockClass === 'mmu');
  if (!relevant) return;
  for (let level = 0; level < LEVELS.length; level += 1) {
    if (!changedBy(step, level)) continue;
    if (!ownStale(step, level) && !(space === 'guest' && level > 0 && walkOwed(step, level - 1))) continue;
    // Permissions of a guest's page that were lowered may be flushed later: only who relies on it waits for that.
    if (space === 'guest' && step.entry(level).maps === 'page' && step.entry(level).of === 'W') continue;
    const moved = step.get(MOVED) !== 0 && !isCopy(step, level);
    if (space === 'user' && !moved && handedOn(step, level)) continue;
    if (space === 'user' && !moved && recordedOutside(step)) continue;
    if (blockRefills(step, level)) {
      failBlock(step, level, `entry:${levelAt(level)}`);
      return;
    }
    if (leafMissed(step, level)) {
      step.fail(
        'flush-scope-too-narrow',
        `entry:${levelAt(level)}`,
        `the ${lockClass === 'mmu' ? 'mmu_lock' : 'page-table lock'} is dropped, and the flush that was done does not cover what changed with the ${levelAt(level)} entry on every CPU`,
        'consequence-stale-page',
      );
      return;
    }
    step.fail(
      'unlock-before-flush',
      `entry:${levelAt(level)}`,
      moved
        ? `the page-table lock is dropped before the flush of the ${levelAt(level)} entry that the page was moved from: who unmaps the page at its new address does not flush the old one`
        : `the ${lockClass === 'mmu' ? 'mmu_lock' : 'page-table lock'} is dropped before the flush of the changed ${levelAt(level)} entry: another thread relies on the entry while CPUs may still use the old translation`,
      ...staleEntry(step, level),
    );
    return;
  }
}

/** What a stale translation does: the page that it leads to may go, or it is still there and can be written. */
function staleEntry(step: Step, level: number): readonly [FactName | null, string] {
  const now = step.entry(level);
  const isSame = now.maps === 'page' && now.of === 'W';
  return isSame ? [null, LOST_WRITE] : ['consequence-stale-page', ''];
}

/**
 * Who holds the lock of the page's other mappings keeps page cleaning and sharers of a table out. What it wrote protected
 * in the meantime must be flushed before they come: no record of an owed flush is asked for there.
 */
export function checkRmapUnlock(step: Step): void {
  for (let level = 0; level < LEVELS.length; level += 1) {
    const name = `${RMAP_CHANGED}${level}`;
    if (!step.state.extra.has(name)) continue;
    step.state.note(name, null);
    const entry = step.entry(level);
    if (step.machine.space !== 'user' || entry.maps !== 'page' || entry.of !== 'W') continue;
    if (!ownStale(step, level)) continue;
    step.fail(
      'unlock-before-flush',
      `entry:${levelAt(level)}`,
      `the lock of the page's other mappings is dropped before the flush of the ${levelAt(level)} entry that was write-protected under it: others rely on the entry while CPUs may still write through the old translation`,
      ...staleEntry(step, level),
    );
    return;
  }
}

/**
 * The page is mapped at the second address and still at the first: each mapping has its reference, and callers who hold
 * the mmap lock for write flush what became read-only before they drop it (kernel/fork.c, dup_mmap()).
 */
const isCopy = (step: Step, level: number): boolean =>
  step.machine.kind && step.entry(level).maps === 'page' && step.entry(level).of === 'W';

/** Stale leaves that matter to who reads the entry next; with `owed` also those to be gone before user code runs. */
function ownStale(step: Step, level: number, owed = false): boolean {
  for (let below = lowestOwed(step, level); below <= level; below += 1)
    if (staleAt(step, below, owed)) return true;
  return false;
}

/** Who unlinks a guest's table, or moves a table to another address, flushes for the pages below it. */
function lowestOwed(step: Step, level: number): number {
  return step.machine.space === 'guest' || step.get(MOVED) === MOVES.table ? 0 : level;
}

function staleAt(step: Step, level: number, owed: boolean): boolean {
  for (let cls = 0; cls < step.machine.layout.classes; cls += 1) {
    const stale = step.classByte(cls, LEAF + level);
    if (stale === 0 || (!owed && (stale & OWED) !== 0) || away(step, cls)) continue;
    if ((step.classByte(cls, LEAF_FLAGS + level) & DEFERRED) === 0) return true;
  }
  return false;
}

/** The duty to flush is recorded in something that lives on: an open gather's range, the batch, the pending flag. */
function handedOn(step: Step, level: number): boolean {
  if ((step.get(BATCHED) & (1 << level)) !== 0 || step.get(PENDING) !== 0) return true;
  return readGathers(step).some((gather) => gather.open);
}

function recordedOutside(step: Step): boolean {
  if (step.state.extra.has('mmap write')) return true;
  if (step.context('tlb_flush_pending raised at entry', ['yes', 'no']) === 'yes') return true;
  return step.context('mmap_lock held for write at entry', ['yes', 'no']) === 'yes';
}

/** The program returns `flag` (null: nothing). What it still owes must be written down somewhere. */
export function checkReturn(step: Step, outermost: boolean, handsOn: boolean): void {
  const gathers = readGathers(step);
  for (const gather of gathers) {
    if (!gather.open || gather.own) continue;
    checkQueued(step, gather);
    if (step.state.violation !== null) return;
  }
  if (handsOn) return;
  const visitor = gathers.some((gather) => gather.open && !gather.own && gather.tracks);
  if (!outermost && !visitor) return;
  checkReclaimed(step, gathers);
  if (step.state.violation !== null) return;
  for (let level = 0; level < LEVELS.length; level += 1) {
    if (blockDiffers(step, level)) {
      failBlock(step, level, `entry:${levelAt(level)}`, 'which of them a CPU loads is left open');
      return;
    }
    if (!changedBy(step, level)) continue;
    const leaf =
      ownStale(step, level, true) &&
      (step.get(BATCHED) & (1 << level)) === 0 &&
      step.get(PENDING) === 0 &&
      !gathers.some((gather) => gather.open && covers(gather, level));
    const walk =
      level > 0 &&
      walkOwed(step, level - 1) &&
      !gathers.some((gather) => gather.open && (gather.tables || gather.full));
    // Whoever gets a kernel range back may hand it out at once: a flush still to be done by some CPU is none yet.
    if (!leaf && step.machine.space === 'kernel' && leafStale(step, level)) {
      checkLeaves(step, 'range', 'the address range is given back', 'reuse-under-deferred-flush');
      if (step.state.violation !== null) return;
    }
    if (!leaf && !walk) continue;
    if (leaf && blockRefills(step, level)) {
      failBlock(step, level, `entry:${levelAt(level)}`);
      return;
    }
    const narrow = leaf ? leafMissed(step, level) : anyFlag(step, level - 1, MISSED);
    step.fail(
      narrow ? 'flush-scope-too-narrow' : 'missing-flush',
      `entry:${levelAt(level)}`,
      narrow
        ? `the ${levelAt(level)} entry was changed and the flush that was done does not cover it on every CPU`
        : `the ${levelAt(level)} entry was changed and nothing flushes it or hands the duty on`,
      ...(leaf ? staleEntry(step, level) : (['consequence-stale-table', ''] as const)),
    );
    return;
  }
}

/** Who is through with a range promises that nobody goes on using what stood there, whoever emptied the entry. */
function checkReclaimed(step: Step, gathers: readonly Gather[]): void {
  if (!step.state.extra.has(RECLAIMED) || !leafStale(step, 0)) return;
  if (gathers.some((gather) => gather.open && covers(gather, 0))) return;
  step.fail(
    'reuse-under-deferred-flush',
    'entry:pte',
    'the operation is through with the address, but reclaim on another CPU had emptied the pte entry and its flush is still batched: CPUs may go on using the old translation',
    'consequence-stale-page',
  );
}

/** No flush helps as long as other entries of the contiguous block say what this one no longer does. */
function failBlock(
  step: Step,
  level: number,
  object: string,
  so = 'CPUs may load the old translation again from the rest of the block',
): void {
  step.fail(
    'break-before-make',
    object,
    `the ${levelAt(level)} entry was changed as one of a contiguous block that was not broken first: ${so}`,
    'consequence-live-replace',
  );
}

function leafMissed(step: Step, level: number): boolean {
  for (let cls = 0; cls < step.machine.layout.classes; cls += 1)
    for (let below = lowestOwed(step, level); below <= level; below += 1)
      if ((step.classByte(cls, LEAF_FLAGS + below) & MISSED) !== 0) return true;
  return false;
}

function walkOwed(step: Step, table: number): boolean {
  for (let cls = 0; cls < step.machine.layout.classes; cls += 1)
    if (
      step.classByte(cls, WALK + table) !== 0 &&
      (step.classByte(cls, WALK_FLAGS + table) & DEFERRED) === 0 &&
      !away(step, cls)
    )
      return true;
  return false;
}

function covers(gather: { readonly tracked: number; readonly full: boolean }, level: number): boolean {
  return gather.full || (gather.tracked & ((2 << level) - 1)) !== 0;
}

/** A page or table left in a caller's gather whose flush will not cover it. */
function checkQueued(step: Step, gather: ReturnType<typeof readGathers>[number]): void {
  for (let level = 0; level <= 2; level += 1) {
    if (!gather.page || !changedBy(step, level) || !ownStale(step, level) || covers(gather, level)) continue;
    const narrow = gather.tracked !== 0;
    step.fail(
      narrow ? 'flush-scope-too-narrow' : 'free-before-flush',
      'page',
      `the page is queued in the gather, but the cleared ${levelAt(level)} entry is not in the range that the gather flushes`,
      'consequence-stale-page',
    );
    return;
  }
}

/** CPU `cls` uses the address through whatever it holds. */
export function checkTouch(step: Step, write: boolean): void {
  const { cls } = step;
  for (let level = 0; level <= 2; level += 1) {
    const stale = step.classByte(cls, LEAF + level);
    if (stale === 0) continue;
    const freed = step.get(PAGE_LIFE) === LIFE.freed || step.get(RANGE_LIFE) === LIFE.freed;
    if (!freed) continue;
    const flags = step.classByte(cls, LEAF_FLAGS + level);
    const object = step.get(RANGE_LIFE) === LIFE.freed ? 'range' : 'page';
    step.fail(
      (flags & DEFERRED) !== 0
        ? 'reuse-under-deferred-flush'
        : (flags & MISSED) !== 0
          ? 'flush-scope-too-narrow'
          : 'free-before-flush',
      object,
      `${step.cpuName(cls)} ${write ? 'writes' : 'reads'} through a stale translation after the ${object} was given to somebody else`,
      'consequence-stale-page',
    );
    return;
  }
  for (let table = 0; table < LEVELS.length; table += 1) {
    if (step.get(TABLE_LIFE + table) !== LIFE.freed || step.classByte(cls, WALK + table) === 0) continue;
    step.fail(
      'table-free-under-deferred-flush',
      `table:${levelAt(table)}`,
      `${step.cpuName(cls)} walks ${tableName(table)} after it was freed`,
      'consequence-stale-table',
    );
    return;
  }
}

/** A CPU uses an entry in a table that is gone, or takes a page that is gone. */
export function checkUse(step: Step, what: 'table' | 'page', level: number): void {
  if (what === 'page') {
    if (
      step.get(PAGE_LIFE) === LIFE.freed &&
      step.machine.layout.programs > 1 &&
      (step.cpuByte(step.cpu, INSIDE) & PAGE_INSIDE) !== 0
    )
      step.fail(
        'free-before-clear',
        'page',
        `${step.cpuName(step.cpu)} takes a reference on a page that was freed`,
        'consequence-stale-page',
      );
    return;
  }
  if (step.machine.layout.programs < 2) return;
  const life = step.get(TABLE_LIFE + level);
  const gone = life === LIFE.freed || (life === LIFE.deferred && !keeps(step, step.cpu, level));
  if (!gone || (step.cpuByte(step.cpu, INSIDE) & (1 << level)) === 0) return;
  step.fail(
    step.machine.space === 'kernel' ? 'shared-table-walk-race' : 'table-free-without-sync',
    `table:${levelAt(level)}`,
    `${step.cpuName(step.cpu)} uses an entry of ${tableName(level)} after it was freed`,
    'consequence-stale-table',
  );
}
