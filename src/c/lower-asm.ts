/** asm statements. Operands come from the tree; the rest is read from the untouched text. */
import type { Operand } from './ir.js';
import type { Lowering, Target } from './lowering.js';
import type { Expression } from './syntax.js';
import { MARK, STRING, scanTokens, WORD } from './tokens.js';

export function lowerAsm(l: Lowering, node: Extract<Expression, { readonly kind: 'asm' }>): Operand {
  const parts = readAsm(l.source.original, node.start, node.end);
  const outputs: Target[] = [];
  const args: Operand[] = [];
  for (const operand of node.operands) {
    const constraint = parts.constraint(operand.start);
    if (constraint.startsWith('=') || constraint.startsWith('+')) {
      const target = l.target(operand, 'write');
      outputs.push(target);
      // A register output is no input; an output in memory is named by its address.
      if (target.kind === 'place') args.push({ kind: 'address', place: target.place });
      else if (constraint.startsWith('+')) args.push(l.readVariable(target.variable));
    } else args.push(l.expression(operand));
  }
  l.mark(node);
  const value = l.value(
    { kind: 'asm', template: parts.template, args, clobbersMemory: parts.clobbersMemory },
    null,
  );
  for (const [i, output] of outputs.entries()) {
    l.writeTarget(output, i === 0 ? value : { kind: 'unknown', text: 'asm output' });
  }
  for (const label of parts.labels) {
    if (!l.survey.labels.has(label)) continue;
    const next = l.graph.newBlock();
    l.graph.branch(value, l.label(label), next, l.graph.line, l.graph.text);
    l.enterSealed(next);
  }
  return value;
}

interface AsmParts {
  readonly template: string;
  readonly clobbersMemory: boolean;
  readonly labels: readonly string[];
  constraint(offset: number): string;
}

function readAsm(text: string, start: number, end: number): AsmParts {
  const tokens = scanTokens(text, start, end);
  const word = (i: number): string => text.slice(tokens.starts[i], tokens.ends[i]);
  const constraints: { readonly at: number; readonly text: string }[] = [];
  const labels: string[] = [];
  let template = '';
  let clobbersMemory = false;
  let section = -1;
  let depth = 0;
  for (let i = 0; i < tokens.kinds.length; i++) {
    const kind = tokens.kinds[i];
    const token = word(i);
    if (kind === MARK) {
      if (token === '(' || token === '[') {
        depth++;
        if (section < 0) {
          section = 0;
          continue;
        }
      } else if (token === ')' || token === ']') depth--;
      else if (token === ':' && depth === 1) {
        section++;
        continue;
      }
    }
    if (section === 0 && depth > 0) template += `${template === '' ? '' : ' '}${token}`;
    else if (depth === 1 && kind === STRING) {
      if (section < 3) constraints.push({ at: tokens.starts[i] ?? 0, text: token.slice(1, -1) });
      else if (token === '"memory"') clobbersMemory = true;
    } else if (section === 4 && kind === WORD) labels.push(token);
  }
  return {
    template,
    clobbersMemory,
    labels,
    constraint(offset) {
      let found = '';
      for (const { at, text: constraint } of constraints) {
        if (at > offset) break;
        found = constraint;
      }
      return found;
    },
  };
}
