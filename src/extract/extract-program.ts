/**
 * Functions and rules to one event program: a root's graph with its callees put in place, every call that a rule knows
 * replaced by its events, everything else reduced to named choices (DESIGN.md rules 2, 4, 5, 6).
 *
 * Values are followed symbolically while the graph is built; whatever can differ between runs becomes a variable of
 * the program, so that which table or page a pointer means is decided on each path, not once for the function.
 */

import { identifiersIn } from '#c/identifiers.js';
import type { Block, BlockId, CFunction, CType, Instruction, Operand, Place } from '#c/ir.js';
import type { Event } from '#event/event.js';
import { constant, type Expression, integer, type Operator } from '#event/expression.js';
import type { EventProgram, NodeId, ProgramNode, Site } from '#event/program.js';
import { LEVELS, type Level, NULL, type Value } from '#event/value.js';
import { ruleFor } from '#rules/load-rules.js';
import type { CallRule, RuleSet, TypeRule } from '#rules/rule.js';
import { finishProgram } from './finish-program.js';
import type { Found, Resolver } from './resolve.js';
import { type Kind, kindOf, type Val } from './value.js';

export interface Extraction {
  readonly program: EventProgram;
  /** Functions whose bodies are in the program. */
  readonly followed: readonly string[];
  /** Calls cut off by a limit, and bodies that could not be lowered: function and reason. */
  readonly gaps: readonly {
    readonly function: string;
    readonly file: string;
    readonly kind: 'parse' | 'limit' | 'resolve';
    readonly reason: string;
  }[];
}

export interface ExtractOptions {
  /** Rules of these names are ignored: their bodies are followed instead (rule 3). */
  readonly bodies: ReadonlySet<string>;
  readonly outermost: boolean;
  readonly nodeLimit: number;
  readonly depthLimit: number;
}

type Draft = { -readonly [K in keyof ProgramNode]: ProgramNode[K] } & Record<string, unknown>;

/** A node whose successor is not known yet. */
type Unlinked =
  | Omit<Extract<ProgramNode, { kind: 'event' }>, 'next'>
  | Omit<Extract<ProgramNode, { kind: 'assign' }>, 'next'>;

interface Instance {
  readonly fn: CFunction;
  readonly number: number;
  readonly values: Map<number, Val>;
  readonly labels: Map<BlockId, NodeId>;
  readonly via: Site[];
  readonly depth: number;
  readonly stack: readonly string[];
}

/** Small bodies of the same file are followed even without events, so that the flags they return are known. */
const SMALL_BODY_LINES = 40;

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

export function extractProgram(
  root: Found,
  resolver: Resolver,
  rules: RuleSet,
  options: ExtractOptions,
): Extraction | { readonly reason: string; readonly line: number } {
  const lowered = resolver.lower(root);
  if (!('blocks' in lowered)) return { reason: lowered.reason, line: lowered.line };
  const first = new Builder(resolver, rules, options, new Map());
  const extraction = first.root(lowered);
  // Memory read before the store that reaches it (loops): build again with the stored cells known from the start.
  return first.readEarly ? new Builder(resolver, rules, options, first.cells()).root(lowered) : extraction;
}

class Builder {
  private readonly nodes: Draft[] = [];
  private readonly kinds = new Map<string, Kind>();
  private readonly followed = new Set<string>();
  private readonly gaps: Extraction['gaps'][number][] = [];
  private readonly assumptions = new Set<string>();
  private readonly stored = new Set<string>();
  private readonly readUnknown = new Set<string>();
  private readonly cellKinds = new Map<string, Kind>();
  /** Memory that a stored pointer points to, where every store in view agrees. */
  private readonly pointers = new Map<string, string | null>();
  /** Names stored in memory (functions among them), where every store in view agrees. */
  private readonly functions = new Map<string, string | null>();
  private readonly relevance = new Map<string, boolean>();
  private instances = 0;
  private temporaries = 0;
  private current: NodeId = 0;
  private over = false;
  private rootFile = '';
  private readonly locals = new Map<string, string>();
  /** Was init_mm handed to anything? Then the addresses are the kernel's. */
  private kernel = false;

  constructor(
    private readonly resolver: Resolver,
    private readonly rules: RuleSet,
    private readonly options: ExtractOptions,
    private readonly cellsAtStart: ReadonlyMap<string, Kind>,
  ) {
    for (const [cell, kind] of cellsAtStart) {
      this.cellKinds.set(cell, kind);
      this.kinds.set(`m:${cell}`, kind);
    }
  }

  /** Was memory read for which a store was found only later? */
  get readEarly(): boolean {
    for (const cell of this.readUnknown) if (this.stored.has(`m:${cell}`)) return true;
    return false;
  }

  /** Cells that are read before a store to them was seen, with the kind that was stored. */
  cells(): ReadonlyMap<string, Kind> {
    const result = new Map<string, Kind>();
    for (const cell of this.readUnknown)
      if (this.stored.has(`m:${cell}`)) result.set(cell, this.cellKinds.get(cell) ?? 'untracked');
    return result;
  }

  root(fn: CFunction): Extraction {
    this.rootFile = fn.file;
    this.nodes.push({ kind: 'assign', sets: [], next: -1, at: null } as unknown as Draft);
    const args = fn.parameters.map((parameter, position): Val => this.rootArgument(parameter.type, position));
    for (const cell of this.cellsAtStart.keys())
      if (!cell.startsWith('L')) this.assign(`m:${cell}`, choice(cell, true), null);
    const end = this.label();
    const result = this.instantiate(fn, args, { depth: 0, via: [], stack: [] }, end, 'result');
    this.link(this.current, result.entry);
    const returnsFlag = fn.returns !== null && fn.returns.pointers === 0 && fn.returns.base !== 'void';
    this.nodes[end] = {
      kind: 'return',
      value: returnsFlag ? { op: 'var', name: 'result' } : null,
      at: { file: fn.file, line: fn.lastLine, function: fn.name },
    } as unknown as Draft;
    const program = finishProgram({
      name: fn.name,
      nodes: this.nodes as unknown as ProgramNode[],
      kinds: this.kinds,
      indexPhis: this.indexPhis,
      kernel: this.kernel,
      outermost: this.options.outermost,
      returnsFlag: fn.returns?.base === 'bool' && fn.returns.pointers === 0,
      assumptions: [
        ...this.assumptions,
        ...new Set(this.gaps.map((gap) => `${gap.function}() was not followed: ${gap.reason}`)),
      ],
    });
    return { program, followed: [...this.followed], gaps: this.gaps };
  }

  /** What a root gets from outside: entry pointers are the witness's, the rest is known by position only. */
  private rootArgument(type: Val['type'], position: number): Val {
    const origin = `arg${position}`;
    const base = { origin, stable: true, type };
    if (type === null) return { ...base, expr: choice(origin, true) };
    const rule = this.typeRule(type);
    const level = rule?.level ?? 'pte';
    switch (rule?.is) {
      case 'entry-pointer':
        return { ...base, expr: constant({ kind: 'entry-pointer', level, table: 'W', gap: 'at' }) };
      case 'entry-value': {
        const value = (of: 'W' | 'new'): Value => ({
          kind: 'entry-value',
          level,
          maps: '?',
          of,
          write: '?',
          dirty: '?',
          young: '?',
          exec: '?',
          cont: '?',
        });
        return {
          ...base,
          expr: { op: 'choice', key: `${origin} is`, of: [value('W'), value('new')], stable: true },
        };
      }
      case 'memory-page': {
        const page = (who: 'W' | 'new'): Value => ({ kind: 'memory', what: 'page', level: 'pte', who });
        // It may be what an entry maps or what one is to map: both are tried.
        return {
          ...base,
          expr: { op: 'choice', key: `${origin} is`, of: [page('W'), page('new')], stable: true },
        };
      }
      case 'memory-table':
        return { ...base, expr: constant({ kind: 'memory', what: 'table', level, who: 'W' }) };
      case 'range':
        return { ...base, expr: constant({ kind: 'memory', what: 'range', level: 'pte', who: 'W' }) };
      case 'address':
        this.kinds.set(`a:${origin}`, 'address');
        return { ...base, expr: { op: 'var', name: `a:${origin}` } };
      default:
        return { ...base, expr: choice(origin, true) };
    }
  }

