/** Memory that code reads and writes: locals, globals and fields as cells, page-table entries as events. */

import type { Operand, Place } from '#c/ir.js';
import { constant, type Expression, integer } from '#event/expression.js';
import type { Site } from '#event/program.js';
import { LEVELS, type Level, NULL, type Value } from '#event/value.js';
import type { RuleSet, TypeRule } from '#rules/rule.js';
import { constantMacro } from './constant-macro.js';
import { choice, fold, isZero, substitute, substituteVar } from './expressions.js';
import type { Instance } from './instance.js';
import type { ProgramGraph } from './program-graph.js';
import type { Found, Resolver } from './resolve.js';
import { type Candidate, type Kind, kindOf, type Source, type Val } from './value.js';

const ERRNO = [
  'PERM',
  'NOENT',
  'SRCH',
  'INTR',
  'IO',
  'NXIO',
  'E2BIG',
  'NOEXEC',
  'BADF',
  'CHILD',
  'AGAIN',
  'NOMEM',
  'ACCES',
  'FAULT',
  'NOTBLK',
  'BUSY',
  'EXIST',
  'XDEV',
  'NODEV',
  'NOTDIR',
  'ISDIR',
  'INVAL',
];

/** Where a place lies: in memory that is followed as a cell, or in a page-table entry. */
type Target =
  | {
      readonly kind: 'cell';
      readonly cell: string;
      readonly stable: boolean;
      readonly local: boolean;
      readonly at?: Val;
      readonly base?: Val;
      readonly field?: string;
      readonly among?: readonly Candidate[];
    }
  | {
      readonly kind: 'entry';
      readonly pointer: Expression;
      readonly origin: string;
      readonly half?: 'low' | 'high';
    };

/** A cell that is read before the program stores to it: what it holds at the start, where its field says so. */
export interface StartCell {
  readonly kind: Kind;
  readonly value: Expression | null;
}

export class Memory {
  private readonly stored = new Set<string>();
  private readonly readUnknown = new Set<string>();
  private readonly cellKinds = new Map<string, Kind>();
  /** Memory that a stored pointer points to, where every store in view agrees. */
  private readonly pointers = new Map<string, string | null>();
  /** The file that the root stands in: code in headers sees what it sees. */
  rootFile = '';
  /** Names stored in memory (functions among them), where every store in view agrees. */
  private readonly functions = new Map<string, string | null>();
  /** Fields of local structs that never held anything but one argument of the root. */
  private readonly arguments = new Map<string, string | null>();
  private readonly locals = new Map<string, string>();
  /** Cells that were read as what their field means, before a store to them was seen. */
  private readonly meanings = new Map<string, Expression>();
  /** Structs that pointers of several programs can point to, with their C types. */
  private readonly objects: (Candidate & { readonly type: string })[] = [];

  constructor(
    private readonly graph: ProgramGraph,
    private readonly resolver: Resolver,
    private readonly rules: RuleSet,
    readonly cellsAtStart: ReadonlyMap<string, StartCell>,
    /** Do several programs run together? Then pointers to structs are told apart by which struct they point to. */
    readonly together: boolean,
  ) {
    if (together) this.objects.push({ symbol: 'kernel', cell: 'G.init_mm', type: 'struct mm_struct' });
    for (const [cell, { kind }] of cellsAtStart) {
      this.cellKinds.set(cell, kind);
      this.graph.kinds.set(`m:${cell}`, kind);
    }
  }

  /** Was memory read for which a store was found only later? */
  get readEarly(): boolean {
    for (const cell of this.readUnknown) if (this.stored.has(`m:${cell}`)) return true;
    for (const [cell, meaning] of this.meanings)
      if (this.stored.has(`m:${cell}`) || this.isEntryValue(meaning)) return true;
    return false;
  }

