/**
 * One function's statements with their places in the file: what an edit of the source needs to know. Reads only; the
 * text is the untouched one, comments included.
 */
import { identifiersIn } from './identifiers.js';
import type { Configuration, Definition, FileIndex } from './ir.js';
import { parseFunction } from './parser.js';
import { plainC } from './preprocess.js';
import type { Expression, Statement } from './syntax.js';
import { visit } from './walk.js';

export interface PlacedStatement {
  readonly kind: Statement['kind'];
  /** 1-based lines of the file, inclusive. */
  readonly firstLine: number;
  readonly lastLine: number;
  /** Offsets [start, end) in the file's text. */
  readonly start: number;
  readonly end: number;
  readonly parent: PlacedStatement | null;
  /** Statements directly inside, in the order of the text. */
  readonly children: PlacedStatement[];
  /** Its own code, white space folded, comments gone; without that of the statements inside. */
  readonly code: string;
  /** Names in its own code. */
  readonly names: ReadonlySet<string>;
  /** Variables that its own code may give a new value: assigned, declared, address taken, cursor of a loop macro. */
  readonly writes: ReadonlySet<string>;
  /** Variables that it declares. */
  readonly declares: ReadonlySet<string>;
}

/** The body's block, or null where the function cannot be parsed. */
export function statementsOf(
  index: FileIndex,
  definition: Definition,
  configuration: Configuration,
): PlacedStatement | null {
  if (definition.kind !== 'function') return null;
  const original = index.text.slice(definition.start, definition.end);
  const plain = plainC(original, configuration);
  const syntax = parseFunction(plain, original);
  if ('reason' in syntax) return null;
  const breaks: number[] = [];
  for (let at = original.indexOf('\n'); at >= 0; at = original.indexOf('\n', at + 1)) breaks.push(at);
  const lineAt = (offset: number): number => {
    let low = 0;
    let high = breaks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((breaks[middle] ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return definition.firstLine + low;
  };
  const place = (node: Statement, parent: PlacedStatement | null): PlacedStatement => {
    const inner = insideOf(node);
    let own = '';
    let from = node.start;
    for (const child of inner) {
      own += `${plain.slice(from, child.start)} `;
      from = child.end;
    }
    own += plain.slice(from, node.end);
    const children: PlacedStatement[] = [];
    const placed: PlacedStatement = {
      kind: node.kind,
      firstLine: lineAt(node.start),
      lastLine: lineAt(Math.max(node.start, node.end - 1)),
      start: definition.start + node.start,
      end: definition.start + node.end,
      parent,
      children,
      code: own.replace(/\s+/g, ' ').trim(),
      names: identifiersIn(own, 0, own.length),
      ...effectsOf(node, inner),
    };
    for (const child of inner) children.push(place(child, placed));
    return placed;
  };
  return place(syntax.body, null);
}

/** The statement and all inside it, parents first. */
export function* eachStatement(root: PlacedStatement): Generator<PlacedStatement> {
  yield root;
  for (const child of root.children) yield* eachStatement(child);
}

function insideOf(node: Statement): readonly Statement[] {
  switch (node.kind) {
    case 'block':
      return node.statements;
    case 'if':
      return node.else === null ? [node.then] : [node.then, node.else];
    case 'while':
    case 'do':
    case 'for':
    case 'macro':
    case 'switch':
      return [node.body];
    case 'expression':
    case 'declaration':
    case 'case':
    case 'label':
    case 'goto':
    case 'break':
    case 'continue':
    case 'return':
    case 'empty':
      return [];
  }
}

function effectsOf(
  node: Statement,
  inner: readonly Statement[],
): { readonly writes: ReadonlySet<string>; readonly declares: ReadonlySet<string> } {
  const writes = new Set<string>();
  const declares = new Set<string>();
  const own = (start: number): boolean => !inner.some((child) => start >= child.start && start < child.end);
  if (node.kind === 'block') return { writes, declares };
  visit(node, {
    statement(statement) {
      if (statement.kind === 'declaration' && own(statement.start))
        for (const { name } of statement.declarators) {
          writes.add(name);
          declares.add(name);
        }
      if (statement === node && statement.kind === 'macro')
        for (const argument of statement.args) if (argument.kind === 'name') writes.add(argument.name);
    },
    expression(expression) {
      if (!own(expression.start)) return;
      const target = targetOf(expression);
      const name = target === null ? null : variableOf(target);
      if (name !== null) writes.add(name);
    },
  });
  return { writes, declares };
}

function targetOf(expression: Expression): Expression | null {
  switch (expression.kind) {
    case 'assign':
    case 'update':
      return expression.target;
    case 'address':
      return expression.value;
    default:
      return null;
  }
}

/** The local that a place lies in; null where it lies behind a pointer. */
function variableOf(place: Expression): string | null {
  switch (place.kind) {
    case 'name':
      return place.name;
    case 'field':
      return place.arrow ? null : variableOf(place.object);
    case 'index':
      return variableOf(place.object);
    default:
      return null;
  }
}
