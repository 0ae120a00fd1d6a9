/**
 * C functions as control-flow graphs with values in SSA form.
 *
 * `c/` turns C text plus a kernel configuration into this, and knows no page tables: no name of a kernel primitive
 * has a meaning here. It does no IO. C that cannot be lowered becomes a `Gap`, never an exception.
 * Every construct keeps the line it came from (1-based, in the untouched file).
 */

export type ValueId = number;
export type BlockId = number;

/** Type as written, qualifiers dropped: base name (`pte_t`, `struct page`, `unsigned long`) and pointer depth. */
export interface CType {
  readonly base: string;
  readonly pointers: number;
  readonly array?: boolean;
}

export type Operand =
  | { readonly kind: 'value'; readonly id: ValueId }
  | { readonly kind: 'int'; readonly value: number | bigint }
  | { readonly kind: 'string'; readonly text: string }
  /** A name that is no local and no parameter: global, enumerator, object-like macro, function. */
  | { readonly kind: 'global'; readonly name: string }
  /** Address of a place: `&x`, `&p->f`, `&a[i]`; an array or struct local used as a value. */
  | { readonly kind: 'address'; readonly place: Place }
  /** Not computed: sizeof, initialiser of an unknown kind, gap. */
  | { readonly kind: 'unknown'; readonly text: string };

/** Memory: locals whose address is taken, structs and arrays, fields, elements, things behind pointers. */
export interface Place {
  readonly base:
    | { readonly kind: 'local'; readonly name: string; readonly scope: number }
    | { readonly kind: 'global'; readonly name: string }
    /** One CPU's copy of a per-CPU variable; null: that of the CPU that runs. */
    | { readonly kind: 'percpu'; readonly name: string; readonly cpu: Operand | null }
    /** `named`: not what the value points to, but where it was loaded from (`pmd_huge_pte(mm, pmd) = table`). */
    | { readonly kind: 'deref'; readonly pointer: Operand; readonly named?: true };
  readonly path: readonly (
    | { readonly kind: 'field'; readonly name: string }
    | { readonly kind: 'index'; readonly at: Operand }
  )[];
  readonly type: CType | null;
}

export type Instruction = { readonly line: number; readonly text: string } & (
  | {
      readonly kind: 'call';
      readonly id: ValueId;
      readonly callee: { readonly name: string } | { readonly pointer: Operand };
      readonly args: readonly Operand[];
    }
  /** `++`/`--` are lowered to binary. Pointer arithmetic stays `+` with `type` the pointer's type. */
  | {
      readonly kind: 'binary';
      readonly id: ValueId;
      readonly op: string;
      readonly left: Operand;
      readonly right: Operand;
    }
  | { readonly kind: 'unary'; readonly id: ValueId; readonly op: '-' | '~' | '!'; readonly value: Operand }
  | { readonly kind: 'cast'; readonly id: ValueId; readonly to: CType; readonly value: Operand }
  /** `once`: through READ_ONCE / WRITE_ONCE. */
  | { readonly kind: 'load'; readonly id: ValueId; readonly place: Place; readonly once?: true }
  | { readonly kind: 'store'; readonly place: Place; readonly value: Operand; readonly once?: true }
  | {
      readonly kind: 'phi';
      readonly id: ValueId;
      readonly from: readonly { readonly block: BlockId; readonly value: Operand }[];
      readonly variable: string;
    }
  /** A struct or array value built by `(type){ .f = v }` or an initialiser list, stored field by field before use. */
  | {
      readonly kind: 'aggregate';
      readonly id: ValueId;
      readonly type: CType | null;
      readonly fields: readonly { readonly name: string; readonly value: Operand }[];
    }
  /** One round of a loop macro (`list_for_each_entry(p, head, member) { … }`): `id` is "there is another", `cursors` receive new values.
   *  `cursors` are the macro's arguments that are plain local variables assigned nowhere else in the argument list: here as fresh values. */
  | {
      readonly kind: 'iterate';
      readonly id: ValueId;
      readonly macro: string;
      readonly args: readonly Operand[];
      readonly cursors: readonly { readonly arg: number; readonly variable: string; readonly id: ValueId }[];
    }
  /** asm statement: template text and operands. */
  | {
      readonly kind: 'asm';
      readonly id: ValueId;
      readonly template: string;
      readonly args: readonly Operand[];
      readonly clobbersMemory: boolean;
    }
);