  /** Cells that are read before a store to them was seen, with the kind that was stored. */
  cells(): ReadonlyMap<string, StartCell> {
    const result = new Map<string, StartCell>();
    for (const cell of [...this.readUnknown, ...this.meanings.keys()]) {
      const meaning = this.meanings.get(cell);
      // What a test finds out about an entry's first value holds for the rest of the run: it needs a variable.
      if (!this.stored.has(`m:${cell}`) && (meaning === undefined || !this.isEntryValue(meaning))) continue;
      const kind = this.cellKinds.get(cell) ?? 'untracked';
      result.set(
        cell,
        meaning === undefined
          ? { kind, value: null }
          : { kind: kindOf(meaning, this.graph.kinds), value: meaning },
      );
    }
    return result;
  }

  /** Every cell that is stored to and not a local's, with the kind of what is stored. */
  sharedCells(): ReadonlyMap<string, Kind> {
    const result = new Map<string, Kind>();
    for (const name of this.stored) {
      const cell = name.slice('m:'.length);
      if (!cell.startsWith('L')) result.set(cell, this.cellKinds.get(cell) ?? 'untracked');
    }
    return result;
  }

  /** A struct that came in as an argument of that name, the same for all programs. */
  object(name: string, type: Val['type']): Val {
    const symbol = `@${name}`;
    const cell = `*${name}`;
    if (!this.objects.some((known) => known.symbol === symbol))
      this.objects.push({ symbol, cell, type: type?.base ?? '' });
    return { expr: constant({ kind: 'symbol', name: symbol }), origin: name, stable: true, type, cell };
  }

  /** The structs that a pointer of this kind and type may point to; null where pointers are not told apart. */
  private pointees(pointer: Val): readonly Candidate[] | null {
    if (!this.together || pointer.cell !== undefined) return null;
    if (pointer.among !== undefined) return pointer.among;
    const { expr } = pointer;
    if (kindOf(expr, this.graph.kinds) !== 'symbol') return null;
    const type = pointer.type?.base;
    const known = this.objects.filter((object) =>
      expr.op === 'const' && expr.value.kind === 'symbol'
        ? object.symbol === expr.value.name
        : type === undefined || type === 'void' || object.type === type,
    );
    return known.length === 0 ? null : known;
  }

  /** What the memory holds that a pointer leads to. */
  private readAmong(pointer: Expression, among: readonly Candidate[]): Expression {
    let result: Expression | null = null;
    for (const { symbol, cell } of [...among].reverse()) {
      const read = this.readCell(cell);
      result =
        result === null
          ? read
          : {
              op: 'select',
              args: [{ op: '==', args: [pointer, constant({ kind: 'symbol', name: symbol })] }, read, result],
            };
    }
    return result ?? choice('no object', true);
  }

  private readCell(cell: string): Expression {
    if (this.cellKinds.has(cell)) return { op: 'var', name: `m:${cell}` };
    this.readUnknown.add(cell);
    return choice(cell, true);
  }

  /** Memory behind a pointer as an expression; null where it is not followed. */
  behind(pointer: Val): Expression | null {
    // A program that runs alone knows of it only what it stored: what others do to it in the meantime it cannot tell.
    if (!this.together && !this.tracks(pointer)) return null;
    const among = this.pointees(pointer);
    if (among !== null) return this.readAmong(pointer.expr, among);
    if (pointer.cell === undefined && !pointer.stable) return null;
    return this.readCell(pointer.cell ?? `*${pointer.origin}`);
  }

  /** Is anything known of the memory behind a pointer? */
  tracks(pointer: Val): boolean {
    const cells = this.pointees(pointer)?.map(({ cell }) => cell) ?? [pointer.cell ?? `*${pointer.origin}`];
    return cells.some((cell) => this.cellKinds.has(cell));
  }

