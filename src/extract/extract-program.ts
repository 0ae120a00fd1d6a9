/**
 * Functions and rules to one event program: a root's graph with its callees put in place, every call that a rule knows
 * replaced by its events, everything else reduced to named choices (DESIGN.md rules 2, 4, 5, 6).
 *
 * Values are followed symbolically while the graph is built; whatever can differ between runs becomes a variable of
 * the program, so that which table or page a pointer means is decided on each path, not once for the function.
 */

import type { Block, BlockId, CFunction, Instruction } from '#c/ir.js';
import { constant, type Expression, integer, type Operator } from '#event/expression.js';
import { leavesEntriesAlone } from '#event/leaves-entries-alone.js';
import type { EventProgram, NodeId, ProgramNode, Site } from '#event/program.js';
import { AREAS, type Level, type Value } from '#event/value.js';
import type { RuleSet } from '#rules/rule.js';
import { RuleEvents, TABLE_LOCK } from './apply-rule.js';
import { Calls } from './calls.js';
import { entryBits, otherBits } from './entry-bits.js';
import { choice, isZero, known, simplify } from './expressions.js';
import type { Extraction, ExtractOptions, Together } from './extraction.js';
import { finishProgram } from './finish-program.js';
import type { Instance } from './instance.js';
import { leadsToEntries } from './leads-to-entries.js';
import { Loops, layoutOf, phiName } from './loops.js';
import { Memory, type StartCell } from './memory.js';
import { type Draft, ProgramGraph } from './program-graph.js';
import type { Found, Resolver } from './resolve.js';
import { type Kind, kindOf, type Val } from './value.js';

export function extractProgram(
  root: Found,
  resolver: Resolver,
  rules: RuleSet,
  options: ExtractOptions,
): Extraction | { readonly reason: string; readonly line: number } {
  const { bodies, linked, outermost } = options;
  const view = { rules, bodies, linked, rootFile: root.index.file, together: false };
  if (options.kindCallers === true && !leadsToEntries(resolver, root, view)) {
    const { name } = root.definition;
    return { program: emptyProgram(name, outermost), followed: [name], gaps: [] };
  }
  const lowered = resolver.lower(root);
  if (!('blocks' in lowered)) return { reason: lowered.reason, line: lowered.line };
  const first = new Builder(resolver, rules, options, new Map());
  const finish = first.draft(lowered, null);
  // Memory read before the store that reaches it (loops): build again with the stored cells known from the start.
  const extraction = first.memory.readEarly
    ? new Builder(resolver, rules, options, first.memory.cells()).draft(lowered, null)(new Set())
    : finish(new Set());
  return runsAtBoot(root) ? { ...extraction, program: { ...extraction.program, boot: true } } : extraction;
}

/**
 * `__init` code that nobody registers as an initcall: those run once the other CPUs do (init/main.c,
 * kernel_init_freeable()).
 */
function runsAtBoot({ index, definition }: Found): boolean {
  if (definition.kind !== 'function') return false;
  if (!/\b__init\b/.test(index.text.slice(definition.start, definition.body))) return false;
  return !new RegExp(`\\b(?:\\w*initcall\\w*|module_init)\\s*\\(\\s*${definition.name}\\s*\\)`).test(
    index.text,
  );
}

/** A program that does nothing. */
const emptyProgram = (name: string, outermost: boolean): EventProgram => ({
  name,
  nodes: [{ kind: 'return', value: null, at: null }],
  initial: new Map(),
  levels: [],
  space: 'unknown',
  outermost,
  assumptions: [],
});

/** A choice, for the whole run if it is stable; none where there is one option. */
function oneOf(key: string, of: readonly Value[], stable = true): Expression {
  const only = of[0];
  if (only !== undefined && of.length === 1) return constant(only);
  return { op: 'choice', key, of, ...(stable ? { stable } : {}) };
}

/** One root of several that run together, ready to be cut down to what some program needs. */
export interface Built {
  readonly stored: ReadonlyMap<string, Kind>;
  /** Memory of its own that was read before the store to it was seen. */
  readonly early: ReadonlyMap<string, StartCell>;
  /** `readElsewhere`: variables that other programs read. */
  finish(readElsewhere: ReadonlySet<string>): Extraction;
}

/**
 * One CPU's root. `setup` runs before it and before every other CPU starts; `early` is memory of its own that is known
 * to be stored to.
 */
