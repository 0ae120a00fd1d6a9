/**
 * The syntax tree that lowering reads: C as kernel code uses it, parentheses gone, offsets into the parsed slice.
 * Only `parser.ts` makes it.
 */
import type { CType } from './ir.js';

interface Node {
  readonly start: number;
  readonly end: number;
}

export type Expression = Node &
  (
    | { readonly kind: 'name'; readonly name: string }
    | { readonly kind: 'int'; readonly value: number | bigint }
    | { readonly kind: 'string' }
    /** sizeof, a type where a value is expected, a label's address. */
    | { readonly kind: 'unknown' }
    | { readonly kind: 'call'; readonly callee: Expression; readonly args: readonly Expression[] }
    | { readonly kind: 'field'; readonly object: Expression; readonly arrow: boolean; readonly name: string }
    | { readonly kind: 'index'; readonly object: Expression; readonly at: Expression }
    | { readonly kind: 'unary'; readonly op: '-' | '~' | '!'; readonly value: Expression }
    | { readonly kind: 'deref'; readonly value: Expression }
    | { readonly kind: 'address'; readonly value: Expression }
    | {
        readonly kind: 'update';
        readonly op: '+' | '-';
        readonly prefix: boolean;
        readonly target: Expression;
      }
    /** `op` is empty for a plain assignment, `+` for `+=`. */
    | {
        readonly kind: 'assign';
        readonly op: string;
        readonly target: Expression;
        readonly value: Expression;
      }
    | { readonly kind: 'binary'; readonly op: string; readonly left: Expression; readonly right: Expression }
    | {
        readonly kind: 'conditional';
        readonly test: Expression;
        /** Absent in `a ?: b`. */
        readonly then: Expression | null;
        readonly else: Expression;
      }
    | { readonly kind: 'comma'; readonly left: Expression; readonly right: Expression }
    | { readonly kind: 'cast'; readonly type: CType; readonly value: Expression }
    | { readonly kind: 'compound'; readonly type: CType | null; readonly entries: readonly Entry[] }
    | { readonly kind: 'statements'; readonly block: Statement }
    | { readonly kind: 'asm'; readonly operands: readonly Expression[] }
  );

/** One entry of an initialiser list; `path` is empty where there is no designator. */
export interface Entry {
  readonly path: readonly ({ readonly field: string } | { readonly index: Expression })[];
  readonly value: Expression;
}

export interface Declarator extends Node {
  readonly name: string;
  readonly type: CType;
  readonly static: boolean;
  readonly extern: boolean;
  readonly initializer: Expression | null;
}

export type Statement = Node &
  (
    | { readonly kind: 'expression'; readonly value: Expression }
    | { readonly kind: 'declaration'; readonly declarators: readonly Declarator[] }
    | { readonly kind: 'block'; readonly statements: readonly Statement[] }
    | {
        readonly kind: 'if';
        readonly test: Expression;
        readonly then: Statement;
        readonly else: Statement | null;
      }
    | { readonly kind: 'while'; readonly test: Expression; readonly body: Statement }
    /** `macro` is set where a loop macro stands in place of `while`; `test` is then its call. */
    | {
        readonly kind: 'do';
        readonly test: Expression;
        readonly macro: string | null;
        readonly body: Statement;
      }
    | {
        readonly kind: 'for';
        readonly first: Statement | null;
        readonly test: Expression | null;
        readonly step: Expression | null;
        readonly body: Statement;
      }
    /** `name(args) body` where `name` is no keyword: a loop macro or a scoped guard. */
    | {
        readonly kind: 'macro';
        readonly name: string;
        readonly args: readonly Expression[];
        readonly body: Statement;
      }
    | { readonly kind: 'switch'; readonly value: Expression; readonly body: Statement }
    /** A label of a switch; `from` is null for `default`, `to` is set in `case A ... B`. */
    | { readonly kind: 'case'; readonly from: Expression | null; readonly to: Expression | null }
    | { readonly kind: 'label'; readonly name: string }
    | { readonly kind: 'goto'; readonly label: string }
    | { readonly kind: 'break' }
    | { readonly kind: 'continue' }
    | { readonly kind: 'return'; readonly value: Expression | null }
    | { readonly kind: 'empty' }
  );

export interface ParameterSyntax {
  readonly name: string;
  readonly type: CType;
}

export interface FunctionSyntax {
  readonly returns: CType | null;
  readonly parameters: readonly ParameterSyntax[];
  readonly body: Statement;
}

/** A place in the slice where the grammar was lost. */
export interface SyntaxFailure {
  readonly offset: number;
  readonly reason: string;
}