  /** One read and write of the memory behind a pointer that nothing comes between. `old` names what was there. */
  exchange(pointer: Val, old: string, value: Expression, at: Site | null): void {
    const among = this.pointees(pointer) ?? [{ symbol: '', cell: pointer.cell ?? `*${pointer.origin}` }];
    const before = this.behind(pointer);
    if (before === null) {
      this.graph.assign(old, choice(`*${pointer.origin}`, false), at);
      return;
    }
    const now = substituteVar(value, old, before);
    const sets = [{ name: old, value: before }];
    for (const { symbol, cell } of among) {
      const name = `m:${cell}`;
      const kind = this.cellKinds.get(cell);
      if (kind === undefined || kind === 'untracked') this.cellKinds.set(cell, 'int');
      this.graph.kinds.set(name, this.cellKinds.get(cell) ?? 'int');
      this.stored.add(name);
      const here: Expression = { op: '==', args: [pointer.expr, constant({ kind: 'symbol', name: symbol })] };
      sets.push({
        name,
        value: among.length === 1 ? now : { op: 'select', args: [here, now, { op: 'var', name }] },
      });
    }
    this.graph.kinds.set(
      old,
      kindOf(before, this.graph.kinds) === 'untracked' ? 'int' : kindOf(before, this.graph.kinds),
    );
    this.graph.emit({ kind: 'assign', sets, at });
  }

  private isEntryValue(expr: Expression): boolean {
    return kindOf(expr, this.graph.kinds) === 'entry-value';
  }

  operand(instance: Instance, operand: Operand): Val {
    switch (operand.kind) {
      case 'value':
        return (
          instance.values.get(operand.id) ?? {
            expr: choice('undefined value', false),
            origin: 'undefined',
            stable: false,
            type: null,
          }
        );
      case 'int': {
        const n = Number(operand.value);
        return {
          expr: integer(Number.isSafeInteger(n) ? n : Number.MAX_SAFE_INTEGER),
          origin: String(operand.value),
          stable: true,
          type: null,
        };
      }
      case 'string':
        return {
          expr: constant(registerIn(operand.text) ?? { kind: 'opaque' }),
          origin: operand.text,
          stable: true,
          type: null,
        };
      case 'global':
        return this.global(operand.name, instance);
      case 'address':
        return this.address(instance, operand.place);
      case 'unknown':
        if (operand.text.startsWith('uninitialised '))
          return { expr: choice('uninitialised', true), origin: 'uninitialised', stable: true, type: null };
        {
          const whole = pasted(operand.text, instance);
          if (whole !== null) return this.global(whole, instance);
        }
        return { expr: choice(operand.text, true), origin: operand.text, stable: true, type: null };
    }
  }

  private global(name: string, instance: Instance): Val {
    const val = (expr: Expression): Val => ({ expr, origin: name, stable: true, type: null });
    if (name === 'NULL' || name === 'false') return val(constant(NULL));
    if (name === 'true') return val(integer(1));
    if (/^E[A-Z0-9]{2,}$/.test(name)) {
      const known = ERRNO.indexOf(name.slice(1));
      return val(integer(known >= 0 ? known + 1 : 99));
    }
    const rule = this.rules.constants
      .get(name)
      ?.find((candidate) => this.resolver.holds(candidate.condition));
    if (rule !== undefined) return val(this.numbered(rule.value, name, instance));
    // Each CPU runs a task of its own.
    if (this.together && name === 'current') return this.object(`cpu${this.graph.cpu} task`, null);
    const cell = `G.${name}`;
    if (this.cellKinds.has(cell)) return { ...val({ op: 'var', name: `m:${cell}` }), stable: false };
    const [file, found] = this.definition(name, instance);
    if (found !== null && found.definition.kind === 'enumerator' && found.definition.value !== null)
      return val(integer(found.definition.value));
    if (found !== null && found.definition.kind === 'macro' && found.definition.parameters === null) {
      const number = constantMacro(name, file, this.resolver, (part) => this.number(part));
      if (number !== null) return val(integer(number));
    }
    const whole = found === null ? pasted(name, instance) : null;
    if (whole !== null) return this.global(whole, instance);
    return val(choice(name, true));
  }

  /** A flag of an entry with its number, where a macro in view gives it one: some programs compute with whole words. */
  private numbered(value: Expression, name: string, instance: Instance): Expression {
    if (value.op !== 'const' || value.value.kind !== 'symbol' || !value.value.name.startsWith('bit:'))
      return value;
    const [file] = this.definition(name, instance);
    const number = constantMacro(name, file, this.resolver, (part) => this.number(part));
    return number === null || number <= 0
      ? value
      : constant({ kind: 'symbol', name: `${value.value.name}:${BigInt(number)}` });
  }

