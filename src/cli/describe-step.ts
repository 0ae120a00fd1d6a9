import type { Expression } from '#event/expression.js';
import { encodeValue } from '#event/value.js';
import type { RuleStep } from '#rules/rule.js';

/** An event of a rule in one line: `flush page addr, depth walk if is_present(old)`. */
export function describeStep(step: RuleStep & { readonly kind: 'event' }): string {
  const { kind, ...fields } = step.event;
  const parts = Object.entries(fields).map(([name, value]) => `${name} ${describeField(value)}`);
  const when = step.when === null ? '' : `  if ${describeExpression(step.when)}`;
  return `${kind}${parts.length === 0 ? '' : `: ${parts.join(', ')}`}${when}`;
}

function describeField(value: unknown): string {
  if (isExpression(value)) return describeExpression(value);
  if (typeof value === 'object' && value !== null) {
    return Object.values(value).map(describeField).join(' ');
  }
  return String(value);
}

const isExpression = (value: unknown): value is Expression =>
  typeof value === 'object' && value !== null && 'op' in value;

function describeExpression(e: Expression): string {
  switch (e.op) {
    case 'const':
      return encodeValue(e.value);
    case 'var':
    case 'param':
      return e.name;
    case 'choice':
      return `any(${e.key})`;
    default: {
      const args = [...e.args.map(describeExpression), ...(e.level === undefined ? [] : [e.level])];
      const [left, right] = args;
      if (args.length === 2 && /^\W+$/.test(e.op)) return `(${left} ${e.op} ${right})`;
      return `${e.op}(${args.join(', ')})`;
    }
  }
}
