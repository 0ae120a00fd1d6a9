/**
 * Functions that a primitive runs on other CPUs (smp_call_function and kin). The program of the CPU that asks goes
 * through each handler itself, between two events that say on which CPU: that CPU runs nothing of its own meanwhile,
 * as under a real interrupt, and whoever asked waits anyway.
 */
import type { Expression } from '#event/expression.js';
import { integer } from '#event/expression.js';
import type { Site } from '#event/program.js';
import type { CallRule } from '#rules/rule.js';
import { choice, isZero, simplify } from './expressions.js';
import type { Instance } from './instance.js';
import type { Memory } from './memory.js';
import type { ProgramGraph } from './program-graph.js';
import type { Found } from './resolve.js';
import { kindOf, type Val } from './value.js';

type Callback = NonNullable<CallRule['callbacks']>[number];

interface Call {
  readonly rule: CallRule;
  readonly callback: Callback;
  readonly args: readonly Val[];
  readonly instance: Instance;
  readonly at: Site;
  /** What runs, with its arguments; null where it is not in view. */
  readonly handler: Found | null;
  readonly passed: readonly Val[];
  /** What is asked for each CPU. */
  readonly condition: Found | null;
}

export class RemoteCalls {
  constructor(
    private readonly graph: ProgramGraph,
    private readonly memory: Memory,
    /** CPUs that are followed: those with programs, or this one and the one that stands for all others. */
    private readonly cpus: number,
    private readonly inline: (
      target: Found,
      args: readonly Val[],
      instance: Instance,
      at: Site,
    ) => Val | null,
    /** Does the body hold anything that matters on another CPU? */
    private readonly matters: (target: Found) => boolean,
  ) {}

  run(call: Call): void {
    const self = this.graph.cpu;
    const others = Array.from({ length: this.cpus }, (_, cpu) => cpu).filter((cpu) => cpu !== self);
    // Who is asked is settled for all before any of them runs it (kernel/smp.c, smp_call_function_many_cond).
    const chosen = others.map((cpu) => ({ cpu, when: this.chosen(call, cpu) }));
    if (call.callback.cpus === 'all')
      this.graph.guarded(this.chosen(call, self), call.at, () => this.on(self, call));
    for (const { cpu, when } of chosen) this.remote(call, cpu, when);
  }

  private remote(call: Call, cpu: number, when: Expression): void {
    const { at } = call;
    const after = this.graph.label();
    const asked = this.graph.label();
    const skipped = this.graph.label();
    this.graph.end({ kind: 'branch', on: when, then: asked, else: skipped, at });
    this.graph.current = skipped;
    if (asksEach(call))
      this.graph.emit({ kind: 'event', event: { kind: 'interrupt', cpu, phase: 'skip' }, at });
    this.graph.link(this.graph.current, after);
    this.graph.current = asked;
    this.graph.guarded(this.inTime(call), at, () => this.on(cpu, call));
    this.graph.link(this.graph.current, after);
    this.graph.current = after;
  }

  /** A call that does not wait may go on before the interrupt is taken: as late as after everything in view. */
  private inTime(call: Call): Expression {
    const wait = this.argument(call, call.callback.wait);
    if (wait === null) return integer(1);
    const late = choice(`${call.rule.name}: the interrupt is taken before the caller goes on`, false);
    if (isZero(wait.expr)) return late;
    return simplify({ op: '||', args: [wait.expr, late] });
  }

  private on(cpu: number, call: Call): void {
    const { at, handler } = call;
    const from = this.graph.nodes.length;
    this.graph.emit({ kind: 'event', event: { kind: 'interrupt', cpu, phase: 'begin' }, at });
    const self = this.graph.cpu;
    this.graph.cpu = cpu;
    if (handler !== null && this.matters(handler)) this.inline(handler, call.passed, call.instance, at);
    this.graph.cpu = self;
    const flushes = this.graph.nodes.slice(from).some((node) => {
      const { event } = node as { readonly event?: { readonly kind: string } };
      return event?.kind === 'flush' || event?.kind === 'cpu';
    });
    this.graph.emit({
      kind: 'event',
      event: { kind: 'interrupt', cpu, phase: 'end', ...(flushes ? { flushes } : {}) },
      at,
    });
  }

  /** Is this CPU among those that run the function? */
  private chosen(call: Call, cpu: number): Expression {
    const { at } = call;
    const mask = this.argument(call, call.callback.mask);
    // Where nobody wrote down which CPUs a mask holds, it holds those that matter.
    const inMask: Expression =
      mask === null || !this.memory.tracks(mask)
        ? integer(1)
        : {
            op: '&',
            args: [{ op: '>>', args: [this.memory.behind(mask) ?? integer(0), integer(cpu)] }, integer(1)],
          };
    if (!asksEach(call)) return this.held(inMask, at);
    const result = this.graph.temporary();
    this.graph.kinds.set(result, 'int');
    this.graph.assign(result, integer(0), at);
    this.graph.guarded(inMask, at, () => {
      const number: Val = { expr: integer(cpu), origin: `cpu${cpu}`, stable: true, type: null };
      const info = call.passed[0];
      const args = info === undefined ? [number] : [number, info];
      const answer = call.condition === null ? null : this.inline(call.condition, args, call.instance, at);
      const unknown = choice(`${call.rule.name} asks for another CPU`, false);
      this.graph.assign(result, answer?.expr ?? unknown, at);
      const kind = kindOf(answer?.expr ?? unknown, this.graph.kinds);
      if (kind !== 'int') this.graph.kinds.set(result, kind);
    });
    return { op: 'var', name: result };
  }

  private held(expr: Expression, at: Site): Expression {
    if (expr.op === 'const') return expr;
    const name = this.graph.temporary();
    this.graph.kinds.set(name, 'int');
    this.graph.assign(name, expr, at);
    return { op: 'var', name };
  }

  private argument(call: Call, parameter: string | undefined): Val | null {
    if (parameter === undefined) return null;
    return call.args[call.rule.parameters.indexOf(parameter)] ?? null;
  }
}

/** Is a function asked for each CPU (and not NULL handed in its place)? */
function asksEach(call: Call): boolean {
  const { condition } = call.callback;
  if (condition === undefined) return false;
  const handed = call.args[call.rule.parameters.indexOf(condition)];
  return handed !== undefined && !isZero(handed.expr);
}
