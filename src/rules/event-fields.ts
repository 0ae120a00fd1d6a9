/** Fields of each event as rule files write them. The compiler, the JSON Schema and the documentation follow this table. */
import type { EventKind } from '#event/event.js';

export type FieldType =
  /** Expression text. */
  | 'expression'
  /** A new name for later steps. */
  | 'name'
  | 'boolean'
  | 'number'
  | 'level'
  /** Two expressions: start and end. */
  | 'pair'
  | readonly string[];

export interface Field {
  readonly type: FieldType;
  readonly optional: boolean;
}

const needs = (type: FieldType): Field => ({ type, optional: false });
const may = (type: FieldType): Field => ({ type, optional: true });

const ORDER = may(['plain', 'once']);
const MODE = may(['read', 'write']);
const LOCK = {
  lock: needs('expression'),
  class: needs(['ptl', 'kernel-ptl', 'mmap', 'vma', 'rmap', 'hotplug', 'mmu', 'other']),
  mode: MODE,
};
const RANGE = { start: may('expression'), end: may('expression') };
const READ = { entry: needs('expression'), into: needs('name') };
const WRITE = { entry: needs('expression'), value: needs('expression'), order: ORDER };
const MEMORY = { memory: needs('expression') };
const GATHER = { gather: needs('expression') };

export const EVENT_FIELDS: Readonly<Record<EventKind, Readonly<Record<string, Field>>>> = {
  set: { ...WRITE, atomic: may('boolean'), old: may('name') },
  clear: {
    entry: needs('expression'),
    old: may('name'),
    was: may(['page', 'table']),
    atomic: may('boolean'),
  },
  change: {
    entry: needs('expression'),
    value: needs('expression'),
    was: may(['page', 'table']),
    atomic: may('boolean'),
    old: may('name'),
  },
  'write-low': WRITE,
  'write-high': WRITE,
  read: READ,
  'read-low': READ,
  'read-high': READ,
  'use-halves': { low: needs('expression'), high: needs('expression'), into: may('name') },
  'clear-range': { start: needs('expression'), end: needs('expression'), space: may('expression') },
  // `page`, `range` or `scope` says what the flush covers; `stride` is the leaf size it visits.
  flush: {
    page: may('expression'),
    range: may('pair'),
    scope: may(['space', 'all']),
    stride: may('level'),
    space: may('expression'),
    depth: needs(['leaf', 'walk', 'machine']),
    reach: needs(['self', 'all', 'all-but-lazy']),
    timing: needs(['done', 'deferred', 'started', 'before-user']),
    hint: may('level'),
    bytes: may('expression'),
    ttl: may('expression'),
    asid: may('expression'),
    secondary: may('boolean'),
    stage: may(['first', 'second']),
  },
  barrier: { strength: needs(['compiler', 'store', 'full', 'local']) },
  isb: {},
  'lazy-mmu': { on: needs('boolean') },
  'ipi-all': {},
  'rcu-wait': {},
  interrupts: { on: needs('boolean') },
  'rcu-read': { enter: needs('boolean') },
  lock: LOCK,
  unlock: LOCK,
  'assert-held': LOCK,
  alloc: { what: needs(['page', 'table']), into: needs('name') },
  get: MEMORY,
  put: MEMORY,
  free: { ...MEMORY, when: may(['now', 'rcu']) },
  reuse: MEMORY,
  retire: MEMORY,
  deposit: MEMORY,
  withdraw: MEMORY,
  rely: { ...MEMORY, on: needs(['no-translation', 'no-writable-translation', 'no-walker', 'no-secondary']) },
  'container-add': { container: needs('expression'), item: needs('expression') },
  'container-take': { container: needs('expression'), into: needs('name'), remove: needs('boolean') },
  'container-move': { from: needs('expression'), to: needs('expression') },
  'container-init': { container: needs('expression') },
  node: { ...MEMORY, does: needs(['alone', 'behind', 'out']), of: may('expression') },
  'gather-start': { ...GATHER, full: needs('expression') },
  'gather-track': { ...GATHER, address: needs('expression'), stride: needs('level'), end: may('expression') },
  // `flushes`: a gather that is full flushes and frees by itself.
  'gather-page': { ...GATHER, ...MEMORY, flushes: may('boolean') },
  'gather-table': { ...GATHER, ...MEMORY, address: may('expression') },
  'gather-flush': GATHER,
  'gather-free': GATHER,
  'gather-end': GATHER,
  'batch-add': { address: may('expression') },
  // `others`: what reclaim on other CPUs has batched for the mm is flushed too.
  'batch-flush': { others: may('boolean') },
  pending: { raised: needs('boolean') },
  'notify-start': RANGE,
  'notify-end': RANGE,
  'notify-invalidate': RANGE,
  walk: READ,
  visit: MEMORY,
  'take-reference': MEMORY,
  recheck: { entry: needs('expression'), against: needs('expression'), into: needs('name') },
  touch: { write: needs('boolean') },
  cpu: {
    does: needs([
      'enter-kernel',
      'leave-kernel',
      'go-lazy',
      'leave-lazy',
      'switch-mm',
      'preempt-vcpu',
      'run-vcpu',
      'deferred-flush',
      'load-tables',
      'alone',
      'switch-vmid',
    ]),
    of: may('expression'),
    flush: may('expression'),
  },
  witness: {
    address: needs('expression'),
    asid: may('expression'),
    present: may('expression'),
    block: may('expression'),
    whole: may('expression'),
  },
  interrupt: { cpu: needs('number'), phase: needs(['begin', 'end', 'skip']), flushes: may('boolean') },
  start: {},
  'operation-end': {},
};
