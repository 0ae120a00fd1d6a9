/** CPUs: interrupts, RCU, locks, walkers, notifiers, and what a CPU is doing (lazy, user mode, preempted). */
import type { Event } from '#event/event.js';
import { encodeValue, type Gap, LEVELS, type Value } from '#event/value.js';
import { readEntry, truth } from './evaluate.js';
import { runRead } from './events-entries.js';
import { interruptsBlocked, runDeferred } from './flush.js';
import { contextNote, STOPPED_BY_FLUSH, takeHandedOver } from './guest.js';
import { refills } from './hardware.js';
import { isPast } from './position.js';
import { checkHandedOver, checkRmapUnlock, checkUnlock, checkUse, leaveSections } from './relies.js';
import {
  ACTING,
  COND,
  CONDITION,
  DEFERRED,
  DEVICE,
  INSIDE,
  IRQ_OFF,
  LEAF,
  LEAF_FLAGS,
  MISSED,
  NOTIFIER,
  RCU,
  SECONDARY,
  UNNOTIFIED,
  WALK,
  WALK_FLAGS,
  WALKERS,
} from './state.js';
import { comparedName, RECLAIM_FLUSHED, RMAP_LOCK, type Step } from './step.js';

type Of<K extends Event<Value>['kind']> = Extract<Event<Value>, { readonly kind: K }>;

export function runIpi(step: Step): void {
  if (interruptsBlocked(step)) {
    step.blocked = true;
    return;
  }
  for (let table = 0; table < LEVELS.length; table += 1)
    step.set(
      WALKERS + table,
      step.machine.space === 'guest' ? step.get(WALKERS + table) & ~STOPPED_BY_FLUSH : 0,
    );
}

/** A function is run on another CPU (or, held off from others, on this one). */
export function runInterrupt(step: Step, event: Of<'interrupt'>): void {
  const { layout } = step.machine;
  const runs = event.cpu < layout.programs;
  switch (event.phase) {
    case 'begin':
      if (event.cpu !== step.cpu && runs && holdsOff(step, event.cpu)) {
        step.blocked = true;
        return;
      }
      step.setCpuByte(step.cpu, ACTING, event.cpu + 1);
      return;
    case 'end':
      if (event.flushes === true) markLeft(step, event.cpu, MISSED, 0);
      // Whoever walked there with interrupts off is through.
      if (!runs) for (let table = 0; table < LEVELS.length; table += 1) step.set(WALKERS + table, 0);
      step.setCpuByte(step.cpu, ACTING, 0);
      return;
    case 'skip':
      skipped(step, event.cpu, runs);
  }
}

/** Does the CPU take no interrupt now: off, in one already, or in the middle of another CPU's? */
function holdsOff(step: Step, cpu: number): boolean {
  if (step.cpuByte(cpu, IRQ_OFF) !== 0 || step.cpuByte(cpu, ACTING) !== 0) return true;
  for (let other = 0; other < step.machine.layout.programs; other += 1)
    if (other !== step.cpu && step.cpuByte(other, ACTING) === cpu + 1) return true;
  return false;
}

/** What the CPU still holds after all that was done for it, unless something else than `over` is known of it. */
function markLeft(step: Step, cls: number, flag: number, over: number): void {
  for (let level = 0; level < LEVELS.length; level += 1) {
    for (const [held, flags] of [
      [LEAF, LEAF_FLAGS],
      [WALK, WALK_FLAGS],
    ] as const)
      if (step.classByte(cls, held + level) !== 0 && (step.classByte(cls, flags + level) & ~over) === 0)
        step.setClassByte(cls, flags + level, flag);
  }
}

/**
 * The CPU says that it needs no interrupt: it is lazy and catches up before it uses user addresses again. A program
 * of its own shows whether it does; the CPU that stands for all others keeps the promise, but walks by itself.
 */