export function buildTogether(
  root: CFunction,
  setup: CFunction | null,
  resolver: Resolver,
  rules: RuleSet,
  options: ExtractOptions & { readonly together: Together },
  early: ReadonlyMap<string, StartCell>,
): Built {
  const start = new Map<string, StartCell>(early);
  for (const [cell, kind] of options.together.cells) start.set(cell, { kind, value: null });
  const builder = new Builder(resolver, rules, options, start);
  const finish = builder.draft(root, setup);
  const own = new Map([...builder.memory.cells()].filter(([cell]) => cell.startsWith('L')));
  return { stored: builder.memory.sharedCells(), early: own, finish };
}

class Builder {
  private readonly followed = new Set<string>();
  private readonly assumptions = new Set<string>();

  private readonly graph = new ProgramGraph();
  readonly memory: Memory;
  private readonly events: RuleEvents;
  private readonly calls: Calls;
  private readonly loops: Loops;

  constructor(
    private readonly resolver: Resolver,
    private readonly rules: RuleSet,
    private readonly options: ExtractOptions,
    cellsAtStart: ReadonlyMap<string, StartCell>,
  ) {
    this.graph.cpu = options.together?.cpu ?? 0;
    this.memory = new Memory(this.graph, resolver, rules, cellsAtStart, options.together !== undefined);
    this.events = new RuleEvents(this.graph, this.memory);
    this.calls = new Calls(this.graph, this.memory, this.events, resolver, rules, options, (...call) =>
      this.instantiate(...call),
    );
    this.loops = new Loops(this.graph, this.memory);
  }

  /** Builds the graph; what comes back cuts it down. */
  draft(fn: CFunction, setup: CFunction | null): (readElsewhere: ReadonlySet<string>) => Extraction {
    const { together } = this.options;
    this.calls.rootFile = fn.file;
    this.memory.rootFile = fn.file;
    this.graph.nodes.push({ kind: 'assign', sets: [], next: -1, at: null } as unknown as Draft);
    const argsOf = (of: CFunction): Val[] =>
      of.parameters.map(
        (parameter, position): Val =>
          together === undefined
            ? this.rootArgument(parameter.type, parameter.name, `arg${position}`)
            : this.sharedArgument(parameter.type, parameter.name),
      );
    const args = together === undefined ? this.apart(fn, argsOf(fn)) : argsOf(fn);
    // What memory of all programs holds that nobody filled is found out when somebody reads it.
    for (const [cell, { value }] of this.memory.cellsAtStart)
      if (!cell.startsWith('L') && together === undefined)
        this.graph.assign(`m:${cell}`, value ?? choice(cell, true), null);
    if (setup !== null) {
      const ready = this.graph.label();
      const { entry } = this.instantiate(
        setup,
        argsOf(setup),
        { depth: 0, via: [], stack: [] },
        ready,
        'ready',
      );
      this.graph.link(this.graph.current, entry);
      this.graph.current = ready;
      const at = { file: setup.file, line: setup.lastLine, function: setup.name };
      this.graph.emit({ kind: 'event', event: { kind: 'start' }, at });
    }
    const end = this.graph.label();
    const result = this.instantiate(fn, args, { depth: 0, via: [], stack: [] }, end, 'result');
    this.graph.link(this.graph.current, result.entry);
    const returnsFlag = fn.returns !== null && fn.returns.pointers === 0 && fn.returns.base !== 'void';
    this.graph.nodes[end] = {
      kind: 'return',
      value: returnsFlag ? { op: 'var', name: 'result' } : null,
      at: { file: fn.file, line: fn.lastLine, function: fn.name },
    } as unknown as Draft;
    return (readElsewhere) => this.finish(fn, readElsewhere);
  }

  private finish(fn: CFunction, readElsewhere: ReadonlySet<string>): Extraction {
    const { together, kindCallers, outermost } = this.options;
    const nodes = this.graph.nodes as unknown as ProgramNode[];
    const followed = [...this.followed];
    if (kindCallers === true && leavesEntriesAlone(nodes))
      return { program: emptyProgram(fn.name, outermost), followed, gaps: this.calls.gaps };
    const program = finishProgram({
      name: fn.name,
      nodes,
      kinds: this.graph.kinds,
      beside: this.graph.beside,
      indexPhis: this.loops.indexPhis,
      kernel: this.calls.kernel,
      guest: this.calls.guest,
      walkers: this.calls.walkers,
      outermost,
      returnsFlag: fn.returns?.base === 'bool' && fn.returns.pointers === 0,
      assumptions: [
        ...this.assumptions,
        ...new Set(this.calls.gaps.map((gap) => `${gap.function}() was not followed: ${gap.reason}`)),
      ],
      readElsewhere,
      ...(together === undefined
        ? {}
        : { shared: new Set([...together.cells.keys()].map((cell) => `m:${cell}`)) }),
    });
    return { program, followed, gaps: this.calls.gaps };
  }

