/** Expressions to operands, with the instructions that compute them. */
import type { Operand } from './ir.js';
import { lowerAsm } from './lower-asm.js';
import { lowerCall } from './lower-call.js';
import { lowerAggregate } from './lower-initializer.js';
import { lowerAddress } from './lower-place.js';
import { lowerStatementExpression } from './lower-statement-expression.js';
import type { Lowering } from './lowering.js';
import type { Expression } from './syntax.js';

export function lowerExpression(l: Lowering, node: Expression): Operand {
  switch (node.kind) {
    case 'name': {
      const variable = l.lookup(node.name);
      if (variable) return l.readVariable(variable);
      // A global that this function assigns to is a variable for sure, so its value is what memory holds.
      if (l.survey.assigned.has(node.name)) return l.readTarget(l.target(node, 'read'));
      return l.globalName(node.name);
    }
    case 'int':
      return { kind: 'int', value: node.value };
    case 'string':
      return { kind: 'string', text: l.source.original.slice(node.start, node.end) };
    case 'unknown':
      return l.unknown(node);
    case 'call':
      return lowerCall(l, node);
    case 'field':
    case 'index':
    case 'deref': {
      const target = l.target(node, 'read');
      l.mark(node);
      return l.readTarget(target);
    }
    case 'unary': {
      const value = l.expression(node.value);
      if (value.kind === 'int' && node.op === '-') return { kind: 'int', value: -value.value };
      if (value.kind === 'int' && node.op === '!') return { kind: 'int', value: value.value ? 0 : 1 };
      l.mark(node);
      const type = node.op === '!' ? { base: 'int', pointers: 0 } : l.graph.typeOf(value);
      return l.value({ kind: 'unary', op: node.op, value }, type);
    }
    case 'address':
      return lowerAddress(l, node.value);
    case 'update': {
      const target = l.target(node.target, 'write');
      const old = l.readTarget(target);
      l.mark(node);
      const value = l.binary(node.op, old, { kind: 'int', value: 1 });
      l.writeTarget(target, value);
      return node.prefix ? value : old;
    }
    case 'assign':
      return lowerAssignment(l, node);
    case 'binary': {
      if ((node.op === '&&' || node.op === '||') && !isPure(l, node.right)) return lowerByBranches(l, node);
      const left = l.expression(node.left);
      const right = l.expression(node.right);
      l.mark(node);
      return l.binary(node.op, left, right);
    }
    case 'conditional':
      return lowerConditional(l, node);
    case 'comma':
      l.expression(node.left);
      return l.expression(node.right);
    case 'cast': {
      const value = l.expression(node.value);
      if (node.type.base === 'void' && node.type.pointers === 0) return value;
      l.mark(node);
      return l.value({ kind: 'cast', to: node.type, value }, node.type);
    }
    case 'compound':
      return lowerAggregate(l, node);
    case 'statements':
      return lowerStatementExpression(l, node);
    case 'asm':
      return lowerAsm(l, node);
  }
}

function lowerAssignment(l: Lowering, node: Extract<Expression, { readonly kind: 'assign' }>): Operand {
  if (node.op === '') {
    const value = l.expression(node.value);
    const target = l.target(node.target, 'write');
    l.mark(node);
    l.writeTarget(target, value);
    return value;
  }
  const target = l.target(node.target, 'write');
  const old = l.readTarget(target);
  const right = l.expression(node.value);
  l.mark(node);
  const value = l.binary(node.op, old, right);
  l.writeTarget(target, value);
  return value;
}

/** Evaluating it early or not at all makes no difference. */
function isPure(l: Lowering, node: Expression): boolean {
  switch (node.kind) {
    case 'name': {
      const variable = l.lookup(node.name);
      return variable ? variable.storage === 'value' : !l.survey.assigned.has(node.name);
    }
    case 'int':
    case 'string':
    case 'unknown':
      return true;
    case 'unary':
    case 'cast':
      return isPure(l, node.value);
    case 'binary':
      return isPure(l, node.left) && isPure(l, node.right);
    default:
      return false;
  }
}

function lowerByBranches(l: Lowering, node: Expression): Operand {
  const result = l.temporary({ base: 'int', pointers: 0 }, 'value');
  const yes = l.graph.newBlock();
  const no = l.graph.newBlock();
  const join = l.graph.newBlock();
  l.condition(node, yes, no);
  for (const [block, value] of [
    [yes, 1],
    [no, 0],
  ] as const) {
    l.enterSealed(block);
    l.writeVariable(result, { kind: 'int', value });
    l.graph.jump(join);
  }
  l.enterSealed(join);
  return l.readVariable(result);
}

function lowerConditional(l: Lowering, node: Extract<Expression, { readonly kind: 'conditional' }>): Operand {
  const yes = l.graph.newBlock();
  const no = l.graph.newBlock();
  const join = l.graph.newBlock();
  const result = l.temporary(null, 'value');
  const { line, text } = l.graph;
  if (node.then) {
    l.condition(node.test, yes, no);
    l.enterSealed(yes);
    l.writeVariable(result, l.expression(node.then));
  } else {
    const value = l.expression(node.test);
    l.graph.branch(value, yes, no, l.line(node.test.start), l.text(node.test));
    l.enterSealed(yes);
    l.writeVariable(result, value);
  }
  l.graph.jump(join);
  l.enterSealed(no);
  l.writeVariable(result, l.expression(node.else));
  l.graph.jump(join);
  l.enterSealed(join);
  l.graph.line = line;
  l.graph.text = text;
  return l.readVariable(result);
}