function skipped(step: Step, cls: number, runs: boolean): void {
  if (!runs && step.machine.space !== 'kernel') {
    step.setClassByte(cls, CONDITION, COND.lazy);
    for (let level = 0; level < LEVELS.length; level += 1) {
      if (refills(step, cls, level, 'leaf')) continue;
      step.setClassByte(cls, LEAF + level, 0);
      step.setClassByte(cls, LEAF_FLAGS + level, 0);
    }
  }
  markLeft(step, cls, DEFERRED, MISSED);
}

export function runRcuWait(step: Step): void {
  for (let cpu = 0; cpu < step.machine.layout.programs; cpu += 1) {
    if (cpu !== step.cpu && (step.cpuByte(cpu, RCU) !== 0 || step.cpuByte(cpu, IRQ_OFF) !== 0)) {
      step.blocked = true;
      return;
    }
  }
  for (let table = 0; table < LEVELS.length; table += 1) step.set(WALKERS + table, 0);
}

/** The walk is over: nothing that it led to is in use any more. */
function leaveWalk(step: Step): void {
  step.setCpuByte(step.cpu, INSIDE, 0);
}

export function runInterrupts(step: Step, on: boolean): void {
  step.setCpuByte(step.cpu, IRQ_OFF, on ? 0 : 1);
  if (!on || step.cpuByte(step.cpu, RCU) !== 0) return;
  leaveWalk(step);
  leaveSections(step);
}

export function runRcuRead(step: Step, enter: boolean): void {
  const depth = step.cpuByte(step.cpu, RCU);
  const next = enter ? Math.min(3, depth + 1) : Math.max(0, depth - 1);
  step.setCpuByte(step.cpu, RCU, next);
  if (next !== 0 || enter) return;
  if (step.cpuByte(step.cpu, IRQ_OFF) === 0) {
    leaveWalk(step);
    leaveSections(step);
  }
  for (const table of takeHandedOver(step)) checkHandedOver(step, table);
}

// ---- locks

const HELD_WHILE_WALKING = 64;

/** Whatever the code calls it: of these, the witness's address space has one. */
const ONE_OF_A_KIND: ReadonlySet<string> = new Set(['mmap', 'vma', 'rmap']);

/** A lock nobody can name excludes nobody; one with a name excludes the other programs that name it. */
function lockName(lock: Value, lockClass: string): string | null {
  if (lock.kind === 'symbol' && ONE_OF_A_KIND.has(lockClass)) return `lock:${lockClass}`;
  if (lock.kind === 'symbol') return `lock:${lockClass}:${lock.name}`;
  if (lock.kind === 'entry-pointer')
    return lock.table === 'other' ? null : `lock:${lockClass}:${encodeValue({ ...lock, gap: 'at' })}`;
  return null;
}

interface Holders {
  readonly writer: number | null;
  readonly readers: readonly number[];
}

function holders(text: string | undefined): Holders {
  if (text === undefined) return { writer: null, readers: [] };
  if (text.startsWith('w')) return { writer: Number(text.slice(1)), readers: [] };
  return { writer: null, readers: text.slice(1).split(',').map(Number) };
}

/** Reclaim empties entries under the page-table lock: what it batched is all flushed only until the lock is dropped. */
function noteReclaim(step: Step, locks: boolean): void {
  const held = Number(step.state.extra.get(TABLE_LOCKS) ?? '0');
  const now = locks ? Math.min(3, held + 1) : Math.max(0, held - 1);
  // A first lock shows that none was held at the flush before.
  if (locks ? held === 0 : now === 0) step.state.note(RECLAIM_FLUSHED, null);
  step.state.note(TABLE_LOCKS, now === 0 ? null : String(now));
}

const TABLE_LOCKS = 'page-table locks';