  // ---- graph

  private label(): NodeId {
    this.nodes.push({ kind: 'assign', sets: [], next: -1, at: null } as unknown as Draft);
    return this.nodes.length - 1;
  }

  private link(from: NodeId, to: NodeId): void {
    const node = this.nodes[from];
    if (node !== undefined && 'next' in node) node.next = to;
  }

  private emit(node: Unlinked): void {
    this.nodes.push({ ...node, next: -1 } as unknown as Draft);
    this.link(this.current, this.nodes.length - 1);
    this.current = this.nodes.length - 1;
  }

  private assign(name: string, value: Expression, at: Site | null): void {
    this.emit({ kind: 'assign', sets: [{ name, value }], at });
  }

  /** `when` true: runs `body`; either way goes on behind it. */
  private guarded(when: Expression, at: Site, body: () => void): void {
    const decided = known(when);
    if (decided === true) body();
    if (decided !== null) return;
    const then = this.label();
    const after = this.label();
    this.nodes.push({ kind: 'branch', on: when, then, else: after, at } as unknown as Draft);
    this.link(this.current, this.nodes.length - 1);
    this.current = then;
    body();
    this.link(this.current, after);
    this.current = after;
  }

  private temporary(): string {
    this.temporaries += 1;
    return `t${this.temporaries}`;
  }

  /** A variable that holds `expr` from here on, so that what is chosen is chosen once. */
  private hold(val: Val, at: Site | null): Val {
    if (!this.undecided(val.expr)) return val;
    const name = this.temporary();
    this.kinds.set(name, kindOf(val.expr, this.kinds));
    this.assign(name, val.expr, at);
    return { ...val, expr: { op: 'var', name } };
  }

  private undecided(expr: Expression): boolean {
    switch (expr.op) {
      case 'const':
      case 'var':
      case 'param':
        return false;
      case 'choice':
        return expr.stable !== true;
      default:
        return true;
    }
  }

  // ---- functions

  private instantiate(
    fn: CFunction,
    args: readonly Val[],
    outer: { readonly depth: number; readonly via: Site[]; readonly stack: readonly string[] },
    exit: NodeId,
    resultName: string,
  ): { readonly entry: NodeId; readonly result: Val } {
    this.followed.add(fn.name);
    for (const gap of fn.gaps)
      this.gaps.push({
        function: fn.name,
        file: fn.file,
        kind: 'parse',
        reason: `line ${gap.line}: ${gap.reason}`,
      });
    this.instances += 1;
    const instance: Instance = {
      fn,
      number: this.instances,
      values: new Map(),
      labels: new Map(),
      via: outer.via,
      depth: outer.depth,
      stack: [...outer.stack, fn.name],
    };
    fn.parameters.forEach((parameter, n) => {
      const arg = args[n] ?? {
        expr: choice(`missing argument ${n}`, false),
        origin: '?',
        stable: false,
        type: null,
      };
      const { cell, ...rest } = arg;
      instance.values.set(parameter.id, {
        ...rest,
        ...(cell === undefined ? {} : { cell }),
        type: parameter.type ?? arg.type,
      });
    });
    const blocks = new Map(fn.blocks.map((block) => [block.id, block]));
    const order = reversePostorder(fn.blocks);
    const rank = new Map(order.map((id, n) => [id, n]));
    for (const id of order) instance.labels.set(id, this.label());
    const saved = this.current;
    const results: Val[] = [];
    for (const id of order) {
      const block = blocks.get(id);
      if (block === undefined) continue;
      this.current = instance.labels.get(id) ?? 0;
      this.block(instance, block, rank, blocks, exit, resultName, results);
    }
    this.current = saved;
    const entry = instance.labels.get(fn.blocks[0]?.id ?? 0) ?? exit;
    const kind =
      results
        .map((result) => kindOf(result.expr, this.kinds))
        .find((k) => k !== 'untracked' && k !== 'int') ??
      (results.length > 0 && results.every((r) => kindOf(r.expr, this.kinds) === 'untracked')
        ? 'untracked'
        : 'int');
    this.kinds.set(resultName, kind);
    const origins = new Set(results.map((result) => result.origin));
    const only = results.length === 1 ? results[0] : undefined;
    return {
      entry,
      result: {
        expr: { op: 'var', name: resultName },
        origin:
          origins.size === 1
            ? ([...origins][0] ?? fn.name)
            : `${fn.name}(${args.map((arg) => arg.origin).join(', ')})`,
        stable: results.length > 0 && origins.size === 1 && results.every((result) => result.stable),
        type: fn.returns,
        ...(only?.cell === undefined ? {} : { cell: only.cell }),
        ...(only?.index === undefined ? {} : { index: only.index }),
      },
    };
  }

  private site(instance: Instance, line: number): Site {
    return {
      file: instance.fn.file,
      line,
      function: instance.fn.name,
      ...(instance.via.length === 0 ? {} : { via: instance.via }),
    };
  }

  private block(
    instance: Instance,
    block: Block,
    rank: ReadonlyMap<BlockId, number>,
    blocks: ReadonlyMap<BlockId, Block>,
    exit: NodeId,
    resultName: string,
    results: Val[],
  ): void {
    const loops = block.predecessors.some((from) => (rank.get(from) ?? -1) >= (rank.get(block.id) ?? 0));
    this.phis(instance, block, loops, rank);
    for (const instruction of block.instructions) {
      if (instruction.kind === 'phi') continue;
      this.instruction(instance, instruction);
    }
    const end = block.end;
    switch (end.kind) {
      case 'jump':
        this.edge(instance, block.id, end.to, blocks);
        return;
      case 'branch': {
        const on = this.operand(instance, end.on);
        const at = this.site(instance, end.line);
        const node = this.nodes.length;
        this.nodes.push({
          kind: 'branch',
          on: on.expr,
          then: -1,
          else: -1,
          at,
          text: end.text,
        } as unknown as Draft);
        this.link(this.current, node);
        const sides: NodeId[] = [];
        for (const to of [end.then, end.else]) {
          const side = this.label();
          sides.push(side);
          this.current = side;
          this.edge(instance, block.id, to, blocks);
        }
        const branch = this.nodes[node] as unknown as { then: NodeId; else: NodeId };
        branch.then = sides[0] ?? exit;
        branch.else = sides[1] ?? exit;
        return;
      }
      case 'return': {
        if (end.value !== null) {
          const value = this.operand(instance, end.value);
          results.push(value);
          this.assign(resultName, value.expr, this.site(instance, end.line));
        }
        this.link(this.current, exit);
        return;
      }
      case 'stop':
        this.nodes.push({ kind: 'stop', at: this.site(instance, end.line) } as unknown as Draft);
        this.link(this.current, this.nodes.length - 1);
        return;
    }
  }

  private edge(instance: Instance, from: BlockId, to: BlockId, blocks: ReadonlyMap<BlockId, Block>): void {
    const sets: { name: string; value: Expression }[] = [];
    for (const instruction of blocks.get(to)?.instructions ?? []) {
      if (instruction.kind !== 'phi') continue;
      const incoming = instruction.from.find((edge) => edge.block === from);
      if (incoming === undefined) continue;
      const value = this.operand(instance, incoming.value);
      const name = phiName(instance, instruction.id);
      if (value.expr.op === 'var' && value.expr.name === name) continue;
      const kind = kindOf(value.expr, this.kinds);
      const known = this.kinds.get(name);
      if (known === undefined || known === 'untracked' || known === 'int')
        this.kinds.set(name, kind === 'untracked' && known === 'int' ? 'int' : kind);
      sets.push({ name, value: value.expr });
    }
    if (sets.length > 0) this.emit({ kind: 'assign', sets, at: null });
    this.link(this.current, instance.labels.get(to) ?? 0);
  }

