/** A state in words: what a trace shows before and after a step. */
import { encodeValue, LEVELS, type Value } from '#event/value.js';
import { describeGather } from './gather-state.js';
import {
  BATCHED,
  BUFFERED,
  COND,
  CONDITION,
  DEFERRED,
  INSIDE,
  IRQ_OFF,
  LAZY_MMU,
  LEAF,
  LEAF_FLAGS,
  LIFE,
  NOTIFIER,
  OWED,
  PAGE_LIFE,
  PAGE_REFS,
  PENDING,
  RANGE_LIFE,
  RCU,
  SECONDARY,
  type State,
  TABLE_LIFE,
  WALK,
  WALK_FLAGS,
  WALKERS,
} from './state.js';
import { levelAt, type Machine, Step } from './step.js';

const LIFE_NAMES = ['in use', 'queued to be freed', 'freed after a grace period', 'freed'];

const WALKER_NAMES = { guest: 'vCPU fault handler', other: 'GUP-fast' } as const;

/** Who walks the tables in software without a program of its own. */
export const walkerName = (space: Machine['space']): string =>
  space === 'guest' ? WALKER_NAMES.guest : WALKER_NAMES.other;

export const isWalker = (what: string): boolean => what === WALKER_NAMES.guest || what === WALKER_NAMES.other;

/** Every part of the state that has something to show, by name. Parts that are absent are as they were at the start. */
export function describeState(machine: Machine, state: State): ReadonlyMap<string, string> {
  const step = new Step(machine, state, 0, 0);
  const shown = new Map<string, string>();
  for (let level = 0; level < LEVELS.length; level += 1) {
    const name = levelAt(level);
    if ((state.entries[level] ?? 0) !== 0) {
      const buffered = step.get(BUFFERED + level) !== 0 ? ', not yet visible to walkers' : '';
      shown.set(`${name} entry`, describeEntry(step.entry(level)) + buffered);
    }
    if ((state.entries[LEVELS.length + level] ?? 0) !== 0)
      shown.set(`${name} entry of the second address`, describeEntry(step.alias(level)));
    const life = step.get(TABLE_LIFE + level);
    if (life !== LIFE.live) shown.set(`${name} table`, LIFE_NAMES[life] ?? '');
    if (step.get(WALKERS + level) !== 0)
      shown.set(walkerName(machine.space), `may be inside the ${name} table`);
  }
  if (step.get(PAGE_LIFE) !== LIFE.live) shown.set('page', LIFE_NAMES[step.get(PAGE_LIFE)] ?? '');
  if (step.get(RANGE_LIFE) !== LIFE.live) shown.set('address range', 'free for others');
  if (step.get(PAGE_REFS) > 0) shown.set('references of the program', String(step.get(PAGE_REFS)));
  if (step.get(SECONDARY) !== 0) shown.set('secondary MMU', 'may hold the old translation');
  if (step.get(NOTIFIER) !== 0) shown.set('notifier section', 'open');
  if (step.get(PENDING) !== 0) shown.set('tlb_flush_pending', 'raised');
  if (step.get(BATCHED) !== 0) shown.set('unmap batch', 'owes a flush');
  for (let cls = 0; cls < machine.layout.classes; cls += 1) describeCpu(step, cls, shown);
  for (const [name, text] of state.extra) {
    if (name.startsWith('gather:')) shown.set(`gather ${name.slice(7)}`, describeGather(text));
    if (name.startsWith('lock:'))
      shown.set(name.slice(5), `held by CPU${text.slice(1)}${text.startsWith('r') ? ' (read)' : ''}`);
    if (name.startsWith('box:')) {
      const members = text.split(';').filter((member) => member !== '' && member !== 'x' && member !== 'u');
      if (members.length > 0)
        shown.set(
          name.slice(4),
          members.map((id) => encodeValue(machine.values.value(Number(id)))).join(', '),
        );
    }
  }
  return shown;
}

function describeCpu(step: Step, cls: number, shown: Map<string, string>): void {
  const cpu = step.cpuName(cls);
  for (let level = 0; level < LEVELS.length; level += 1) {
    const name = levelAt(level);
    const stale = step.classByte(cls, LEAF + level);
    if (stale !== 0) {
      const how = (stale & 3) >= 2 ? ', writable' : (stale & 3) === 1 ? ', read-only' : '';
      shown.set(
        `${cpu} TLB`,
        `may hold the old ${name} translation${how}${later(step.classByte(cls, LEAF_FLAGS + level))}${
          (stale & OWED) !== 0 ? ', flush owed before user code runs' : ''
        }`,
      );
    }
    if (step.classByte(cls, WALK + level) !== 0)
      shown.set(
        `${cpu} walk cache`,
        `may lead to the old ${name} table${later(step.classByte(cls, WALK_FLAGS + level))}`,
      );
  }
  const condition = step.classByte(cls, CONDITION);
  if (condition === COND.lazy) shown.set(cpu, 'in lazy TLB mode');
  if (condition === COND.user) shown.set(cpu, 'in user mode');
  if (condition === COND.without) shown.set(cpu, 'never had these tables loaded');
  if (condition === COND.preempted) shown.set(cpu, 'preempted by the hypervisor');
  if (cls >= step.machine.layout.programs) return;
  if (step.cpuByte(cls, IRQ_OFF) !== 0) shown.set(`${cpu} interrupts`, 'off');
  if (step.cpuByte(cls, LAZY_MMU) !== 0) shown.set(`${cpu} lazy MMU mode`, 'flushes are held back');
  if (step.cpuByte(cls, RCU) !== 0) shown.set(`${cpu} RCU`, 'in a read section');
  const inside = step.cpuByte(cls, INSIDE);
  const tables = LEVELS.filter((_, level) => (inside & (1 << level)) !== 0);
  if (tables.length > 0) shown.set(`${cpu} walk`, `inside the ${tables.join(' and ')} table`);
}

const later = (flags: number): string => ((flags & DEFERRED) !== 0 ? ', flush deferred' : '');

function describeEntry(value: Value): string {
  if (value.kind !== 'entry-value') return encodeValue(value);
  switch (value.maps) {
    case 'none':
      return 'none';
    case '?':
      return 'not looked at yet';
    case 'soft':
      return 'not present (software data)';
    case 'table':
      return value.of === 'W' ? 'the table' : 'another table';
    case 'page': {
      const target = value.of === 'W' ? 'the page' : value.of === 'new' ? 'a new page' : 'another page';
      return value.write === '?' ? target : `${target}, ${value.write ? 'writable' : 'read-only'}`;
    }
  }
}
