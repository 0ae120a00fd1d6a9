/**
 * One state of the machine, laid out so that copying it and making its key are cheap: small facts are bytes of one
 * array, values are numbers of a table that all states of a model share, everything rare is in one text map.
 */
import { encodeValue, LEVELS, type Value } from '#event/value.js';
import type { Violation } from './run.js';

export const LEVEL_COUNT = LEVELS.length;

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
export const FIXED_SIZE = 46;

/** Per CPU. */
export const IRQ_OFF = 0;
export const RCU = 1;
/** Tables (bits 0–4) and page (bit 5) that this CPU's walk is inside of; bit 6: a lock was held when it went in. */
export const INSIDE = 2;
export const CPU_BYTES = 3;

/** Per class. */
export const CONDITION = 0;
/** Per level: bits 0–1 stale leaf of the witness's page (1 read-only, 2 writable, 3 writable if it was), bit 2 of another target. */
export const LEAF = 1;
export const LEAF_FLAGS = 6;
/** Per level: may a walk cache still lead to the table of this level? */
export const WALK = 11;
export const WALK_FLAGS = 16;
export const CLASS_BYTES = 21;

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

export class State {
  private keyText: string | null = null;

  constructor(
    readonly pc: number[],
    readonly vars: number[][],
    /** W's entries by level, then A's; 0 where nobody looked yet. */
    readonly entries: number[],
    /** What walkers still see of W's entries whose store is buffered. */
    readonly before: number[],
    readonly bytes: Uint8Array,
    public extra: ReadonlyMap<string, string>,
    public violation: Violation | null,
  ) {}

  copy(cpu: number): State {
    const vars = this.vars.slice();
    vars[cpu] = (vars[cpu] ?? []).slice();
    return new State(
      this.pc.slice(),
      vars,
      this.entries.slice(),
      this.before.slice(),
      this.bytes.slice(),
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
    let text = `${this.pc.join(' ')}|`;
    for (const vars of this.vars) text += `${vars.join(' ')}|`;
    text += `${this.entries.join(' ')}|${this.before.join(' ')}|${bytesKey(this.bytes)}`;
    if (this.extra.size > 0) text += extraKey(this.extra);
    if (this.violation !== null)
      text += `\n!${this.violation.hazard} ${this.violation.object} ${this.violation.cpu} ${this.violation.node}`;
    this.keyText = text;
    return text;
  }
}

/** Most states share their extras with the state before: the text is made once for each map. */
const extraKeys = new WeakMap<ReadonlyMap<string, string>, string>();

function extraKey(extra: ReadonlyMap<string, string>): string {
  const known = extraKeys.get(extra);
  if (known !== undefined) return known;
  let text = '';
  for (const name of [...extra.keys()].sort()) text += `\n${name}\t${extra.get(name)}`;
  extraKeys.set(extra, text);
  return text;
}

const bytesKey = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
