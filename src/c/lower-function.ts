/**
 * One C function (or macro) to a control-flow graph in SSA form. Knows C and the kernel's dialect of it, no page tables.
 * Does no IO and never throws on input: what cannot be lowered is a `Gap`.
 */
import type { CFunction, Configuration, Definition, FileIndex, Gap, Parameter } from './ir.js';
import { lowerCondition } from './lower-condition.js';
import { localStorage } from './lower-declaration.js';
import { lowerExpression } from './lower-expression.js';
import { lowerTarget } from './lower-place.js';
import { lowerStatement } from './lower-statement.js';
import { Lowering, type Steps } from './lowering.js';
import { byNameParameters } from './macro-parameters.js';
import { parseFunction, parseMacroBody } from './parser.js';
import { plainC } from './preprocess.js';
import { prescan } from './prescan.js';
import type { FunctionSyntax, SyntaxFailure } from './syntax.js';
import { scanTokens, WORD } from './tokens.js';

const STEPS: Steps = {
  expression: lowerExpression,
  condition: lowerCondition,
  target: lowerTarget,
  statement: lowerStatement,
};

/**
 * Lowers one definition of a file.
 *
 * @param index         the file that holds the definition
 * @param definition    a function or a macro; everything else is a gap
 * @param configuration answers `#if` and `IS_ENABLED`
 * @param byName        which arguments a macro assigns to; by default macros of the same file are looked at
 * @returns the graph, or the reason why there is none
 */
export function lowerFunction(
  index: FileIndex,
  definition: Definition,
  configuration: Configuration,
  byName?: (macro: string) => readonly boolean[] | null,
): CFunction | Gap {
  const gap = (reason: string, line = definition.firstLine): Gap => ({
    file: index.file,
    line,
    function: definition.name,
    reason,
  });
  if (definition.kind !== 'function' && definition.kind !== 'macro')
    return gap('neither a function nor a macro');
  const isMacro = definition.kind === 'macro';
  const start = isMacro ? definition.body : definition.start;
  const original = index.text.slice(start, definition.end);
  const firstLine = isMacro
    ? definition.firstLine + countLines(index.text, definition.start, start)
    : definition.firstLine;
  try {
    const plain = plainC(original, configuration);
    const syntax = isMacro ? parseMacro(plain, original) : parseFunction(plain, original);
    if ('reason' in syntax) {
      const before = Math.min(syntax.offset, original.length);
      return gap(syntax.reason, firstLine + countLines(original, 0, before));
    }
    return lowerSyntax(index, definition, configuration, byName ?? sameFile(index), syntax, {
      original,
      firstLine,
    });
  } catch (error) {
    // Nesting deeper than the call stack, or a bug: either way this function is given up and named.
    return gap(error instanceof Error ? error.message : String(error));
  }
}

function sameFile(index: FileIndex): (macro: string) => readonly boolean[] | null {
  return (name) => {
    const definition = index.definitions.get(name)?.find((candidate) => candidate.kind === 'macro');
    return definition ? byNameParameters(definition, index.text) : null;
  };
}

function lowerSyntax(
  index: FileIndex,
  definition: Definition,
  configuration: Configuration,
  byName: (macro: string) => readonly boolean[] | null,
  syntax: FunctionSyntax,
  text: { readonly original: string; readonly firstLine: number },
): CFunction {
  const isMacro = definition.kind === 'macro';
  const survey = prescan(syntax.body, byName);
  const l = new Lowering({ ...text, functionName: definition.name }, survey, configuration, byName, STEPS);
  const parameters: Parameter[] = [];
  const assigned = isMacro ? byNameParameters(definition, index.text) : [];
  const named = isMacro
    ? (definition.parameters ?? []).map((name) => ({
        name: name.replace(/\.\.\.$/, '') || '__VA_ARGS__',
        type: null,
      }))
    : syntax.parameters;
  const byNames: boolean[] = [];
  l.inScope({ start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY }, () => {
    l.graph.line = definition.firstLine;
    l.graph.text = definition.name;
    for (const [i, { name, type }] of named.entries()) {
      const id = l.graph.newValue(type, name);
      parameters.push({ name, type, id });
      const value = { kind: 'value', id } as const;
      const throughName = isMacro && (assigned[i] === true || survey.inMemory.has(name));
      byNames.push(throughName);
      if (throughName) {
        l.declare(name, type, 'by-name', value);
        continue;
      }
      // An array parameter is a pointer.
      const plainType = type?.array ? { base: type.base, pointers: type.pointers + 1 } : type;
      l.writeVariable(l.declare(name, plainType, localStorage(l, name, plainType)), value);
    }
    l.statement(syntax.body);
    if (l.graph.reachable) {
      l.graph.line = definition.lastLine;
      l.graph.return(null);
    }
  });
  l.sealLabels();
  const { blocks, values } = l.graph.finished();
  return {
    name: definition.name,
    file: index.file,
    firstLine: definition.firstLine,
    lastLine: definition.lastLine,
    static: definition.kind === 'function' && definition.static,
    returns: syntax.returns,
    parameters,
    blocks,
    values,
    macro: isMacro,
    byName: byNames,
    gaps: [],
  };
}

/** A macro that is an expression returns it; one that is statements runs them. */
function parseMacro(plain: string, original: string): FunctionSyntax | SyntaxFailure {
  const tokens = scanTokens(plain, 0, plain.length);
  const first = tokens.kinds[0] === WORD ? plain.slice(tokens.starts[0], tokens.ends[0]) : '';
  const asStatements =
    tokens.kinds.length === 0 || STATEMENT_START.has(first) || isBraced(plain, tokens.starts[0] ?? 0);
  if (asStatements) return parseMacroBody(plain, original, 'statements');
  const expression = parseMacroBody(plain, original, 'expression');
  if (!('reason' in expression)) return expression;
  const statements = parseMacroBody(plain, original, 'statements');
  return 'reason' in statements ? expression : statements;
}

const STATEMENT_START = new Set([
  'do',
  'if',
  'for',
  'while',
  'switch',
  'return',
  'goto',
  'break',
  'continue',
]);

function isBraced(plain: string, start: number): boolean {
  return plain[start] === '{';
}

function countLines(text: string, start: number, end: number): number {
  let count = 0;
  for (let at = text.indexOf('\n', start); at >= 0 && at < end; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