  /** Values that a block receives. In loops, pointer, address and counter that step together follow one position. */
  private phis(instance: Instance, block: Block, loops: boolean, rank: ReadonlyMap<BlockId, number>): void {
    const here = rank.get(block.id) ?? 0;
    const phis = block.instructions.filter(
      (instruction): instruction is Extract<Instruction, { kind: 'phi' }> => instruction.kind === 'phi',
    );
    const entering = (phi: (typeof phis)[number]): Val[] =>
      phi.from
        .filter((edge) => (rank.get(edge.block) ?? -1) < here && rank.has(edge.block))
        .map((edge) => this.operand(instance, edge.value));
    for (const phi of phis) {
      const name = phiName(instance, phi.id);
      const incoming = entering(phi);
      const type = instance.fn.values[phi.id]?.type ?? incoming[0]?.type ?? null;
      const first = incoming[0];
      // Ways that agree need no variable: what told them apart then guards nothing.
      const text = first === undefined ? '' : JSON.stringify(first.expr);
      if (!loops && first !== undefined && incoming.every((val) => JSON.stringify(val.expr) === text)) {
        instance.values.set(phi.id, { ...first, stable: incoming.every((val) => val.stable) });
        continue;
      }
      let kind: Kind = 'untracked';
      for (const val of incoming) {
        const k = kindOf(val.expr, this.kinds);
        if (k !== 'untracked' && (kind === 'untracked' || kind === 'int')) kind = k;
      }
      this.kinds.set(name, kind);
      const cells = new Set(incoming.map((val) => val.cell));
      const cell = cells.size === 1 && !loops ? [...cells][0] : undefined;
      instance.values.set(phi.id, {
        expr: { op: 'var', name },
        origin: loops
          ? `loop(${first?.origin ?? ''})`
          : incoming.length === 0
            ? 'undefined'
            : [...new Set(incoming.map((val) => val.origin))].join('|'),
        stable: false,
        type,
        ...(cell === undefined ? {} : { cell }),
        ...(incoming.some((val) => val.index) ? { index: true as const } : {}),
      });
    }
    if (loops) this.couple(instance, block, phis, rank);
  }

  private couple(
    instance: Instance,
    block: Block,
    phis: readonly Extract<Instruction, { kind: 'phi' }>[],
    rank: ReadonlyMap<BlockId, number>,
  ): void {
    const here = rank.get(block.id) ?? 0;
    const step = (phi: (typeof phis)[number]): Instruction | null => {
      for (const edge of phi.from) {
        if ((rank.get(edge.block) ?? -1) < here || edge.value.kind !== 'value') continue;
        const id = edge.value.id;
        for (const other of instance.fn.blocks) {
          for (const instruction of other.instructions)
            if ('id' in instruction && instruction.id === id) return instruction;
        }
      }
      return null;
    };
    const steps = new Map(phis.map((phi) => [phi.id, step(phi)]));
    const advances = (phi: (typeof phis)[number]): boolean => {
      const how = steps.get(phi.id);
      return how?.kind === 'binary' && how.op === '+' && how.left.kind === 'value' && how.left.id === phi.id;
    };
    const kindAt = (phi: (typeof phis)[number]): Kind =>
      this.kinds.get(phiName(instance, phi.id)) ?? 'untracked';
    let master: Expression | null = null;
    let counted = false;
    for (const phi of phis) {
      const how = steps.get(phi.id);
      if (
        kindAt(phi) === 'address' &&
        how !== null &&
        how?.kind !== 'phi' &&
        !(how?.kind === 'binary' && how.op === '-')
      ) {
        master = { op: 'var', name: phiName(instance, phi.id) };
        break;
      }
    }
    const counters = phis.filter((phi) => {
      const how = steps.get(phi.id);
      return (
        kindAt(phi) === 'int' &&
        advances(phi) &&
        how?.kind === 'binary' &&
        how.right.kind === 'int' &&
        Number(how.right.value) === 1 &&
        indexes(instance.fn, phi.id)
      );
    });
    for (const phi of counters) {
      const name = phiName(instance, phi.id);
      const val = instance.values.get(phi.id);
      if (val === undefined) continue;
      if (master === null) {
        this.kinds.set(name, 'address');
        master = { op: 'var', name };
        // Where the witness lies is chosen when the loop starts; the counter's first value stands for the first slot.
        const start = this.temporary();
        this.kinds.set(start, 'address');
        instance.values.set(phi.id, { ...val, index: true });
        this.indexPhis.add(name);
        counted = true;
      } else instance.values.set(phi.id, { ...val, expr: master, index: true });
    }
    for (const phi of phis) {
      const val = instance.values.get(phi.id);
      if (val === undefined || kindAt(phi) !== 'entry-pointer' || !advances(phi) || master === null) continue;
      const name = this.temporary();
      this.kinds.set(name, 'entry-pointer');
      this.assign(name, { op: counted ? 'slot' : 'couple', args: [val.expr, master] }, null);
      instance.values.set(phi.id, { ...val, expr: { op: 'var', name } });
    }
  }

  /** Loop counters kept as positions; `finishProgram` turns their first value into one. */
  private readonly indexPhis = new Set<string>();

  // ---- values

