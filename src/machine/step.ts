/**
 * One step being taken: the state that it turns into the next one, and the choices that it makes on the way. Events
 * and expressions see the machine only through this.
 */
import type { FactName, Facts, FactValue } from '#event/machine-facts.js';
import type { GuestWalkers } from '#event/program.js';
import {
  type EntryPointer,
  type EntryValue,
  LEVELS,
  type Level,
  type MemoryValue,
  UNSET,
  type Value,
} from '#event/value.js';
import type { HazardId } from '#rules/rule.js';
import type { Assignment, CompiledProgram } from './compile-program.js';
import type { Choice, ChoiceVector } from './run.js';
import {
  ACTING,
  BATCHED,
  CLASS_BYTES,
  CPU_BYTES,
  type Layout,
  LEAF,
  PAGE_LIFE,
  PAGE_REFS,
  type State,
  TABLE_LIFE,
  type ValueTable,
} from './state.js';
import { KINDEST } from './surroundings.js';

const NOT_BROUGHT = 'page not brought';

/** Noted while the witness's entry of the level does not map its page, where the translation that it held was clean. */
export const cleanName = (level: number): string => `clean:${level}`;

/** Notes: reclaim emptied the entry before the program looked; what reclaim batched is flushed and stays so for now. */
export const RECLAIMED = 'reclaimed';
export const RECLAIM_FLUSHED = 'reclaim flushed';
/** Notes: the lock of the page's other mappings is held for write, and what was changed under it. */
export const RMAP_LOCK = 'rmap write';
export const RMAP_CHANGED = 'changed under rmap:';
/** A stale leaf that may be written through. */
const WRITABLE = 2;

/** What stays the same during a search. */
export interface Machine {
  readonly programs: readonly CompiledProgram[];
  readonly facts: Facts;
  readonly fixed: ChoiceVector;
  /** Questions about what came before have the kindest answer. */
  readonly kind: boolean;
  /** Questions whose answers are kept in the state; null: all that have one answer in a run. */
  readonly remembered: ReadonlySet<string> | null;
  /** What alone can go wrong; null: everything. */
  readonly only: string | null;
  readonly layout: Layout;
  readonly values: ValueTable;
  readonly space: 'user' | 'kernel' | 'guest' | 'unknown';
  /** May reclaim have emptied the witness's entry, with its flush still batched? */
  readonly reclaimed: boolean;
  /** No CPU has the tables loaded: kind callers have boot code fill them before that, and free a directory behind it. */
  readonly unloaded: boolean;
  /** Who walks a guest's tables in software without their lock. */
  readonly walkers: GuestWalkers;
  /** Does a program move a table to another address? What the table maps is then part of what it changes. */
  readonly movesTable: boolean;
  /** Levels of entries that the programs were given pointers to: the entries above led to their tables. */
  readonly given: ReadonlySet<number>;
  /** Levels that some program names: their entries are on the witness's path from the start. */
  readonly levels: ReadonlySet<number>;
  /** Is every node a step of its own, as nothing is to be left out? */
  readonly whole: boolean;
  /** Is there a CPU that runs no program here, and walkers that nobody wrote down? */
  readonly ambient: boolean;
  /** Can it be seen that a store is still buffered? A flush that is a whole primitive begins with the barrier it needs. */
  readonly buffers: boolean;
  /** The page came in as an argument: whoever passed it holds a reference. */
  readonly pageBrought: boolean;
  /** The one question whose answer says whether the witness's page was brought in; null where there are several, or none. */
  readonly bringer: string | null;
  /** Memory of the witness that came in from outside (arguments, lists): its history is chosen before the first flush. */
  readonly brought: readonly MemoryValue[];
  readonly names: readonly string[];
  /** Variables of all programs, and where they stand in the last row of variables. */
  readonly shared: ReadonlyMap<string, number>;
}

/** Noted when a value was looked into that the program did not make. */
export const BROUGHT_VALUE = 'a value came in whole';

