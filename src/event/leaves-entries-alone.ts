/** Which programs have nothing to do with page-table entries. */
import type { EventKind } from './event.js';
import type { Expression } from './expression.js';
import type { ProgramNode } from './program.js';
import { expressionsOf, somePart } from './walk-program.js';

/** Events that have nothing to do with entries as long as the memory that they are about was never linked. */
const APART: ReadonlySet<EventKind> = new Set<EventKind>([
  'alloc',
  'get',
  'take-reference',
  'put',
  'free',
  'lock',
  'unlock',
  'assert-held',
  'interrupts',
  'rcu-read',
  'rcu-wait',
  'barrier',
  'isb',
  'ipi-all',
  'flush',
  'batch-flush',
  'rely',
  'notify-start',
  'notify-end',
  'container-init',
  'container-add',
  'container-take',
  'container-move',
  'node',
]);

/** Has the event nothing to do with entries? */
export const isApart = ({ kind }: { readonly kind: EventKind }): boolean => APART.has(kind);

/** Expressions that find out what an entry's value is. */
export const TESTS_OF_ENTRIES: readonly string[] = [
  'is-present',
  'is-none',
  'is-leaf',
  'is-table',
  'is-soft',
  'is-write',
  'is-dirty',
  'is-young',
  'is-exec',
  'is-cont',
  'same',
  'page-of',
  'table-of',
  'with-present',
];

const OF_ENTRIES: ReadonlySet<string> = new Set(['read', ...TESTS_OF_ENTRIES]);

/**
 * Does the program never look at an entry, change one or queue what one mapped? Where callers do everything right, what
 * it frees was never linked then, and nothing that it does can be wrong.
 */
export function leavesEntriesAlone(nodes: readonly ProgramNode[]): boolean {
  const looks = (expression: Expression): boolean => somePart(expression, ({ op }) => OF_ENTRIES.has(op));
  return nodes.every(
    (node) => (node.kind !== 'event' || isApart(node.event)) && !expressionsOf(node).some(looks),
  );
}
