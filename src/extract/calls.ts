/** Calls: rules where there is one, bodies where they matter, choices for the rest. */

import type { CFunction, CType, Instruction, Operand } from '#c/ir.js';
import { constant, type Expression, integer } from '#event/expression.js';
import type { GuestWalkers, NodeId, Site } from '#event/program.js';
import type { Value } from '#event/value.js';
import type { CallRule, RuleSet } from '#rules/rule.js';
import type { RuleEvents } from './apply-rule.js';
import { choice } from './expressions.js';
import type { Extraction, ExtractOptions } from './extraction.js';
import type { Instance } from './instance.js';
import type { Memory } from './memory.js';
import type { ProgramGraph } from './program-graph.js';
import { definitionOf, followed, isRelevant, type View } from './relevance.js';
import { RemoteCalls } from './remote-calls.js';
import type { Found, Resolver } from './resolve.js';
import { kindOf, type Val } from './value.js';

type Instantiate = (
  fn: CFunction,
  args: readonly Val[],
  outer: { readonly depth: number; readonly via: Site[]; readonly stack: readonly string[] },
  exit: NodeId,
  resultName: string,
) => { readonly entry: NodeId; readonly result: Val };

export class Calls {
  readonly gaps: Extraction['gaps'][number][] = [];
  private over = false;
  rootFile = '';
  /** Was init_mm handed to anything? Then the addresses are the kernel's. */
  kernel = false;
  /** Was a guest's table touched? Then the addresses are the guest's. */
  guest = false;
  walkers: GuestWalkers | null = null;

  constructor(
    private readonly graph: ProgramGraph,
    private readonly memory: Memory,
    private readonly events: RuleEvents,
    private readonly resolver: Resolver,
    private readonly rules: RuleSet,
    private readonly options: ExtractOptions,
    /** Puts the graph of a function into the program. */
    private readonly instantiate: Instantiate,
  ) {}

  call(
    instance: Instance,
    instruction: Extract<Instruction, { kind: 'call' }>,
    at: Site,
    expected: CType | null,
  ): Val {
    const args = instruction.args.map((arg) => this.memory.operand(instance, arg));
    for (const { expr } of args)
      if (expr.op === 'const' && expr.value.kind === 'symbol' && expr.value.name === 'kernel')
        this.kernel = true;
    const name =
      'name' in instruction.callee
        ? instruction.callee.name
        : (this.pointerTarget(instance, instruction.callee.pointer) ??
          this.memberName(instance, instruction.callee.pointer));
    return this.callNamed(name, args, instance, at, expected);
  }

