/** Conditions: `&&`, `||`, `!` become branches; hints about likelihood are transparent. */
import type { BlockId } from './ir.js';
import type { Lowering } from './lowering.js';
import type { Expression } from './syntax.js';
import { transparentArgument } from './transparent.js';

/** Ends the current block: goes to `then` when the expression is not zero, else to `otherwise`. */
export function lowerCondition(l: Lowering, node: Expression, then: BlockId, otherwise: BlockId): void {
  switch (node.kind) {
    case 'unary':
      if (node.op === '!') {
        lowerCondition(l, node.value, otherwise, then);
        return;
      }
      break;
    case 'binary':
      if (node.op === '&&' || node.op === '||') {
        const right = l.graph.newBlock();
        if (node.op === '&&') lowerCondition(l, node.left, right, otherwise);
        else lowerCondition(l, node.left, then, right);
        l.enterSealed(right);
        lowerCondition(l, node.right, then, otherwise);
        return;
      }
      break;
    case 'comma':
      l.expression(node.left);
      lowerCondition(l, node.right, then, otherwise);
      return;
    case 'call': {
      const inner = transparentArgument(node);
      if (inner) {
        lowerCondition(l, inner, then, otherwise);
        return;
      }
      break;
    }
    case 'conditional':
      if (node.then) {
        const yes = l.graph.newBlock();
        const no = l.graph.newBlock();
        lowerCondition(l, node.test, yes, no);
        l.enterSealed(yes);
        lowerCondition(l, node.then, then, otherwise);
        l.enterSealed(no);
        lowerCondition(l, node.else, then, otherwise);
        return;
      }
      break;
    default:
      break;
  }
  l.mark(node);
  const value = l.expression(node);
  l.graph.branch(value, then, otherwise, l.line(node.start), l.text(node));
}
