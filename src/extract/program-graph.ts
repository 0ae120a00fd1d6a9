/** The nodes of an event program while they are put together, and the kinds of its variables. */

import type { Expression } from '#event/expression.js';
import type { NodeId, ProgramNode, Site } from '#event/program.js';
import { known } from './expressions.js';
import { type Kind, kindOf, type Val } from './value.js';

export type Draft = { -readonly [K in keyof ProgramNode]: ProgramNode[K] } & Record<string, unknown>;

/** A node whose successor is not known yet. */
type Unlinked =
  | Omit<Extract<ProgramNode, { kind: 'event' }>, 'next' | 'text'>
  | Omit<Extract<ProgramNode, { kind: 'assign' }>, 'next'>;

export class ProgramGraph {
  readonly nodes: Draft[] = [];
  readonly kinds = new Map<string, Kind>();
  private temporaries = 0;
  instances = 0;
  /** Address arguments, and the entry that each is handed on together with; null where that is several. */
  readonly beside = new Map<string, Expression | null>();
  /** CPU that the code runs on from here. */
  cpu = 0;
  current: NodeId = 0;

  label(): NodeId {
    this.nodes.push({ kind: 'assign', sets: [], next: -1, at: null } as unknown as Draft);
    return this.nodes.length - 1;
  }

  link(from: NodeId, to: NodeId): void {
    const node = this.nodes[from];
    if (node !== undefined && 'next' in node) node.next = to;
  }

  emit(node: Unlinked): void {
    const { kind, at } = node;
    const linked: ProgramNode =
      kind === 'event' ? { kind, event: node.event, next: -1, at } : { kind, sets: node.sets, next: -1, at };
    this.nodes.push(linked as unknown as Draft);
    this.link(this.current, this.nodes.length - 1);
    this.current = this.nodes.length - 1;
  }

  assign(name: string, value: Expression, at: Site | null): void {
    this.emit({ kind: 'assign', sets: [{ name, value }], at });
  }

  /** A node that ends this way: a branch, a return or a stop. */
  end(node: Exclude<ProgramNode, { kind: 'event' | 'assign' }>): NodeId {
    this.nodes.push(node as unknown as Draft);
    this.link(this.current, this.nodes.length - 1);
    return this.nodes.length - 1;
  }

  /** `when` true: runs `body`; either way goes on behind it. */
  guarded(when: Expression, at: Site, body: () => void): void {
    const decided = known(when);
    if (decided === true) body();
    if (decided !== null) return;
    const then = this.label();
    const after = this.label();
    this.end({ kind: 'branch', on: when, then, else: after, at });
    this.current = then;
    body();
    this.link(this.current, after);
    this.current = after;
  }

  /** The address is the entry's, as far as who hands both to a primitive says. */
  couple(address: Expression, entry: Expression): void {
    if (address.op !== 'var' || !address.name.startsWith('a:')) return;
    const known = this.beside.get(address.name);
    const same = known === undefined || JSON.stringify(known) === JSON.stringify(entry);
    this.beside.set(address.name, same ? entry : null);
  }

  temporary(): string {
    this.temporaries += 1;
    return `t${this.temporaries}`;
  }

  /** A variable that holds `expr` from here on, so that what is chosen is chosen once. */
  hold(val: Val, at: Site | null): Val {
    if (!this.undecided(val.expr)) return val;
    const name = this.temporary();
    this.kinds.set(name, kindOf(val.expr, this.kinds));
    this.assign(name, val.expr, at);
    return { ...val, expr: { op: 'var', name } };
  }

  undecided(expr: Expression): boolean {
    switch (expr.op) {
      case 'const':
      case 'var':
      case 'param':
        return false;
      case 'choice':
        return expr.stable !== true;
      // The table in which an entry lies stays the same.
      case 'table-holding':
        return expr.args.some((arg) => this.undecided(arg));
      default:
        return true;
    }
  }
}
