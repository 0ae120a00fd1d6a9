/** Reading event programs: what a node computes with, and where it leads. */
import type { Event } from './event.js';
import type { Expression } from './expression.js';
import type { NodeId, ProgramNode } from './program.js';

/** Every expression among an event's operands, in the order of its fields. Names of results are none. */
export function operandsOf(event: Event<Expression>): Expression[] {
  const found: Expression[] = [];
  const look = (value: unknown): void => {
    if (value === null || typeof value !== 'object') return;
    if ('op' in value) {
      found.push(value as Expression);
      return;
    }
    for (const part of Object.values(value)) look(part);
  };
  look(event);
  return found;
}

export function expressionsOf(node: ProgramNode): readonly Expression[] {
  switch (node.kind) {
    case 'event':
      return operandsOf(node.event);
    case 'assign':
      return node.sets.map((set) => set.value);
    case 'branch':
      return [node.on];
    case 'return':
      return node.value === null ? [] : [node.value];
    case 'stop':
      return [];
  }
}

/** The expression and what it is made of, from the outside in. What a choice is told apart by is none of it. */
export function eachPart(expression: Expression, see: (part: Expression) => void): void {
  see(expression);
  if (
    expression.op !== 'const' &&
    expression.op !== 'var' &&
    expression.op !== 'param' &&
    expression.op !== 'choice'
  )
    for (const part of expression.args) eachPart(part, see);
}

/** Does this hold for the expression, or for something that it is made of? */
export function somePart(expression: Expression, holds: (part: Expression) => boolean): boolean {
  if (holds(expression)) return true;
  return (
    expression.op !== 'const' &&
    expression.op !== 'var' &&
    expression.op !== 'param' &&
    expression.op !== 'choice' &&
    expression.args.some((part) => somePart(part, holds))
  );
}

export function successorsOf(node: ProgramNode): readonly NodeId[] {
  switch (node.kind) {
    case 'event':
    case 'assign':
      return [node.next];
    case 'branch':
      return [node.then, node.else];
    case 'return':
    case 'stop':
      return [];
  }
}

/** Where nodes are come to from: for node `n` from `starts[n]` up to `starts[n + 1]` in `from`. */
export interface Before {
  readonly starts: Int32Array;
  readonly from: Int32Array;
}

/** @param ways per node, where it goes on; what is below 0 is nowhere */
export function reversed(ways: readonly (readonly NodeId[])[]): Before {
  const starts = new Int32Array(ways.length + 2);
  // Two places on: behind the second walk, where each begins stands where it ended before.
  for (const next of ways)
    for (const to of next) if (to >= 0) starts[to + 2] = (starts[to + 2] as number) + 1;
  for (let n = 2; n < starts.length; n += 1) starts[n] = (starts[n] as number) + (starts[n - 1] as number);
  const from = new Int32Array(starts[ways.length + 1] as number);
  ways.forEach((next, id) => {
    for (const to of next) {
      if (to < 0) continue;
      const place = starts[to + 1] as number;
      from[place] = id;
      starts[to + 1] = place + 1;
    }
  });
  return { starts, from };
}
