/**
 * One state of the machine, laid out so that copying it and making its key are cheap: small facts are bytes of one
 * array, values are numbers of a table that all states of a model share, everything rare is in one text map.
 */
import { encodeValue, type Value } from '#event/value.js';
import type { Violation } from './run.js';

/** What a byte holds, by name. Those `per level` take one byte for each level, `per CPU` one for each program. */
export interface Layout {
  readonly size: number;
  /** Number of programs, and number of CPUs whose TLBs are followed (programs, and one more that runs none). */
  readonly programs: number;
  readonly classes: number;
  readonly perCpu: number;
  readonly perClass: number;
}

/** Per level: programs that changed the entry (mask). */
export const CHANGED = 0;
/** Per level: program whose store of the entry is still buffered, plus one. */
export const BUFFERED = 5;
/** Per level: may an ambient lockless walker be inside the table of this level? */
export const WALKERS = 10;
/** Per level: was a flush issued since the table was unlinked that interrupted nobody? */
export const SILENT_FLUSH = 15;
/** Per level: `Life` and `Known` of the table. */
export const TABLE_LIFE = 20;
export const TABLE_KNOWN = 25;
export const PAGE_LIFE = 30;
export const PAGE_KNOWN = 31;
/** References that the programs and whoever called them hold, at most 3. */
export const PAGE_REFS = 32;
/** 1 when the reference that the mapping had was left to the program by a clear. */
export const MAP_REF = 33;
/** Stale secondary translation: 0 none, 1 read-only, 2 writable. */
export const SECONDARY = 34;
/** The page was mapped at a second address. */
export const MOVED = 35;
export const RANGE_LIFE = 36;
export const RANGE_KNOWN = 37;
export const NOTIFIER = 38;
export const PENDING = 39;
/** Levels whose stale leaf the deferred unmap flush will cover (mask). */
export const BATCHED = 40;
/** Per level: order of half stores: 0 none, 1 low stored, 2 high stored; +4 after a barrier; +8 volatile store. */
export const HALVES = 41;
/** Levels where halves of two values stand together: low half's target, 0 when whole. */
const FIXED_SIZE = 46;

/** Per CPU. */
export const IRQ_OFF = 0;
export const RCU = 1;
/** Tables (bits 0–4) and page (bit 5) that this CPU's walk is inside of; bit 6: a lock was held when it went in. */
export const INSIDE = 2;
const CPU_BYTES = 3;

/** Per class. */
export const CONDITION = 0;
/** Per level: bits 0–1 stale leaf of the witness's page (1 read-only, 2 writable, 3 writable if it was), bit 2 of another target. */
export const LEAF = 1;
export const LEAF_FLAGS = 6;
/** Per level: may a walk cache still lead to the table of this level? */
export const WALK = 11;
export const WALK_FLAGS = 16;
const CLASS_BYTES = 21;

/** Flags of a stale bit: a flush was done that missed it, is deferred, is started, or waits for an isb; last: 16 * (cpu + 1) that started it. */
export const MISSED = 1;
export const DEFERRED = 2;
export const STARTED = 4;
export const NEEDS_ISB = 8;

export const LIFE = { live: 0, queued: 1, deferred: 2, freed: 3 } as const;
export const KNOWN = { unknown: 0, linked: 1, unlinked: 2, never: 3 } as const;
export const COND = { unknown: 0, active: 1, lazy: 2, user: 3, preempted: 4 } as const;

export function layoutFor(programs: number, classes: number): Layout {
  const perCpu = FIXED_SIZE;
  const perClass = perCpu + programs * CPU_BYTES;
  return { programs, classes, perCpu, perClass, size: perClass + classes * CLASS_BYTES };
}

/** Numbers for values: 0 is the integer 0. */
export class ValueTable {
  private readonly values: Value[] = [];
  private readonly ids = new Map<string, number>();
  /** Constants of a program come again and again as the same object. */
  private readonly seen = new WeakMap<Value, number>();

  constructor() {
    this.id({ kind: 'int', n: 0 });
  }

  id(value: Value): number {
    const seen = this.seen.get(value);
    if (seen !== undefined) return seen;
    const text = encodeValue(value);
    let id = this.ids.get(text);
    if (id === undefined) {
      id = this.values.length;
      this.ids.set(text, id);
      this.values.push(value);
    }
    this.seen.set(value, id);
    return id;
  }

  value(id: number): Value {
    const value = this.values[id];
    if (value === undefined) throw new Error(`no value has the number ${id}`);
    return value;
  }
}

