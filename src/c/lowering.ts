/**
 * What the lowering of one function carries along: the graph, scopes, jump targets, places in the text.
 * Each construct has its own file; they reach each other through `steps`, so that no two files import each other.
 */
import { enabledMacro, parseInteger } from './condition.js';
import { Graph, type InstructionBody } from './graph.js';
import type { BlockId, Configuration, CType, Operand, Place, ValueId } from './ir.js';
import { lineAt, lineStarts } from './line-starts.js';
import type { Survey } from './prescan.js';
import type { Expression, Statement } from './syntax.js';

export interface Variable {
  readonly name: string;
  readonly scope: number;
  readonly type: CType | null;
  /** `value`: in SSA form; `memory`: a place; `static`: a place that outlives the call; `by-name`: behind a macro's argument. */
  readonly storage: 'value' | 'memory' | 'static' | 'by-name';
  /** For `by-name`: the argument. */
  readonly argument: Operand | null;
}

/** Called at every exit of the scope that holds it. */
interface Cleanup {
  readonly name: string;
  readonly args: readonly Operand[];
}

interface Scope {
  readonly id: number;
  readonly start: number;
  readonly end: number;
  readonly names: Map<string, Variable>;
  readonly cleanups: Cleanup[];
}

interface JumpTarget {
  readonly block: BlockId;
  /** How many scopes were open around the construct. */
  readonly depth: number;
}

/** What can be assigned to. */
export type Target =
  | { readonly kind: 'variable'; readonly variable: Variable }
  | { readonly kind: 'place'; readonly place: Place };

export interface Steps {
  expression(l: Lowering, node: Expression): Operand;
  condition(l: Lowering, node: Expression, then: BlockId, otherwise: BlockId): void;
  target(l: Lowering, node: Expression, use: 'read' | 'write'): Target;
  statement(l: Lowering, node: Statement): void;
}

export interface Source {
  readonly original: string;
  /** 1-based line of the slice's first character in the whole file. */
  readonly firstLine: number;
  readonly functionName: string;
}

type Typed = Extract<InstructionBody, { readonly id: ValueId }>;
type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;

export class Lowering {
  readonly graph = new Graph();
  readonly breaks: JumpTarget[] = [];
  readonly continues: JumpTarget[] = [];
  readonly switches: { from: Expression | null; to: Expression | null; block: BlockId }[][] = [];
  private readonly scopes: Scope[] = [];
  private readonly labels = new Map<string, BlockId>();
  private readonly lines: Uint32Array;
  private scopeCount = 0;
  private temporaries = 0;

  constructor(
    readonly source: Source,
    readonly survey: Survey,
    readonly configuration: Configuration,
    readonly byName: (macro: string) => readonly boolean[] | null,
    readonly steps: Steps,
  ) {
    this.lines = lineStarts(source.original);
  }

  expression(node: Expression): Operand {
    return this.steps.expression(this, node);
  }

  condition(node: Expression, then: BlockId, otherwise: BlockId): void {
    this.steps.condition(this, node, then, otherwise);
  }

  statement(node: Statement): void {
    this.steps.statement(this, node);
  }

  target(node: Expression, use: 'read' | 'write'): Target {
    return this.steps.target(this, node, use);
  }

  // Text and lines.

  line(offset: number): number {
    return lineAt(this.lines, Math.max(0, offset)) + this.source.firstLine - 1;
  }

  /** The untouched text of a node on one line, cut at 120 characters. */
  text(node: { readonly start: number; readonly end: number }): string {
    const text = this.source.original
      .slice(Math.max(0, node.start), node.end)
      .replace(/\/\*[\s\S]*?\*\/|\\\r?\n/g, ' ')
      .replace(/\s+/g, ' ')
      .trim();
    return text.length > 120 ? `${text.slice(0, 117)}...` : text;
  }

  /** Instructions that follow come from this statement. */
  begin(node: { readonly start: number; readonly end: number }): void {
    this.graph.line = this.line(node.start);
    this.graph.text = this.text(node);
  }

  /** Instructions that follow stand on the node's line, within the same statement. */
  mark(node: { readonly start: number }): void {
    this.graph.line = this.line(node.start);
  }