/**
 * Noted while the witness's entry of the level was found to be what callers saw in it: they know what that is, and what
 * may stand there instead. It ends with the lock.
 */
export const comparedName = (level: number): string => `compared:${level}`;

/** The option of a choice that is taken, and how many there are. */
interface Taken {
  index: number;
  readonly of: number;
}

const NO_CHOICES: readonly Choice[] = [];
const NO_ASSUMPTIONS: readonly string[] = [];

/** What an entry can hold, by level. */
const HELD_LOWEST = ['page', 'none', 'soft'] as const;
const HELD = ['table', 'page', 'none', 'soft'] as const;
const HELD_HIGH = ['table', 'none'] as const;
const YES_NO = ['yes', 'no'] as const;

type Held = (typeof HELD)[number];
/** What an entry says of its page, each true or false. */
export type Attribute = 'write' | 'dirty' | 'young' | 'exec' | 'cont';

/** Goes through the ways in which a step can be taken, one after the other: `begin` before each, `goesOn` after it. */
export class Step {
  choices = NO_CHOICES;
  assumptions = NO_ASSUMPTIONS;
  /** The step cannot be taken now. */
  blocked = false;
  /** What this way takes of the choices that have several options, and how many of them it has come to. */
  private readonly taken: Taken[] = [];
  private met = 0;
  /** Nothing may be asked. */
  private quiet = false;
  /** It was all the same. */
  private asked = false;
  /** The state as it was before what is done quietly. */
  private kept: State | null = null;
  private keptAssumptions = NO_ASSUMPTIONS;
  /** By node: the way that passed it last. Ways have numbers. */
  private passed: Uint32Array | null = null;
  private way = 0;

  constructor(
    readonly machine: Machine,
    public state: State,
    readonly cpu: number,
    public node: number,
  ) {}

  /** Turns to a state of its own, with the choices that are to be made in it. */
  begin(state: State): void {
    this.state = state;
    this.choices = NO_CHOICES;
    this.assumptions = NO_ASSUMPTIONS;
    this.blocked = false;
    this.met = 0;
    this.way += 1;
  }

  /** Notes that this way passes the node; false when it did before. */
  passes(id: number): boolean {
    this.passed ??= new Uint32Array(this.program.nodes.length);
    if (this.passed[id] === this.way) return false;
    this.passed[id] = this.way;
    return true;
  }

  /** Is there another way? The last choice that has another option takes it, and what follows starts over. */
  goesOn(): boolean {
    for (let last = this.taken.at(-1); last !== undefined; last = this.taken.at(-1)) {
      last.index += 1;
      if (last.index < last.of) return true;
      this.taken.pop();
    }
    return false;
  }

  /** Forgets the ways that were not gone. */
  startOver(): void {
    if (this.taken.length > 0) this.taken.length = 0;
  }

  fact(name: FactName): FactValue {
    return this.machine.facts.get(name);
  }

  assume(text: string): void {
    if (!this.assumptions.includes(text)) this.assumptions = [...this.assumptions, text];
  }

  /** Nothing may be asked from here on, until `staysQuiet` says whether nothing was. */
  beQuiet(): void {
    this.kept ??= this.state.copy();
    this.kept.take(this.state);
    this.keptAssumptions = this.assumptions;
    this.quiet = true;
    this.asked = false;
  }

  /** False: something was asked, and went on with any answer. The state is then as it was before. */
  staysQuiet(): boolean {
    this.quiet = false;
    if (!this.asked || this.kept === null) return true;
    this.state.take(this.kept);
    this.assumptions = this.keptAssumptions;
    this.blocked = false;
    return false;
  }

  /** Was something asked that must not be? Else what was done quietly stays, and nothing more will be asked. */
  hasAsked(): boolean {
    if (!this.quiet) return false;
    if (!this.asked && this.kept !== null) this.state.regain(this.kept);
    return this.asked;
  }

  private make(choice: Choice): void {
    this.choices = this.choices.length === 0 ? [choice] : [...this.choices, choice];
  }

