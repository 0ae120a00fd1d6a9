/** while, do, for, and macros that are used like loops. */
import type { BlockId, Operand, ValueId } from './ir.js';
import type { Lowering, Variable } from './lowering.js';
import type { Expression, Statement } from './syntax.js';

type Of<K extends Statement['kind']> = Extract<Statement, { readonly kind: K }>;

export function lowerWhile(l: Lowering, node: Of<'while'>): void {
  const head = l.graph.newBlock();
  const body = l.graph.newBlock();
  const exit = l.graph.newBlock();
  l.graph.jump(head);
  l.graph.enter(head);
  l.begin(node.test);
  l.condition(node.test, body, exit);
  l.enterSealed(body);
  loopBody(l, node.body, head, exit);
  l.graph.jump(head);
  l.graph.seal(head);
  l.enterSealed(exit);
}

export function lowerDo(l: Lowering, node: Of<'do'>): void {
  const body = l.graph.newBlock();
  const test = l.graph.newBlock();
  const exit = l.graph.newBlock();
  l.graph.jump(body);
  l.graph.enter(body);
  loopBody(l, node.body, test, exit);
  l.graph.jump(test);
  l.enterSealed(test);
  l.begin(node.test);
  if (node.macro !== null && node.test.kind === 'call') {
    branchOnMore(l, { name: node.macro, args: node.test.args, start: node.test.start }, body, exit);
  } else l.condition(node.test, body, exit);
  l.graph.seal(body);
  l.enterSealed(exit);
}

export function lowerFor(l: Lowering, node: Of<'for'>): void {
  l.inScope(node, () => {
    if (node.first) l.statement(node.first);
    const head = l.graph.newBlock();
    const body = l.graph.newBlock();
    const step = l.graph.newBlock();
    const exit = l.graph.newBlock();
    l.graph.jump(head);
    l.graph.enter(head);
    if (node.test) {
      l.begin(node.test);
      l.condition(node.test, body, exit);
    } else l.graph.jump(body);
    l.enterSealed(body);
    loopBody(l, node.body, step, exit);
    l.graph.jump(step);
    l.enterSealed(step);
    if (node.step) {
      l.begin(node.step);
      l.expression(node.step);
    }
    l.graph.jump(head);
    l.graph.seal(head);
    l.enterSealed(exit);
  });
}

function loopBody(l: Lowering, body: Statement, next: BlockId, exit: BlockId): void {
  l.breaks.push({ block: exit, depth: l.depth });
  l.continues.push({ block: next, depth: l.depth });
  l.statement(body);
  l.breaks.pop();
  l.continues.pop();
}

const SCOPED_GUARD = /^scoped_(cond_)?guard$/;

export function lowerMacroStatement(l: Lowering, node: Of<'macro'>): void {
  if (SCOPED_GUARD.test(node.name)) lowerScopedGuard(l, node);
  else lowerIteration(l, node);
}

/** The kernel writes it as a loop of one round, so `break` and `continue` leave it. */
function lowerScopedGuard(l: Lowering, node: Of<'macro'>): void {
  const exit = l.graph.newBlock();
  const [kind, ...rest] = node.args;
  const args = node.name === 'scoped_guard' ? rest : rest.slice(1);
  l.begin({ start: node.start, end: node.body.start });
  const word = kind ? l.text(kind) : '';
  const depth = l.depth;
  l.inScope(node, () => {
    const values = args.map((arg) => l.expression(arg));
    l.call(`guard:${word}`, values);
    l.addCleanup({ name: `guard_end:${word}`, args: values });
    l.breaks.push({ block: exit, depth });
    l.continues.push({ block: exit, depth });
    l.statement(node.body);
    l.breaks.pop();
    l.continues.pop();
  });
  l.graph.jump(exit);
  l.enterSealed(exit);
}

function lowerIteration(l: Lowering, node: Of<'macro'>): void {
  const head = l.graph.newBlock();
  const body = l.graph.newBlock();
  const exit = l.graph.newBlock();
  l.graph.jump(head);
  l.graph.enter(head);
  l.begin({ start: node.start, end: node.body.start });
  branchOnMore(l, node, body, exit);
  l.enterSealed(body);
  loopBody(l, node.body, head, exit);
  l.graph.jump(head);
  l.graph.seal(head);
  l.enterSealed(exit);
}

interface LoopMacro {
  readonly name: string;
  readonly args: readonly Expression[];
  readonly start: number;
}

/** Asks the macro for the next round and gives its cursors their new values. */
function branchOnMore(l: Lowering, node: LoopMacro, body: BlockId, exit: BlockId): void {
  const cursors: { readonly arg: number; readonly variable: string; readonly id: ValueId }[] = [];
  const written: { readonly variable: Variable; readonly value: Operand }[] = [];
  const args = node.args.map((arg, i): Operand => {
    const variable = cursor(l, node, arg, i);
    if (!variable) return l.expression(arg);
    const before = l.readVariable(variable);
    const id = l.graph.newValue(variable.type, variable.name);
    cursors.push({ arg: i, variable: variable.name, id });
    written.push({ variable, value: { kind: 'value', id } });
    return before;
  });
  const more = l.value({ kind: 'iterate', macro: node.name, args, cursors }, { base: 'int', pointers: 0 });
  for (const { variable, value } of written) l.writeVariable(variable, value);
  l.graph.branch(more, body, exit, l.graph.line, l.graph.text);
}

/** The local that an argument of a loop macro gives a new value each round. */
function cursor(l: Lowering, node: LoopMacro, arg: Expression, position: number): Variable | null {
  if (arg.kind !== 'name') return null;
  const variable = l.lookup(arg.name);
  if (!variable || variable.storage === 'static' || variable.type?.array) return null;
  if (variable.type && variable.type.pointers === 0 && variable.type.base.startsWith('struct ')) return null;
  if (position === 0 || (position === 1 && /_safe(_|$)/.test(node.name))) return variable;
  // A variable that nothing has set before can only be set by the macro.
  const assigned = l.survey.assigned.get(arg.name);
  return l.survey.bare.has(arg.name) && (assigned === undefined || assigned > node.start) ? variable : null;
}