  /** What a name stands for where the code stands, or, for code in headers, in the file that includes it; and that file. */
  private definition(name: string, { fn }: Instance): readonly [file: string, found: Found | null] {
    const found = this.resolver.define(name, fn.file);
    if (found !== null || !fn.file.endsWith('.h') || this.rootFile === '') return [fn.file, found];
    return [this.rootFile, this.resolver.define(name, this.rootFile)];
  }

  /** The number that the rules give a constant on this machine. */
  private number(name: string): number | null {
    const rule = this.rules.constants
      .get(name)
      ?.find((candidate) => this.resolver.holds(candidate.condition))?.value;
    return rule?.op === 'const' && rule.value.kind === 'int' ? rule.value.n : null;
  }

  /** `&place`: a pointer whose target is known. */
  private address(instance: Instance, place: Place): Val {
    // `&init_mm`: the name of an address space, not memory that the program fills.
    if (place.base.kind === 'global' && place.path.length === 0) {
      const val = this.global(place.base.name, instance);
      if (
        kindOf(val.expr, this.graph.kinds) === 'symbol' ||
        kindOf(val.expr, this.graph.kinds) === 'entry-pointer'
      )
        return val;
    }
    // `&init_mm.page_table_lock`: a field of a named address space.
    if (place.base.kind === 'global' && place.path.length === 1 && place.path[0]?.kind === 'field') {
      const val = this.global(place.base.name, instance);
      const type = { base: 'struct mm_struct', pointers: 1 };
      const meaning =
        kindOf(val.expr, this.graph.kinds) === 'symbol'
          ? this.field({ ...val, type }, place.path[0].name)
          : null;
      if (meaning !== null)
        return { expr: meaning, origin: `&${val.origin}.${place.path[0].name}`, stable: true, type: null };
    }
    // `&page->lru`: lists carry the page by its link.
    if (place.base.kind === 'deref' && place.path.length === 1 && place.path[0]?.kind === 'field') {
      const pointer = this.operand(instance, place.base.pointer);
      if (kindOf(pointer.expr, this.graph.kinds) === 'memory' && pointer.cell === undefined)
        return { ...pointer, member: true };
    }
    const target = this.locate(instance, place);
    if (target.kind === 'cell' && target.field !== undefined && target.base !== undefined) {
      // `&kvm->mmu_lock`: what the lock is for is known by its field.
      const meaning = this.field(target.base, target.field);
      if (meaning !== null && kindOf(meaning, this.graph.kinds) === 'symbol')
        return { expr: meaning, origin: `&${target.cell}`, stable: target.stable, type: null };
    }
    // In a variable: where a pointer into a table leads to is found out once for all that is done with it.
    if (target.kind === 'entry')
      return this.graph.hold(
        {
          expr: target.pointer,
          origin: `&${target.origin}`,
          stable: false,
          type: place.type === null ? null : { ...place.type, pointers: place.type.pointers + 1 },
          ...(target.half === undefined ? {} : { half: target.half }),
        },
        null,
      );
    if (target.among !== undefined && target.base !== undefined)
      return {
        expr: target.base.expr,
        origin: `&${target.cell}`,
        stable: target.stable,
        type: place.type === null ? null : { ...place.type, pointers: place.type.pointers + 1 },
        among: target.among,
      };
    return {
      expr: constant({ kind: 'symbol', name: target.cell }),
      origin: `&${target.cell}`,
      stable: target.stable,
      type: place.type === null ? null : { ...place.type, pointers: place.type.pointers + 1 },
      cell: target.cell,
    };
  }

  /** Memory of a local by order of use: names are not part of what a program is. */
  private localCell(instance: Instance, name: string, scope: number): string {
    const key = `${instance.number} ${name} ${scope}`;
    let cell = this.locals.get(key);
    if (cell === undefined) {
      cell = `L${instance.number}.local${[...this.locals.keys()].filter((other) => other.startsWith(`${instance.number} `)).length + 1}`;
      this.locals.set(key, cell);
    }
    return cell;
  }

