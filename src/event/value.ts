/**
 * The finite values that event programs compute with.
 *
 * `event/` holds the vocabulary that every later stage shares. It may not import anything, do IO or hold state.
 *
 * One virtual address, the *witness*, is followed (DESIGN.md rule 4): `W` objects lie on its path, every other
 * object is `other`. All values are plain data; two equal values have equal `encodeValue` texts.
 */

/** Page-table levels, leaf side first. `pte` entries map pages; higher entries map large pages or point to tables. */
export type Level = 'pte' | 'pmd' | 'pud' | 'p4d' | 'pgd';

export const LEVELS: readonly Level[] = ['pte', 'pmd', 'pud', 'p4d', 'pgd'];

/** Which object: the witness's own, its alias's (a second address that shares the page or a table), or any other. */
export type Who = 'W' | 'A' | 'other';

/**
 * Position of an address relative to the witness address w, by granule:
 * a level `l` means "at or before w, inside w's level-`l` granule but not inside the next smaller one"
 * (`pte`: same page as w); `far`: at or before w, outside even the pgd granule; `past`: after w's page;
 * `past-l`: after w's page, but inside w's level-`l` granule and not inside the next smaller one.
 */
export type Gap = Level | 'far' | 'past' | 'past-pmd' | 'past-pud';

/**
 * What an entry holds. `maps`: `none` empty; `page` a present leaf; `table` a present pointer to the next level;
 * `soft` non-present software data (swap, migration, marker). `of`: which page or table. Attributes that nobody
 * asked about yet are `'?'`; the machine settles them by a named choice when a branch first tests them.
 * `low` is the present half on machines that read entries in halves; `torn` marks a value that never existed.
 */
export interface EntryValue {
  readonly kind: 'entry-value';
  readonly level: Level;
  readonly maps: 'none' | 'page' | 'table' | 'soft' | '?';
  /** `W`: what the witness's entry mapped at the start; `new`: something this run put there; `other`: off the path. */
  readonly of: Who | 'new';
  readonly write: boolean | '?';
  readonly dirty: boolean | '?';
  readonly young: boolean | '?';
  readonly exec: boolean | '?';
  readonly cont: boolean | '?';
  readonly torn?: true;
  /** Only this half of the value was read. */
  readonly half?: 'low' | 'high';
}

/** A pointer to a page-table entry: `table` says in whose table it points, `gap` where in it relative to w. */
export interface EntryPointer {
  readonly kind: 'entry-pointer';
  readonly level: Level;
  readonly table: Who;
  /** Relative to the witness's entry of that level: `pte` (= exactly at), `far` (= before), `past`, or not yet chosen. */
  readonly gap: 'at' | 'before' | 'past' | '?';
  /** Where addresses are numbers: which entry of its level it points to, counted from address 0. */
  readonly slot?: number;
}

/** A page, page-table page or virtual address range as memory that can be freed. */
export interface MemoryValue {
  readonly kind: 'memory';
  /** `page`: what a leaf maps; `table`: the page that holds the entries of `level`; `range`: the address range of w. */
  readonly what: 'page' | 'table' | 'range';
  readonly level: Level;
  readonly who: Who | 'new';
}

export type Value =
  /** Integers, booleans (0, 1), enumerators. Counters saturate at 3 when incremented. */
  | { readonly kind: 'int'; readonly n: number }
  /** An integer or pointer of which only this is known. */
  | { readonly kind: 'some'; readonly is: 'any' | 'nonzero' | 'negative' | 'positive' | 'non-negative' }
  /** A pointer to something that the model does not follow; never null. */
  | { readonly kind: 'opaque' }
  | { readonly kind: 'address'; readonly gap: Gap | '?' }
  /** Identity of an mm, vma, lock, gather, list: a stable text such as `mm:vma.vm_mm` or `lock:ptl(pte,W)`. */
  | { readonly kind: 'symbol'; readonly name: string }
  | EntryPointer
  | EntryValue
  | MemoryValue;

export const NULL: Value = { kind: 'int', n: 0 };
/** Two areas of one program: the addresses of the second are the alias's. */
export const AREAS = ['an area', 'another area'] as const;

export const ANY: Value = { kind: 'some', is: 'any' };
export const OPAQUE: Value = { kind: 'opaque' };

const b = (x: boolean | '?'): string => (x === '?' ? '?' : x ? '1' : '0');

/** A short text, equal exactly for equal values. Used in state keys, choice vectors and dumps. */
export function encodeValue(v: Value): string {
  switch (v.kind) {
    case 'int':
      return String(v.n);
    case 'some':
      return `some:${v.is}`;
    case 'opaque':
      return 'ptr';
    case 'address':
      return `addr@${v.gap}`;
    case 'symbol':
      return `$${v.name}`;
    case 'entry-pointer':
      return `&${v.level}:${v.table}@${v.gap}${v.slot === undefined ? '' : `#${v.slot}`}`;
    case 'entry-value':
      return `${v.level}{${v.maps} ${v.of} w${b(v.write)}d${b(v.dirty)}y${b(v.young)}x${b(v.exec)}c${b(v.cont)}${v.torn ? ' torn' : ''}${v.half === undefined ? '' : ` ${v.half}`}}`;
    case 'memory':
      return `${v.what}:${v.level}:${v.who}`;
  }
}

/** Memory of several programs that nobody has stored to or read yet. */
export const UNSET: Value = { kind: 'symbol', name: 'unset' };

/** Is it the witness's page? */
export const isOwnPage = (value: Value): boolean =>
  value.kind === 'memory' && value.what === 'page' && value.who === 'W';
