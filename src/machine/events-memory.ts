/** Memory: references, frees, reuse, containers, mmu_gather, the deferred unmap batch. */
import type { Event } from '#event/event.js';
import { encodeValue, type Gap, LEVELS, type MemoryValue, OPAQUE, type Value } from '#event/value.js';
import { truth } from './evaluate.js';
import { clearStale, interruptsBlocked, runBatchFlush } from './flush.js';
import { type Gather, readGather } from './gather-state.js';
import {
  drainStores,
  leafLinked,
  leafStale,
  linkAbove,
  markUnlinkedLeaf,
  markUnlinkedTable,
  reachable,
  refills,
} from './hardware.js';
import { positionOf } from './numbers.js';
import { inGranule, isPast } from './position.js';
import { checkQueueing, checkRely, dropReference, release } from './relies.js';
import {
  BATCHED,
  CHANGED,
  COND,
  CONDITION,
  DEVICE,
  KNOWN,
  LEAF,
  LEAF_FLAGS,
  LIFE,
  MAP_REF,
  MISSED,
  PAGE_KNOWN,
  PAGE_LIFE,
  PAGE_REFS,
  PENDING,
  SILENT_FLUSH,
  TABLE_LIFE,
  WALK,
  WALK_FLAGS,
  WALKERS,
} from './state.js';
import { levelAt, type Step } from './step.js';

type Of<K extends Event<Value>['kind']> = Extract<Event<Value>, { readonly kind: K }>;

function gapOf(step: Step, address: Value | undefined): Gap | '?' {
  const value = address === undefined ? undefined : positionOf(step, address);
  return value?.kind === 'address' ? value.gap : '?';
}

const memoryOf = (value: Value): MemoryValue | null => (value.kind === 'memory' ? value : null);

export function runAlloc(step: Step, event: Of<'alloc'>): void {
  const memory: MemoryValue = { kind: 'memory', what: event.what, level: 'pte', who: 'new' };
  const failed = step.choose(`${event.what} allocation`, ['succeeds', 'fails']) === 1;
  step.assign(event.into, failed ? { kind: 'int', n: 0 } : memory);
}

export function runGet(step: Step, event: Of<'get' | 'take-reference'>): void {
  const memory = memoryOf(event.memory);
  if (memory?.what === 'page' && memory.who === 'W')
    step.set(PAGE_REFS, Math.min(3, step.get(PAGE_REFS) + 1));
}

export function runPut(step: Step, event: Of<'put'>): void {
  const memory = memoryOf(event.memory);
  if (memory !== null) dropReference(step, memory);
}

export function runFree(step: Step, event: Of<'free'>): void {
  const memory = memoryOf(event.memory);
  if (memory !== null)
    release(step, memory, event.when ?? 'now', event.when === 'rcu' ? 'handed to RCU' : 'freed');
}

export function runReuse(step: Step, event: Of<'reuse'>): void {
  const memory = memoryOf(event.memory);
  if (memory !== null) release(step, memory, 'now', 'given to somebody else');
}

/** A table that is put aside for a huge entry may hold other data than entries from now on. */
export function runDeposit(step: Step, event: Of<'deposit' | 'withdraw'>): void {
  const memory = memoryOf(event.memory);
  if (memory === null || memory.what !== 'table') return;
  release(step, memory, 'now', 'deposited');
  if (step.state.violation === null && memory.who === 'W') {
    step.set(TABLE_LIFE + LEVELS.indexOf(memory.level), LIFE.live);
  }
}

export function runRely(step: Step, event: Of<'rely'>): void {
  const memory = memoryOf(event.memory);
  if (memory !== null) checkRely(step, memory, event.on);
}

// ---- containers

const boxName = (container: Value): string =>
  `box:${container.kind === 'symbol' ? container.name : encodeValue(container)}`;
const members = (text: string | undefined): string[] =>
  text === undefined || text === '' ? [] : text.split(';');