  private locate(instance: Instance, place: Place): Target {
    let cell: string;
    let stable = true;
    let local = false;
    let base: Val | undefined;
    let among: readonly Candidate[] | null = null;
    const path = [...place.path];
    switch (place.base.kind) {
      case 'local':
        cell = this.localCell(instance, place.base.name, place.base.scope);
        local = true;
        break;
      case 'global':
        cell = `G.${place.base.name}`;
        {
          const val = this.global(place.base.name, instance);
          if (kindOf(val.expr, this.graph.kinds) === 'entry-pointer' && path[0]?.kind === 'index') {
            const at = this.operand(instance, path[0].at);
            return {
              kind: 'entry',
              pointer: { op: at.index ? 'slot' : 'step', args: [val.expr, at.expr] },
              origin: val.origin,
            };
          }
        }
        break;
      case 'percpu': {
        const { cpu } = place.base;
        const number = cpu === null ? integer(this.graph.cpu) : this.operand(instance, cpu).expr;
        const known = number.op === 'const' && number.value.kind === 'int' ? number.value.n : '?';
        cell = `cpu${known}.${place.base.name}`;
        break;
      }
      case 'deref': {
        const pointer = this.operand(instance, place.base.pointer);
        if (place.base.named === true && pointer.from !== undefined && path.length === 0) return pointer.from;
        base = pointer;
        among = this.pointees(pointer);
        const kind = kindOf(pointer.expr, this.graph.kinds);
        if (kind === 'entry-pointer' || (kind === 'memory' && this.pointsToEntries(pointer.type))) {
          let at = kind === 'memory' ? this.firstEntry(pointer) : pointer.expr;
          const [head, ...rest] = path;
          if (head?.kind === 'index') {
            const index = this.operand(instance, head.at);
            at = { op: index.index ? 'slot' : 'step', args: [at, index.expr] };
            path.splice(0, path.length, ...rest);
          }
          const last = path[path.length - 1];
          const half =
            last?.kind === 'field'
              ? /low$/.test(last.name)
                ? 'low'
                : /high$/.test(last.name)
                  ? 'high'
                  : undefined
              : undefined;
          return {
            kind: 'entry',
            pointer: at,
            origin: pointer.origin,
            ...(half === undefined ? {} : { half }),
          };
        }
        const element = this.elementOf(instance, pointer, path);
        if (element !== null) return element;
        if (pointer.cell !== undefined) {
          cell = pointer.cell;
          local = cell.startsWith('L');
        } else cell = `*${pointer.origin}`;
        stable = pointer.cell !== undefined || pointer.stable;
        break;
      }
    }
    let at: Val | undefined;
    let field: string | undefined;
    let below = '';
    for (const step of path) {
      if (step.kind === 'field') {
        below += `.${step.name}`;
        field = step.name;
      } else {
        const index = this.operand(instance, step.at);
        // Elements are one where several programs run: which of them is meant differs from run to run.
        if (index.expr.op === 'const' && !this.together) below += `[${index.origin}]`;
        else {
          below += '[]';
          at = index;
        }
      }
    }
    const inside = among?.map((candidate) => ({ ...candidate, cell: `${candidate.cell}${below}` }));
    // One candidate is as good as a known pointer.
    cell = inside?.length === 1 ? (inside[0]?.cell ?? cell) : `${cell}${below}`;
    if (inside !== undefined) stable = true;
    return {
      kind: 'cell',
      cell,
      stable,
      local,
      ...(at === undefined ? {} : { at }),
      ...(base === undefined ? {} : { base }),
      ...(field === undefined ? {} : { field }),
      ...(inside === undefined || inside.length === 1 ? {} : { among: inside }),
    };
  }

  /** `base->field`, where the pointer is a value and no C expression. */
  loadField(base: Val, field: string, at: Site): Val {
    const cell = `${base.cell ?? `*${base.origin}`}.${field}`;
    return this.loadTarget(
      { kind: 'cell', cell, stable: base.cell !== undefined || base.stable, local: false, base, field },
      null,
      at,
    );
  }

  /** Name of the function that a field of a local struct holds, where every store in view agrees. */
  functionIn(base: Val, field: string): string | null {
    return base.cell === undefined ? null : (this.functions.get(`${base.cell}.${field}`) ?? null);
  }