export type Terminator =
  | { readonly kind: 'jump'; readonly to: BlockId }
  | {
      readonly kind: 'branch';
      readonly on: Operand;
      readonly then: BlockId;
      readonly else: BlockId;
      readonly line: number;
      readonly text: string;
    }
  | { readonly kind: 'return'; readonly value: Operand | null; readonly line: number }
  | { readonly kind: 'stop'; readonly line: number };

export interface Block {
  readonly id: BlockId;
  readonly instructions: readonly Instruction[];
  readonly end: Terminator;
  readonly predecessors: readonly BlockId[];
}

export interface Parameter {
  readonly name: string;
  readonly type: CType | null;
  /** Value that holds the argument on entry. In a macro body: the argument itself, by name (see `macro`). */
  readonly id: ValueId;
}

/** Type and source variable of every value, for provenance and messages. */
export interface ValueInfo {
  readonly type: CType | null;
  /** Source variable that it was first assigned to, if any. */
  readonly variable: string | null;
}

export interface CFunction {
  readonly name: string;
  readonly file: string;
  readonly firstLine: number;
  readonly lastLine: number;
  readonly static: boolean;
  readonly returns: CType | null;
  readonly parameters: readonly Parameter[];
  /** Block 0 is the entry. Unreachable blocks are dropped. Switches are chains of branches; `&&`, `||`, `?:` with effects are branches. */
  readonly blocks: readonly Block[];
  readonly values: readonly ValueInfo[];
  /** A function-like macro lowered as a function. Arguments that it assigns to are passed as `address` operands by the caller. */
  readonly macro: boolean;
  /** In a macro: for each parameter, whether the body assigns to it, so that it stands for a place. Else all false. */
  readonly byName: readonly boolean[];
  readonly gaps: readonly Gap[];
}

/** Something that could not be lowered: reported, never dropped. */
export interface Gap {
  readonly file: string;
  readonly line: number;
  readonly function: string | null;
  readonly reason: string;
}

/** Answers `CONFIG_X` (and any other symbol the preprocessor asks for): text of its value, or undefined when not set. */
export type Configuration = (symbol: string) => string | undefined;

export type Definition = {
  readonly name: string;
  readonly file: string;
  /** 1-based lines, inclusive, of the whole definition. */
  readonly firstLine: number;
  readonly lastLine: number;
  /** Byte offsets [start, end) in the file's text (UTF-16 units). */
  readonly start: number;
  readonly end: number;
  /** Index of the body's opening brace (functions), or of the replacement text (macros). */
  readonly body: number;
  /** `#if` conditions that must hold, outermost first, as written; negated arms are written `!(…)`. */
  readonly when: readonly string[];
} & (
  | { readonly kind: 'function'; readonly static: boolean; readonly inline: boolean; readonly weak: boolean }
  | { readonly kind: 'macro'; readonly parameters: readonly string[] | null }
  /** `static const struct mm_walk_ops x = { .pmd_entry = f };` – designated members whose values are plain names. */
  | {
      readonly kind: 'table';
      readonly type: string;
      readonly const: boolean;
      readonly members: Readonly<Record<string, string>>;
    }
  /** enumerator with its value when it is plainly countable. */
  | { readonly kind: 'enumerator'; readonly value: number | null }
);

/** Everything at the top level of one file, found by a fast scan without a parser. */
export interface FileIndex {
  readonly file: string;
  readonly text: string;
  readonly definitions: ReadonlyMap<string, readonly Definition[]>;
  /** In order: the path as written, and whether with `<>`. */
  readonly includes: readonly {
    readonly path: string;
    readonly system: boolean;
    readonly when: readonly string[];
  }[];
}

/*
 * The folder's functions (each in the file of its name):
 *   index-file.ts      indexFile(file, text): FileIndex
 *   preprocess.ts      evaluateCondition(condition, configuration): boolean;
 *                      plainC(text, configuration): string         same length, same line breaks
 *   lower-function.ts  lowerFunction(index, definition, configuration, byName?): CFunction | Gap
 *   print-cfg.ts       printFunction(f): string   dump of a graph
 *   identifiers.ts     identifiersIn(text, start, end): ReadonlySet<string>   names used, comments and strings left out
 */
