/** What is left of code that walks page tables when only its walk is looked at: small enough to run beside others. */
import { constant, type Expression } from '#event/expression.js';
import type { EventProgram, ProgramNode } from '#event/program.js';
import { OPAQUE, type Value } from '#event/value.js';
import { mapNode } from '#extract/finish-program.js';
import { writtenBy } from '#machine/liveness.js';
import { withoutIdle } from '#machine/specialize.js';

/**
 * Where the walk goes, which sections it is in and which locks it holds. Every round of its loops is one at the
 * witness: what it does at other addresses is no matter to who frees the witness's tables.
 */
export function walkOf(program: EventProgram): EventProgram {
  const nodes = program.nodes.map((node): ProgramNode => {
    if (node.kind !== 'event' || WALKING.has(node.event.kind)) return mapNode(node, alongWitness);
    const sets = writtenBy(node.event).map((name) => ({ name, value: constant(OPAQUE) }));
    return { kind: 'assign', sets, next: node.next, at: node.at };
  });
  const initial = [...program.initial].map(
    ([name, value]) => [name, value.kind === 'address' ? WITNESS : value] as const,
  );
  return withoutIdle({ ...program, nodes, initial: new Map(initial), outermost: false, beside: true });
}

const WALKING: ReadonlySet<string> = new Set([
  'visit',
  'walk',
  'read',
  'read-low',
  'read-high',
  'use-halves',
  'interrupts',
  'rcu-read',
  'lock',
  'unlock',
]);

const WITNESS: Value = { kind: 'address', gap: 'pte' };

/** For expressions whose operands went through it before. */
function alongWitness(expression: Expression): Expression {
  switch (expression.op) {
    case 'const':
      return expression.value.kind === 'address' ? constant(WITNESS) : expression;
    case 'choice':
      return expression.of.length > 0 && expression.of.every((value) => value.kind === 'address')
        ? constant(WITNESS)
        : expression;
    case 'addr-end':
      return constant(OPAQUE);
    case 'step':
    case 'couple':
      return expression.args[0] ?? constant(OPAQUE);
    case 'entry': {
      const [above] = expression.args;
      return above === undefined ? expression : { ...expression, args: [above, constant(WITNESS)] };
    }
    default:
      return expression;
  }
}