export function runLock(step: Step, event: Of<'lock' | 'unlock' | 'assert-held'>): void {
  if (step.machine.reclaimed && event.class === 'ptl' && event.kind !== 'assert-held')
    noteReclaim(step, event.kind === 'lock');
  if (event.class === 'ptl' && event.kind === 'unlock')
    for (let level = 0; level < LEVELS.length; level += 1) step.state.note(comparedName(level), null);
  const write = event.mode !== 'read';
  // Who took mmu_lock the other way does not come here: flags that are not followed together keep him out.
  if (event.class === 'mmu' && event.kind === 'assert-held' && step.machine.kind) {
    const held = step.state.extra.get('mmu lock');
    if (held !== undefined && held !== (write ? 'write' : 'read')) {
      step.blocked = true;
      return;
    }
  }
  if (event.class === 'mmap') {
    if (event.kind === 'unlock') step.state.note('mmap write', null);
    else if (event.mode === 'write') step.state.note('mmap write', 'held');
  }
  if (event.class === 'rmap' && write && event.kind !== 'assert-held') {
    if (event.kind === 'unlock') checkRmapUnlock(step);
    step.state.note(RMAP_LOCK, event.kind === 'lock' ? 'held' : null);
  }
  if (event.class === 'mmu') {
    if (event.kind === 'unlock') checkUnlock(step, event.class);
    step.state.note('mmu lock', event.kind === 'unlock' ? null : write ? 'write' : 'read');
  } else if (event.kind === 'unlock') {
    checkUnlock(step, event.class);
    if ((step.cpuByte(step.cpu, INSIDE) & HELD_WHILE_WALKING) !== 0) leaveWalk(step);
  }
  if (step.machine.layout.programs < 2 || event.kind === 'assert-held') return;
  const name = lockName(event.lock, event.class);
  if (name === null) return;
  const held = holders(step.state.extra.get(name));
  if (event.kind === 'unlock') {
    if (held.writer === step.cpu) step.state.note(name, null);
    else {
      const rest = held.readers.filter((cpu) => cpu !== step.cpu);
      step.state.note(name, rest.length === 0 ? null : `r${rest.join(',')}`);
    }
    return;
  }
  // One that the CPU holds itself is that of another address space.
  if (held.writer === step.cpu) return;
  if (held.writer !== null || (write && held.readers.some((cpu) => cpu !== step.cpu))) {
    step.blocked = true;
    return;
  }
  step.state.note(
    name,
    write ? `w${step.cpu}` : `r${[...held.readers, step.cpu].sort((a, b) => a - b).join(',')}`,
  );
}

// ---- walkers

/** Loads the entry; where it leads, this CPU is inside from now on. */
export function runWalk(step: Step, event: Of<'walk'>): void {
  runRead(step, event);
  const value = step.variable(event.into);
  if (event.entry.kind !== 'entry-pointer' || value.kind !== 'entry-value') return;
  const known = step.settleMaps(value);
  step.assign(event.into, known);
  if (known.of !== 'W') return;
  let inside = step.cpuByte(step.cpu, INSIDE);
  if (known.maps === 'table') inside |= 1 << (LEVELS.indexOf(known.level) - 1);
  else if (known.maps === 'page') inside |= 32;
  else return;
  if (holdsLock(step)) inside |= HELD_WHILE_WALKING;
  step.setCpuByte(step.cpu, INSIDE, inside);
}

/** The table that an entry named when it was read is used now, and this CPU is inside of it from now on. */
export function runVisit(step: Step, event: Of<'visit'>): void {
  if (step.machine.layout.programs < 2) return;
  const { memory } = event;
  const value = memory.kind === 'entry-value' ? step.settleMaps(memory) : memory;
  const level =
    value.kind === 'memory' && value.what === 'table' && value.who === 'W'
      ? LEVELS.indexOf(value.level)
      : value.kind === 'entry-value' && value.maps === 'table' && value.of === 'W'
        ? LEVELS.indexOf(value.level) - 1
        : -1;
  if (level < 0) return;
  let inside = step.cpuByte(step.cpu, INSIDE) | (1 << level);
  if (holdsLock(step)) inside |= HELD_WHILE_WALKING;
  step.setCpuByte(step.cpu, INSIDE, inside);
  checkUse(step, 'table', level);
}

