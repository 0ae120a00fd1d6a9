/** What extraction knows of a C value: how to compute it, and where it comes from. */
import type { CType } from '#c/ir.js';
import type { Expression } from '#event/expression.js';
import type { Value } from '#event/value.js';

/** What an expression can evaluate to, as far as that is fixed. `untracked`: only answers of named choices. */
export type Kind = 'entry-pointer' | 'entry-value' | 'memory' | 'address' | 'int' | 'symbol' | 'untracked';

/** What a pointer may point to: the memory, if the pointer is (or was made from) this symbol. */
export interface Candidate {
  readonly symbol: string;
  readonly cell: string;
}

/** Memory that a value was loaded from. */
export type Source =
  | { readonly kind: 'cell'; readonly cell: string; readonly stable: boolean; readonly local: boolean }
  | { readonly kind: 'entry'; readonly pointer: Expression; readonly origin: string };

export interface Val {
  readonly expr: Expression;
  /** Where it comes from, in terms of parameters by position, calls and fields: never local names or lines. */
  readonly origin: string;
  /** The origin names one value in a run; false for what a loop or a call makes anew. */
  readonly stable: boolean;
  readonly type: CType | null;
  /** Memory that this value points to: set for `&x`. */
  readonly cell?: string;
  /** Memory that this value points to, where that depends on which object it is: `&loaded_mm->context`. */
  readonly among?: readonly Candidate[];
  /** Where it was loaded from: a macro that stands for a place is read and stored to. */
  readonly from?: Source;
  /** A loop counter that stands for a position in a table. */
  readonly index?: true;
  /** A pointer so many entries away from another: stepped again it is as many as both together. */
  readonly stepped?: { readonly from: Expression; readonly by: Val };
  /** The bits in which two entries differ. */
  readonly difference?: true;
  /** A pointer to one half of an entry: `&ptep->pte_low`. */
  readonly half?: 'low' | 'high';
  /** A pointer to a member of the memory's struct: it stands for the memory, and never for an entry in it. */
  readonly member?: true;
}

function kindOfValue(value: Value): Kind {
  switch (value.kind) {
    case 'int':
      return 'int';
    case 'some':
    case 'opaque':
      return 'untracked';
    case 'address':
      return 'address';
    case 'symbol':
      return 'symbol';
    case 'entry-pointer':
      return 'entry-pointer';
    case 'entry-value':
      return 'entry-value';
    case 'memory':
      return 'memory';
  }
}

/** Static kind of an expression; `kinds` gives that of variables. */
export function kindOf(expr: Expression, kinds: ReadonlyMap<string, Kind>): Kind {
  switch (expr.op) {
    case 'const':
      return kindOfValue(expr.value);
    case 'var':
      return kinds.get(expr.name) ?? 'untracked';
    case 'param':
      return 'untracked';
    case 'choice': {
      for (const value of expr.of) {
        const kind = kindOfValue(value);
        if (kind !== 'int' && kind !== 'untracked') return kind;
      }
      // Answers 0 and 1 are not reckoned with; sizes and levels are.
      const numbers = expr.of.every((value) => value.kind === 'int');
      return numbers && expr.of.some((value) => value.kind === 'int' && value.n > 1) ? 'int' : 'untracked';
    }
    default:
      return kindOfOperator(expr, kinds);
  }
}

function kindOfOperator(
  expr: Extract<Expression, { args: readonly Expression[]; op: string }> & {
    readonly args?: readonly Expression[];
  },
  kinds: ReadonlyMap<string, Kind>,
): Kind {
  const args = expr.args ?? [];
  const kindAt = (n: number): Kind => {
    const arg = args[n];
    return arg === undefined ? 'untracked' : kindOf(arg, kinds);
  };
  switch (expr.op) {
    case 'entry':
    case 'first-entry':
    case 'step':
    case 'couple':
    case 'slot':
    case 'numbered-entry':
    case 'entry-above':
      return 'entry-pointer';
    case 'read':
    case 'make-leaf':
    case 'make-table':
    case 'make-soft':
    case 'none-value':
    case 'with-write':
    case 'with-dirty':
    case 'with-young':
    case 'with-exec':
    case 'with-cont':
    case 'with-present':
    case 'with-attributes':
      return 'entry-value';
    case 'page-of':
    case 'table-of':
    case 'table-holding':
    case 'range-at':
    case 'as-memory':
    case 'next-node':
      return 'memory';
    case 'range-of':
    case 'address-of':
    case 'address-in':
    case 'addr-end':
      return 'address';
    case 'align-down':
    case 'align-up':
      return kindAt(0) === 'entry-pointer' ? 'entry-pointer' : 'address';
    case 'select': {
      const a = kindAt(1);
      return a === 'int' || a === 'untracked' ? (kindAt(2) === 'untracked' ? a : kindAt(2)) : a;
    }
    case '+':
    case '-':
    case '&':
    case '|':
    case '<<':
    case '>>':
    case 'min':
    case 'max': {
      const a = kindAt(0);
      const b = kindAt(1);
      if (a === 'address' || b === 'address') return 'address';
      if (a === 'entry-pointer' && expr.op !== '-') return 'entry-pointer';
      return a === 'untracked' && b === 'untracked' ? 'untracked' : 'int';
    }
    default:
      return 'int';
  }
}