  /** The option that this way takes of the next choice. */
  private option(of: number): number {
    const at = this.met;
    this.met += 1;
    if (at === this.taken.length) this.taken.push({ index: 0, of });
    return this.taken[at]?.index ?? 0;
  }

  // ---- choices

  /** Which of `options` (texts that mean the same in every program) holds: one branch of the search for each. */
  choose(
    key: string,
    options: readonly string[],
    kindest: string | undefined = KINDEST.get(key)?.[0],
  ): number {
    if (options.length === 0) throw new Error(`the choice ${key} has no options`);
    if (options.length === 1) return 0;
    if (this.quiet) return this.askQuietly();
    if (this.machine.kind && kindest !== undefined) {
      const index = options.indexOf(kindest);
      if (index >= 0) {
        this.make({ key, value: kindest });
        return index;
      }
    }
    const wanted = this.machine.fixed.get(key);
    if (wanted !== undefined) {
      const name = `count:${key}`;
      const count = Number(this.state.extra.get(name) ?? '0');
      const value = wanted[count];
      if (value !== undefined) {
        this.state.note(name, String(count + 1));
        const index = options.indexOf(value);
        if (index >= 0) {
          this.make({ key, value });
          return index;
        }
      }
    }
    const index = this.option(options.length);
    this.make({ key, value: options[index] as string });
    return index;
  }

  private askQuietly(): number {
    this.asked = true;
    return 0;
  }

  /** A question that has one answer in a run, whether or not the state remembers it. */
  ask(key: string, options: readonly string[]): number {
    if (options.length === 1) return 0;
    if (this.quiet) return this.askQuietly();
    const wanted = this.machine.fixed.get(key)?.[0];
    const fixed = wanted === undefined ? -1 : options.indexOf(wanted);
    const index = fixed < 0 ? this.option(options.length) : fixed;
    this.make({ key, value: options[index] as string, stable: true });
    return index;
  }

  /** As `choose`, and the same answer for the rest of the run. */
  context(key: string, options: readonly string[]): string {
    const name = `ctx:${key}`;
    const known = this.state.extra.get(name);
    if (known !== undefined) return known;
    const value = options[this.choose(key, options)] as string;
    this.state.note(name, value);
    return value;
  }

  /** As `ask`, with the answer noted as that of a stable choice is: until nothing asks it any more. */
  once(key: string, options: readonly string[]): string {
    const name = `choice:${key}`;
    const known = this.state.extra.get(name);
    if (known !== undefined) return known;
    const value = options[this.ask(key, options)] as string;
    const { remembered } = this.machine;
    if (remembered === null || remembered.has(key)) this.state.note(name, value);
    return value;
  }

  /** What is noted under a name; undefined where nothing is. */
  note(name: string): string | undefined {
    return this.state.extra.get(name);
  }

  yes(key: string): boolean {
    return this.choose(key, YES_NO) === 0;
  }

  // ---- bytes

  get(at: number): number {
    return this.state.bytes[at] ?? 0;
  }

  set(at: number, value: number): void {
    this.state.putByte(at, value);
  }

  cpuByte(cpu: number, at: number): number {
    return this.get(this.machine.layout.perCpu + cpu * CPU_BYTES + at);
  }

  setCpuByte(cpu: number, at: number, value: number): void {
    this.set(this.machine.layout.perCpu + cpu * CPU_BYTES + at, value);
  }

  classByte(cls: number, at: number): number {
    return this.get(this.machine.layout.perClass + cls * CLASS_BYTES + at);
  }

  setClassByte(cls: number, at: number, value: number): void {
    this.set(this.machine.layout.perClass + cls * CLASS_BYTES + at, value);
  }

  /** The CPU whose hardware the code works on: another one while its interrupt is handled. */
  get cls(): number {
    const acting = this.cpuByte(this.cpu, ACTING);
    return acting === 0 ? this.cpu : acting - 1;
  }