  load(instance: Instance, place: Place, type: Val['type'], at: Site): Val {
    const target = this.locate(instance, place);
    const val = this.loadTarget(target, type, at);
    if (target.kind === 'entry')
      return target.half === undefined
        ? loadedFrom({ kind: 'entry', pointer: target.pointer, origin: target.origin }, val)
        : val;
    const { cell, stable, local } = target;
    return target.among === undefined && target.at === undefined
      ? loadedFrom({ kind: 'cell', cell, stable, local }, val)
      : val;
  }

  private loadTarget(target: Target, type: Val['type'], at: Site): Val {
    if (target.kind === 'entry') {
      const name = this.graph.temporary();
      if (target.half !== undefined) {
        this.graph.kinds.set(name, 'int');
        this.graph.emit({
          kind: 'event',
          event: {
            kind: target.half === 'low' ? 'read-low' : 'read-high',
            entry: target.pointer,
            into: name,
          },
          at,
        });
      } else {
        this.graph.kinds.set(name, 'entry-value');
        this.graph.assign(name, { op: 'read', args: [target.pointer] }, at);
      }
      return { expr: { op: 'var', name }, origin: `*${target.origin}`, stable: false, type };
    }
    if (target.among !== undefined && target.base !== undefined) {
      const held = this.graph.temporary();
      const value = this.readAmong(target.base.expr, target.among);
      this.graph.kinds.set(held, kindOf(value, this.graph.kinds));
      this.graph.assign(held, value, at);
      return { expr: { op: 'var', name: held }, origin: target.cell, stable: false, type };
    }
    const known = this.cellKinds.get(target.cell);
    if (known === undefined && target.field !== undefined && target.base !== undefined) {
      const meaning = this.field(target.base, target.field);
      if (meaning !== null) {
        if (target.stable && isFixed(meaning)) this.meanings.set(target.cell, meaning);
        return { expr: meaning, origin: target.cell, stable: target.stable, type };
      }
    }
    const name = `m:${target.cell}`;
    if (known === undefined) {
      const entry = this.loadEntryByHalves(target.cell, target.field, type, at);
      if (entry !== null) return entry;
    }
    if (known !== undefined) {
      const held = this.graph.temporary();
      this.graph.kinds.set(held, known);
      const read: Expression = { op: 'var', name };
      const value: Expression =
        target.at === undefined || this.together || known === 'untracked' || known === 'int'
          ? read
          : { op: 'select', args: [this.atWitness(target.at), read, constant(NULL)] };
      this.graph.assign(held, value, at);
      const pointee =
        target.at === undefined && !(this.together && known === 'symbol')
          ? this.pointers.get(target.cell)
          : undefined;
      return {
        expr: { op: 'var', name: held },
        origin: this.functions.get(target.cell) ?? this.arguments.get(target.cell) ?? target.cell,
        stable: (this.arguments.get(target.cell) ?? null) !== null,
        type,
        ...(pointee === undefined || pointee === null ? {} : { cell: pointee }),
      };
    }
    this.readUnknown.add(target.cell);
    const stable = target.stable && target.at === undefined;
    const val: Val = { expr: choice(target.cell, stable), origin: target.cell, stable, type };
    return stable ? val : this.graph.hold(val, at);
  }

  /** A variable of an entry type that is filled whole and read in halves, or the other way round. */
  private loadEntryByHalves(
    cell: string,
    field: string | undefined,
    type: Val['type'],
    at: Site,
  ): Val | null {
    const name = this.graph.temporary();
    if (field !== undefined && /(low|high)$/.test(field)) {
      const whole = cell.slice(0, -field.length - 1);
      if (this.cellKinds.get(whole) !== 'entry-value') return null;
      // What is done with a half says which one it takes.
      this.graph.kinds.set(name, 'entry-value');
      this.graph.assign(name, { op: 'var', name: `m:${whole}` }, at);
      return { expr: { op: 'var', name }, origin: cell, stable: false, type };
    }
    if (this.typeRule(type)?.is !== 'entry-value') return null;
    const half = (end: string): Expression | null => {
      for (const known of this.cellKinds.keys())
        if (known.startsWith(`${cell}.`) && known.endsWith(end)) return { op: 'var', name: `m:${known}` };
      return null;
    };
    const [low, high] = [half('low'), half('high')];
    if (low === null || high === null) return null;
    this.graph.kinds.set(name, 'entry-value');
    this.graph.emit({ kind: 'event', event: { kind: 'use-halves', low, high, into: name }, at });
    return { expr: { op: 'var', name }, origin: cell, stable: false, type };
  }

