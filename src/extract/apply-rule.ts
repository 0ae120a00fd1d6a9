/** A rule's events in place of a call: operands bound to the arguments, results and out-parameters stored. */

import type { CType } from '#c/ir.js';
import type { Event } from '#event/event.js';
import { constant, type Expression, integer, type Operator } from '#event/expression.js';
import type { Site } from '#event/program.js';
import type { Value } from '#event/value.js';
import type { CallRule } from '#rules/rule.js';
import { choice, simplify } from './expressions.js';
import type { Memory } from './memory.js';
import type { ProgramGraph } from './program-graph.js';
import { kindOf, type Val } from './value.js';

export class RuleEvents {
  constructor(
    private readonly graph: ProgramGraph,
    private readonly memory: Memory,
  ) {}

  apply(
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
    readonly argument: (name: string) => Val | null;
  } {
    const locals = new Map<string, string>();
    const argument = (name: string): Val | null => {
      const [pointer = '', field] = name.split('->');
      if (field !== undefined) {
        const base = argument(pointer);
        return base === null ? null : this.memory.loadField(base, field, at);
      }
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
    const [address, entry] = [argument('addr'), argument('p')];
    if (address !== null && entry !== null) this.graph.couple(address.expr, entry.expr);
    // Memory is read where the call stands, once for all that the rule computes from it.
    const reads = new Map<string, Expression>();
    const behind = (name: string): Expression => {
      const known = reads.get(name);
      if (known !== undefined) return known;
      const pointer = argument(name);
      const expr = (pointer === null ? null : this.memory.behind(pointer)) ?? choice(origin, false);
      const held: Expression = { op: 'var', name: this.graph.temporary() };
      this.graph.kinds.set(held.name, kindOf(expr, this.graph.kinds));
      this.graph.assign(held.name, expr, at);
      reads.set(name, held);
      return held;
    };
    const value = (expr: Expression): Expression =>
      this.instantiateExpression(expr, argument, locals, origin, args, behind);
    const local = (name: string): string => {
      const known = locals.get(name);
      if (known !== undefined) return known;
      const fresh = this.graph.temporary();
      locals.set(name, fresh);
      return fresh;
    };
    for (const { pointer, old, value: stored } of rule.memory ?? []) {
      const target = argument(pointer);
      if (target !== null) this.memory.exchange(target, local(old), value(stored), at);
      reads.clear();
    }
    for (const step of rule.steps) {
      if (step.kind === 'let') {
        const expr = value(step.value);
        const name = local(step.name);
        this.graph.kinds.set(name, kindOf(expr, this.graph.kinds));
        this.graph.assign(name, expr, at);
        continue;
      }
      const bound = this.bindEvent(step.event, argument, value, local, expected);
      if (bound === null) continue;
      const event = bound.kind === 'container-take' ? { ...bound, names: origin } : bound;
      const emit = (): void => {
        for (const one of ofHalf(event, this.halfOf(step.event, argument)))
          this.graph.emit({ kind: 'event', event: one, at });
      };
      if (step.when === null) emit();
      else this.graph.guarded(value(step.when), at, emit);
    }
    const out = new Map<string, Expression>();
    for (const [target, expr] of Object.entries(rule.out)) {
      const result = value(expr);
      out.set(target, result);
      const [parameter, field] = target.split(/->|\./);
      const pointer = argument(parameter ?? '');
      if (pointer === null || (rule.form === 'iterate' && field === undefined)) continue;
      // A loop macro is given its cursor itself, a function a pointer to what it fills.
      const base = pointer.cell ?? (rule.form === 'iterate' ? pointer.origin : `*${pointer.origin}`);
      const cell = `${base}${field === undefined ? '' : `.${field}`}`;
      this.memory.storeCell(cell, { expr: result, origin: cell, stable: false, type: null }, undefined, at);
    }
    return {
      returns: rule.returns === null ? null : value(rule.returns),
      more: rule.more === null ? null : value(rule.more),
      out,
      value,
      argument,
    };
  }

  private instantiateExpression(
    expr: Expression,
    argument: (name: string) => Val | null,
    locals: ReadonlyMap<string, string>,
    origin: string,
    args: readonly Val[],
    behind: (pointer: string) => Expression,
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
        case 'this-cpu':
          return integer(this.graph.cpu);
        case 'at': {
          const [pointer] = e.args;
          return pointer?.op === 'param' ? behind(pointer.name) : choice(origin, false);
        }
        default: {
          const [first] = e.args;
          if (e.op === 'read' && first?.op === 'param' && argument(first.name)?.member === true)
            return choice(origin, false);
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
    const kind = kindOf(first, this.graph.kinds);
    const second = expr.args[1];
    if (
      expr.op === 'with-attributes' &&
      (second === undefined || kindOf(second, this.graph.kinds) !== 'entry-value')
    )
      return first;
    // Only lists that go through tables are followed from one to the next.
    if (expr.op === 'next-node' && kind !== 'memory') return expr.args[2] ?? expr;
    if ((expr.op === 'step' || expr.op === 'read') && kind === 'memory')
      return { ...expr, args: [{ op: 'first-entry', args: [first] }, ...expr.args.slice(1)] };
    if ((expr.op === 'make-leaf' || expr.op === 'make-table') && kind === 'entry-pointer')
      return { ...expr, args: [{ op: 'table-holding', args: [first] }, ...expr.args.slice(1)] };
    return expr;
  }

  /** Is what the expression reads through its pointer a copy of an entry that was read before? */
  private fromCopy(expr: Expression, argument: (name: string) => Val | null): boolean {
    if (expr.op === 'at') {
      const [pointer] = expr.args;
      const held = pointer?.op === 'param' ? argument(pointer.name) : null;
      const copy = held === null ? null : this.memory.behind(held);
      return copy !== null && kindOf(copy, this.graph.kinds) === 'entry-value';
    }
    return !('args' in expr) || (expr.args ?? []).every((arg) => this.fromCopy(arg, argument));
  }

  /** What a list whose members have this type carries, where nobody in view filled it. */
  private memberOf(type: CType | null): Value | null {
    const rule = this.memory.typeRule(type);
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

  /** Locks whose field says what they protect (`$lock:mmu`, `$lock:kernel_ptl`): what takes them is the same for all. */
  private classOf(lock: Expression): string | null {
    return lock.op === 'const' && lock.value.kind === 'symbol' && lock.value.name.startsWith('lock:')
      ? lock.value.name.slice('lock:'.length).replaceAll('_', '-')
      : null;
  }

  /** The half of an entry that the event's pointer points to. */
  private halfOf(event: Event<Expression>, argument: (name: string) => Val | null): 'low' | 'high' | null {
    if (event.kind !== 'set' || event.entry.op !== 'param') return null;
    return argument(event.entry.name)?.half ?? null;
  }

  /** Is it a table on a list of such, by its `page->lru` or by itself? Other structs have links that lie elsewhere. */
  private isNode(expr: Expression, argument: (name: string) => Val | null): boolean {
    if (expr.op !== 'param') return true;
    const type = argument(expr.name)?.type?.base;
    return type === undefined || NODES.has(type);
  }

  /** A rule's event with its operands; null when the model does not follow the object it is about. */
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
      if (
        kindOf(arg.expr, this.graph.kinds) === 'symbol' ||
        kindOf(arg.expr, this.graph.kinds) === 'entry-pointer'
      )
        return arg.expr;
      const vma = arg.type?.base === 'struct vm_area_struct';
      return constant({
        kind: 'symbol',
        name: vma ? `${arg.cell ?? `*${arg.origin}`}.vm_mm` : (arg.cell ?? arg.origin),
      });
    };
    const memory = (expr: Expression): Expression => {
      const result = value(expr);
      return kindOf(result, this.graph.kinds) === 'entry-pointer'
        ? { op: 'table-holding', args: [result] }
        : result;
    };
    // A walk from pointer to pointer reads each entry where it stands: what counts is one from values read before.
    if (event.kind === 'visit' && !this.fromCopy(event.memory, argument)) return null;
    if ('entry' in event && event.entry.op === 'param' && argument(event.entry.name)?.member === true)
      return null;
    const bound: Record<string, unknown> = {};
    const lockClass = 'lock' in event ? this.classOf(value(event.lock)) : null;
    for (const [key, part] of Object.entries(event)) {
      if (key === 'into' || key === 'old') bound[key] = local(String(part));
      else if (key === 'scope') bound[key] = mapScope(part as Record<string, unknown>, value);
      else if (typeof part === 'object' && part !== null && 'op' in part) {
        const expr = part as Expression;
        if (['space', 'gather', 'container', 'from', 'to', 'lock'].includes(key)) bound[key] = symbolic(expr);
        else if (['memory', 'item', 'of'].includes(key)) bound[key] = memory(expr);
        else bound[key] = value(expr);
      } else bound[key] = part;
    }
    if (lockClass !== null) bound.class = lockClass;
    if (event.kind === 'container-take') {
      const member = this.memberOf(expected);
      if (member !== null) bound.unseen = constant(member);
    }
    if ((event.kind === 'notify-start' || event.kind === 'notify-end') && event.start === undefined) {
      // The section's range stands in the struct that mmu_notifier_range_init() filled.
      const cell = argument('range')?.cell;
      for (const side of ['start', 'end']) {
        const name = `m:${cell}.${side}`;
        if (cell !== undefined && this.graph.kinds.get(name) === 'address') bound[side] = { op: 'var', name };
      }
      if (bound.start === undefined || bound.end === undefined) {
        delete bound.start;
        delete bound.end;
      }
    }
    const result = bound as unknown as Event<Expression>;
    if ('into' in result)
      this.graph.kinds.set(
        result.into,
        result.kind === 'alloc'
          ? 'memory'
          : result.kind === 'container-take'
            ? 'memory'
            : result.kind === 'read'
              ? 'entry-value'
              : 'int',
      );
    if ('old' in result && result.old !== undefined) this.graph.kinds.set(result.old, 'entry-value');
    if ('entry' in result) {
      const kind = kindOf(result.entry, this.graph.kinds);
      if (kind === 'memory') return { ...result, entry: { op: 'first-entry', args: [result.entry] } };
      if (kind !== 'entry-pointer') return null;
    }
    if ('memory' in result) {
      const kind = kindOf(result.memory, this.graph.kinds);
      if (kind !== 'memory' && kind !== 'entry-value') return null;
    }
    if (
      event.kind === 'node' &&
      ![event.memory, event.of].every((part) => part === undefined || this.isNode(part, argument))
    )
      return null;
    if (
      result.kind === 'container-add' &&
      !['memory', 'entry-value', 'entry-pointer'].includes(kindOf(result.item, this.graph.kinds))
    )
      return null;
    // Of several programs, one that holds any lock keeps the others out that take it.
    if (
      (result.kind === 'lock' || result.kind === 'unlock') &&
      result.class === 'ptl' &&
      this.memory.together &&
      kindOf(result.lock, this.graph.kinds) === 'symbol'
    )
      return { ...result, class: 'other' };
    if (
      (result.kind === 'lock' || result.kind === 'unlock' || result.kind === 'assert-held') &&
      (result.class === 'other' ||
        // A lock that is no page table's protects no entry.
        (result.class === 'ptl' &&
          kindOf(result.lock, this.graph.kinds) !== 'entry-pointer' &&
          !isTableLock(result.lock)))
    )
      return null;
    return result;
  }
}

/** C types of pointers to tables that lie on lists: their pages, or the tables themselves. */
const NODES: ReadonlySet<string> = new Set([
  'pgtable_t',
  'struct page',
  'struct ptdesc',
  'struct list_head',
  'pte_t',
]);

/** What names a page-table lock that came in as an argument begins with. */
export const TABLE_LOCK = 'table-lock:';

const isTableLock = (lock: Expression): boolean =>
  lock.op === 'const' && lock.value.kind === 'symbol' && lock.value.name.startsWith(TABLE_LOCK);

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

/** What a store to an entry is where the pointer is to one half of it (`xchg(&pmdp->pmd_low, low)`). */
function ofHalf(event: Event<Expression>, half: 'low' | 'high' | null): readonly Event<Expression>[] {
  if (half === null || event.kind !== 'set') return [event];
  const { entry, value, old } = event;
  const read: Event<Expression>[] = old === undefined ? [] : [{ kind: `read-${half}`, entry, into: old }];
  const write: Event<Expression> = { kind: `write-${half}`, entry, value, order: 'once' };
  // An exchange keeps what stands before and behind it in place.
  const around: readonly Event<Expression>[] =
    event.atomic === true ? [{ kind: 'barrier', strength: 'full' }] : [];
  return [...around, ...read, write, ...around];
}