  /**
   * Two pointers of one type (`old_pmd`, `new_pmd`; `dst_pte`, `src_pte`) are entries of two addresses: either may be
   * the witness's, never both. So may the entries that are found in two areas (`dst_vma`, `src_vma`).
   */
  private apart(fn: CFunction, args: readonly Val[]): Val[] {
    const firsts = new Map<string, Expression>();
    const kinds = fn.parameters.map(({ type, name }) => {
      const rule = this.memory.typeRule(type, name);
      return rule?.is === 'entry-pointer' && rule.levels === undefined ? (rule.level ?? 'pte') : null;
    });
    const twice = kinds.some((kind, n) => kind !== null && kinds.indexOf(kind) !== n);
    if (this.options.kindCallers === true && !twice) return this.areasApart(fn, args);
    return args.map((arg, n) => {
      const level = kinds[n];
      if (level === undefined || level === null || kinds.filter((kind) => kind === level).length < 2)
        return arg;
      const entry = (table: 'W' | 'A'): Value => ({ kind: 'entry-pointer', level, table, gap: 'at' });
      const first = firsts.get(level);
      if (first === undefined) {
        const expr = oneOf(`${arg.origin} lies at`, [entry('W'), entry('A')]);
        firsts.set(level, expr);
        return { ...arg, expr };
      }
      const here: Expression = { op: '==', args: [first, constant(entry('W'))] };
      return { ...arg, expr: { op: 'select', args: [here, constant(entry('A')), constant(entry('W'))] } };
    });
  }

  /** Two areas that are handed over, where no entries are. */
  private areasApart(fn: CFunction, args: readonly Val[]): Val[] {
    const areas = args.filter((_, n) => {
      const { type, name } = fn.parameters[n] ?? { type: null, name: '' };
      return this.memory.typeRule(type, name)?.is === 'vma';
    });
    const [first, second] = areas;
    if (first === undefined || second === undefined || areas.length > 2) return [...args];
    const [one, other] = AREAS.map((name): Value => ({ kind: 'symbol', name })) as [Value, Value];
    const expr = oneOf(`${first.origin} is`, [one, other]);
    const here: Expression = { op: '==', args: [expr, constant(one)] };
    const rest: Expression = { op: 'select', args: [here, constant(other), constant(one)] };
    return args.map((arg) =>
      arg === first ? { ...arg, expr } : arg === second ? { ...arg, expr: rest } : arg,
    );
  }

  /** An argument of one of several programs: the same name means the same thing in all of them. */
  private sharedArgument(type: Val['type'], name: string): Val {
    const is = this.memory.typeRule(type)?.is;
    const struct = type !== null && type.pointers === 1 && type.base.startsWith('struct ');
    return struct && (is === undefined || is === 'mm' || is === 'vma')
      ? this.memory.object(name, type)
      : this.rootArgument(type, name, name);
  }