  /** "CPU1": programs first, then the CPU that runs none of them. */
  cpuName(cls: number): string {
    return `CPU${cls}`;
  }

  // ---- variables and entries

  variable(name: string): Value {
    const { shared, programs, values } = this.machine;
    const common = shared.size === 0 ? undefined : shared.get(name);
    if (common !== undefined)
      return this.known(name, values.value(this.state.vars[programs.length]?.[common] ?? 0));
    const slot = this.program.slots.get(name);
    return this.known(name, values.value(slot === undefined ? 0 : (this.state.vars[this.cpu]?.[slot] ?? 0)));
  }

  /** What memory of several programs holds that nobody stored is chosen when it is first read. */
  private known(name: string, value: Value): Value {
    if (value !== UNSET) return value;
    const held: Value = this.yes(`${name} holds 0`) ? { kind: 'int', n: 0 } : { kind: 'some', is: 'nonzero' };
    this.assign(name, held);
    return held;
  }

  assign(name: string, value: Value): void {
    const common = this.machine.shared.get(name);
    if (common !== undefined) {
      this.state.putVar(this.machine.programs.length, common, this.machine.values.id(value));
      return;
    }
    const slot = this.program.slots.get(name);
    if (slot !== undefined) this.state.putVar(this.cpu, slot, this.machine.values.id(value));
  }

  /** As `assign`, for an assignment of the program that was looked up before. */
  write({ name, slot }: Assignment, value: Value): void {
    if (slot === null || this.machine.shared.size > 0) this.assign(name, value);
    else this.state.putVar(this.cpu, slot, this.machine.values.id(value));
  }

  get program(): CompiledProgram {
    return this.machine.programs[this.cpu] as CompiledProgram;
  }

  /** W's entry of a level; nobody may have looked at it yet. */
  entry(level: number): EntryValue {
    const id = this.state.entries[level] ?? 0;
    return id === 0 ? unknownEntry(level, 'W') : (this.machine.values.value(id) as EntryValue);
  }

  alias(level: number): EntryValue {
    const id = this.state.entries[LEVELS.length + level] ?? 0;
    return id === 0 ? unknownEntry(level, 'A') : (this.machine.values.value(id) as EntryValue);
  }

  putEntry(level: number, value: EntryValue): void {
    this.state.putEntry(level, this.machine.values.id(value));
  }

  putAlias(level: number, value: EntryValue): void {
    this.state.putEntry(LEVELS.length + level, this.machine.values.id(value));
  }

  onPath(level: number): boolean {
    return this.machine.levels.has(level) || (this.state.entries[level] ?? 0) !== 0;
  }

  // ---- settling what nobody asked yet

  /**
   * The value with `maps` known; `kindest` where callers shall have seen to it. For the witness's own entry the answer
   * holds wherever the value was copied to.
   */
  settleMaps(value: EntryValue, kindest?: EntryValue['maps']): EntryValue {
    if (value.maps !== '?') return value;
    const level = LEVELS.indexOf(value.level);
    const options = level === 0 ? HELD_LOWEST : level <= 2 ? HELD : HELD_HIGH;
    if (value.of === 'W' && (this.lowerOnPath(level) || this.givenBelow(level))) {
      this.settleAll(value, 'maps', 'table');
      return settled(value, 'table');
    }
    const key = value.of === 'W' ? `entry ${value.level}` : `${value.of} entry ${value.level}`;
    const maps = options[this.choose(key, options, kindest)] as Held;
    if (this.machine.kind && value.of === 'new') this.state.note(BROUGHT_VALUE, 'yes');
    this.settleAll(value, 'maps', maps);
    if (value.of === 'W') {
      if (level === 0 && maps !== 'page') this.askReclaim();
      for (let above = level + 1; above < LEVELS.length; above += 1) {
        const entry = this.entry(above);
        if (entry.maps === '?' && entry.of === 'W' && this.onPath(above)) this.settleTable(above);
      }
    }
    return settled(value, maps);
  }