  /** The first entry of a table that C has a pointer to; the pointer's type says of which level. */
  firstEntry(table: Val): Expression {
    const level = entryLevel(table.type);
    return { op: 'first-entry', args: [table.expr], ...(level === null ? {} : { level }) };
  }

  /** Is what such a pointer points to an entry, wherever it leads into a table? */
  pointsToEntries(type: Val['type']): boolean {
    return (
      type !== null &&
      this.rules.types.some(
        (known) =>
          known.is === 'entry-pointer' && known.type === type.base && known.pointers === type.pointers,
      )
    );
  }

  /** `name`: of the parameter that has the type, where it is one. */
  typeRule(type: Val['type'], name?: string): TypeRule | undefined {
    return type === null
      ? undefined
      : this.rules.types.find(
          (known) =>
            known.type === type.base &&
            known.pointers === type.pointers &&
            (known.named === undefined || (name !== undefined && known.named.includes(name))),
        );
  }

  private field(base: Val, field: string): Expression | null {
    const struct = base.type?.base.replace(/^struct /, '');
    const rule = this.rules.fields.find(
      (known) =>
        known.field === field &&
        (struct === undefined ? false : known.struct.replace(/^struct /, '') === struct),
    );
    if (rule === undefined) return null;
    // What comes next on a list is known of tables alone.
    if (rule.value.op === 'next-node' && kindOf(base.expr, this.graph.kinds) !== 'memory') return null;
    return fold(substitute(rule.value, (name) => (name === 'base' ? base.expr : null)));
  }

  /** `sp->spt[i]`, where the field is a table: an entry of it. */
  private elementOf(instance: Instance, base: Val, path: Place['path']): Target | null {
    const [field, index] = path;
    if (path.length !== 2 || field?.kind !== 'field' || index?.kind !== 'index') return null;
    const table = this.field(base, field.name);
    if (table === null || kindOf(table, this.graph.kinds) !== 'memory') return null;
    const at = this.operand(instance, index.at);
    const first: Expression = { op: 'first-entry', args: [table] };
    const origin = `${base.origin}.${field.name}`;
    const slot = at.index ? at.expr : this.slotOf(at, origin);
    return {
      kind: 'entry',
      pointer: slot === null ? { op: 'step', args: [first, at.expr] } : { op: 'slot', args: [first, slot] },
      origin,
    };
  }

  /** A slot that has one number in a run: whether it is the witness's is found out once. Null for others. */
  private slotOf(at: Val, table: string): Expression | null {
    if (!at.stable || at.expr.op !== 'choice') return null;
    const here = choice(`slot ${at.origin} of ${table} is the witness's`, true);
    const gap = (where: 'pte' | 'pmd'): Expression => constant({ kind: 'address', gap: where });
    return { op: 'select', args: [here, gap('pte'), gap('pmd')] };
  }

  private atWitness(at: Val): Expression {
    return kindOf(at.expr, this.graph.kinds) === 'address'
      ? { op: '==', args: [at.expr, constant({ kind: 'address', gap: 'pte' })] }
      : choice(`slot ${at.origin} is the witness's`, false);
  }