function holdsLock(step: Step): boolean {
  for (const [name, text] of step.state.extra) {
    if (!name.startsWith('lock:')) continue;
    const held = holders(text);
    if (held.writer === step.cpu || held.readers.includes(step.cpu)) return true;
  }
  return false;
}

export function runRecheck(step: Step, event: Of<'recheck'>): void {
  if (event.entry.kind !== 'entry-pointer' || event.against.kind !== 'entry-value') {
    step.assign(event.into, { kind: 'int', n: step.yes('recheck') ? 1 : 0 });
    return;
  }
  const now = readEntry(step, event.entry);
  const a = step.settleMaps(now);
  const b = step.settleMaps(event.against);
  const same = a.maps === b.maps && a.of === b.of && a.write === b.write;
  step.assign(event.into, { kind: 'int', n: same ? 1 : 0 });
}

// ---- notifiers

function holdsWitness(start: Value | undefined, end: Value | undefined): boolean {
  const gap = (value: Value | undefined): Gap | '?' => (value?.kind === 'address' ? value.gap : '?');
  const [s, e] = [gap(start), gap(end)];
  return !isPast(s) && (e === '?' || isPast(e));
}

export function runNotify(step: Step, event: Of<'notify-start' | 'notify-end' | 'notify-invalidate'>): void {
  const here = holdsWitness(event.start, event.end);
  switch (event.kind) {
    case 'notify-start':
      if (!here) return;
      step.set(NOTIFIER, Math.min(3, step.get(NOTIFIER) + 1));
      step.set(SECONDARY, 0);
      step.set(UNNOTIFIED, 0);
      return;
    case 'notify-end':
      if (here) step.set(NOTIFIER, Math.max(0, step.get(NOTIFIER) - 1));
      return;
    case 'notify-invalidate':
      if (!here) return;
      step.set(SECONDARY, 0);
      step.set(UNNOTIFIED, 0);
      step.set(DEVICE, 0);
  }
}

// ---- what a CPU is doing

export function runCpu(step: Step, event: Of<'cpu'>): void {
  const put = (condition: number): void => step.setClassByte(step.cls, CONDITION, condition);
  switch (event.does) {
    case 'leave-kernel':
      put(COND.user);
      return;
    case 'enter-kernel':
      put(COND.active);
      return;
    case 'go-lazy':
      put(COND.lazy);
      return;
    case 'preempt-vcpu':
      put(COND.preempted);
      return;
    case 'leave-lazy':
    case 'switch-mm':
    case 'run-vcpu':
      // These catch up with every flush that left this CPU out.
      put(COND.active);
      dropAll(step, step.cls);
      return;
    case 'deferred-flush':
      runDeferred(step, step.cls);
      return;
    case 'load-tables': {
      const mine = event.of?.kind !== 'symbol' || event.of.name === '@mm';
      put(mine ? COND.active : COND.away);
      if (mine && event.flush !== undefined && truth(step, event.flush, () => 'CR3 is loaded with a flush'))
        dropAll(step, step.cls);
      return;
    }
    case 'alone':
      // Every CPU has the kernel's tables.
      if (step.machine.space === 'kernel') return;
      // Programs beside this one show themselves what they hold; the CPU that stands for all others holds nothing.
      for (let cls = step.machine.layout.programs; cls < step.machine.layout.classes; cls += 1) {
        step.setClassByte(cls, CONDITION, COND.without);
        dropAll(step, cls);
      }
      return;
    case 'switch-vmid':
      step.state.note(contextNote(step.cpu), 'loading');
  }
}

function dropAll(step: Step, cls: number): void {
  for (let level = 0; level < LEVELS.length; level += 1) {
    for (const at of [LEAF, LEAF_FLAGS, WALK, WALK_FLAGS]) step.setClassByte(cls, at + level, 0);
  }
}
