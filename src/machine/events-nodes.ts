/**
 * Tables on lists that go through them. Who writes a table's links must own it: one that hardware walks, or may still
 * walk, is not his.
 */
import type { Event } from '#event/event.js';
import { LEVELS, type MemoryValue, type Value } from '#event/value.js';
import { isTable, type Links, linksOf, noteLinks } from './list-nodes.js';
import { release } from './relies.js';
import { LIFE, TABLE_LIFE } from './state.js';
import type { Step } from './step.js';

/** A table begins a list, comes behind another one, or leaves its list. */
export function runNode(step: Step, event: Extract<Event<Value>, { readonly kind: 'node' }>): void {
  const { memory: table, of: head } = event;
  if (!isTable(table)) return;
  switch (event.does) {
    case 'alone':
      link(step, table, { next: table, previous: table });
      return;
    case 'behind': {
      if (head === undefined || !isTable(head)) return;
      const next = linksOf(step, head)?.next ?? head;
      link(step, table, { next, previous: head });
      join(step, table, next);
      join(step, head, table);
      return;
    }
    case 'out': {
      const links = linksOf(step, table);
      if (links === null) return;
      join(step, links.previous, links.next);
      noteLinks(step, table, null);
    }
  }
}

/** Two tables follow each other; what else is known of their links stays. */
function join(step: Step, before: Value, after: Value): void {
  if (isTable(before))
    link(step, before, { next: after, previous: linksOf(step, before)?.previous ?? before });
  if (isTable(after)) link(step, after, { next: linksOf(step, after)?.next ?? after, previous: before });
}

/** A table's links are written: in it, or in what the kernel keeps of its page, which is the owner's as well. */
function link(step: Step, table: MemoryValue, links: Links): void {
  noteLinks(step, table, links);
  if (table.who !== 'W' || step.state.violation !== null) return;
  release(step, table, 'now', 'put on a list');
  if (step.state.violation === null) step.set(TABLE_LIFE + LEVELS.indexOf(table.level), LIFE.live);
}
