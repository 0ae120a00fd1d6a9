/**
 * A guest's second-stage tables: its vCPUs are the hardware walkers, on every CPU, as a CPU's own page walker is for
 * user tables. What differs is who walks them in software without their lock, and what waits for those.
 */
import { LEVELS } from '#event/value.js';
import { RCU, WALKERS } from './state.js';
import type { Step } from './step.js';

/** Values of `WALKERS`: readers that a completed flush or an IPI waits for, and readers in RCU sections. */
export const STOPPED_BY_FLUSH = 1;
const RCU_READER = 2;
/** RCU readers that hold mmu_lock for read: who holds it for write meets none. */
const UNDER_LOCK = 4;

export function guestWalkers(step: Step): number {
  switch (step.machine.walkers) {
    case 'rcu':
      return RCU_READER;
    case 'rcu-shared':
      return RCU_READER | UNDER_LOCK;
    case 'interrupts':
      return STOPPED_BY_FLUSH;
    case 'none':
      return 0;
  }
}

/** May a walker be inside the table? Asks how mmu_lock is held where that decides. */
export function meetsWalker(step: Step, table: number): boolean {
  const walkers = step.get(WALKERS + table);
  if ((walkers & UNDER_LOCK) === 0) return walkers !== 0;
  return !holdsExclusively(step);
}

function holdsExclusively(step: Step): boolean {
  const held = step.state.extra.get('mmu lock');
  if (held !== undefined) return held === 'write';
  return step.context('mmu_lock held for write at entry', ['yes', 'no']) === 'yes';
}

/** Is a table that this CPU hands to RCU kept until an RCU section of its own or its caller's ends? */
export function keptByOwnSection(step: Step): boolean {
  if (step.machine.space !== 'guest') return false;
  if (step.cpuByte(step.cpu, RCU) !== 0) return true;
  return step.context('RCU section open at entry', ['yes', 'no']) === 'yes';
}

const handedName = (table: number): string => `handed to RCU:${table}`;

export function noteHandedOver(step: Step, table: number): void {
  step.state.note(handedName(table), 'yes');
}

/** Tables that were handed to RCU inside the section that ends here: from now on they may be freed. */
export function takeHandedOver(step: Step): readonly number[] {
  const tables: number[] = [];
  for (let table = 0; table < LEVELS.length; table += 1) {
    if (step.state.extra.get(handedName(table)) === undefined) continue;
    step.state.note(handedName(table), null);
    tables.push(table);
  }
  return tables;
}

/** Noted while a guest's context was loaded and no context synchronisation followed yet. */
export const contextNote = (cpu: number): string => `vmid context:${cpu}`;

const stageNote = (cls: number, kind: 'leaf' | 'walk', level: number): string =>
  `second stage of ${kind} ${level} on ${cls}`;

/** The second stage of a stale translation is invalidated by `cpu`, or was: what was combined with it is left. */
export function noteSecondStage(
  step: Step,
  cls: number,
  kind: 'leaf' | 'walk',
  level: number,
  started: boolean,
): void {
  step.state.note(stageNote(cls, kind, level), started ? `started ${step.cpu}` : 'done');
}

export function secondStageDone(step: Step, cls: number, kind: 'leaf' | 'walk', level: number): boolean {
  return step.state.extra.get(stageNote(cls, kind, level)) === 'done';
}

export function forgetSecondStage(step: Step, cls: number, kind: 'leaf' | 'walk', level: number): void {
  step.state.note(stageNote(cls, kind, level), null);
}

/** A full barrier waits for the invalidations of the second stage that this CPU started. */
export function completeSecondStages(step: Step): void {
  for (const [name, value] of step.state.extra)
    if (name.startsWith('second stage of ') && value === `started ${step.cpu}`) step.state.note(name, 'done');
}