  private operand(instance: Instance, operand: Operand): Val {
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
        return { expr: constant({ kind: 'opaque' }), origin: operand.text, stable: true, type: null };
      case 'global':
        return this.global(operand.name, instance);
      case 'address':
        return this.address(instance, operand.place);
      case 'unknown':
        if (operand.text.startsWith('uninitialised '))
          return { expr: choice('uninitialised', true), origin: 'uninitialised', stable: true, type: null };
        return { expr: choice(operand.text, true), origin: operand.text, stable: true, type: null };
    }
  }

  private global(name: string, instance: Instance): Val {
    const base = { origin: name, stable: true, type: null };
    if (name === 'NULL' || name === 'false') return { ...base, expr: constant(NULL) };
    if (name === 'true') return { ...base, expr: integer(1) };
    if (/^E[A-Z0-9]{2,}$/.test(name)) {
      const known = ERRNO.indexOf(name.slice(1));
      return { ...base, expr: integer(known >= 0 ? known + 1 : 99) };
    }
    const rule = this.rules.constants
      .get(name)
      ?.find((candidate) => holds(candidate.condition, this.resolver));
    if (rule !== undefined) return { ...base, expr: rule.value };
    const cell = `G.${name}`;
    if (this.cellKinds.has(cell)) return { ...base, expr: { op: 'var', name: `m:${cell}` }, stable: false };
    const found = this.resolver.define(name, instance.fn.file);
    if (found !== null && found.definition.kind === 'enumerator' && found.definition.value !== null)
      return { ...base, expr: integer(found.definition.value) };
    if (found !== null && found.definition.kind === 'macro' && found.definition.parameters === null) {
      const text = found.index.text
        .slice(found.definition.body, found.definition.end)
        .trim()
        .replace(/^\((.*)\)$/, '$1');
      if (/^(0x[0-9a-fA-F]+|\d+)[uUlL]*$/.test(text))
        return { ...base, expr: integer(Number.parseInt(text.replace(/[uUlL]+$/, ''))) };
    }
    return { ...base, expr: choice(name, true) };
  }

  /** `&place`: a pointer whose target is known. */
  private address(instance: Instance, place: Place): Val {
    // `&init_mm`: the name of an address space, not memory that the program fills.
    if (place.base.kind === 'global' && place.path.length === 0) {
      const val = this.global(place.base.name, instance);
      if (kindOf(val.expr, this.kinds) === 'symbol' || kindOf(val.expr, this.kinds) === 'entry-pointer')
        return val;
    }
    // `&page->lru`: lists carry the page by its link.
    if (place.base.kind === 'deref' && place.path.length === 1 && place.path[0]?.kind === 'field') {
      const pointer = this.operand(instance, place.base.pointer);
      if (kindOf(pointer.expr, this.kinds) === 'memory' && pointer.cell === undefined) return pointer;
    }
    const target = this.locate(instance, place);
    if (target.kind === 'entry')
      return {
        expr: target.pointer,
        origin: `&${target.origin}`,
        stable: false,
        type: place.type === null ? null : { ...place.type, pointers: place.type.pointers + 1 },
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

  private locate(
    instance: Instance,
    place: Place,
  ):
    | {
        readonly kind: 'cell';
        readonly cell: string;
        readonly stable: boolean;
        readonly local: boolean;
        readonly at?: Val;
        readonly base?: Val;
        readonly field?: string;
      }
    | {
        readonly kind: 'entry';
        readonly pointer: Expression;
        readonly origin: string;
        readonly half?: 'low' | 'high';
      } {
    let cell: string;
    let stable = true;
    let local = false;
    let base: Val | undefined;
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
          if (kindOf(val.expr, this.kinds) === 'entry-pointer' && path[0]?.kind === 'index') {
            const at = this.operand(instance, path[0].at);
            return {
              kind: 'entry',
              pointer: { op: at.index ? 'slot' : 'step', args: [val.expr, at.expr] },
              origin: val.origin,
            };
          }
        }
        break;
      case 'deref': {
        const pointer = this.operand(instance, place.base.pointer);
        base = pointer;
        const kind = kindOf(pointer.expr, this.kinds);
        if (kind === 'entry-pointer' || (kind === 'memory' && entryLevel(pointer.type) !== null)) {
          let at =
            kind === 'memory'
              ? ({
                  op: 'first-entry',
                  args: [pointer.expr],
                  level: entryLevel(pointer.type) ?? 'pte',
                } as Expression)
              : pointer.expr;
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
    for (const step of path) {
      if (step.kind === 'field') {
        cell += `.${step.name}`;
        field = step.name;
      } else {
        const index = this.operand(instance, step.at);
        if (index.expr.op === 'const') cell += `[${index.origin}]`;
        else {
          cell += '[]';
          at = index;
        }
      }
    }
    return {
      kind: 'cell',
      cell,
      stable,
      local,
      ...(at === undefined ? {} : { at }),
      ...(base === undefined ? {} : { base }),
      ...(field === undefined ? {} : { field }),
    };
  }

  private load(instance: Instance, place: Place, type: Val['type'], at: Site): Val {
    const target = this.locate(instance, place);
    if (target.kind === 'entry') {
      const name = this.temporary();
      if (target.half !== undefined) {
        this.kinds.set(name, 'int');
        this.emit({
          kind: 'event',
          event: {
            kind: target.half === 'low' ? 'read-low' : 'read-high',
            entry: target.pointer,
            into: name,
          },
          at,
        });
      } else {
        this.kinds.set(name, 'entry-value');
        this.assign(name, { op: 'read', args: [target.pointer] }, at);
      }
      return { expr: { op: 'var', name }, origin: `*${target.origin}`, stable: false, type };
    }
    const known = this.cellKinds.get(target.cell);
    if (known === undefined && target.field !== undefined && target.base !== undefined) {
      const meaning = this.field(target.base, target.field);
      if (meaning !== null) return { expr: meaning, origin: target.cell, stable: target.stable, type };
    }
    const name = `m:${target.cell}`;
    if (known === undefined) {
      const entry = this.loadEntryByHalves(target.cell, target.field, type, at);
      if (entry !== null) return entry;
    }
    if (known !== undefined) {
      const held = this.temporary();
      this.kinds.set(held, known);
      const read: Expression = { op: 'var', name };
      const value: Expression =
        target.at === undefined || known === 'untracked' || known === 'int'
          ? read
          : { op: 'select', args: [this.atWitness(target.at), read, constant(NULL)] };
      this.assign(held, value, at);
      const pointee = target.at === undefined ? this.pointers.get(target.cell) : undefined;
      return {
        expr: { op: 'var', name: held },
        origin: this.functions.get(target.cell) ?? target.cell,
        stable: false,
        type,
        ...(pointee === undefined || pointee === null ? {} : { cell: pointee }),
      };
    }
    this.readUnknown.add(target.cell);
    const stable = target.stable && target.at === undefined;
    const val: Val = { expr: choice(target.cell, stable), origin: target.cell, stable, type };
    return stable ? val : this.hold(val, at);
  }

  /** A variable of an entry type that is filled whole and read in halves, or the other way round. */
  private loadEntryByHalves(
    cell: string,
    field: string | undefined,
    type: Val['type'],
    at: Site,
  ): Val | null {
    const name = this.temporary();
    if (field !== undefined && /(low|high)$/.test(field)) {
      const whole = cell.slice(0, -field.length - 1);
      if (this.cellKinds.get(whole) !== 'entry-value') return null;
      // What is done with a half says which one it takes.
      this.kinds.set(name, 'entry-value');
      this.assign(name, { op: 'var', name: `m:${whole}` }, at);
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
    this.kinds.set(name, 'entry-value');
    this.emit({ kind: 'event', event: { kind: 'use-halves', low, high, into: name }, at });
    return { expr: { op: 'var', name }, origin: cell, stable: false, type };
  }

  private typeRule(type: Val['type']): TypeRule | undefined {
    return type === null
      ? undefined
      : this.rules.types.find((known) => known.type === type.base && known.pointers === type.pointers);
  }

  private field(base: Val, field: string): Expression | null {
    const struct = base.type?.base.replace(/^struct /, '');
    const rule = this.rules.fields.find(
      (known) =>
        known.field === field &&
        (struct === undefined ? false : known.struct.replace(/^struct /, '') === struct),
    );
    return rule === undefined ? null : substitute(rule.value, (name) => (name === 'base' ? base.expr : null));
  }

  private atWitness(at: Val): Expression {
    return kindOf(at.expr, this.kinds) === 'address'
      ? { op: '==', args: [at.expr, constant({ kind: 'address', gap: 'pte' })] }
      : choice(`slot ${at.origin} is the witness's`, false);
  }

  private store(instance: Instance, place: Place, value: Val, once: boolean, at: Site): void {
    const target = this.locate(instance, place);
    if (target.kind === 'entry') {
      const order = once ? ('once' as const) : ('plain' as const);
      if (target.half !== undefined)
        this.emit({
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
        this.emit({
          kind: 'event',
          event: { kind: 'set', entry: target.pointer, value: value.expr, order },
          at,
        });
      return;
    }
    if (!target.stable) return;
    this.storeCell(target.cell, value, target.at, at);
  }

  private rememberPointer(cell: string, value: Val): void {
    if (isZero(value.expr)) return;
    const before = this.pointers.get(cell);
    const agrees = value.cell !== undefined && (before === undefined || before === value.cell);
    this.pointers.set(cell, agrees ? value.cell : null);
    const named =
      value.expr.op === 'choice' && value.expr.key === value.origin && /^[A-Za-z_]\w*$/.test(value.origin);
    const known = this.functions.get(cell);
    this.functions.set(cell, named && (known === undefined || known === value.origin) ? value.origin : null);
  }

  private storeCell(cell: string, value: Val, index: Val | undefined, at: Site | null): void {
    this.rememberPointer(cell, value);
    const name = `m:${cell}`;
    const kind = kindOf(value.expr, this.kinds);
    const before = this.cellKinds.get(cell);
    if (before === undefined || before === 'untracked' || before === 'int')
      this.cellKinds.set(cell, kind === 'untracked' && before === 'int' ? 'int' : kind);
    this.kinds.set(name, this.cellKinds.get(cell) ?? kind);
    this.stored.add(name);
    const expr: Expression =
      index === undefined
        ? value.expr
        : { op: 'select', args: [this.atWitness(index), value.expr, { op: 'var', name }] };
    this.assign(name, expr, at);
  }

  // ---- instructions

  private instruction(instance: Instance, instruction: Exclude<Instruction, { kind: 'phi' }>): void {
    const at = this.site(instance, instruction.line);
    const types = instance.fn.values;
    switch (instruction.kind) {
      case 'call': {
        const result = this.call(instance, instruction, at, types[instruction.id]?.type ?? null);
        instance.values.set(instruction.id, { ...result, type: types[instruction.id]?.type ?? result.type });
        return;
      }
      case 'binary':
        instance.values.set(instruction.id, this.binary(instance, instruction, at));
        return;
      case 'unary': {
        const value = this.operand(instance, instruction.value);
        if (instruction.op === '!') {
          instance.values.set(instruction.id, {
            expr: simplify({ op: '!', args: [value.expr] }),
            origin: `!${value.origin}`,
            stable: value.stable,
            type: null,
          });
        } else if (value.expr.op === 'const' && value.expr.value.kind === 'int') {
          const n = value.expr.value.n;
          instance.values.set(instruction.id, {
            expr: integer(instruction.op === '-' ? -n : ~n),
            origin: `${instruction.op}${value.origin}`,
            stable: true,
            type: null,
          });
        } else
          instance.values.set(
            instruction.id,
            this.hold(
              {
                expr: choice(`${instruction.op}${value.origin}`, value.stable),
                origin: `${instruction.op}${value.origin}`,
                stable: value.stable,
                type: null,
              },
              at,
            ),
          );
        return;
      }
      case 'cast': {
        const value = this.operand(instance, instruction.value);
        instance.values.set(instruction.id, { ...value, type: instruction.to });
        return;
      }
      case 'load':
        instance.values.set(
          instruction.id,
          this.load(instance, instruction.place, types[instruction.id]?.type ?? instruction.place.type, at),
        );
        return;
      case 'store':
        this.store(
          instance,
          instruction.place,
          this.operand(instance, instruction.value),
          instruction.once === true,
          at,
        );
        return;
      case 'aggregate':
        instance.values.set(instruction.id, {
          expr: constant({ kind: 'opaque' }),
          origin: `aggregate ${instruction.type?.base ?? ''}`,
          stable: false,
          type: instruction.type,
        });
        return;
      case 'iterate':
        this.iterate(instance, instruction, at);
        return;
      case 'asm':
        if (instruction.clobbersMemory)
          this.emit({ kind: 'event', event: { kind: 'barrier', strength: 'compiler' }, at });
        instance.values.set(instruction.id, {
          expr: choice(`asm ${instruction.template}`, false),
          origin: 'asm',
          stable: false,
          type: null,
        });
        return;
    }
  }

  private binary(instance: Instance, instruction: Extract<Instruction, { kind: 'binary' }>, at: Site): Val {
    const left = this.operand(instance, instruction.left);
    const right = this.operand(instance, instruction.right);
    const origin = `(${left.origin} ${instruction.op} ${right.origin})`;
    const stable = left.stable && right.stable;
    const type = instance.fn.values[instruction.id]?.type ?? left.type;
    const kinds = [kindOf(left.expr, this.kinds), kindOf(right.expr, this.kinds)] as const;
    const op = instruction.op as Operator;
    const comparison = ['==', '!=', '<', '<=', '>', '>='].includes(op);
    if (kinds[0] === 'entry-pointer' && (op === '+' || op === '-') && kinds[1] !== 'entry-pointer') {
      const count: Expression = op === '-' ? { op: '-', args: [integer(0), right.expr] } : right.expr;
      return this.hold(
        {
          expr:
            right.index && op === '+'
              ? { op: 'slot', args: [left.expr, right.expr] }
              : { op: 'step', args: [left.expr, count] },
          origin: left.origin,
          stable: false,
          type: left.type,
        },
        at,
      );
    }
    // Shifts between page numbers and addresses, offsets inside: still the same memory.
    if (kinds[0] === 'memory' && !comparison && kinds[1] !== 'memory' && kinds[1] !== 'address')
      return { ...left, origin };
    // A counter that stands for a position: scaling and adding a base keep the position, adding one steps it.
    if (left.index || right.index) {
      const [position, other, otherKind] = left.index ? [left, right, kinds[1]] : [right, left, kinds[0]];
      if (comparison) {
        const past = constant({ kind: 'address', gap: 'past' });
        return this.hold(
          {
            expr: { op, args: left.index ? [position.expr, past] : [past, position.expr] },
            origin,
            stable: false,
            type: null,
          },
          at,
        );
      }
      if (op === '+' && other.expr.op === 'const' && otherKind === 'int')
        return this.hold(
          {
            expr: { op: '+', args: [position.expr, integer(4096)] },
            origin,
            stable: false,
            type,
            index: true,
          },
          at,
        );
      if (['+', '<<', '*', '|'].includes(op)) return { ...position, origin, type };
    }
    const opaque =
      kinds[0] === 'untracked' && (kinds[1] === 'untracked' || kinds[1] === 'int')
        ? true
        : kinds[1] === 'untracked' && kinds[0] === 'int';
    if (opaque) {
      const zero = isZero(right.expr);
      if (zero && (op === '==' || op === '!='))
        return { expr: simplify({ op, args: [left.expr, right.expr] }), origin, stable, type: null };
      if (left.expr.op === 'const' && right.expr.op === 'const')
        return { expr: { op, args: [left.expr, right.expr] }, origin, stable, type };
      return this.hold({ expr: choice(origin, stable), origin, stable, type }, at);
    }
    return this.hold({ expr: simplify({ op, args: [left.expr, right.expr] }), origin, stable, type }, at);
  }

  private iterate(
    instance: Instance,
    instruction: Extract<Instruction, { kind: 'iterate' }>,
    at: Site,
  ): void {
    const args = instruction.args.map((arg) => this.operand(instance, arg));
    const origin = `${instruction.macro}(${args.map((arg) => arg.origin).join(', ')})`;
    const rule = this.options.bodies.has(instruction.macro)
      ? null
      : ruleFor(this.rules, instruction.macro, this.resolver.machine);
    if (rule !== null && rule.form === 'iterate') {
      const expected = instance.fn.values[instruction.cursors[0]?.id ?? -1]?.type ?? null;
      const applied = this.apply(rule, args, at, origin, expected);
      const more = applied.more ?? choice(`${origin}: another`, false);
      instance.values.set(
        instruction.id,
        this.hold({ expr: more, origin: `${origin}: another`, stable: false, type: null }, at),
      );
      for (const cursor of instruction.cursors) {
        const parameter = rule.parameters[cursor.arg];
        const value = parameter === undefined ? undefined : applied.out.get(parameter);
        const type = instance.fn.values[cursor.id]?.type ?? null;
        instance.values.set(
          cursor.id,
          value === undefined
            ? { expr: constant({ kind: 'opaque' }), origin: `each of ${origin}`, stable: false, type }
            : { expr: value, origin: `each of ${origin}`, stable: false, type },
        );
      }
      return;
    }
    instance.values.set(
      instruction.id,
      this.hold(
        {
          expr: choice(`${origin}: another`, false),
          origin: `${origin}: another`,
          stable: false,
          type: null,
        },
        at,
      ),
    );
    for (const cursor of instruction.cursors) {
      instance.values.set(cursor.id, {
        expr: constant({ kind: 'opaque' }),
        origin: `each of ${origin}`,
        stable: false,
        type: instance.fn.values[cursor.id]?.type ?? null,
      });
    }
  }

  // ---- calls

  private call(
    instance: Instance,
    instruction: Extract<Instruction, { kind: 'call' }>,
    at: Site,
    expected: CType | null,
  ): Val {
    const args = instruction.args.map((arg) => this.operand(instance, arg));
    for (const { expr } of args)
      if (expr.op === 'const' && expr.value.kind === 'symbol' && expr.value.name === 'kernel')
        this.kernel = true;
    const name =
      'name' in instruction.callee
        ? instruction.callee.name
        : this.pointerTarget(instance, instruction.callee.pointer);
    const origins = args.map((arg) => arg.origin).join(', ');
    if (name === null) {
      return this.hold(
        {
          expr: choice(`call through pointer(${origins})`, false),
          origin: `call(${origins})`,
          stable: false,
          type: null,
        },
        at,
      );
    }
    const origin = `${name}(${origins})`;
    if (!this.options.bodies.has(name)) {
      const rule = ruleFor(this.rules, name, this.resolver.machine, args.length);
      if (rule !== null && rule.form === 'call')
        return this.byRule(rule, args, instance, at, origin, expected);
    }
    const found = this.definition(name, instance.fn.file);
    if (found !== null && this.follows(name, found, instance)) {
      const result = this.inline(found, args, instance, at);
      if (result !== null) return result;
    }
    return this.hold({ expr: choice(origin, false), origin, stable: false, type: null }, at);
  }

  /** A name as the file sees it, or, for code in headers, as the file that the root stands in does. */
  private definition(name: string, file: string): Found | null {
    return (
      this.resolver.define(name, file) ??
      (this.rootFile === '' ? null : this.resolver.define(name, this.rootFile))
    );
  }

  /** Puts a body in place of its call; null (and a gap) when the body could not be lowered. */
  private inline(found: Found, args: readonly Val[], instance: Instance, at: Site): Val | null {
    const lowered = this.resolver.lower(found);
    if (!('blocks' in lowered)) {
      this.gaps.push({
        function: found.definition.name,
        file: found.index.file,
        kind: 'parse',
        reason: `line ${lowered.line}: ${lowered.reason}`,
      });
      return null;
    }
    const after = this.label();
    const via = [...instance.via, { file: at.file, line: at.line, function: at.function }];
    const { entry, result } = this.instantiate(
      lowered,
      args,
      { depth: instance.depth + 1, via, stack: instance.stack },
      after,
      this.temporary(),
    );
    this.link(this.current, entry);
    this.current = after;
    return result;
  }

  /** What a primitive calls back: members of a constant table, or a function handed to it. */
  private callbacks(
    rule: CallRule,
    args: readonly Val[],
    instance: Instance,
    at: Site,
    value: (expr: Expression) => Expression,
  ): void {
    for (const callback of rule.callbacks ?? []) {
      const handed = args[rule.parameters.indexOf(callback.parameter)];
      if (handed === undefined) continue;
      const named = /^&?(?:G\.)?([A-Za-z_]\w*)$/.exec(handed.origin)?.[1];
      const first = named === undefined ? null : this.resolver.define(named, instance.fn.file);
      const target =
        callback.member === null
          ? first
          : first?.definition.kind === 'table'
            ? this.member(first, callback.member)
            : null;
      if (
        target === null ||
        target.definition.kind !== 'function' ||
        instance.stack.includes(target.definition.name)
      )
        continue;
      const lowered = this.resolver.lower(target);
      const parameters = 'blocks' in lowered ? lowered.parameters : [];
      const passed = callback.args.map((arg, n): Val => {
        const handed = arg.op === 'param' ? args[rule.parameters.indexOf(arg.name)] : undefined;
        const origin = `${rule.name} argument ${n}`;
        const val = handed ?? { expr: value(arg), origin, stable: true, type: null };
        const parameter = parameters[n];
        if (this.typeRule(parameter?.type ?? null)?.is !== 'address') return val;
        if (kindOf(val.expr, this.kinds) === 'address') return val;
        // A walker calls back for each stretch: where the witness lies in it is known by use, as for a root.
        const name = `a:${origin}`;
        this.kinds.set(name, 'address');
        return { ...val, expr: { op: 'var', name } };
      });
      // The struct that the last argument points to (struct mm_walk), with what the primitive puts into it.
      const cell = `L${this.instances}.${rule.name}`;
      for (const [field, expr] of Object.entries(callback.fields ?? {})) {
        const from = expr.op === 'param' ? args[rule.parameters.indexOf(expr.name)] : undefined;
        const val = from ?? { expr: value(expr), origin: `${rule.name} ${field}`, stable: true, type: null };
        this.storeCell(`${cell}.${field}`, val, undefined, at);
      }
      if (callback.fields !== undefined)
        passed.push({
          expr: constant({ kind: 'symbol', name: cell }),
          origin: `&${cell}`,
          stable: true,
          type: null,
          cell,
        });
      const body = this.label();
      const after = this.label();
      this.nodes.push({
        kind: 'branch',
        on: choice(`${rule.name} calls ${callback.member ?? callback.parameter}`, false),
        then: body,
        else: after,
        at,
      } as unknown as Draft);
      this.link(this.current, this.nodes.length - 1);
      this.current = body;
      this.inline(target, passed, instance, at);
      this.link(this.current, after);
      this.current = after;
    }
  }

  private member(table: Found, member: string): Found | null {
    const name = table.definition.kind === 'table' ? table.definition.members[member] : undefined;
    return name === undefined ? null : this.resolver.define(name, table.index.file);
  }

  private pointerTarget(instance: Instance, pointer: Operand): string | null {
    const val = this.operand(instance, pointer);
    // A member of a constant table: no run changes it.
    const member = /^G\.(\w+)\.(\w+)$/.exec(val.origin);
    if (member !== null) {
      const table = this.resolver.define(member[1] ?? '', instance.fn.file);
      if (table?.definition.kind !== 'table' || !table.definition.const) return null;
      return this.member(table, member[2] ?? '')?.definition.name ?? null;
    }
    return /^&?[A-Za-z_]\w*$/.test(val.origin) &&
      this.resolver.define(val.origin.replace(/^&/, ''), instance.fn.file) !== null
      ? val.origin.replace(/^&/, '')
      : null;
  }

  private follows(name: string, found: Found, instance: Instance): boolean {
    if (found.definition.kind !== 'function' && found.definition.kind !== 'macro') return false;
    if (instance.stack.includes(name)) return false;
    if (this.over) return false;
    const definition = found.definition;
    if (definition.kind === 'macro' && definition.parameters === null) return false;
    const near = found.index.file === instance.fn.file;
    const small =
      definition.lastLine - definition.firstLine <= SMALL_BODY_LINES && (near || definition.kind === 'macro');
    if (!small && !this.options.bodies.has(name) && !this.relevant(found, 0)) return false;
    if (instance.depth >= this.options.depthLimit || this.nodes.length > this.options.nodeLimit) {
      if (!this.relevant(found, 0)) return false;
      this.over = this.nodes.length > this.options.nodeLimit;
      this.gaps.push({
        function: name,
        file: found.index.file,
        kind: 'limit',
        reason:
          instance.depth >= this.options.depthLimit ? 'calls nest too deep' : 'the program is too large',
      });
      return false;
    }
    return true;
  }

  /** Does a body hold, itself or through what it calls in view, anything that a rule gives events to? */
  private relevant(found: Found, depth: number): boolean {
    const key = `${found.index.file}:${found.definition.start}`;
    const known = this.relevance.get(key);
    if (known !== undefined) return known;
    this.relevance.set(key, false);
    let result = false;
    for (const name of identifiersIn(found.index.text, found.definition.body, found.definition.end)) {
      if (!this.options.bodies.has(name)) {
        const rule = ruleFor(this.rules, name, this.resolver.machine);
        if (rule !== null) {
          if (rule.steps.some((step) => step.kind === 'event' && weighs(step.event))) {
            result = true;
            break;
          }
          continue;
        }
      }
      if (depth >= 5 || name === found.definition.name) continue;
      const next = this.definition(name, found.index.file);
      if (
        next !== null &&
        (next.definition.kind === 'function' ||
          (next.definition.kind === 'macro' && next.definition.parameters !== null)) &&
        this.relevant(next, depth + 1)
      ) {
        result = true;
        break;
      }
    }
    this.relevance.set(key, result);
    return result;
  }

  private byRule(
    rule: CallRule,
    args: readonly Val[],
    instance: Instance,
    at: Site,
    origin: string,
    expected: CType | null,
  ): Val {
    const applied = this.apply(rule, args, at, origin, expected);
    this.callbacks(rule, args, instance, at, applied.value);
    if (rule.stops) {
      this.nodes.push({ kind: 'stop', at } as unknown as Draft);
      this.link(this.current, this.nodes.length - 1);
      this.current = this.label();
    }
    const passes =
      rule.returns?.op === 'param' ? args[rule.parameters.indexOf(rule.returns.name)] : undefined;
    if (passes !== undefined) return passes;
    const stable = args.every((arg) => arg.stable);
    if (applied.returns === null)
      return this.hold({ expr: choice(origin, false), origin, stable: false, type: null }, at);
    return this.hold(
      { expr: applied.returns, origin, stable: stable && !this.undecided(applied.returns), type: null },
      at,
    );
  }

  private apply(
    rule: CallRule,
    args: readonly Val[],
    at: Site,
    origin: string,
    /** C type of what the call's value or cursor is put into. */
    expected: CType | null,
  ): {
    readonly returns: Expression | null;
    readonly more: Expression | null;
    readonly out: ReadonlyMap<string, Expression>;
    readonly value: (expr: Expression) => Expression;
  } {
    const locals = new Map<string, string>();
    const argument = (name: string): Val | null => {
      const position = rule.parameters.indexOf(name);
      return position < 0
        ? null
        : (args[position] ?? {
            expr: choice(`${origin} ${name}`, true),
            origin: name,
            stable: true,
            type: null,
          });
    };
    const value = (expr: Expression): Expression =>
      this.instantiateExpression(expr, argument, locals, origin, args);
    const local = (name: string): string => {
      const known = locals.get(name);
      if (known !== undefined) return known;
      const fresh = this.temporary();
      locals.set(name, fresh);
      return fresh;
    };
    for (const step of rule.steps) {
      if (step.kind === 'let') {
        const expr = value(step.value);
        const name = local(step.name);
        this.kinds.set(name, kindOf(expr, this.kinds));
        this.assign(name, expr, at);
        continue;
      }
      const event = this.bindEvent(step.event, argument, value, local, expected);
      if (event === null) continue;
      if (step.when === null) this.emit({ kind: 'event', event, at });
      else {
        const when = value(step.when);
        this.guarded(when, at, () => this.emit({ kind: 'event', event, at }));
      }
    }
    const out = new Map<string, Expression>();
    for (const [target, expr] of Object.entries(rule.out)) {
      const result = value(expr);
      out.set(target, result);
      const [parameter, field] = target.split(/->|\./);
      const pointer = argument(parameter ?? '');
      if (pointer === null || rule.form === 'iterate') continue;
      const cell = `${pointer.cell ?? `*${pointer.origin}`}${field === undefined ? '' : `.${field}`}`;
      this.storeCell(cell, { expr: result, origin: cell, stable: false, type: null }, undefined, at);
    }
    return {
      returns: rule.returns === null ? null : value(rule.returns),
      more: rule.more === null ? null : value(rule.more),
      out,
      value,
    };
  }

  private instantiateExpression(
    expr: Expression,
    argument: (name: string) => Val | null,
    locals: ReadonlyMap<string, string>,
    origin: string,
    args: readonly Val[],
  ): Expression {
    const walk = (e: Expression): Expression => {
      switch (e.op) {
        case 'const':
          return e;
        case 'param': {
          const arg = argument(e.name);
          if (arg !== null) return arg.expr;
          const name = locals.get(e.name);
          return name === undefined ? constant({ kind: 'opaque' }) : { op: 'var', name };
        }
        case 'var': {
          const name = locals.get(e.name);
          return name === undefined
            ? (argument(e.name)?.expr ?? constant({ kind: 'opaque' }))
            : { op: 'var', name };
        }
        case 'choice':
          return {
            ...e,
            key: e.key === '' ? origin : `${origin}: ${e.key}`,
            ...(e.stable === true && !args.every((arg) => arg.stable) ? { stable: false } : {}),
          };
        default: {
          const done = { ...e, args: e.args.map(walk) };
          return simplify(this.coerce(done));
        }
      }
    };
    return walk(expr);
  }

  /** C says `void *` and `unsigned long` where the model tells an entry pointer from the table it lies in. */
  private coerce(expr: Extract<Expression, { args: readonly Expression[]; op: Operator }>): Expression {
    const first = expr.args[0];
    if (first === undefined) return expr;
    const kind = kindOf(first, this.kinds);
    if ((expr.op === 'step' || expr.op === 'read') && kind === 'memory')
      return { ...expr, args: [{ op: 'first-entry', args: [first] }, ...expr.args.slice(1)] };
    if ((expr.op === 'make-leaf' || expr.op === 'make-table') && kind === 'entry-pointer')
      return { ...expr, args: [{ op: 'table-holding', args: [first] }, ...expr.args.slice(1)] };
    return expr;
  }

  /** A rule's event with its operands; null when the model does not follow the object it is about. */
  /** What a list whose members have this type carries, where nobody in view filled it. */
  private memberOf(type: CType | null): Value | null {
    const rule = this.typeRule(type);
    switch (rule?.is) {
      case 'memory-page':
        return { kind: 'memory', what: 'page', level: 'pte', who: 'W' };
      case 'memory-table':
        return { kind: 'memory', what: 'table', level: rule.level ?? 'pte', who: 'W' };
      case 'range':
        return { kind: 'memory', what: 'range', level: 'pte', who: 'W' };
      default:
        return null;
    }
  }

  private bindEvent(
    event: Event<Expression>,
    argument: (name: string) => Val | null,
    value: (e: Expression) => Expression,
    local: (name: string) => string,
    expected: CType | null,
  ): Event<Expression> | null {
    const symbolic = (expr: Expression): Expression => {
      const arg = expr.op === 'param' ? argument(expr.name) : null;
      if (arg === null) return value(expr);
      if (kindOf(arg.expr, this.kinds) === 'symbol' || kindOf(arg.expr, this.kinds) === 'entry-pointer')
        return arg.expr;
      const vma = arg.type?.base === 'struct vm_area_struct';
      return constant({
        kind: 'symbol',
        name: vma ? `${arg.cell ?? `*${arg.origin}`}.vm_mm` : (arg.cell ?? arg.origin),
      });
    };
    const memory = (expr: Expression): Expression => {
      const result = value(expr);
      return kindOf(result, this.kinds) === 'entry-pointer'
        ? { op: 'table-holding', args: [result] }
        : result;
    };
    const bound: Record<string, unknown> = {};
    for (const [key, part] of Object.entries(event)) {
      if (key === 'into' || key === 'old') bound[key] = local(String(part));
      else if (key === 'scope') bound[key] = mapScope(part as Record<string, unknown>, value);
      else if (typeof part === 'object' && part !== null && 'op' in part) {
        const expr = part as Expression;
        if (['space', 'gather', 'container', 'from', 'to', 'lock'].includes(key)) bound[key] = symbolic(expr);
        else if (['memory', 'item'].includes(key)) bound[key] = memory(expr);
        else bound[key] = value(expr);
      } else bound[key] = part;
    }
    if (event.kind === 'container-take') {
      const member = this.memberOf(expected);
      if (member !== null) bound['unseen'] = constant(member);
    }
    if ((event.kind === 'notify-start' || event.kind === 'notify-end') && event.start === undefined) {
      // The section's range stands in the struct that mmu_notifier_range_init() filled.
      const cell = argument('range')?.cell;
      for (const side of ['start', 'end']) {
        const name = `m:${cell}.${side}`;
        if (cell !== undefined && this.kinds.get(name) === 'address') bound[side] = { op: 'var', name };
      }
      if (bound['start'] === undefined || bound['end'] === undefined) {
        delete bound['start'];
        delete bound['end'];
      }
    }
    const result = bound as unknown as Event<Expression>;
    if ('into' in result)
      this.kinds.set(
        result.into,
        result.kind === 'alloc'
          ? 'memory'
          : result.kind === 'container-take'
            ? 'memory'
            : result.kind === 'read'
              ? 'entry-value'
              : 'int',
      );
    if ('old' in result && result.old !== undefined) this.kinds.set(result.old, 'entry-value');
    if ('entry' in result) {
      const kind = kindOf(result.entry, this.kinds);
      if (kind === 'memory') return { ...result, entry: { op: 'first-entry', args: [result.entry] } };
      if (kind !== 'entry-pointer') return null;
    }
    if ('memory' in result) {
      const kind = kindOf(result.memory, this.kinds);
      if (kind !== 'memory' && kind !== 'entry-value') return null;
    }
    if (
      result.kind === 'container-add' &&
      !['memory', 'entry-value', 'entry-pointer'].includes(kindOf(result.item, this.kinds))
    )
      return null;
    if (
      (result.kind === 'lock' || result.kind === 'unlock' || result.kind === 'assert-held') &&
      (result.class === 'other' ||
        // A lock that is no page table's protects no entry.
        (result.class === 'ptl' && kindOf(result.lock, this.kinds) !== 'entry-pointer'))
    )
      return null;
    return result;
  }
}

/** Events that make a body worth following; taking a lock or a reference alone does not. */
function weighs(event: Event<Expression>): boolean {
  return ![
    'lock',
    'unlock',
    'assert-held',
    'get',
    'rcu-read',
    'interrupts',
    'barrier',
    'container-add',
    'container-take',
    'container-init',
    'container-move',
    'alloc',
  ].includes(event.kind);
}

function mapScope(
  scope: Record<string, unknown>,
  value: (e: Expression) => Expression,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(scope).map(([key, part]) => [
      key,
      typeof part === 'object' && part !== null && 'op' in part ? value(part as Expression) : part,
    ]),
  );
}

function choice(key: string, stable: boolean): Expression {
  return {
    op: 'choice',
    key,
    of: [NULL, { kind: 'some', is: 'nonzero' }],
    ...(stable ? { stable: true } : {}),
  };
}

const isZero = (expr: Expression): boolean =>
  expr.op === 'const' && expr.value.kind === 'int' && expr.value.n === 0;

/** Truth of a value that is known while extracting; null where it is not. */
function known(expr: Expression | undefined): boolean | null {
  if (expr?.op !== 'const') return null;
  if (expr.value.kind === 'int') return expr.value.n !== 0;
  return expr.value.kind === 'some' || expr.value.kind === 'entry-value' ? null : true;
}

function simplify(expr: Expression): Expression {
  if (!('args' in expr) || expr.op === 'choice') return expr;
  const [a, b, c] = expr.args ?? [];
  const first = known(a);
  switch (expr.op) {
    case '!':
      if (first !== null) return integer(first ? 0 : 1);
      if (a?.op === '!' && a.args[0] !== undefined) return { op: '!=', args: [a.args[0], integer(0)] };
      return expr;
    case '&&':
    case '||': {
      const settles = expr.op === '||';
      if (first === settles) return integer(settles ? 1 : 0);
      const second = known(b);
      if (first !== null)
        return second === null ? { op: '!=', args: [b ?? integer(0), integer(0)] } : integer(second ? 1 : 0);
      return expr;
    }
    case 'select':
      return first === null || b === undefined || c === undefined ? expr : first ? b : c;
    default:
      break;
  }
  if (a?.op !== 'const' || a.value.kind !== 'int' || b?.op !== 'const' || b.value.kind !== 'int') return expr;
  const [x, y] = [a.value.n, b.value.n];
  switch (expr.op) {
    case '+':
      return integer(x + y);
    case '-':
      return integer(x - y);
    case '*':
      return integer(x * y);
    case '<<':
      return integer(x * 2 ** Math.min(y, 52));
    case '==':
      return integer(x === y ? 1 : 0);
    case '!=':
      return integer(x !== y ? 1 : 0);
    case '<':
      return integer(x < y ? 1 : 0);
    case '<=':
      return integer(x <= y ? 1 : 0);
    case '>':
      return integer(x > y ? 1 : 0);
    case '>=':
      return integer(x >= y ? 1 : 0);
    default:
      return expr;
  }
}

function substitute(expr: Expression, of: (name: string) => Expression | null): Expression {
  if (expr.op === 'param') return of(expr.name) ?? expr;
  if (expr.op === 'const' || expr.op === 'var' || expr.op === 'choice') return expr;
  return { ...expr, args: expr.args.map((arg) => substitute(arg, of)) };
}

function entryLevel(type: Val['type']): Level | null {
  const match = type === null ? null : /^(pte|pmd|pud|p4d|pgd)_t$/.exec(type.base);
  return match === null ? null : (LEVELS.find((level) => level === match[1]) ?? null);
}

const phiName = (instance: Instance, id: number): string => `p${instance.number}.${id}`;

/** Is the value used as a position in a table or array, or handed to a macro that may do so? */
function indexes(fn: CFunction, id: number): boolean {
  const uses = (operand: Operand): boolean => operand.kind === 'value' && operand.id === id;
  const inPlace = (place: Place): boolean =>
    place.path.some((step) => step.kind === 'index' && uses(step.at));
  for (const block of fn.blocks) {
    for (const instruction of block.instructions) {
      if ((instruction.kind === 'load' || instruction.kind === 'store') && inPlace(instruction.place))
        return true;
      if (
        instruction.kind === 'call' &&
        instruction.args.some(
          (arg) =>
            (arg.kind === 'address' && inPlace(arg.place)) ||
            (uses(arg) && 'name' in instruction.callee && /^[A-Z0-9_]+$/.test(instruction.callee.name)),
        )
      )
        return true;
      if (
        instruction.kind === 'binary' &&
        instruction.op === '+' &&
        uses(instruction.right) &&
        instruction.left.kind === 'value' &&
        (fn.values[instruction.left.id]?.type?.pointers ?? 0) > 0
      )
        return true;
    }
  }
  return false;
}

function reversePostorder(blocks: readonly Block[]): BlockId[] {
  const byId = new Map(blocks.map((block) => [block.id, block]));
  const seen = new Set<BlockId>();
  const order: BlockId[] = [];
  const successors = (block: Block): BlockId[] => {
    switch (block.end.kind) {
      case 'jump':
        return [block.end.to];
      case 'branch':
        return [block.end.else, block.end.then];
      default:
        return [];
    }
  };
  const first = blocks[0];
  if (first === undefined) return [];
  const stack: { id: BlockId; next: BlockId[] }[] = [{ id: first.id, next: successors(first) }];
  seen.add(first.id);
  while (stack.length > 0) {
    const top = stack[stack.length - 1];
    if (top === undefined) break;
    const to = top.next.shift();
    if (to === undefined) {
      order.push(top.id);
      stack.pop();
      continue;
    }
    const block = byId.get(to);
    if (block === undefined || seen.has(to)) continue;
    seen.add(to);
    stack.push({ id: to, next: successors(block) });
  }
  return order.reverse();
}

function holds(condition: CallRule['condition'], resolver: Resolver): boolean {
  if (condition.arch !== undefined && !condition.arch.includes(resolver.machine.arch)) return false;
  if (condition.notArch?.includes(resolver.machine.arch)) return false;
  for (const [name, value] of Object.entries(condition.facts ?? {}))
    if (resolver.machine.facts[name as keyof typeof resolver.machine.facts] !== value) return false;
  for (const [symbol, value] of Object.entries(condition.config ?? {}))
    if ((resolver.configuration(symbol) !== undefined) !== (value === 'y')) return false;
  return true;
}
