/** An event program as text, for `--dump events`: one node a line, places at the end. */
import type { Expression } from '#event/expression.js';
import type { EventProgram, ProgramNode } from '#event/program.js';
import { encodeValue } from '#event/value.js';

function printExpression(expr: Expression): string {
  switch (expr.op) {
    case 'const':
      return encodeValue(expr.value);
    case 'var':
      return expr.name;
    case 'param':
      return `<${expr.name}>`;
    case 'choice':
      return `choice${expr.stable ? '!' : ''}"${expr.key}"${expr.of.length === 2 && encodeValue(expr.of[0] ?? { kind: 'opaque' }) === '0' ? '' : ` of ${expr.of.map(encodeValue).join(' ')}`}`;
    default:
      return `${expr.op}${'level' in expr && expr.level !== undefined ? `.${expr.level}` : ''}(${expr.args.map(printExpression).join(', ')})`;
  }
}

function printPart(part: unknown): string {
  if (typeof part !== 'object' || part === null) return String(part);
  if ('op' in part) return printExpression(part as Expression);
  return `{${Object.entries(part)
    .map(([key, value]) => `${key}=${printPart(value)}`)
    .join(' ')}}`;
}

function printNode(node: ProgramNode): string {
  switch (node.kind) {
    case 'event': {
      const { kind, ...rest } = node.event;
      return `${kind} ${Object.entries(rest)
        .map(([key, value]) => `${key}=${printPart(value)}`)
        .join(' ')} -> ${node.next}`;
    }
    case 'assign':
      return `${node.sets.map((set) => `${set.name} := ${printExpression(set.value)}`).join('; ')} -> ${node.next}`;
    case 'branch':
      return `if ${printExpression(node.on)} -> ${node.then} else ${node.else}`;
    case 'return':
      return `return ${node.value === null ? '' : printExpression(node.value)}`;
    case 'stop':
      return 'stop';
  }
}

export function printProgram(program: EventProgram): string {
  const head = `program ${program.name} space=${program.space} levels=${program.levels.join(',')} outermost=${program.outermost}`;
  const lines = program.nodes.map(
    (node, id) =>
      `${String(id).padStart(4)} ${printNode(node)}${node.at === null ? '' : `   # ${node.at.function}:${node.at.line}`}`,
  );
  return `${[head, ...program.assumptions.map((text) => `  assuming ${text}`), ...lines].join('\n')}\n`;
}