/** Entries and bytes of a state. States share one until a step writes to it: most steps only move on. */
class Hardware {
  /** Number of this content among all that the model met; 0: not asked yet. */
  number = 0;

  constructor(
    readonly entries: number[],
    readonly before: number[],
    readonly bytes: Uint8Array,
  ) {}

  copy(): Hardware {
    return new Hardware(this.entries.slice(), this.before.slice(), this.bytes.slice());
  }

  text(): string {
    const bytes = Buffer.from(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length).toString('latin1');
    return `${this.entries.join(' ')}|${this.before.join(' ')}|${bytes}`;
  }
}

/** Short numbers for the long parts of keys. One for each model. */
export class KeyTable {
  private readonly hardware = new Map<string, number>();
  private readonly extras = new Map<string, number>();
  private readonly seen = new WeakMap<ReadonlyMap<string, string>, number>();

  hardwareNumber(text: string): number {
    return numbered(this.hardware, text);
  }

  extraNumber(extra: ReadonlyMap<string, string>): number {
    const known = this.seen.get(extra);
    if (known !== undefined) return known;
    let text = '';
    for (const name of [...extra.keys()].sort()) text += `${name}\t${extra.get(name)}\n`;
    const number = numbered(this.extras, text);
    this.seen.set(extra, number);
    return number;
  }
}

function numbered(table: Map<string, number>, text: string): number {
  const known = table.get(text);
  if (known !== undefined) return known;
  table.set(text, table.size + 1);
  return table.size;
}

export class State {
  private keyText: string | null = null;
  private owned: boolean;

  constructor(
    private readonly keys: KeyTable,
    readonly pc: number[],
    readonly vars: (readonly number[])[],
    private hardware: Hardware,
    public extra: ReadonlyMap<string, string>,
    public violation: Violation | null,
    owned = false,
  ) {
    this.owned = owned;
  }

  /** A state of its own: `bytes` and entries as given. */
  static fresh(
    keys: KeyTable,
    pc: number[],
    vars: (readonly number[])[],
    entries: number[],
    before: number[],
    bytes: Uint8Array,
  ): State {
    return new State(keys, pc, vars, new Hardware(entries, before, bytes), new Map(), null, true);
  }

  /** W's entries by level, then A's; 0 where nobody looked yet. */
  get entries(): readonly number[] {
    return this.hardware.entries;
  }

  /** What walkers still see of W's entries whose store is buffered. */
  get before(): readonly number[] {
    return this.hardware.before;
  }

  get bytes(): Readonly<Uint8Array> {
    return this.hardware.bytes;
  }

  putByte(at: number, value: number): void {
    if (this.hardware.bytes[at] !== value) this.own().bytes[at] = value;
  }

  putEntry(at: number, id: number): void {
    if (this.hardware.entries[at] !== id) this.own().entries[at] = id;
  }

  putBefore(level: number, id: number): void {
    if (this.hardware.before[level] !== id) this.own().before[level] = id;
  }

  putVar(cpu: number, slot: number, id: number): void {
    const vars = this.vars[cpu] ?? [];
    if (vars[slot] === id) return;
    const next = vars.slice();
    next[slot] = id;
    this.vars[cpu] = next;
  }

  private own(): Hardware {
    if (!this.owned) {
      this.hardware = this.hardware.copy();
      this.owned = true;
    }
    return this.hardware;
  }

  copy(): State {
    return new State(
      this.keys,
      this.pc.slice(),
      this.vars.slice(),
      this.hardware,
      this.extra,
      this.violation,
    );
  }

  note(name: string, value: string | null): void {
    const current = this.extra.get(name);
    if (value === null ? current === undefined : current === value) return;
    const next = new Map(this.extra);
    if (value === null) next.delete(name);
    else next.set(name, value);
    this.extra = next;
  }

  /** Call only when the state is complete. */
  key(): string {
    if (this.keyText !== null) return this.keyText;
    const { hardware } = this;
    if (hardware.number === 0) hardware.number = this.keys.hardwareNumber(hardware.text());
    let text = `${this.pc.join(' ')}|${hardware.number}|${this.keys.extraNumber(this.extra)}`;
    for (const vars of this.vars) text += `|${vars.join(' ')}`;
    if (this.violation !== null)
      text += `!${this.violation.hazard} ${this.violation.object} ${this.violation.cpu} ${this.violation.node}`;
    this.keyText = text;
    return text;
  }
}
