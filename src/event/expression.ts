/**
 * Expressions of event programs: pure, over variables and the machine's current entries.
 *
 * Rules write them as text (`page(old)`, `addr + PAGE_SIZE`); extraction substitutes arguments; the machine
 * evaluates them. An operation whose answer the operands do not settle gives several values: the machine forks,
 * and records which one as a named choice (DESIGN.md rule 2).
 */
import type { Level, Value } from './value.js';

export type Expression =
  | { readonly op: 'const'; readonly value: Value }
  | { readonly op: 'var'; readonly name: string }
  /** A formal parameter of a rule; extraction replaces it. Never reaches the machine. */
  | { readonly op: 'param'; readonly name: string }
  /**
   * An answer that nothing known decides. `key` is callee and provenance of the arguments, never a variable name or
   * a line. `of` lists the possible values. A `stable` choice gives the same answer each time in one run (pure
   * predicates, unwritten memory, configuration known only at run time); others are asked anew each time.
   */
  | {
      readonly op: 'choice';
      readonly key: string;
      readonly of: readonly Value[];
      readonly stable?: boolean;
      readonly args?: readonly Expression[];
    }
  | { readonly op: Operator; readonly args: readonly Expression[]; readonly level?: Level };

export type Operator =
  /** C arithmetic and logic. Addresses plus sizes move by granule; `%`, `*` and unknown mixes give `some any`. */
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '&'
  | '|'
  | '^'
  | '<<'
  | '>>'
  | '~'
  | '!'
  | '&&'
  | '||'
  | '=='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  /** `cond ? a : b` */
  | 'select'
  | 'min'
  | 'max'
  /** (address, size): round down / up to a multiple; `addr-end`(addr, end) with `level`: p?d_addr_end */
  | 'align-down'
  | 'align-up'
  | 'addr-end'
  /** (parent entry pointer or table memory or mm symbol, address) with `level`: pointer to the entry of that level. */
  | 'entry'
  /** (table memory) with `level`: pointer to the first entry of that table. */
  | 'first-entry'
  /** (entry pointer, count): pointer arithmetic in entries. */
  | 'step'
  /** (entry pointer, address): the same table's entry for that address; loops that step a pointer and an address together. */
  | 'couple'
  /** (entry pointer, position of a counter): the table's entry in that slot: `pte` is the witness's, `past` behind it, else before. */
  | 'slot'
  /** (number) with `level`: pointer to the entry of that address, where addresses are numbers. */
  | 'numbered-entry'
  /** (entry pointer): the value it holds now (the plain C read `*ptep` where atomicity does not matter). */
  | 'read'
  /** (entry value): the page a leaf maps, the table a non-leaf points to. */
  | 'page-of'
  | 'table-of'
  /** (entry pointer): the table it lies in, as memory. (memory): the address-independent identity. */
  | 'table-holding'
  /** (entry value) -> boolean: present, none, leaf (present and large or pte), table, soft, write, dirty, young, exec, cont */
  | 'is-present'
  | 'is-none'
  | 'is-leaf'
  | 'is-table'
  | 'is-soft'
  | 'is-write'
  | 'is-dirty'
  | 'is-young'
  | 'is-exec'
  | 'is-cont'
  /** (entry value, entry value) -> boolean: same bits. */
  | 'same'
  /** (memory) with `level`: a present leaf / a table pointer to it; `soft-value`: non-present data; `none-value`. */
  | 'make-leaf'
  | 'make-table'
  | 'make-soft'
  | 'none-value'
  /** (entry value, boolean): the value with that attribute. */
  | 'with-write'
  | 'with-dirty'
  | 'with-young'
  | 'with-exec'
  | 'with-cont'
  | 'with-present'
  /** (entry value, entry value): the first with the attributes of the second. */
  | 'with-attributes'
  /** (memory of any kind) -> the address of w as a kernel/user address when the memory is the witness's range. */
  | 'range-of'
  /** (address): the address range that contains it, as memory of kind `range`. */
  | 'range-at'
  /** (entry pointer, entry value or table): its level as a number, `pte` is 0. Code that is one for all levels asks. */
  | 'level-of'
  /** (entry pointer or table): the first address that it maps. */
  | 'address-of'
  /** (entry pointer): some address that it maps: the first, one before w, or one behind w's page. */
  | 'address-in'
  /** (table): pointer to the entry that links it. */
  | 'entry-above'
  /** (anything): itself when it is memory, else null. Counts of entries are kept in the page that holds them. */
  | 'as-memory'
  /** (address, address, bytes): is the range longer? Decided where the ends differ by a constant; else it may be. */
  | 'longer'
  /** Is it an integer whose value is known? */
  | 'is-number'
  /** (container symbol): is it empty / does it hold the witness's object. */
  | 'is-empty'
  /** (table that lies on a list, what comes if it is alone there, what comes if it lies on none): the next table. */
  | 'next-node'
  /** In rules only; extraction replaces them. (pointer): what the memory behind it holds. (): the CPU that the code runs on. */
  | 'at'
  | 'this-cpu';

export const constant = (value: Value): Expression => ({ op: 'const', value });
export const integer = (n: number): Expression => ({ op: 'const', value: { kind: 'int', n } });
