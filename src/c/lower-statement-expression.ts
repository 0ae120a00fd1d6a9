/** `({ …; value; })` */
import type { Operand } from './ir.js';
import type { Lowering } from './lowering.js';
import type { Expression } from './syntax.js';

export function lowerStatementExpression(
  l: Lowering,
  node: Extract<Expression, { readonly kind: 'statements' }>,
): Operand {
  const { block } = node;
  const { line, text } = l.graph;
  let value: Operand = { kind: 'unknown', text: 'no value' };
  l.inScope(block, () => {
    const statements = block.kind === 'block' ? block.statements : [block];
    for (const [i, statement] of statements.entries()) {
      if (i === statements.length - 1 && statement.kind === 'expression') {
        l.begin(statement);
        value = l.expression(statement.value);
      } else l.statement(statement);
    }
  });
  l.graph.line = line;
  l.graph.text = text;
  return value;
}
