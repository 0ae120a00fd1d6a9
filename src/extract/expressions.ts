/** Expressions while a program is built: choices, what is decided already, and folding. */

import { type Expression, integer } from '#event/expression.js';
import { NULL } from '#event/value.js';

export function choice(key: string, stable: boolean): Expression {
  return {
    op: 'choice',
    key,
    of: [NULL, { kind: 'some', is: 'nonzero' }],
    ...(stable ? { stable: true } : {}),
  };
}

export const isZero = (expr: Expression): boolean =>
  expr.op === 'const' && expr.value.kind === 'int' && expr.value.n === 0;

/** Truth of a value that is known while extracting; null where it is not. */
export function known(expr: Expression | undefined): boolean | null {
  if (expr?.op !== 'const') return null;
  if (expr.value.kind === 'int') return expr.value.n !== 0;
  return expr.value.kind === 'some' || expr.value.kind === 'entry-value' ? null : true;
}

export function simplify(expr: Expression): Expression {
  if (!('args' in expr) || expr.op === 'choice') return expr;
  const [a, b, c] = expr.args ?? [];
  const first = known(a);
  switch (expr.op) {
    case '!':
      if (first !== null) return integer(first ? 0 : 1);
      if (a?.op === '!' && a.args[0] !== undefined) return { op: '!=', args: [a.args[0], integer(0)] };
      return expr;
    case '&&':
    case '||': {
      const settles = expr.op === '||';
      if (first === settles) return integer(settles ? 1 : 0);
      const second = known(b);
      if (first !== null)
        return second === null ? { op: '!=', args: [b ?? integer(0), integer(0)] } : integer(second ? 1 : 0);
      return expr;
    }
    case 'select':
      return first === null || b === undefined || c === undefined ? expr : first ? b : c;
    default:
      break;
  }
  if ((expr.op === '==' || expr.op === '!=') && a?.op === 'const' && b?.op === 'const')
    if (a.value.kind === 'symbol' && b.value.kind === 'symbol' && a.value.name === b.value.name)
      return integer(expr.op === '==' ? 1 : 0);
  if (a?.op !== 'const' || a.value.kind !== 'int' || b?.op !== 'const' || b.value.kind !== 'int') return expr;
  const [x, y] = [a.value.n, b.value.n];
  switch (expr.op) {
    case '+':
      return integer(x + y);
    case '-':
      return integer(x - y);
    case '*':
      return integer(x * y);
    case '<<':
      return integer(x * 2 ** Math.min(y, 64));
    case '==':
      return integer(x === y ? 1 : 0);
    case '!=':
      return integer(x !== y ? 1 : 0);
    case '<':
      return integer(x < y ? 1 : 0);
    case '<=':
      return integer(x <= y ? 1 : 0);
    case '>':
      return integer(x > y ? 1 : 0);
    case '>=':
      return integer(x >= y ? 1 : 0);
    default:
      return expr;
  }
}

/** Folds from the operands up. */
export function fold(expr: Expression): Expression {
  return 'args' in expr ? simplify({ ...expr, args: expr.args.map(fold) } as Expression) : expr;
}

export function substitute(expr: Expression, of: (name: string) => Expression | null): Expression {
  if (expr.op === 'param') return of(expr.name) ?? expr;
  if (expr.op === 'const' || expr.op === 'var' || expr.op === 'choice') return expr;
  return { ...expr, args: expr.args.map((arg) => substitute(arg, of)) };
}

/** `expr` with a variable replaced. */
export function substituteVar(expr: Expression, name: string, by: Expression): Expression {
  if (expr.op === 'var') return expr.name === name ? by : expr;
  if (expr.op === 'const' || expr.op === 'param' || expr.op === 'choice') return expr;
  return { ...expr, args: expr.args.map((arg) => substituteVar(arg, name, by)) };
}
