/** Flushes and barriers: which stale translations an invalidation removes, on which CPUs, and when. */
import type { Flush } from '#event/event.js';
import { type Gap, LEVELS, type Level, type Value } from '#event/value.js';
import {
  completeSecondStages,
  contextNote,
  forgetSecondStage,
  noteSecondStage,
  STOPPED_BY_FLUSH,
  secondStageDone,
} from './guest.js';
import { drainStores, refills } from './hardware.js';
import { hasNumbers, positionOf, witnessAsid, witnessNumber } from './numbers.js';
import { compare, inGranule, isPast } from './position.js';
import {
  ACTING,
  BATCHED,
  COND,
  CONDITION,
  DEFERRED,
  DEVICE,
  IRQ_OFF,
  LAZY_MMU,
  LEAF,
  LEAF_FLAGS,
  MISSED,
  NEEDS_ISB,
  OWED,
  SILENT_FLUSH,
  STARTED,
  WALK,
  WALK_FLAGS,
  WALKERS,
} from './state.js';
import { RECLAIM_FLUSHED, RECLAIMED, type Step } from './step.js';

/** `yes` and `perhaps` count as covered; `no` was decided; `elsewhere`: the flush is about another address. */
type Cover = 'yes' | 'perhaps' | 'no' | 'elsewhere';

const gapOf = (value: Value): Gap | '?' => (value.kind === 'address' ? value.gap : '?');

/** The flush with what only the run knows: positions of numbers, the stride, the level hint. */
function settled(step: Step, flush: Flush<Value>): Flush<Value> {
  const { scope, bytes, ttl } = flush;
  const stride = bytes?.kind === 'int' ? strideLevel(bytes.n) : null;
  if (bytes !== undefined && bytes.kind !== 'int')
    step.assume('a flush whose stride is not known visits the entry that was changed');
  const hint = ttl?.kind === 'int' && ttl.n >= 1 && ttl.n <= 3 ? LEVELS[3 - ttl.n] : undefined;
  return {
    ...flush,
    ...(hint === undefined ? {} : { hint }),
    scope:
      scope.kind === 'page'
        ? { ...scope, address: positionOf(step, scope.address), stride: stride ?? scope.stride }
        : scope.kind === 'range'
          ? {
              ...scope,
              start: positionOf(step, scope.start),
              end: positionOf(step, scope.end),
              stride: stride ?? scope.stride,
            }
          : scope,
  };
}

/** The smallest level of which steps of this size visit every leaf. */
function strideLevel(bytes: number): Level {
  return LEVELS.find((_, level) => bytes <= 4096 * 512 ** level) ?? 'pgd';
}

function coversLeaf(flush: Flush<Value>, level: number): Cover {
  if (flush.hint !== undefined && LEVELS.indexOf(flush.hint) !== level) return 'no';
  const { scope } = flush;
  switch (scope.kind) {
    case 'space':
    case 'all':
      return 'yes';
    case 'page': {
      const gap = gapOf(scope.address);
      if (gap === '?') return 'perhaps';
      return inGranule(gap, level) ? 'yes' : 'elsewhere';
    }
    case 'range': {
      const [start, end] = [gapOf(scope.start), gapOf(scope.end)];
      // Any address of a large page drops the whole of it (SDM 3A 4.10.4.1; DDI 0487, TLBI by VA).
      if (start !== '?' && end !== '?' && inGranule(start, level)) {
        const order = compare(start, end);
        if (order === -1) return 'yes';
        if (order === null) return 'perhaps';
      }
      if (isPast(start) || (end !== '?' && !isPast(end)))
        return rangeIsEmpty(start, end) ? 'no' : 'elsewhere';
      if (LEVELS.indexOf(scope.stride) > level && start !== 'pte') return 'no';
      return start === '?' || end === '?' ? 'perhaps' : 'yes';
    }
  }
}

function rangeIsEmpty(start: Gap | '?', end: Gap | '?'): boolean {
  return compare(start, end) === 0;
}

const PMD_TABLE = LEVELS.indexOf('pmd');