export function runContainer(
  step: Step,
  event: Of<'container-add' | 'container-take' | 'container-move' | 'container-init'>,
): void {
  switch (event.kind) {
    case 'container-init':
      step.state.note(boxName(event.container), '');
      return;
    case 'container-add': {
      const name = boxName(event.container);
      const item = isWitness(event.item) ? String(step.machine.values.id(event.item)) : 'x';
      const held = members(step.state.extra.get(name));
      if (!held.includes(item)) step.state.note(name, [...held, item].sort().join(';'));
      return;
    }
    case 'container-move': {
      const [from, to] = [boxName(event.from), boxName(event.to)];
      // What nobody in view put in moves along as `u`.
      const moved = step.state.extra.has(from) ? members(step.state.extra.get(from)) : ['u', 'x'];
      const all = new Set([...moved, ...members(step.state.extra.get(to))]);
      step.state.note(to, [...all].sort().join(';'));
      step.state.note(from, '');
      return;
    }
    case 'container-take': {
      const name = boxName(event.container);
      const text = step.state.extra.get(name);
      const inside = text === undefined ? ['u', 'x'] : members(text);
      const unseen =
        inside.includes('u') && event.unseen !== undefined && mayBeListed(step, event.unseen)
          ? [String(step.machine.values.id(event.unseen))]
          : [];
      const held = inside.filter((item) => item !== 'u');
      const witness = [...new Set([...held.filter((item) => item !== 'x'), ...unseen])];
      const options = [
        ...witness,
        ...(witness.length === 0 || held.includes('x') || !event.remove ? ['x'] : []),
      ];
      const labels = options.map((item) =>
        item === 'x' ? 'another' : encodeValue(step.machine.values.value(Number(item))),
      );
      const item = options[step.choose('taken from a container', labels)] ?? 'x';
      step.assign(event.into, item === 'x' ? OPAQUE : step.machine.values.value(Number(item)));
      if (event.remove && item !== 'x')
        step.state.note(name, inside.filter((h) => h !== item && h !== 'u').join(';'));
    }
  }
}

/**
 * May the list hold the witness's memory that nobody here put there? Who fills a list for others has taken from its
 * entries what he puts there: kind callers leave nothing in it that this run has found linked, nor an address range
 * that this run was the one to unmap.
 */
function mayBeListed(step: Step, value: Value): boolean {
  if (!isWitness(value)) return false;
  if (!step.machine.kind || value.kind !== 'memory') return true;
  if (value.what === 'range' && [0, 1, 2].some((level) => step.get(CHANGED + level) !== 0)) return false;
  if (value.what !== 'table') return (leafLinked(step) ?? -1) < 0;
  const above = linkAbove(step, LEVELS.indexOf(value.level));
  const link = above < 0 ? null : step.entry(above);
  return link === null || link.maps !== 'table' || link.of !== 'W' || !reachable(step, above);
}

function isWitness(value: Value): boolean {
  if (value.kind === 'memory') return value.who === 'W';
  if (value.kind === 'entry-pointer') return value.table === 'W' && value.gap === 'at';
  return value.kind === 'entry-value' ? value.of === 'W' : false;
}

// ---- mmu_gather

const gatherName = (value: Value): string => (value.kind === 'symbol' ? value.name : 'gather');

function use(step: Step, value: Value): Gather {
  const { gather, unseen } = readGather(step, gatherName(value));
  if (unseen) gather.save();
  return gather;
}

