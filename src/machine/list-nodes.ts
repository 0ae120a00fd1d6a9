/**
 * Lists that go through page tables themselves: a table that is put aside for a large entry is head and link of a list
 * of its like (`page->lru`, or the first words of the table on powerpc, s390 and sparc64). Each table that lies on one
 * has a next and a previous table, as `struct list_head` has. Tables that the run has allocated are not told apart.
 */
import type { MemoryValue, Value } from '#event/value.js';
import type { Step } from './step.js';

export const isTable = (value: Value): value is MemoryValue =>
  value.kind === 'memory' && value.what === 'table';

const noteOf = (step: Step, table: Value): string => `node:${step.machine.values.id(table)}`;

export interface Links {
  readonly next: Value;
  readonly previous: Value;
}

/** What stands before and behind the table; null where it lies on no list that is followed. */
export function linksOf(step: Step, table: Value): Links | null {
  if (!isTable(table)) return null;
  const [next, previous] = (step.note(noteOf(step, table)) ?? '').split(' ');
  if (next === undefined || previous === undefined) return null;
  const { values } = step.machine;
  return { next: values.value(Number(next)), previous: values.value(Number(previous)) };
}

/** The table stands between these two from now on; on no list where null. */
export function noteLinks(step: Step, table: MemoryValue, links: Links | null): void {
  const { values } = step.machine;
  step.state.note(
    noteOf(step, table),
    links === null ? null : `${values.id(links.next)} ${values.id(links.previous)}`,
  );
}

/** Is the table the only one of its list? Null where it lies on none that is followed. */
export function isAlone(step: Step, table: Value): boolean | null {
  const links = linksOf(step, table);
  return links === null ? null : step.machine.values.id(links.next) === step.machine.values.id(table);
}

/** The table behind this one; `alone` where there is none, `otherwise` where it lies on no list that is followed. */
export function nextNode(step: Step, table: Value, alone: Value, otherwise: Value): Value {
  const links = linksOf(step, table);
  if (links === null) return otherwise;
  return isAlone(step, table) === true ? alone : links.next;
}