function coversWalk(step: Step, flush: Flush<Value>, table: number): Cover {
  const { scope } = flush;
  if (scope.kind === 'space' || scope.kind === 'all') return flush.depth === 'leaf' ? 'no' : 'yes';
  // Invalidations of addresses leave what was loaded with the register of the address space.
  if (table === PMD_TABLE && step.machine.space !== 'guest' && step.fact('top-links-in-registers') === true)
    return 'no';
  if (step.machine.space !== 'guest' && step.fact('page-flush-drops-all-walk-caches') === true) return 'yes';
  if (!reachesWalkCaches(step, flush)) return 'no';
  // The hint names the level of the leaf: links of entries above it go too (DDI 0487, TLBI VAE1IS, TTL).
  if (flush.hint !== undefined && LEVELS.indexOf(flush.hint) > table) return 'no';
  // The link to a table is cached for the whole granule of the entry that holds it.
  if (scope.kind === 'page') {
    const gap = gapOf(scope.address);
    if (gap === '?') return 'perhaps';
    return inGranule(gap, table + 1) ? 'yes' : 'elsewhere';
  }
  const [start, end] = [gapOf(scope.start), gapOf(scope.end)];
  if (isPast(start) && !inGranule(start, table + 1)) return 'elsewhere';
  if (end !== '?' && !isPast(end) && !inGranule(end, table + 1)) return 'elsewhere';
  return start === '?' || end === '?' ? 'perhaps' : 'yes';
}

const SECTION = 2 ** 20;

/** A table that two hardware entries link is loaded by each of them: a flush of the other one's addresses is none. */
function missesSection(step: Step, { scope }: Flush<Value>, table: number): boolean {
  const at = table === 0 && step.fact('table-in-sections') === true ? witnessNumber(step) : null;
  if (at === null) return false;
  const section = Math.floor(at / SECTION);
  const isIn = (value: Value, bytes: number): boolean =>
    value.kind !== 'int' || Math.floor((value.n + bytes) / SECTION) === section;
  if (scope.kind === 'page') return !isIn(scope.address, 0);
  if (scope.kind !== 'range' || scope.start.kind !== 'int' || scope.end.kind !== 'int') return false;
  const around = scope.start.n < section * SECTION && scope.end.n > (section + 1) * SECTION;
  return !around && !isIn(scope.start, 0) && !isIn(scope.end, -1);
}

function reachesWalkCaches(step: Step, flush: Flush<Value>): boolean {
  switch (flush.depth) {
    case 'leaf':
      return false;
    case 'walk':
      return true;
    case 'machine':
      if (flush.scope.kind === 'page') return step.fact('page-flush-depth') === 'walk';
      return (
        step.fact(step.machine.space === 'kernel' ? 'kernel-range-flush-depth' : 'range-flush-depth') ===
        'walk'
      );
  }
}

/** A flush of another address space removes nothing of the witness's. */
function otherSpace(step: Step, space: Value | undefined, scope: string): boolean {
  if (space === undefined || space.kind !== 'symbol' || scope === 'all') return false;
  if (space.name === 'another mm') return true;
  const guest = space.name === 'guest';
  if (guest !== (step.machine.space === 'guest') && step.machine.space !== 'unknown') return true;
  const kernel = space.name === 'kernel' || space.name.includes('init_mm');
  if (step.machine.space === 'kernel') return !kernel;
  if (step.machine.space === 'user' && kernel) return true;
  const known = step.state.extra.get('ctx:mm');
  return known !== undefined && !kernel && known !== space.name;
}

/** Is another program's CPU in a section that holds off the interrupt which this flush or IPI waits for? */
export function interruptsBlocked(step: Step): boolean {
  for (let cpu = 0; cpu < step.machine.layout.programs; cpu += 1)
    if (cpu !== step.cpu && step.cpuByte(cpu, IRQ_OFF) !== 0) return true;
  return false;
}

/** Runs a flush. May block the step: an interrupt that a CPU with interrupts off has not taken yet. */
export function runFlush(step: Step, event: Flush<Value>): void {
  const flush = settled(step, event);
  const remote = flush.reach !== 'self';
  if (
    remote &&
    flush.timing !== 'started' &&
    interruptsBlocked(step) &&
    step.fact('flush-interrupts-walkers') === true
  ) {
    step.blocked = true;
    return;
  }
  // In lazy MMU mode what would be done is only queued.
  if (remote && flush.timing === 'done' && step.cpuByte(step.cpu, LAZY_MMU) !== 0) {
    drainStores(step, step.cpu);
    runFlush(step, { ...flush, timing: 'started' });
    return;
  }
  // A kernel flush primitive begins with the barrier that its machine needs; a bare instruction does not.
  if (flush.timing !== 'started') drainStores(step, step.cpu);
  const asid = flush.asid?.kind === 'int' ? flush.asid.n : null;
  const own = witnessAsid(step);
  const foreign =
    otherSpace(step, flush.space, flush.scope.kind) || (asid !== null && own !== null && asid !== own);
  for (let cls = 0; cls < step.machine.layout.classes; cls += 1) flushClass(step, flush, event, cls, foreign);
  if (remote && flush.timing !== 'started' && !foreign) stopWalkers(step);
  // The primitives tell devices that share the tables; the instructions that they are made of do not.
  if (remote && flush.secondary !== false && !foreign && reachesDevice(flush)) step.set(DEVICE, 0);
}