  private callNamed(
    name: string | null,
    args: readonly Val[],
    instance: Instance,
    at: Site,
    expected: CType | null,
  ): Val {
    const origins = args.map((arg) => arg.origin).join(', ');
    if (name === null) {
      return this.graph.hold(
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
    const rule = this.resolver.rule(this.rules, name, args.length);
    const byBody = this.options.bodies.has(name);
    const body = byBody ? this.body(name, rule, instance) : null;
    if (!byBody && rule !== null && rule.forwards !== undefined) {
      const n = rule.parameters.indexOf(rule.forwards);
      return this.callNamed(args[n]?.origin ?? null, args.slice(n + 1), instance, at, expected);
    }
    // A rule stands for a body that is to be followed, too, where that body is not in view.
    if (rule !== null && rule.form === 'call' && (!byBody || body === null))
      return this.byRule(rule, args, instance, at, origin, expected);
    if (byBody && body === null)
      this.gaps.push({
        function: name,
        file: instance.fn.file,
        kind: 'resolve',
        reason: `${name}() is not in view, and no rule says what it does`,
      });
    const found = byBody ? body : followed(this.resolver, name, instance.fn.file, this.view());
    const fits = found === null ? 'no' : this.fits(name, found, instance);
    if (found !== null && fits === 'yes') {
      const result = this.inline(found, args, instance, at);
      if (result !== null) return result;
    }
    if (found !== null && fits === 'cut') this.cut(name, found, args, instance, at);
    return this.graph.hold({ expr: choice(origin, false), origin, stable: false, type: null }, at);
  }

  /** The body that a call of a followed primitive runs: where a table or a patched call leads to it, the rule says which. */
  private body(name: string, rule: CallRule | null, instance: Instance): Found | null {
    const other = rule?.runs === undefined ? null : this.definition(rule.runs, instance.fn.file);
    return other ?? this.definition(name, instance.fn.file);
  }

  /** A name as the file sees it, or, for code in headers, as the file that the root stands in does. */
  private definition(name: string, file: string): Found | null {
    return definitionOf(this.resolver, name, file, this.view());
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
    const after = this.graph.label();
    const via = [...instance.via, { file: at.file, line: at.line, function: at.function }];
    const { entry, result } = this.instantiate(
      lowered,
      args,
      { depth: instance.depth + 1, via, stack: instance.stack },
      after,
      this.graph.temporary(),
    );
    this.graph.link(this.graph.current, entry);
    this.graph.current = after;
    return result;
  }

  /** What a primitive calls back: members of a constant table, or a function handed to it. */
  private callbacks(
    rule: CallRule,
    args: readonly Val[],
    instance: Instance,
    at: Site,
    { value, argument }: ReturnType<RuleEvents['apply']>,
  ): void {
    for (const callback of rule.callbacks ?? []) {
      const handed = args[rule.parameters.indexOf(callback.parameter)];
      if (handed === undefined) continue;
      const first = this.named(handed, instance);
      const target =
        callback.member === null
          ? first
          : first?.definition.kind === 'table'
            ? this.member(first, callback.member)
            : this.heldFunction(handed, callback.member, instance);
      if (callback.cpus !== undefined) {
        this.oneOf(
          target === null ? this.alternatives(handed, instance) : [target],
          handed.origin,
          at,
          (runs) => this.onCpus(rule, callback, runs, args, instance, at, value),
        );
        continue;
      }
      if (
        target === null ||
        target.definition.kind !== 'function' ||
        instance.stack.includes(target.definition.name)
      )
        continue;
      const lowered = this.resolver.lower(target);
      const parameters = 'blocks' in lowered ? lowered.parameters : [];
      const when = callback.when === undefined ? null : value(callback.when);
      const passed = callback.args.map((arg, n): Val => {
        const handed = arg.op === 'param' ? argument(arg.name) : null;
        const origin = `${rule.name} argument ${n}`;
        const val = handed ?? { expr: value(arg), origin, stable: true, type: null };
        const parameter = parameters[n];
        if (this.memory.typeRule(parameter?.type ?? null)?.is !== 'address') return val;
        if (kindOf(val.expr, this.graph.kinds) === 'address') return val;
        // A walker calls back for each stretch: where the witness lies in it is known by use, as for a root.
        const name = `a:${origin}`;
        this.graph.kinds.set(name, 'address');
        return { ...val, expr: { op: 'var', name } };
      });
      // The struct that the last argument points to (struct mm_walk), with what the primitive puts into it.
      const cell = `L${this.graph.instances}.${rule.name}`;
      for (const [field, expr] of Object.entries(callback.fields ?? {})) {
        const from = expr.op === 'param' ? argument(expr.name) : null;
        const val = from ?? { expr: value(expr), origin: `${rule.name} ${field}`, stable: true, type: null };
        this.memory.storeCell(`${cell}.${field}`, val, undefined, at);
      }
      if (callback.fields !== undefined)
        passed.splice(callback.at ?? passed.length, 0, {
          expr: constant({ kind: 'symbol', name: cell }),
          origin: `&${cell}`,
          stable: true,
          type: null,
          cell,
        });
      const body = this.graph.label();
      const after = this.graph.label();
      this.graph.end({
        kind: 'branch',
        on: when ?? choice(`${rule.name} calls ${callback.member ?? callback.parameter}`, false),
        then: body,
        else: after,
        at,
      });
      this.graph.current = body;
      this.inline(target, passed, instance, at);
      this.graph.link(this.graph.current, after);
      this.graph.current = after;
    }
  }

  /** The definition whose name a value is. */
  private named(value: Val | undefined, instance: Instance): Found | null {
    const name = value === undefined ? null : /^&?(?:G\.)?([A-Za-z_]\w*)$/.exec(value.origin);
    return name?.[1] === undefined ? null : this.definition(name[1], instance.fn.file);
  }

  /** The functions of which a value is one, where two ways meet: `small ? one : other`. */
  private alternatives(value: Val, instance: Instance): readonly Found[] {
    const origins = value.origin.split('|');
    const found = origins.map((origin) => this.named({ ...value, origin }, instance));
    const functions = found.filter((one): one is Found => one?.definition.kind === 'function');
    return origins.length > 1 && functions.length === origins.length ? functions : [];
  }

  /** One of the functions runs; which is left open. Nothing that is known runs where there is none. */
  private oneOf(
    functions: readonly Found[],
    origin: string,
    at: Site,
    run: (target: Found | null) => void,
  ): void {
    if (functions.length < 2) {
      run(functions[0] ?? null);
      return;
    }
    const which: Expression = { op: 'var', name: this.graph.temporary() };
    this.graph.kinds.set(which.name, 'int');
    const of = functions.map((_, n): Value => ({ kind: 'int', n }));
    this.graph.assign(which.name, { op: 'choice', key: `which of ${origin} runs`, of }, at);
    functions.forEach((target, n) => {
      this.graph.guarded({ op: '==', args: [which, integer(n)] }, at, () => run(target));
    });
  }

  private onCpus(
    rule: CallRule,
    callback: NonNullable<CallRule['callbacks']>[number],
    target: Found | null,
    args: readonly Val[],
    instance: Instance,
    at: Site,
    value: (expr: Expression) => Expression,
  ): void {
    const runs = (found: Found | null): Found | null =>
      found === null || found.definition.kind !== 'function' || instance.stack.includes(found.definition.name)
        ? null
        : found;
    const passed = callback.args.map(
      (arg, n): Val =>
        (arg.op === 'param' ? args[rule.parameters.indexOf(arg.name)] : undefined) ?? {
          expr: value(arg),
          origin: `${rule.name} argument ${n}`,
          stable: true,
          type: null,
        },
    );
    const asked =
      callback.condition === undefined ? undefined : args[rule.parameters.indexOf(callback.condition)];
    const remote = new RemoteCalls(
      this.graph,
      this.memory,
      this.options.together?.of ?? 2,
      (found, handed, where, site) => this.inline(found, handed, where, site),
      (found) => this.options.together !== undefined || isRelevant(this.resolver, found, this.view()),
    );
    remote.run({
      rule,
      callback,
      args,
      instance,
      at,
      handler: runs(target),
      passed,
      condition: runs(this.named(asked, instance)),
    });
  }

  /** The function in a field of a local struct that is handed over (`walker->cb`). */
  private heldFunction(handed: Val, member: string, instance: Instance): Found | null {
    const name = this.memory.functionIn(handed, member);
    return name === null ? null : this.definition(name, instance.fn.file);
  }

  private member(table: Found, member: string): Found | null {
    const name = table.definition.kind === 'table' ? table.definition.members[member] : undefined;
    return name === undefined ? null : this.resolver.define(name, table.index.file);
  }

  private pointerTarget(instance: Instance, pointer: Operand): string | null {
    const val = this.memory.operand(instance, pointer);
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

  /** `ops->put_page(…)` as `struct.member`, by which rules know it. Null where no rule does. */
  private memberName(instance: Instance, pointer: Operand): string | null {
    if (pointer.kind !== 'value') return null;
    for (const block of instance.fn.blocks) {
      for (const instruction of block.instructions) {
        if (instruction.kind !== 'load' || instruction.id !== pointer.id) continue;
        const { base, path } = instruction.place;
        const field = path[path.length - 1];
        if (base.kind !== 'deref' || field?.kind !== 'field' || path.length !== 1) return null;
        const struct = this.memory.operand(instance, base.pointer).type?.base.replace(/^struct /, '');
        const name = `${struct ?? ''}.${field.name}`;
        return this.rules.calls.has(name) ? name : null;
      }
    }
    return null;
  }

  /** May the body be put in place of its call here, or does a limit cut it off? */
  private fits(name: string, found: Found, instance: Instance): 'yes' | 'no' | 'cut' {
    if (instance.stack.includes(name) || this.over) return 'no';
    if (instance.depth < this.options.depthLimit && this.graph.nodes.length <= this.options.nodeLimit)
      return 'yes';
    return isRelevant(this.resolver, found, this.view()) ? 'cut' : 'no';
  }

  /** Leaves a call out, and says so. */
  private cut(name: string, found: Found, args: readonly Val[], instance: Instance, at: Site): void {
    this.over = this.graph.nodes.length > this.options.nodeLimit;
    const handed = args.some((arg) => kindOf(arg.expr, this.graph.kinds) === 'entry-pointer');
    const ends = handed && this.options.kindCallers === true;
    this.gaps.push({
      function: name,
      file: found.index.file,
      kind: 'limit',
      reason: instance.depth >= this.options.depthLimit ? 'calls nest too deep' : 'the program is too large',
      ...(ends ? { ends } : {}),
    });
    if (!ends) return;
    this.graph.end({ kind: 'stop', at });
    this.graph.current = this.graph.label();
  }

  private view(): View {
    return {
      rules: this.rules,
      bodies: this.options.bodies,
      rootFile: this.rootFile,
      together: this.options.together !== undefined,
      linked: this.options.linked,
    };
  }

  /** Whose tables a primitive is about, and who walks them. */
  heedSpace(rule: CallRule): void {
    if (rule.space === 'guest') this.guest = true;
    this.walkers ??= rule.walkers ?? null;
  }

  /** An asm statement whose first instruction a rule knows as `asm.NAME`. */
  instruction(template: string, at: Site): void {
    const first = /\b[a-z]\w*/.exec(template)?.[0];
    const rule = first === undefined ? null : this.resolver.rule(this.rules, `asm.${first}`);
    if (rule !== null) this.events.apply(rule, [], at, rule.name, null);
  }

  private byRule(
    rule: CallRule,
    args: readonly Val[],
    instance: Instance,
    at: Site,
    origin: string,
    expected: CType | null,
  ): Val {
    this.heedSpace(rule);
    const applied = this.events.apply(rule, args, at, origin, expected);
    this.callbacks(rule, args, instance, at, applied);
    const stop = (): void => {
      this.graph.end({ kind: 'stop', at });
      this.graph.current = this.graph.label();
    };
    if (rule.stops) stop();
    else if (rule.stopsIf !== undefined) this.graph.guarded(applied.value(rule.stopsIf), at, stop);
    const passes =
      rule.returns?.op === 'param' ? args[rule.parameters.indexOf(rule.returns.name)] : undefined;
    if (passes !== undefined) return passes;
    const stable = args.every((arg) => arg.stable);
    if (applied.returns === null)
      return this.graph.hold({ expr: choice(origin, false), origin, stable: false, type: null }, at);
    return this.graph.hold(
      { expr: applied.returns, origin, stable: stable && !this.graph.undecided(applied.returns), type: null },
      at,
    );
  }
}