  /**
   * The entry was empty when the program looked at it: reclaim may have emptied it under the page-table lock and still
   * owe its batched flush (mm/rmap.c, set_tlb_ubc_flush_pending()), unless that was flushed since this program has the
   * lock.
   */
  private askReclaim(): void {
    const { machine } = this;
    if (!machine.reclaimed || machine.space !== 'user' || this.state.extra.has(RECLAIM_FLUSHED)) return;
    const options = ['never done', 'emptied the entry, flush still batched'];
    if (this.choose('history reclaim', options) === 0) return;
    for (let cls = 0; cls < machine.layout.classes; cls += 1) this.setClassByte(cls, LEAF, WRITABLE);
    this.set(BATCHED, this.get(BATCHED) | 1);
    this.state.note(RECLAIMED, 'yes');
  }

  /** A walk went below this level: the entry led to a table. */
  settleTable(level: number): void {
    const entry = this.entry(level);
    if (entry.maps !== '?' || entry.of !== 'W') return;
    if ((this.state.entries[level] ?? 0) === 0) this.putEntry(level, entry);
    this.settleAll(entry, 'maps', 'table');
  }

  /** History decided what the witness's entry holds. */
  settleTo(level: number, maps: 'none' | 'page' | 'table'): void {
    const entry = this.entry(level);
    if (entry.maps !== '?' || entry.of !== 'W') return;
    this.putEntry(level, entry);
    this.settleAll(entry, 'maps', maps);
  }

  private givenBelow(level: number): boolean {
    for (let below = 0; below < level; below += 1) if (this.machine.given.has(below)) return true;
    return false;
  }

  private lowerOnPath(level: number): boolean {
    for (let below = 0; below < level; below += 1) {
      const entry = this.entry(below);
      if (
        (this.state.entries[below] ?? 0) !== 0 &&
        entry.of === 'W' &&
        entry.maps !== '?' &&
        entry.maps !== 'none'
      )
        return true;
    }
    return false;
  }

  /** The attribute's value, chosen when nobody knew it. */
  attribute(value: EntryValue, name: Attribute): boolean {
    const known = value[name];
    if (known !== '?') return known;
    const key =
      value.of === 'W' ? `entry ${value.level} ${name}` : `${value.of} entry ${value.level} ${name}`;
    const answer = this.yes(key);
    this.settleAll(value, name, answer);
    if (value.of === 'W' && name === 'write') this.settleStaleWrites(LEVELS.indexOf(value.level), answer);
    const level = LEVELS.indexOf(value.level);
    if (value.of === 'W' && name === 'dirty' && !answer && this.entry(level).maps !== 'page')
      this.state.note(cleanName(level), 'yes');
    return answer;
  }

  /** The page that came in is another one, or none: nobody but the program and the mapping holds the witness's. */
  forgetBrought(): void {
    if (this.state.extra.has(NOT_BROUGHT)) return;
    this.state.note(NOT_BROUGHT, 'yes');
    this.set(PAGE_REFS, Math.max(0, this.get(PAGE_REFS) - 1));
  }

  private settleStaleWrites(level: number, write: boolean): void {
    for (let cls = 0; cls < this.machine.layout.classes; cls += 1) {
      const stale = this.classByte(cls, LEAF + level);
      if ((stale & 3) !== 3) continue;
      const entry = this.entry(level);
      const same = !write && entry.maps === 'page' && entry.of === 'W';
      this.setClassByte(cls, LEAF + level, (stale & ~3) | (same ? 0 : write ? 2 : 1));
    }
  }