export function runGather(
  step: Step,
  event: Of<
    | 'gather-start'
    | 'gather-track'
    | 'gather-page'
    | 'gather-table'
    | 'gather-flush'
    | 'gather-free'
    | 'gather-end'
  >,
): void {
  switch (event.kind) {
    case 'gather-start': {
      const { gather } = readGather(step, gatherName(event.gather));
      Object.assign(gather, {
        open: true,
        own: true,
        tracked: 0,
        tables: false,
        page: false,
        queued: 0,
        tracks: true,
      });
      gather.full = truth(step, event.full, () => 'whole mm');
      gather.save();
      return;
    }
    case 'gather-track': {
      const gather = use(step, event.gather);
      gather.tracks = true;
      const gap = gapOf(step, event.address);
      const end = gapOf(step, event.end);
      const stride = LEVELS.indexOf(event.stride);
      const holds =
        event.end === undefined
          ? gap === '?' || inGranule(gap, stride)
          : !isPast(gap) && (isPast(end) || end === '?');
      if (holds) {
        gather.tracked |= 1 << stride;
        if (gap === '?') step.assume('an address that the gather records is the one that was cleared');
      }
      gather.save();
      return;
    }
    case 'gather-page': {
      const gather = use(step, event.gather);
      gather.tracks = true;
      const memory = memoryOf(event.memory);
      if (memory?.what === 'page' && memory.who === 'W') {
        checkQueueing(step, memory, event.flushes === true && gather.tracked === 0 && !gather.full);
        gather.page = true;
        if (step.get(PAGE_LIFE) === LIFE.live) step.set(PAGE_LIFE, LIFE.queued);
        step.set(MAP_REF, 0);
      }
      gather.save();
      return;
    }
    case 'gather-table': {
      const gather = use(step, event.gather);
      gather.tracks = true;
      const memory = memoryOf(event.memory);
      gather.tables =
        gather.tables ||
        event.address === undefined ||
        event.address.kind !== 'address' ||
        nearby(event.address, memory);
      if (memory?.what === 'table' && memory.who === 'W') {
        checkQueueing(step, memory, false);
        gather.queued |= 1 << LEVELS.indexOf(memory.level);
        gather.tables = true;
        step.set(TABLE_LIFE + LEVELS.indexOf(memory.level), LIFE.queued);
      }
      gather.save();
      return;
    }
    case 'gather-flush':
      gatherFlush(step, known(step, event.gather));
      return;
    case 'gather-free':
      gatherFree(step, known(step, event.gather));
      return;
    case 'gather-end': {
      const gather = known(step, event.gather);
      gatherFlush(step, gather);
      if (step.blocked) return;
      gatherFree(step, gather);
      gather.open = false;
      gather.save();
    }
  }
}

const nearby = (address: Value, memory: MemoryValue | null): boolean =>
  memory !== null &&
  address.kind === 'address' &&
  address.gap !== '?' &&
  inGranule(address.gap, LEVELS.indexOf(memory.level) + 1);

/** A gather that the caller opened may hold the witness: what, is a history (DESIGN.md rule 1). */
function known(step: Step, value: Value): Gather {
  const { gather, unseen } = readGather(step, gatherName(value));
  if (!unseen) return gather;
  const options = ['nothing of the witness', 'page queued and tracked', 'table queued and tracked'];
  const touched = step.get(PAGE_KNOWN) !== KNOWN.unknown || [0, 1, 2].some((level) => leafStale(step, level));
  const history = touched ? 0 : step.choose('history gather', options, options[0]);
  if (history === 1) {
    markUnlinkedLeaf(step);
    gather.page = true;
    gather.tracked = 1;
    step.set(PAGE_KNOWN, KNOWN.unlinked);
    step.set(PAGE_LIFE, LIFE.queued);
    const level = [0, 1, 2].find((l) => (step.state.entries[l] ?? 0) !== 0 && step.entry(l).maps === '?');
    if (level !== undefined) step.settleTo(level, 'none');
  }
  if (history === 2) {
    markUnlinkedTable(step, 0);
    gather.queued = 1;
    gather.tables = true;
    step.set(TABLE_LIFE, LIFE.queued);
  }
  gather.save();
  return gather;
}

