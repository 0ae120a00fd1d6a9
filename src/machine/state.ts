/**
 * One state of the machine, laid out so that copying it and making its key are cheap: small facts are bytes of one
 * array, values are numbers of a table that all states of a model share, everything rare is in one text map.
 */
import { encodeValue, type Value } from '#event/value.js';
import { Names } from './liveness.js';
import { Rows } from './rows.js';
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
/** Was the page mapped at a second address (`MOVES`)? */
export const MOVED = 35;
export const RANGE_LIFE = 36;
export const RANGE_KNOWN = 37;
export const NOTIFIER = 38;
export const PENDING = 39;
/** Levels whose stale leaf the deferred unmap flush will cover (mask). */
export const BATCHED = 40;
/** Per level: order of half stores: 0 none, 1 low stored, 2 high stored; +4 after a barrier; +8 volatile store. */
export const HALVES = 41;
/**
 * 1 when a device that walks the CPU's own tables (IOMMU SVA) may hold an old translation of the page. No notifier
 * section keeps it out, since it has no tables of its own to be kept out of.
 */
export const DEVICE = 46;
/** Tables (mask of levels) unlinked outside of a notifier section: what they map, secondary MMUs may still map. */
export const UNNOTIFIED = 47;
/** Levels where halves of two values stand together: low half's target, 0 when whole. */
const FIXED_SIZE = 48;

/** Per CPU. */
export const IRQ_OFF = 0;
export const RCU = 1;
/** Tables (bits 0–4) and page (bit 5) that this CPU's walk is inside of; bit 6: a lock was held when it went in. */
export const INSIDE = 2;
/** In lazy MMU mode, on a machine that holds flushes back in it. */
export const LAZY_MMU = 3;
/** CPU whose interrupt handler this program goes through, plus one; its own: it holds off other interrupts. */
export const ACTING = 4;
export const CPU_BYTES = 5;

/** Per class. */
export const CONDITION = 0;
/** Per level: bits 0–1 stale leaf of the witness's page (1 read-only, 2 writable, 3 writable if it was), bit 2 of another target; `OWED`. */
export const LEAF = 1;
export const LEAF_FLAGS = 6;
/** Bit of a stale leaf: no harm while the CPU is in the kernel, a flush is owed before it runs user code. */
export const OWED = 8;
/** Per level: may a walk cache still lead to the table of this level? */
export const WALK = 11;
export const WALK_FLAGS = 16;
export const CLASS_BYTES = 21;

/** Flags of a stale bit: a flush was done that missed it, is deferred, is started, or waits for an isb; last: 16 * (cpu + 1) that started it. */
export const MISSED = 1;
export const DEFERRED = 2;
export const STARTED = 4;
export const NEEDS_ISB = 8;

/** By an entry of its own there, or with the table that its entry stands in. */
export const MOVES = { no: 0, page: 1, table: 2 } as const;
export const LIFE = { live: 0, queued: 1, deferred: 2, freed: 3 } as const;
export const KNOWN = { unknown: 0, linked: 1, unlinked: 2, never: 3 } as const;
/**
 * `away`: other page tables are loaded; what is kept of the witness's is out of use until they are loaded again.
 * `without`: it was asked and never had the witness's tables: nothing of them is kept there.
 */
export const COND = { unknown: 0, active: 1, lazy: 2, user: 3, preempted: 4, away: 5, without: 6 } as const;

export function layoutFor(programs: number, classes: number): Layout {
  const perCpu = FIXED_SIZE;
  const perClass = perCpu + programs * CPU_BYTES;
  return { programs, classes, perCpu, perClass, size: perClass + classes * CLASS_BYTES };
}

/** Objects that are known by sight. More than any program has constants; a bound, since values are also made anew. */
const SEEN_VALUES = 4096;

/** Numbers for values: 0 is the integer 0. */
export class ValueTable {
  private readonly values: Value[] = [];
  private readonly ids = new Map<string, number>();
  private readonly ints = new Map<number, number>();
  /** Constants of a program and values of the table come again and again as the same object. */
  private readonly seen = new Map<Value, number>();
  private readonly changed = new Map<string, number[]>();

  constructor() {
    this.id({ kind: 'int', n: 0 });
  }

  id(value: Value): number {
    if (value.kind === 'int') return this.ints.get(value.n) ?? this.add(value, value.n, this.ints);
    const seen = this.seen.get(value);
    if (seen !== undefined) return seen;
    const text = encodeValue(value);
    const id = this.ids.get(text) ?? this.add(value, text, this.ids);
    if (this.seen.size < SEEN_VALUES) this.seen.set(value, id);
    return id;
  }