  /** Replaces every copy of what `value` left open: the witness's by level, others only where the text is the same. */
  private settleAll(value: EntryValue, name: 'maps', to: Held): void;
  private settleAll(value: EntryValue, name: Attribute, to: boolean): void;
  private settleAll(value: EntryValue, name: 'maps' | Attribute, to: Held | boolean): void {
    const { values } = this.machine;
    const own = value.of === 'W' ? -1 : values.id(value);
    /** By number: what that value becomes. */
    const known = values.changes(`${name} ${to}`);
    const changed = (id: number, found: EntryValue): number => {
      known[id] ??= values.id(
        typeof to === 'string' ? settled(found, to) : found[name] === '?' ? { ...found, [name]: to } : found,
      );
      return known[id];
    };
    const map = (id: number): number => {
      if (id === 0) return 0;
      if (value.of !== 'W') return id === own ? changed(id, value) : id;
      const found = values.value(id);
      if (found.kind !== 'entry-value' || found.level !== value.level || found.of !== 'W') return id;
      return changed(id, found);
    };
    const { state } = this;
    for (let n = 0; n < state.entries.length; n += 1) state.putEntry(n, map(state.entries[n] ?? 0));
    for (let n = 0; n < state.before.length; n += 1) state.putBefore(n, map(state.before[n] ?? 0));
    this.mapVariables(map);
  }

  private mapVariables(map: (id: number) => number): void {
    const { vars } = this.state;
    for (let cpu = 0; cpu < vars.length; cpu += 1)
      for (let slot = 0; slot < (vars[cpu]?.length ?? 0); slot += 1)
        this.state.putVar(cpu, slot, map(vars[cpu]?.[slot] ?? 0));
  }

  /** The position of this pointer was chosen: every copy of it is the same pointer. */
  settlePointer(pointer: EntryPointer, gap: 'at' | 'before'): void {
    const { values } = this.machine;
    const from = values.id(pointer);
    const to = values.id({ ...pointer, gap });
    this.mapVariables((id) => (id === from ? to : id));
  }

  // ---- memory

  lifeOf(memory: MemoryValue): number {
    return memory.what === 'table'
      ? this.get(TABLE_LIFE + LEVELS.indexOf(memory.level))
      : this.get(PAGE_LIFE);
  }

  // ---- verdict

  fail(hazard: HazardId, object: string, message: string, consequence: FactName | null, plain = ''): void {
    if (this.state.violation !== null || (this.machine.only !== null && this.machine.only !== object)) return;
    this.state.violation = {
      hazard,
      object,
      cpu: this.cpu,
      node: this.node,
      message,
      consequence: consequence === null ? plain : String(this.fact(consequence)),
    };
  }
}

/** Entries of which nothing is known, by level: values that come again and again are one object each. */
const unknownEntries = (of: EntryValue['of']): readonly EntryValue[] =>
  LEVELS.map((level) => ({
    kind: 'entry-value',
    level,
    maps: '?',
    of,
    write: '?',
    dirty: '?',
    young: '?',
    exec: '?',
    cont: '?',
  }));
const UNKNOWN_ENTRIES = {
  W: unknownEntries('W'),
  A: unknownEntries('A'),
  other: unknownEntries('other'),
  new: unknownEntries('new'),
};

export function unknownEntry(level: number, of: EntryValue['of']): EntryValue {
  const found = UNKNOWN_ENTRIES[of][level];
  if (found === undefined) throw new Error(`there is no page-table level ${level}`);
  return found;
}

export function levelAt(level: number): Level {
  const found = LEVELS[level];
  if (found === undefined) throw new Error(`there is no page-table level ${level}`);
  return found;
}

const NONE_VALUES: readonly EntryValue[] = LEVELS.map((level) => ({
  kind: 'entry-value',
  level,
  maps: 'none',
  of: 'other',
  write: false,
  dirty: false,
  young: false,
  exec: false,
  cont: false,
}));

export const noneValue = (level: Level): EntryValue => NONE_VALUES[LEVELS.indexOf(level)] as EntryValue;

/** `maps` decided. What holds no page has no attributes worth telling apart. */
function settled(value: EntryValue, maps: Held): EntryValue {
  if (value.maps !== '?') return value;
  switch (maps) {
    case 'none':
      return noneValue(value.level);
    case 'table':
      return { ...noneValue(value.level), maps: 'table', of: value.of };
    case 'soft':
    case 'page':
      return { ...value, maps };
  }
}