/** Flushes what was recorded since the last flush: nothing when nothing was. */
function gatherFlush(step: Step, gather: Gather): void {
  if (gather.tracked === 0 && !gather.tables && !gather.full) return;
  if (interruptsBlocked(step) && step.fact('flush-interrupts-walkers') === true) {
    step.blocked = true;
    return;
  }
  drainStores(step, step.cpu);
  step.set(DEVICE, 0);
  for (let cls = 0; cls < step.machine.layout.classes; cls += 1) {
    for (let table = 0; table < LEVELS.length - 1; table += 1) {
      if (step.classByte(cls, WALK + table) === 0) continue;
      const reached =
        gather.tables ||
        gather.full ||
        (step.fact('page-flush-drops-all-walk-caches') === true && !skippedLazily(step, cls));
      if (reached && !refills(step, cls, table, 'walk')) clearStale(step, cls, table, 'walk');
      else step.setClassByte(cls, WALK_FLAGS + table, step.classByte(cls, WALK_FLAGS + table) | MISSED);
    }
    for (let level = 0; level < LEVELS.length; level += 1) {
      if (step.classByte(cls, LEAF + level) === 0) continue;
      // A stride larger than the leaf visits one address in many.
      const covered =
        gather.full ||
        (gather.tracked & ((2 << level) - 1)) !== 0 ||
        (gather.queued !== 0 && level === 0 && gather.tables);
      if (covered && !refills(step, cls, level, 'leaf')) clearStale(step, cls, level, 'leaf');
      else if (gather.tracked !== 0)
        step.setClassByte(cls, LEAF_FLAGS + level, step.classByte(cls, LEAF_FLAGS + level) | MISSED);
    }
  }
  for (let table = 0; table < LEVELS.length; table += 1) {
    if (step.get(WALKERS + table) === 0) continue;
    if (step.fact('flush-interrupts-walkers') === true) step.set(WALKERS + table, 0);
    else step.set(SILENT_FLUSH + table, 1);
  }
  gather.tracked = 0;
  gather.tables = false;
  gather.save();
}

function skippedLazily(step: Step, cls: number): boolean {
  if (cls === step.cpu || step.fact('lazy-cpus') !== 'kept-skipped') return false;
  const condition = step.classByte(cls, CONDITION);
  if (condition !== COND.unknown || cls < step.machine.layout.programs) return condition === COND.lazy;
  const lazy = step.choose(`cpu${cls} is`, ['active', 'lazy']) === 1;
  step.setClassByte(cls, CONDITION, lazy ? COND.lazy : COND.active);
  return lazy;
}

function gatherFree(step: Step, gather: Gather): void {
  for (let table = 0; table < LEVELS.length; table += 1) {
    if ((gather.queued & (1 << table)) === 0) continue;
    const how = step.fact('table-free') === 'rcu' ? 'rcu' : 'after-flush';
    release(
      step,
      { kind: 'memory', what: 'table', level: levelAt(table), who: 'W' },
      how,
      'freed by the gather',
    );
    if (step.state.violation !== null) return;
  }
  if (gather.page) {
    const refs = step.get(PAGE_REFS);
    if (refs > 0 && step.machine.pageBrought) step.set(PAGE_LIFE, LIFE.live);
    else
      release(step, { kind: 'memory', what: 'page', level: 'pte', who: 'W' }, 'now', 'freed by the gather');
  }
  gather.page = false;
  gather.queued = 0;
  gather.save();
}

// ---- batches

export function runBatch(step: Step, event: Of<'batch-add' | 'batch-flush' | 'pending'>): void {
  switch (event.kind) {
    case 'batch-add': {
      const gap = gapOf(step, event.address);
      if (gap !== '?' && !inGranule(gap, 2)) return;
      let mask = step.get(BATCHED);
      for (let level = 0; level < LEVELS.length; level += 1) if (leafStale(step, level)) mask |= 1 << level;
      step.set(BATCHED, mask);
      // Devices that share the tables are told at once (arch_tlbbatch_add_pending).
      step.set(DEVICE, 0);
      return;
    }
    case 'batch-flush':
      runBatchFlush(step, event.others === true);
      return;
    case 'pending':
      step.set(PENDING, event.raised ? 1 : 0);
  }
}