const reachesDevice = (flush: Flush<Value>): boolean =>
  [0, 1, 2].some((level) => ['yes', 'perhaps'].includes(coversLeaf(flush, level)));

function stopWalkers(step: Step): void {
  for (let table = 0; table < LEVELS.length; table += 1) {
    if (step.get(WALKERS + table) === 0) continue;
    if (step.machine.space === 'guest') {
      // The kick waits for every vCPU that reads tables with interrupts off, never for RCU.
      step.set(WALKERS + table, step.get(WALKERS + table) & ~STOPPED_BY_FLUSH);
      continue;
    }
    if (step.fact('flush-interrupts-walkers') === true) step.set(WALKERS + table, 0);
    else step.set(SILENT_FLUSH + table, 1);
  }
}

/** `event` is the flush as it was written: positions do not tell its numbers. */
function flushClass(
  step: Step,
  flush: Flush<Value>,
  event: Flush<Value>,
  cls: number,
  foreign: boolean,
): void {
  const cyclic = step.program.cyclic[step.node] === true;
  // Walk caches first: a leaf can come back through a link that stays.
  for (let table = LEVELS.length - 2; table >= 0; table -= 1) {
    if (step.classByte(cls, WALK + table) === 0) continue;
    const cover = foreign || missesSection(step, event, table) ? 'no' : coversWalk(step, flush, table);
    removeOne(step, flush, cls, table, 'walk', cover, cyclic);
  }
  for (let level = 0; level < LEVELS.length; level += 1) {
    if (step.classByte(cls, LEAF + level) === 0) continue;
    const cover = foreign ? 'no' : coversLeaf(flush, level);
    removeOne(step, flush, cls, level, 'leaf', cover, cyclic);
  }
}

function removeOne(
  step: Step,
  flush: Flush<Value>,
  cls: number,
  level: number,
  kind: 'leaf' | 'walk',
  cover: Cover,
  cyclic: boolean,
): void {
  const flags = kind === 'leaf' ? LEAF_FLAGS : WALK_FLAGS;
  const mark = (flag: number): void =>
    step.setClassByte(cls, flags + level, step.classByte(cls, flags + level) | flag);
  if (cover === 'elsewhere') {
    // In a loop it may be another round's flush; alone, it was meant for what was changed.
    if (!cyclic || hasNumbers(step)) mark(MISSED);
    return;
  }
  // A bare instruction acts on the guest whose context it finds loaded.
  const strange = step.machine.space === 'guest' && flush.timing === 'started' && flush.scope.kind !== 'all';
  if (cover === 'no' || (strange && step.state.extra.has(contextNote(step.cpu)))) {
    mark(MISSED);
    return;
  }
  if (cls !== step.cls && flush.reach === 'self') {
    // In an interrupt handler it is the flush of that CPU; the others get theirs.
    if (step.cpuByte(step.cpu, ACTING) === 0) mark(MISSED);
    return;
  }
  if (cover === 'perhaps')
    step.assume('a flush whose addresses are not known covers the entry that was changed');
  if (cls !== step.cls && kind === 'walk' && flush.reach === 'all-but-lazy' && isLazy(step, cls)) {
    mark(MISSED);
    return;
  }
  if (cls !== step.cls && flush.timing === 'deferred' && defers(step, cls)) {
    mark(DEFERRED);
    return;
  }
  if (refills(step, cls, level, kind)) {
    mark(MISSED);
    return;
  }
  if (step.machine.space !== 'kernel' && flush.stage === 'second') {
    noteSecondStage(step, cls, kind, level, flush.timing === 'started');
    return;
  }
  if (
    step.machine.space !== 'kernel' &&
    flush.stage === 'first' &&
    !secondStageDone(step, cls, kind, level)
  ) {
    mark(MISSED);
    return;
  }
  if (flush.timing === 'started') {
    // The high bits say which CPU has to wait for it.
    step.setClassByte(
      cls,
      flags + level,
      (step.classByte(cls, flags + level) & 15) | STARTED | (16 * (step.cpu + 1)),
    );
    return;
  }
  if (flush.timing === 'before-user' && cls === step.cpu) {
    if (kind === 'leaf') step.setClassByte(cls, LEAF + level, step.classByte(cls, LEAF + level) | OWED);
    return;
  }
  clearStale(step, cls, level, kind);
}

export function clearStale(step: Step, cls: number, level: number, kind: 'leaf' | 'walk'): void {
  forgetSecondStage(step, cls, kind, level);
  step.setClassByte(cls, (kind === 'leaf' ? LEAF : WALK) + level, 0);
  step.setClassByte(cls, (kind === 'leaf' ? LEAF_FLAGS : WALK_FLAGS) + level, 0);
}