  /** What a root gets from outside: entry pointers are the witness's, the rest is known by position only. */
  private rootArgument(type: Val['type'], name: string, origin: string): Val {
    const base = { origin, stable: true, type };
    if (type === null) return { ...base, expr: choice(origin, true) };
    const rule = this.memory.typeRule(type, name);
    const level = rule?.level ?? 'pte';
    const levels = rule?.levels ?? [level];
    if (rule?.space === 'guest') this.calls.guest = true;
    switch (rule?.is) {
      case 'entry-pointer':
        return {
          ...base,
          expr: oneOf(
            `${origin} lies at`,
            levels.map((at): Value => ({ kind: 'entry-pointer', level: at, table: 'W', gap: 'at' })),
          ),
        };
      case 'entry-value': {
        const value = (level: Level, of: 'W' | 'new'): Value => ({
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
        // In a variable: what a test finds out about the value then holds for the rest of the run.
        return this.graph.hold(
          {
            ...base,
            expr: oneOf(`${origin} is`, [...levels.map((at) => value(at, 'W')), value(level, 'new')], false),
          },
          null,
        );
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
        this.graph.kinds.set(`a:${origin}`, 'address');
        return { ...base, expr: { op: 'var', name: `a:${origin}` } };
      case 'table-lock':
        return { ...base, expr: constant({ kind: 'symbol', name: `${TABLE_LOCK}${origin}` }) };
      default:
        return { ...base, expr: choice(origin, true) };
    }
  }

  instantiate(
    fn: CFunction,
    args: readonly Val[],
    outer: { readonly depth: number; readonly via: Site[]; readonly stack: readonly string[] },
    exit: NodeId,
    resultName: string,
  ): { readonly entry: NodeId; readonly result: Val } {
    this.followed.add(fn.name);
    for (const gap of fn.gaps)
      this.calls.gaps.push({
        function: fn.name,
        file: fn.file,
        kind: 'parse',
        reason: `line ${gap.line}: ${gap.reason}`,
      });
    this.graph.instances += 1;
    const instance: Instance = {
      fn,
      number: this.graph.instances,
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
    const { blocks, order, rank } = layoutOf(fn);
    for (const id of order) instance.labels.set(id, this.graph.label());
    const saved = this.graph.current;
    const results: Val[] = [];
    for (const id of order) {
      const block = blocks.get(id);
      if (block === undefined) continue;
      this.graph.current = instance.labels.get(id) ?? 0;
      this.block(instance, block, rank, blocks, exit, resultName, results);
    }
    this.graph.current = saved;
    const entry = instance.labels.get(fn.blocks[0]?.id ?? 0) ?? exit;
    const kind =
      results
        .map((result) => kindOf(result.expr, this.graph.kinds))
        .find((k) => k !== 'untracked' && k !== 'int') ??
      (results.length > 0 && results.every((r) => kindOf(r.expr, this.graph.kinds) === 'untracked')
        ? 'untracked'
        : 'int');
    this.graph.kinds.set(resultName, kind);
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
        ...(only?.among === undefined ? {} : { among: only.among }),
        ...(only?.from === undefined ? {} : { from: only.from }),
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
    this.loops.phis(instance, block, loops, rank);
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
        const on = this.memory.operand(instance, end.on);
        const at = this.site(instance, end.line);
        const node = this.graph.nodes.length;
        this.graph.nodes.push({
          kind: 'branch',
          on: on.expr,
          then: -1,
          else: -1,
          at,
          text: end.text,
        } as unknown as Draft);
        this.graph.link(this.graph.current, node);
        const sides: NodeId[] = [];
        for (const to of [end.then, end.else]) {
          const side = this.graph.label();
          sides.push(side);
          this.graph.current = side;
          this.edge(instance, block.id, to, blocks);
        }
        const branch = this.graph.nodes[node] as unknown as { then: NodeId; else: NodeId };
        branch.then = sides[0] ?? exit;
        branch.else = sides[1] ?? exit;
        return;
      }
      case 'return': {
        if (end.value !== null) {
          const value = this.memory.operand(instance, end.value);
          results.push(value);
          this.graph.assign(resultName, value.expr, this.site(instance, end.line));
        }
        this.graph.link(this.graph.current, exit);
        return;
      }
      case 'stop':
        this.graph.end({ kind: 'stop', at: this.site(instance, end.line) });
        return;
    }
  }

  private edge(instance: Instance, from: BlockId, to: BlockId, blocks: ReadonlyMap<BlockId, Block>): void {
    const sets: { name: string; value: Expression }[] = [];
    for (const instruction of blocks.get(to)?.instructions ?? []) {
      if (instruction.kind !== 'phi') continue;
      const incoming = instruction.from.find((edge) => edge.block === from);
      if (incoming === undefined) continue;
      const value = this.memory.operand(instance, incoming.value);
      const name = phiName(instance, instruction.id);
      if (value.expr.op === 'var' && value.expr.name === name) continue;
      const kind = kindOf(value.expr, this.graph.kinds);
      const known = this.graph.kinds.get(name);
      if (known === undefined || known === 'untracked' || known === 'int')
        this.graph.kinds.set(name, kind === 'untracked' && known === 'int' ? 'int' : kind);
      sets.push({ name, value: value.expr });
    }
    if (sets.length > 0) this.graph.emit({ kind: 'assign', sets, at: null });
    this.graph.link(this.graph.current, instance.labels.get(to) ?? 0);
  }

  private instruction(instance: Instance, instruction: Exclude<Instruction, { kind: 'phi' }>): void {
    const at = this.site(instance, instruction.line);
    const types = instance.fn.values;
    switch (instruction.kind) {
      case 'call': {
        const result = this.calls.call(instance, instruction, at, types[instruction.id]?.type ?? null);
        instance.values.set(instruction.id, { ...result, type: types[instruction.id]?.type ?? result.type });
        return;
      }
      case 'binary':
        instance.values.set(instruction.id, this.binary(instance, instruction, at));
        return;
      case 'unary': {
        const value = this.memory.operand(instance, instruction.value);
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
            expr: integer(instruction.op === '-' ? -n : -n - 1),
            origin: `${instruction.op}${value.origin}`,
            stable: true,
            type: null,
          });
        } else
          instance.values.set(
            instruction.id,
            this.graph.hold(
              {
                expr:
                  (instruction.op === '~' ? otherBits(value.expr) : null) ??
                  (kindOf(value.expr, this.graph.kinds) === 'int'
                    ? { op: '-', args: [integer(instruction.op === '-' ? 0 : -1), value.expr] }
                    : choice(`${instruction.op}${value.origin}`, value.stable)),
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
        const value = this.memory.operand(instance, instruction.value);
        instance.values.set(instruction.id, { ...value, type: instruction.to });
        return;
      }
      case 'load':
        instance.values.set(
          instruction.id,
          this.memory.load(
            instance,
            instruction.place,
            types[instruction.id]?.type ?? instruction.place.type,
            at,
          ),
        );
        return;
      case 'store':
        this.memory.store(
          instance,
          instruction.place,
          this.memory.operand(instance, instruction.value),
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
        this.calls.instruction(instruction.template, at);
        if (instruction.clobbersMemory)
          this.graph.emit({ kind: 'event', event: { kind: 'barrier', strength: 'compiler' }, at });
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
    const left = this.memory.operand(instance, instruction.left);
    const right = this.memory.operand(instance, instruction.right);
    const origin = `(${left.origin} ${instruction.op} ${right.origin})`;
    const stable = left.stable && right.stable;
    const type = instance.fn.values[instruction.id]?.type ?? left.type;
    const kinds = [kindOf(left.expr, this.graph.kinds), kindOf(right.expr, this.graph.kinds)] as const;
    const op = instruction.op as Operator;
    const comparison = ['==', '!=', '<', '<=', '>', '>='].includes(op);
    // `table + pte_index(addr)`: the table's entry for that address.
    if (op === '+' && kinds[1] === 'address' && !right.index && this.memory.pointsToEntries(left.type)) {
      const table = kinds[0] === 'memory' ? this.memory.firstEntry(left) : left.expr;
      if (kinds[0] === 'memory' || kinds[0] === 'entry-pointer')
        return this.graph.hold(
          {
            expr: { op: 'couple', args: [table, right.expr] },
            origin: left.origin,
            stable: false,
            type: left.type,
          },
          at,
        );
    }
    if (kinds[0] === 'entry-pointer' && (op === '+' || op === '-') && kinds[1] !== 'entry-pointer') {
      if (right.index && op === '+')
        return this.graph.hold(
          {
            expr: { op: 'slot', args: [left.expr, right.expr] },
            origin: left.origin,
            stable: false,
            type: left.type,
          },
          at,
        );
      const { from, by } = together(left, op, right);
      return {
        ...this.graph.hold(
          {
            expr: { op: 'step', args: [from, forward(by)] },
            origin: left.origin,
            stable: false,
            type: left.type,
          },
          at,
        ),
        ...(by.expr.op === 'var' ? {} : { stepped: { from, by } }),
      };
    }
    // A table's first entry and a position in it.
    if (kinds[0] === 'memory' && op === '+' && this.memory.pointsToEntries(left.type))
      return this.graph.hold(
        {
          expr: {
            op: right.index ? 'slot' : 'step',
            args: [this.memory.firstEntry(left), right.expr],
          },
          origin: left.origin,
          stable: false,
          type: left.type,
        },
        at,
      );
    // What differs between two entries, under whatever mask: that they differ.
    if (kinds[0] === 'entry-value' && kinds[1] === 'entry-value' && op === '^')
      return {
        ...this.graph.hold(
          {
            expr: { op: '!', args: [{ op: 'same', args: [left.expr, right.expr] }] },
            origin,
            stable: false,
            type,
          },
          at,
        ),
        difference: true,
      };
    if (left.difference && op === '&') return { ...left, origin };
    if (kinds[0] === 'entry-value' && kinds[1] !== 'entry-value') {
      const expr = entryBits(op, left, right, this.rules);
      if (expr !== null) return this.graph.hold({ expr, origin, stable: false, type }, at);
    }
    // Shifts between page numbers and addresses, offsets inside: still the same memory.
    if (kinds[0] === 'memory' && !comparison && kinds[1] !== 'memory' && kinds[1] !== 'address')
      return { ...left, origin };
    // The page at a position of a block: the followed address's where the position is.
    if (kinds[0] === 'memory' && op === '+' && right.index) return { ...left, origin };
    // A counter that stands for a position: scaling and adding a base keep the position, adding one steps it.
    if (left.index || right.index) {
      const [position, other, otherKind] = left.index ? [left, right, kinds[1]] : [right, left, kinds[0]];
      if (comparison) {
        const past = constant({ kind: 'address', gap: 'past' });
        return this.graph.hold(
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
        return this.graph.hold(
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
    // A flag that something is added to holds whatever else it held.
    if (opaque && op === '|')
      return this.graph.hold(
        { expr: simplify({ op, args: [left.expr, right.expr] }), origin, stable, type },
        at,
      );
    // What is scaled is none where there was none: pointer and address that go so many entries on go together.
    if (opaque && (op === '*' || op === '<<')) {
      const [factor, count] = left.expr.op === 'const' && op === '*' ? [left, right] : [right, left];
      if (factor.expr.op === 'const' && known(factor.expr) === true && count.expr.op === 'choice')
        return { ...count, origin, type };
    }
    if (opaque) {
      const zero = isZero(right.expr);
      if (zero && (op === '==' || op === '!='))
        return { expr: simplify({ op, args: [left.expr, right.expr] }), origin, stable, type: null };
      if (left.expr.op === 'const' && right.expr.op === 'const')
        return { expr: { op, args: [left.expr, right.expr] }, origin, stable, type };
      return this.graph.hold({ expr: choice(origin, stable), origin, stable, type }, at);
    }
    return this.graph.hold(
      { expr: simplify({ op, args: [left.expr, right.expr] }), origin, stable, type },
      at,
    );
  }

  private iterate(
    instance: Instance,
    instruction: Extract<Instruction, { kind: 'iterate' }>,
    at: Site,
  ): void {
    const args = instruction.args.map((arg) => this.memory.operand(instance, arg));
    const origin = `${instruction.macro}(${args.map((arg) => arg.origin).join(', ')})`;
    const rule = this.options.bodies.has(instruction.macro)
      ? null
      : this.resolver.rule(this.rules, instruction.macro);
    if (rule !== null && rule.form === 'iterate') {
      const expected = instance.fn.values[instruction.cursors[0]?.id ?? -1]?.type ?? null;
      this.calls.heedSpace(rule);
      const applied = this.events.apply(rule, args, at, origin, expected);
      const more = applied.more ?? choice(`${origin}: another`, false);
      instance.values.set(
        instruction.id,
        this.graph.hold({ expr: more, origin: `${origin}: another`, stable: false, type: null }, at),
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
      this.graph.hold(
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
}

/** Where a pointer comes from and how many entries away it is, once `right` more are gone. */
function together(left: Val, op: Operator, right: Val): { readonly from: Expression; readonly by: Val } {
  const alone: Val =
    op === '-' ? { ...right, expr: simplify({ op: '-', args: [integer(0), right.expr] }) } : right;
  const before = left.stepped;
  const plain = (val: Val): boolean => val.expr.op === 'choice' || val.expr.op === 'const';
  if (before === undefined || !plain(before.by) || !plain(right)) return { from: left.expr, by: alone };
  const origin = `(${before.by.origin} ${op} ${right.origin})`;
  const stable = before.by.stable && right.stable;
  const numbers = before.by.expr.op === 'const' && right.expr.op === 'const';
  const expr = numbers ? simplify({ op, args: [before.by.expr, right.expr] }) : choice(origin, stable);
  return { from: before.from, by: { expr, origin, stable, type: before.by.type } };
}

/** A count that C gives no sign goes forward. */
function forward(count: Val): Expression {
  const { type } = count;
  const unsigned = type?.pointers === 0 && /^(unsigned\b|size_t$|u(8|16|32|64)$)/.test(type.base);
  if (!unsigned || count.expr.op !== 'choice') return count.expr;
  return { op: 'select', args: [count.expr, constant({ kind: 'some', is: 'positive' }), integer(0)] };
}
