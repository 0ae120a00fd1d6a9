/**
 * What a program can still learn from a variable. Where every later node only tests it, 1 stands for all values that are
 * not 0; where it only becomes part of an entry, 0 stands for all that is no memory. Runs that differ in the rest meet in
 * one state, and each has the same choices under the same keys as before: values whose test would ask something stay.
 */
import type { Expression } from '#event/expression.js';
import type { ProgramNode } from '#event/program.js';
import type { Value } from '#event/value.js';
import { operandsOf } from '#event/walk-program.js';

export type Use = 'truth' | 'object' | 'all';

/** Operators whose result is never memory nor an entry's value. */
const NUMERIC: ReadonlySet<string> = new Set(['+', '-', '*', '/', '%', '^', '~', '<<', '>>']);
/** They take memory out of their operand, or the value of an entry, and nothing else. */
const INTO_ENTRIES: ReadonlySet<string> = new Set(['make-leaf', 'make-soft', 'make-table']);
const ZERO: Value = { kind: 'int', n: 0 };
const ONE: Value = { kind: 'int', n: 1 };

/** By variable that some node reads: what of it. Variables that several programs have in common are not among them. */
export function usesOf(nodes: readonly ProgramNode[], common: ReadonlySet<string>): ReadonlyMap<string, Use> {
  const uses = new Map<string, Use>();
  let grew = true;
  const read = (name: string, use: Use): void => {
    const known = uses.get(name);
    const joined = known === undefined || known === use ? use : 'all';
    if (joined === known) return;
    uses.set(name, joined);
    grew = true;
  };
  const visit = (expression: Expression, use: Use): void => {
    switch (expression.op) {
      case 'const':
      case 'param':
        return;
      case 'var':
        read(expression.name, use);
        return;
      case 'choice':
        for (const arg of expression.args ?? []) visit(arg, 'all');
        return;
      case '!':
      case '&&':
      case '||':
        for (const arg of expression.args) visit(arg, 'truth');
        return;
      case 'select': {
        const [on, ...ways] = expression.args;
        if (on !== undefined) visit(on, 'truth');
        for (const way of ways) visit(way, use);
        return;
      }
      default:
        for (const arg of expression.args) visit(arg, INTO_ENTRIES.has(expression.op) ? 'object' : 'all');
    }
  };
  const assignments: (readonly { readonly name: string; readonly value: Expression }[])[] = [];
  for (const node of nodes)
    switch (node.kind) {
      case 'branch':
        visit(node.on, 'truth');
        break;
      case 'assign':
        assignments.push(node.sets);
        break;
      case 'event':
        for (const operand of operandsOf(node.event)) visit(operand, 'all');
        break;
      case 'return':
        if (node.value !== null) visit(node.value, 'all');
        break;
      case 'stop':
        break;
    }
  // Most stand before what reads them.
  assignments.reverse();
  while (grew) {
    grew = false;
    for (const sets of assignments)
      for (const { name, value } of sets) {
        const use = common.has(name) ? 'all' : uses.get(name);
        if (use !== undefined && !isIdle(value, use)) visit(value, use);
      }
  }
  return uses;
}

/** A number where only memory is of interest. */
const isIdle = (value: Expression, use: Use): boolean => use === 'object' && NUMERIC.has(value.op);

/** The program with such numbers left out. */
export function withoutIdleNumbers(
  nodes: readonly ProgramNode[],
  uses: ReadonlyMap<string, Use>,
): readonly ProgramNode[] {
  const idle = (name: string, value: Expression): boolean => {
    const use = uses.get(name);
    return use !== undefined && isIdle(value, use);
  };
  return nodes.map((node) =>
    node.kind !== 'assign' || !node.sets.some(({ name, value }) => idle(name, value))
      ? node
      : {
          ...node,
          sets: node.sets.map((set) =>
            idle(set.name, set.value) ? { ...set, value: { op: 'const' as const, value: ZERO } } : set,
          ),
        },
  );
}

/** What stands for the value where it is put to this use alone. */
export function narrowed(value: Value, use: Use | undefined): Value {
  switch (use) {
    case undefined:
    case 'all':
      return value;
    case 'object':
      return value.kind === 'memory' || value.kind === 'entry-value' ? value : ZERO;
    case 'truth':
      switch (value.kind) {
        case 'int':
          return value.n === 0 ? value : ONE;
        case 'some':
          return value.is === 'any' || value.is === 'non-negative' ? value : ONE;
        // A test of these settles something, or asks.
        case 'entry-value':
        case 'address':
          return value;
        case 'opaque':
        case 'symbol':
        case 'entry-pointer':
        case 'memory':
          return ONE;
      }
  }
}