function isLazy(step: Step, cls: number): boolean {
  if (step.fact('lazy-cpus') !== 'kept-skipped') return false;
  return condition(step, cls, 'lazy', COND.lazy);
}

function defers(step: Step, cls: number): boolean {
  if (step.machine.space === 'kernel' && step.fact('kernel-entry-deferral') !== true) return false;
  return condition(step, cls, 'in user mode, flush deferred to kernel entry', COND.user);
}

/** Chooses the state of the CPU that runs no program when it first makes a difference; programs state theirs by events. */
function condition(step: Step, cls: number, name: string, value: number): boolean {
  const known = step.classByte(cls, CONDITION);
  if (known !== COND.unknown || cls < step.machine.layout.programs) return known === value;
  const is = step.choose(`cpu${cls} is`, ['active', name]) === 1;
  step.setClassByte(cls, CONDITION, is ? value : COND.active);
  return is;
}

/** A barrier: `store` and `full` make stores visible; `full` waits for invalidations that this CPU started. */
export function runBarrier(step: Step, strength: 'compiler' | 'store' | 'full' | 'local'): void {
  if (strength === 'store' || strength === 'full') drainStores(step, step.cpu);
  if (strength !== 'full') return;
  completeSecondStages(step);
  for (let cls = 0; cls < step.machine.layout.classes; cls += 1) {
    for (let level = 0; level < LEVELS.length; level += 1) {
      complete(step, cls, level, 'leaf');
      complete(step, cls, level, 'walk');
    }
  }
}

function complete(step: Step, cls: number, level: number, kind: 'leaf' | 'walk'): void {
  const at = (kind === 'leaf' ? LEAF_FLAGS : WALK_FLAGS) + level;
  const flags = step.classByte(cls, at);
  if ((flags & STARTED) === 0 || flags >> 4 !== step.cpu + 1) return;
  const local = cls === step.cls && step.machine.space === 'kernel' && step.fact('tlbi-needs-isb') === true;
  if (local) step.setClassByte(cls, at, (flags & 3) | NEEDS_ISB);
  else clearStale(step, cls, level, kind);
}

/** Flushes are held back from `on` to off: leaving does them, as a full barrier completes what was started. */
export function runLazyMmu(step: Step, on: boolean): void {
  step.setCpuByte(step.cpu, LAZY_MMU, on ? 1 : 0);
  if (!on) runBarrier(step, 'full');
}

/** Context synchronisation: what a completed invalidation left in this CPU's own pipeline goes. */
export function runIsb(step: Step): void {
  step.state.note(contextNote(step.cpu), null);
  for (let level = 0; level < LEVELS.length; level += 1) {
    if ((step.classByte(step.cls, LEAF_FLAGS + level) & NEEDS_ISB) !== 0)
      clearStale(step, step.cls, level, 'leaf');
    if ((step.classByte(step.cls, WALK_FLAGS + level) & NEEDS_ISB) !== 0)
      clearStale(step, step.cls, level, 'walk');
  }
}

/** The flushes that were deferred to this CPU are done. */
export function runDeferred(step: Step, cls: number): void {
  for (let level = 0; level < LEVELS.length; level += 1) {
    if ((step.classByte(cls, LEAF_FLAGS + level) & DEFERRED) !== 0) clearStale(step, cls, level, 'leaf');
    if ((step.classByte(cls, WALK_FLAGS + level) & DEFERRED) !== 0) clearStale(step, cls, level, 'walk');
  }
}

/** The unmap flush that reclaim put off: the batched leaves, on every CPU that is not lazy. */
export function runBatchFlush(step: Step, others: boolean): void {
  if (interruptsBlocked(step) && step.fact('flush-interrupts-walkers') === true) {
    step.blocked = true;
    return;
  }
  // What reclaim batched on another CPU is in that CPU's batch.
  const foreign = step.state.extra.has(RECLAIMED) && !others ? 1 : 0;
  const mask = step.get(BATCHED) & ~foreign;
  if (others && step.machine.reclaimed) step.state.note(RECLAIM_FLUSHED, 'yes');
  drainStores(step, step.cpu);
  for (let level = 0; level < LEVELS.length; level += 1) {
    if ((mask & (1 << level)) === 0) continue;
    for (let cls = 0; cls < step.machine.layout.classes; cls += 1)
      if (!refills(step, cls, level, 'leaf')) clearStale(step, cls, level, 'leaf');
  }
  step.set(BATCHED, step.get(BATCHED) & foreign);
  step.set(DEVICE, 0);
  stopWalkers(step);
}
