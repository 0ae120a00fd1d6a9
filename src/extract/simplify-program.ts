/**
 * Answers that nothing known decides, put as simply as the machine can tell them apart: what is computed from such
 * answers alone is one answer, asked where it is first used; what no event looks at is not asked.
 */
import { constant, type Expression, integer } from '#event/expression.js';
import type { ProgramNode } from '#event/program.js';
import { ANY, type Value } from '#event/value.js';

type Choice = Extract<Expression, { readonly op: 'choice' }>;

/** Applies `change` to every expression of a node, innermost first. */
export type MapNode = (node: ProgramNode, change: (e: Expression) => Expression) => ProgramNode;

/** The nodes with their unknowns simplified; the graph stays as it is. */
export function simplifyAnswers(nodes: readonly ProgramNode[], map: MapNode): ProgramNode[] {
  let result = nodes.map((node) => withoutIdleOperands(map(node, simplified)));
  // Each round may lay open the next: a flag computed from flags.
  for (let round = 0; round < 4; round += 1) {
    const answers = answeredOnce(result);
    if (answers.size === 0) break;
    result = result.map((node) => {
      const kept =
        node.kind === 'assign' && node.sets.some((set) => answers.has(set.name))
          ? { ...node, sets: node.sets.filter((set) => !answers.has(set.name)) }
          : node;
      return withoutIdleOperands(
        map(kept, (e) => simplified(e.op === 'var' ? (answers.get(e.name) ?? e) : e)),
      );
    });
  }
  return result;
}

const isNumber = (value: Value): boolean => value.kind === 'int' || value.kind === 'some';

/** The same answer each time, a number, and about nothing that changes in a run. */
function isAnswer(e: Expression): e is Choice {
  return e.op === 'choice' && e.stable === true && (e.args ?? []).length === 0 && e.of.every(isNumber);
}

/** Temporaries that are set in one place to such an answer: they are it. */
function answeredOnce(nodes: readonly ProgramNode[]): ReadonlyMap<string, Choice> {
  const writes = new Map<string, number>();
  const answers = new Map<string, Choice>();
  const count = (name: string): void => {
    writes.set(name, (writes.get(name) ?? 0) + 1);
  };
  for (const node of nodes) {
    if (node.kind === 'assign')
      for (const set of node.sets) {
        count(set.name);
        // Temporaries are written before they are read; memory and what joins may not be.
        if (/^t\d/.test(set.name) && isAnswer(set.value)) answers.set(set.name, set.value);
      }
    else if (node.kind === 'event') {
      if ('into' in node.event && node.event.into !== undefined) count(node.event.into);
      if ('old' in node.event && node.event.old !== undefined) count(node.event.old);
    }
  }
  return new Map([...answers].filter(([name]) => writes.get(name) === 1));
}

/** Operators whose result is open where an operand is only known not to be 0. */
const ARITHMETIC: ReadonlySet<string> = new Set(['&', '^', '+', '-', '*', '/', '%', '<<', '>>']);
const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=']);

function simplified(e: Expression): Expression {
  if (e.op === 'make-soft') {
    const [data] = e.args;
    return data !== undefined && isNumeric(data) && data.op !== 'const' ? { ...e, args: [integer(0)] } : e;
  }
  if (!ARITHMETIC.has(e.op) && !COMPARISONS.has(e.op)) return e;
  if (!('args' in e) || e.args === undefined || e.args.length !== 2) return e;
  const [a, b] = e.args;
  if (a === undefined || b === undefined) return e;
  const open = (arg: Expression): boolean => isAnswer(arg) && arg.of.some((value) => value.kind === 'some');
  const plain = (arg: Expression): boolean =>
    isAnswer(arg) || (arg.op === 'const' && arg.value.kind === 'int');
  if (!(open(a) || open(b)) || !plain(a) || !plain(b)) return e;
  const isZero = (arg: Expression): boolean =>
    arg.op === 'const' && arg.value.kind === 'int' && arg.value.n === 0;
  // Against 0 the machine knows the answer.
  if (isZero(a) || isZero(b)) return e;
  const text = (arg: Expression): string =>
    arg.op === 'choice'
      ? arg.key
      : arg.op === 'const' && arg.value.kind === 'int'
        ? String(arg.value.n)
        : '_';
  return {
    op: 'choice',
    key: `(${text(a)} ${e.op} ${text(b)})`,
    of: [
      { kind: 'int', n: 0 },
      COMPARISONS.has(e.op) ? { kind: 'int', n: 1 } : { kind: 'some', is: 'nonzero' },
    ],
    stable: true,
  };
}

/** Numbers and answers that are numbers, and what is computed from them. */
function isNumeric(e: Expression): boolean {
  switch (e.op) {
    case 'const':
      return isNumber(e.value);
    case 'choice':
      return e.of.every(isNumber);
    case 'var':
    case 'param':
      return false;
    default:
      return (ARITHMETIC.has(e.op) || e.op === '|' || e.op === '~') && e.args.every(isNumeric);
  }
}

const PLACES = ['address', 'start', 'end'];

/** An address that is a number nobody knows is one that lies anywhere: which number is not asked. */
function withoutIdleOperands(node: ProgramNode): ProgramNode {
  if (node.kind !== 'event') return node;
  const { event } = node;
  const idle = (part: unknown): part is Expression =>
    typeof part === 'object' &&
    part !== null &&
    'op' in part &&
    (part as Expression).op !== 'const' &&
    isNumeric(part as Expression);
  const mapped = (record: object): object | null => {
    const open = PLACES.filter((key) => idle((record as Record<string, unknown>)[key]));
    if (open.length === 0) return null;
    return { ...record, ...Object.fromEntries(open.map((key) => [key, constant(ANY)])) };
  };
  const own = mapped(event);
  const scope = event.kind === 'flush' ? mapped(event.scope) : null;
  if (own === null && scope === null) return node;
  return {
    ...node,
    event: { ...(own ?? event), ...(scope === null ? {} : { scope }) } as typeof event,
  };
}