  store(instance: Instance, place: Place, value: Val, once: boolean, at: Site): void {
    const target = this.locate(instance, place);
    if (target.kind === 'entry') {
      const order = once ? ('once' as const) : ('plain' as const);
      if (target.half !== undefined)
        this.graph.emit({
          kind: 'event',
          event: {
            kind: target.half === 'low' ? 'write-low' : 'write-high',
            entry: target.pointer,
            value: value.expr,
            order,
          },
          at,
        });
      else
        this.graph.emit({
          kind: 'event',
          event: { kind: 'set', entry: target.pointer, value: value.expr, order },
          at,
        });
      return;
    }
    if (!target.stable) return;
    if (target.among !== undefined && target.base !== undefined) {
      const { base } = target;
      for (const { symbol, cell } of target.among) {
        const here: Expression = { op: '==', args: [base.expr, constant({ kind: 'symbol', name: symbol })] };
        const kept = this.readCell(cell);
        this.storeCell(
          cell,
          { ...value, expr: { op: 'select', args: [here, value.expr, kept] } },
          undefined,
          at,
        );
      }
      return;
    }
    this.storeCell(target.cell, value, this.together ? undefined : target.at, at);
  }

  private rememberPointer(cell: string, value: Val): void {
    const passed = value.stable && /^arg\d+$/.test(value.origin) && cell.startsWith('L');
    const held = this.arguments.get(cell);
    this.arguments.set(cell, passed && (held === undefined || held === value.origin) ? value.origin : null);
    if (isZero(value.expr)) return;
    const before = this.pointers.get(cell);
    const agrees = value.cell !== undefined && (before === undefined || before === value.cell);
    this.pointers.set(cell, agrees ? value.cell : null);
    const named =
      value.expr.op === 'choice' && value.expr.key === value.origin && /^[A-Za-z_]\w*$/.test(value.origin);
    const known = this.functions.get(cell);
    this.functions.set(cell, named && (known === undefined || known === value.origin) ? value.origin : null);
  }

  storeCell(cell: string, value: Val, index: Val | undefined, at: Site | null): void {
    this.rememberPointer(cell, value);
    const name = `m:${cell}`;
    const kind = kindOf(value.expr, this.graph.kinds);
    const before = this.cellKinds.get(cell);
    if (before === undefined || before === 'untracked' || before === 'int')
      this.cellKinds.set(cell, kind === 'untracked' && before === 'int' ? 'int' : kind);
    this.graph.kinds.set(name, this.cellKinds.get(cell) ?? kind);
    this.stored.add(name);
    const expr: Expression =
      index === undefined
        ? value.expr
        : { op: 'select', args: [this.atWitness(index), value.expr, { op: 'var', name }] };
    this.graph.assign(name, expr, at);
  }
}

/** The value, with where it was loaded from. A field that an object gains behind a spread takes eight times as long. */
const loadedFrom = (from: Source, val: Val): Val =>
  val.from === undefined ? { from, ...val } : { ...val, from };

/** Has the expression one value in a run, whenever it is asked? */
function isFixed(expr: Expression): boolean {
  switch (expr.op) {
    case 'const':
      return true;
    case 'choice':
      return expr.stable === true;
    case 'var':
    case 'param':
    case 'read':
      return false;
    default:
      return expr.args.every(isFixed);
  }
}

function entryLevel(type: Val['type']): Level | null {
  const match = type === null ? null : /^(pte|pmd|pud|p4d|pgd)_t$/.exec(type.base);
  return match === null ? null : (LEVELS.find((level) => level === match[1]) ?? null);
}

const BEFORE_PASTED = /^(\w*?)(?:_{2,}|\s*##\s*)$/;

/** `r##op` in a macro whose `op` is the name `vae1is`: `rvae1is`. Where the text was parsed, `##` reads as underscores. */
function pasted(text: string, instance: Instance): string | null {
  for (const parameter of instance.fn.parameters) {
    if (!text.endsWith(parameter.name)) continue;
    const part = BEFORE_PASTED.exec(text.slice(0, -parameter.name.length))?.[1];
    const origin = instance.values.get(parameter.id)?.origin;
    if (part !== undefined && origin !== undefined && /^\w+$/.test(origin)) return `${part}${origin}`;
  }
  return null;
}

/** `"c8, c3, 1"` as the symbol `c8.c3.1`: the coprocessor register that an instruction of arm writes. */
function registerIn(text: string): Value | null {
  const parts = /^"?\s*(c\d+)\s*,\s*(c\d+)\s*,\s*(\d+)\s*"?$/.exec(text);
  return parts === null ? null : { kind: 'symbol', name: parts.slice(1).join('.') };
}