  private add<K>(value: Value, key: K, ids: Map<K, number>): number {
    const id = this.values.length;
    ids.set(key, id);
    this.values.push(value);
    return id;
  }

  /** What a change makes of values, by their numbers, as far as whoever makes it wrote that down here. */
  changes(name: string): number[] {
    let known = this.changed.get(name);
    if (known === undefined) {
      known = [];
      this.changed.set(name, known);
    }
    return known;
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

/** Begins the note that a CPU's tables never held the witness's; its number follows. */
export const STRANGER = 'stranger:';

/** What is noted of a state, and where each note leads: states share what they have in common. */
class Notes {
  /** By name and value: what comes of noting it. */
  private readonly next = new Map<string, Notes>();
  private readonly pruned = new Map<ReadonlySet<string> | null, Notes>();
  readonly strangers: readonly number[];
  private readonly replaced = new Map<ReadonlySet<string>, Notes>();

  constructor(
    private readonly keys: KeyTable,
    readonly map: ReadonlyMap<string, string>,
    readonly number: number,
  ) {
    this.strangers = [...map.keys()].flatMap((name) =>
      name.startsWith(STRANGER) ? [Number(name.slice(STRANGER.length))] : [],
    );
  }

  with(name: string, value: string | null): Notes {
    const current = this.map.get(name);
    if (value === null ? current === undefined : current === value) return this;
    const step = value === null ? name : `${name}\0${value}`;
    const known = this.next.get(step);
    if (known !== undefined) return known;
    const map = new Map(this.map);
    if (value === null) map.delete(name);
    else map.set(name, value);
    const notes = this.keys.notes(map);
    this.next.set(step, notes);
    return notes;
  }

  /** Without the answers to choices that are not among `wanted` any more. */
  withChoices(wanted: ReadonlySet<string> | null): Notes {
    const known = this.pruned.get(wanted);
    if (known !== undefined) return known;
    const notes = this.filtered((key) => wanted?.has(key) === true);
    this.pruned.set(wanted, notes);
    return notes;
  }

  /** Without the answers to these choices. */
  withoutChoices(keys: ReadonlySet<string>): Notes {
    const known = this.replaced.get(keys);
    if (known !== undefined) return known;
    const notes = this.filtered((key) => !keys.has(key));
    this.replaced.set(keys, notes);
    return notes;
  }

  /** With the answers to those choices alone that `stays` names by their keys. */
  private filtered(stays: (key: string) => boolean): Notes {
    let notes: Notes = this;
    for (const name of this.map.keys()) {
      if (!name.startsWith('choice:')) continue;
      const key = name.slice('choice:'.length).split('\t', 1)[0] ?? '';
      if (!stays(key)) notes = notes.with(name, null);
    }
    return notes;
  }
}

/** One object and a short number for all equal parts of states. One for each model. */
export class KeyTable {
  private readonly hardware = new Map<string, Hardware>();
  private readonly allNotes = new Map<string, Notes>();
  private readonly rows = new Rows();
  /** By number of the row: the variables that all states with it share. */
  private readonly variables: (readonly number[])[] = [];
  private readonly violations = new Names();
  private readonly states = new Rows();
  readonly empty = new Notes(this, new Map(), 0);

  /** The hardware that all states of this content share. */
  shared(hardware: Hardware): Hardware {
    if (hardware.number !== 0) return hardware;
    const text = hardware.text();
    const known = this.hardware.get(text);
    if (known !== undefined) return known;
    this.hardware.set(text, hardware);
    hardware.number = this.hardware.size;
    return hardware;
  }

  notes(map: ReadonlyMap<string, string>): Notes {
    if (map.size === 0) return this.empty;
    let text = '';
    for (const name of [...map.keys()].sort()) text += `${name}\t${map.get(name)}\n`;
    let notes = this.allNotes.get(text);
    if (notes === undefined) {
      notes = new Notes(this, map, this.allNotes.size + 1);
      this.allNotes.set(text, notes);
    }
    return notes;
  }

  /** Makes the parts of a state those that equal states share, and gives the state's number: equal ones have the same. */
  number(
    pc: readonly number[],
    vars: (readonly number[])[],
    hardware: Hardware,
    notes: Notes,
    violation: Violation | null,
  ): number {
    const { states } = this;
    states.push(hardware.number);
    states.push(notes.number);
    states.push(violation === null ? 0 : this.numberOf(violation));
    for (const at of pc) states.push(at);
    for (let cpu = 0; cpu < vars.length; cpu += 1) {
      const own = vars[cpu] ?? [];
      for (const id of own) this.rows.push(id);
      const row = this.rows.close();
      this.variables[row] ??= own;
      vars[cpu] = this.variables[row];
      states.push(row);
    }
    return states.close();
  }

  /** From 1 on. */
  private numberOf({ hazard, object, cpu, node }: Violation): number {
    return 1 + this.violations.of(`${hazard} ${object} ${cpu} ${node}`);
  }
}

export class State {
  private keyNumber: number | null = null;
  /** Rows of variables that no other state shares, a bit each. */
  private ownRows = 0;

  constructor(
    private readonly keys: KeyTable,
    readonly pc: number[],
    readonly vars: (readonly number[])[],
    private hardware: Hardware,
    private notes: Notes,
    public violation: Violation | null,
    /** Does no other state share the hardware? */
    private owned = false,
  ) {}

  /** A state of its own: `bytes` and entries as given. */
  static fresh(
    keys: KeyTable,
    pc: number[],
    vars: (readonly number[])[],
    entries: number[],
    before: number[],
    bytes: Uint8Array,
  ): State {
    return new State(keys, pc, vars, new Hardware(entries, before, bytes), keys.empty, null, true);
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

  /** The same object for as long as entries and bytes are not written to. */
  machinePart(): object {
    return this.hardware;
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
    if (this.vars[cpu]?.[slot] !== id) this.ownRow(cpu)[slot] = id;
  }

  private ownRow(cpu: number): number[] {
    const bit = 1 << cpu;
    if ((this.ownRows & bit) === 0) {
      this.vars[cpu] = (this.vars[cpu] ?? []).slice();
      this.ownRows |= bit;
    }
    return this.vars[cpu] as number[];
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
      this.notes,
      this.violation,
    );
  }

  /** Becomes equal to the other state. Where both write to something, the other one copies it first. */
  take(other: State): void {
    for (let cpu = 0; cpu < other.pc.length; cpu += 1) this.pc[cpu] = other.pc[cpu] as number;
    for (let row = 0; row < other.vars.length; row += 1) this.vars[row] = other.vars[row] ?? [];
    this.hardware = other.hardware;
    this.notes = other.notes;
    this.violation = other.violation;
    this.owned = other.owned;
    this.ownRows = other.ownRows;
    other.owned = false;
    other.ownRows = 0;
  }

  /** What was not copied since `kept` took it is written to in place again. `kept` is not to be used any more. */
  regain(kept: State): void {
    this.owned ||= kept.owned;
    this.ownRows |= kept.ownRows;
  }

  get extra(): ReadonlyMap<string, string> {
    return this.notes.map;
  }

  /** CPUs whose tables never held the witness's. */
  get strangers(): readonly number[] {
    return this.notes.strangers;
  }

  note(name: string, value: string | null): void {
    this.notes = this.notes.with(name, value);
  }

  /** Forgets the answers to stable choices that are not among `wanted`. */
  keepChoices(wanted: ReadonlySet<string> | null): void {
    this.notes = this.notes.withChoices(wanted);
  }

  /** Forgets the answers to these stable choices. */
  forgetChoices(keys: ReadonlySet<string>): void {
    if (keys.size > 0) this.notes = this.notes.withoutChoices(keys);
  }

  /** Puts a row of variables in place that other states have, too. */
  shareVars(cpu: number, row: readonly number[]): void {
    this.vars[cpu] = row;
    this.ownRows &= ~(1 << cpu);
  }

  /** Sets these slots of a CPU to 0. */
  clearVars(cpu: number, slots: readonly number[]): void {
    for (const slot of slots) this.putVar(cpu, slot, 0);
  }

  /** The state with these slots of a CPU set to 0, and what they held: slot and number by turns. */
  split(cpu: number, slots: readonly number[], wanted: (id: number) => boolean): [State, number[]] {
    const vars = this.vars[cpu] ?? [];
    const parts: number[] = [];
    const next = vars.slice();
    for (const slot of slots) {
      const id = vars[slot] ?? 0;
      if (id === 0 || !wanted(id)) continue;
      parts.push(slot, id);
      next[slot] = 0;
    }
    const state = this.copy();
    state.vars[cpu] = next;
    return [state, parts];
  }

  /** The state with what `split` took away. */
  joined(cpu: number, parts: readonly number[]): State {
    const state = this.copy();
    const next = (state.vars[cpu] ?? []).slice();
    for (let at = 0; at < parts.length; at += 2) next[parts[at] as number] = parts[at + 1] as number;
    state.vars[cpu] = next;
    return state;
  }

  /** Call only when the state is complete. */
  key(): number {
    if (this.keyNumber !== null) return this.keyNumber;
    this.hardware = this.keys.shared(this.hardware);
    this.owned = false;
    this.ownRows = 0;
    this.keyNumber = this.keys.number(this.pc, this.vars, this.hardware, this.notes, this.violation);
    return this.keyNumber;
  }
}