  // Instructions.

  /** Emits an instruction that yields a value. */
  value(body: WithoutId<Typed>, type: CType | null, variable: string | null = null): Operand {
    const id = this.graph.newValue(type, variable);
    this.graph.emit({ id, ...body } as InstructionBody);
    return { kind: 'value', id };
  }

  load(place: Place, once: boolean): Operand {
    return this.value(once ? { kind: 'load', place, once: true } : { kind: 'load', place }, place.type);
  }

  store(place: Place, value: Operand, once = false): void {
    this.graph.emit(once ? { kind: 'store', place, value, once: true } : { kind: 'store', place, value });
  }

  call(name: string, args: readonly Operand[], type: CType | null = null): Operand {
    return this.value({ kind: 'call', callee: { name }, args }, type);
  }

  binary(op: string, left: Operand, right: Operand): Operand {
    const folded = fold(op, left, right);
    if (folded) return folded;
    return this.value({ kind: 'binary', op, left, right }, this.binaryType(op, left, right));
  }

  private binaryType(op: string, left: Operand, right: Operand): CType | null {
    if (COMPARISONS.has(op)) return { base: 'int', pointers: 0 };
    const a = this.graph.typeOf(left);
    const b = this.graph.typeOf(right);
    if (op === '-' && a && b && a.pointers > 0 && b.pointers > 0) return { base: 'long', pointers: 0 };
    if (a && a.pointers > 0) return a;
    if (b && b.pointers > 0) return b;
    return left.kind === 'int' ? b : a;
  }

  unknown(node: { readonly start: number; readonly end: number }): Operand {
    return { kind: 'unknown', text: this.text(node) };
  }

  // Variables.

  declare(
    name: string,
    type: CType | null,
    how: Variable['storage'],
    argument: Operand | null = null,
  ): Variable {
    const scope = this.scope();
    const variable: Variable = { name, scope: scope.id, type, storage: how, argument };
    scope.names.set(name, variable);
    return variable;
  }

  /** A local that no text names: what a call returned by value, the result of `?:`. */
  temporary(type: CType | null, storage: 'value' | 'memory'): Variable {
    return { name: `tmp${this.temporaries++}`, scope: -1, type, storage, argument: null };
  }

  lookup(name: string): Variable | null {
    for (let i = this.scopes.length - 1; i >= 0; i--) {
      const variable = this.scopes[i]?.names.get(name);
      if (variable) return variable;
    }
    return null;
  }

  placeOf(variable: Variable): Place {
    switch (variable.storage) {
      case 'by-name':
        return {
          base: { kind: 'deref', pointer: variable.argument ?? { kind: 'unknown', text: variable.name } },
          path: [],
          type: variable.type,
        };
      case 'static':
        return {
          base: { kind: 'global', name: `${this.source.functionName}.${variable.name}` },
          path: [],
          type: variable.type,
        };
      case 'memory':
      case 'value':
        return {
          base: { kind: 'local', name: variable.name, scope: variable.scope },
          path: [],
          type: variable.type,
        };
    }
  }

  readVariable(variable: Variable): Operand {
    if (variable.storage === 'value') {
      return this.graph.read(`${variable.name}#${variable.scope}`, variable.name, variable.type);
    }
    const place = this.placeOf(variable);
    return variable.type?.array ? { kind: 'address', place } : this.load(place, false);
  }

  writeVariable(variable: Variable, value: Operand): void {
    if (variable.storage !== 'value') {
      this.store(this.placeOf(variable), value);
      return;
    }
    const typed = this.retype(variable, value);
    if (variable.scope >= 0) this.graph.name(typed, variable.name, variable.type);
    this.graph.write(`${variable.name}#${variable.scope}`, typed);
  }

  /** A `void *` that becomes a pointer to something: C converts without a word, but the type behind it changes. */
  private retype(variable: Variable, value: Operand): Operand {
    const to = variable.type;
    if (value.kind !== 'value' || !to || to.pointers === 0) return value;
    const from = this.graph.typeOf(value);
    if (from?.base !== 'void' || from.pointers !== 1 || to.base === 'void') return value;
    return this.value({ kind: 'cast', to, value }, to);
  }

