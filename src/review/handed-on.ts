/** What a program leaves to who called it: in a gather or a batch, or by the truth value that it answers. */
import type { EventProgram } from '#event/program.js';
import { expressionsOf } from '#event/walk-program.js';

/** A text that is equal for programs that leave the same, as far as their parts tell; empty: nothing is left. */
export function handedOn(programs: readonly EventProgram[]): string {
  return programs.flatMap(partsOf).sort().join('\n');
}

function partsOf({ nodes }: EventProgram): string[] {
  const parts: string[] = [];
  const needed = new Set<string>();
  const need = (value: unknown): void => {
    for (const [, name] of JSON.stringify(value).matchAll(/"op":"var","name":"([^"]*)"/g))
      if (name !== undefined) needed.add(name);
  };
  for (const node of nodes) {
    const leaves =
      (node.kind === 'event' && /^(gather-(track|page|table|flush|free)|batch-add)$/.test(node.event.kind)) ||
      (node.kind === 'return' && node.value !== null);
    if (!leaves) continue;
    parts.push(textOf(node.kind === 'event' ? node.event : expressionsOf(node)));
    need(expressionsOf(node));
  }
  if (parts.length === 0) return [];
  // What was assigned to it, and to that, until there is nothing new.
  for (let before = -1; before !== needed.size; ) {
    before = needed.size;
    for (const node of nodes)
      if (node.kind === 'assign') for (const { name, value } of node.sets) if (needed.has(name)) need(value);
  }
  for (const node of nodes)
    if (node.kind === 'assign')
      for (const { name, value } of node.sets) if (needed.has(name)) parts.push(textOf(value));
  return parts;
}

/** Variables are numbered through the whole program: their numbers say nothing. */
const textOf = (part: unknown): string =>
  JSON.stringify(part, (key, value: unknown) =>
    key === 'at' || key === 'text'
      ? undefined
      : key === 'name' && typeof value === 'string'
        ? value.replace(/\d+/g, '')
        : value,
  );
