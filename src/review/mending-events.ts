/** Which events an edit may bring in, repeat or move. */
import type { EventKind } from '#event/event.js';

/** Events that can make up for what was done to an entry, or undo it. */
export const HEALING: ReadonlySet<EventKind> = new Set<EventKind>([
  'flush',
  'barrier',
  'isb',
  'ipi-all',
  'rcu-wait',
  'gather-track',
  'gather-flush',
  'batch-add',
  'batch-flush',
  'pending',
  'notify-start',
  'notify-end',
  'notify-invalidate',
  'clear',
  'clear-range',
  'set',
  'change',
  'write-low',
  'write-high',
  'read-low',
  'read-high',
  'recheck',
  'interrupts',
  'rcu-read',
  'lock',
  'unlock',
  'cpu',
]);

/** Of those, the ones that do no harm when they are done once more. */
export const REPEATABLE: ReadonlySet<EventKind> = new Set<EventKind>([
  'flush',
  'barrier',
  'isb',
  'ipi-all',
  'gather-track',
  'gather-flush',
  'batch-flush',
  'notify-invalidate',
]);

/** Events that come in pairs: one of them alone is never put in. */
export const PAIRED: ReadonlySet<EventKind> = new Set<EventKind>([
  'lock',
  'unlock',
  'interrupts',
  'rcu-read',
  'notify-start',
  'notify-end',
  'lazy-mmu',
  'pending',
  'cpu',
  'gather-start',
  'gather-end',
]);

/** Of the rest, what may stand beside those in a statement that is repeated: it leaves nothing behind. */
export const HARMLESS: ReadonlySet<EventKind> = new Set<EventKind>([
  'read',
  'read-low',
  'read-high',
  'interrupts',
  'interrupt',
  'rcu-read',
  'cpu',
  'start',
  'assert-held',
]);

/** What gives an entry another value: what reads the entry must not change sides with it. */
export const STORES: ReadonlySet<EventKind> = new Set<EventKind>([
  'set',
  'clear',
  'clear-range',
  'change',
  'write-low',
  'write-high',
]);