  readTarget(target: Target, once = false): Operand {
    if (target.kind === 'variable') return this.readVariable(target.variable);
    return target.place.type?.array
      ? { kind: 'address', place: target.place }
      : this.load(target.place, once);
  }

  writeTarget(target: Target, value: Operand, once = false): void {
    if (target.kind === 'variable') this.writeVariable(target.variable, value);
    else this.store(target.place, value, once);
  }

  /** A name that is no local: a number where the configuration knows one. */
  globalName(name: string): Operand {
    if (name.startsWith('CONFIG_')) {
      const number = parseInteger(this.configuration(name) ?? '');
      if (number !== null) return { kind: 'int', value: number };
    }
    return { kind: 'global', name };
  }

  /** `IS_ENABLED(CONFIG_X)` and its kin as a number; null when the call is something else. */
  enabled(macro: string, args: readonly Expression[]): Operand | null {
    const symbol = args[0];
    if (symbol?.kind !== 'name') return null;
    const answer = enabledMacro(macro, symbol.name, this.configuration);
    return answer === null ? null : { kind: 'int', value: Number(answer) };
  }

  // Scopes and jumps.

  private scope(): Scope {
    const scope = this.scopes[this.scopes.length - 1];
    if (!scope) throw new Error('a variable is declared outside of every scope');
    return scope;
  }

  get depth(): number {
    return this.scopes.length;
  }

  inScope(node: { readonly start: number; readonly end: number }, body: () => void): void {
    this.scopes.push({
      id: this.scopeCount++,
      start: node.start,
      end: node.end,
      names: new Map(),
      cleanups: [],
    });
    body();
    if (this.graph.reachable) this.cleanUp(this.scopes.length - 1);
    this.scopes.pop();
  }

  addCleanup(cleanup: Cleanup): void {
    this.scope().cleanups.push(cleanup);
  }

  /** Calls what the scopes from `depth` on have to call when they are left, innermost first. */
  cleanUp(depth: number): void {
    for (let i = this.scopes.length - 1; i >= depth; i--) {
      const cleanups = this.scopes[i]?.cleanups ?? [];
      for (let k = cleanups.length - 1; k >= 0; k--) {
        const cleanup = cleanups[k];
        if (cleanup) this.call(cleanup.name, cleanup.args);
      }
    }
  }

  /** How many of the open scopes also hold the offset. */
  depthAt(offset: number): number {
    let depth = 0;
    for (const scope of this.scopes) {
      if (offset < scope.start || offset >= scope.end) break;
      depth++;
    }
    return depth;
  }

  label(name: string): BlockId {
    let block = this.labels.get(name);
    if (block === undefined) {
      block = this.graph.newBlock();
      this.labels.set(name, block);
    }
    return block;
  }

  sealLabels(): void {
    for (const block of this.labels.values()) this.graph.seal(block);
  }

  /** Continues in a block whose predecessors are all known now. */
  enterSealed(block: BlockId): void {
    this.graph.seal(block);
    this.graph.enter(block);
  }
}

const COMPARISONS = new Set(['==', '!=', '<', '>', '<=', '>=', '&&', '||']);

function fold(op: string, left: Operand, right: Operand): Operand | null {
  if (left.kind !== 'int' || right.kind !== 'int') return null;
  if (typeof left.value !== 'number' || typeof right.value !== 'number') return null;
  const result = foldNumbers(op, left.value, right.value);
  return result === null || !Number.isSafeInteger(result) ? null : { kind: 'int', value: result };
}

function foldNumbers(op: string, a: number, b: number): number | null {
  switch (op) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '<<':
      return a >= 0 && b >= 0 && b < 50 ? a * 2 ** b : null;
    case '==':
      return Number(a === b);
    case '!=':
      return Number(a !== b);
    case '<':
      return Number(a < b);
    case '>':
      return Number(a > b);
    case '<=':
      return Number(a <= b);
    case '>=':
      return Number(a >= b);
    case '&&':
      return Number(a !== 0 && b !== 0);
    case '||':
      return Number(a !== 0 || b !== 0);
    default:
      return null;
  }
}
