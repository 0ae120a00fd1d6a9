/**
 * What lowering must know of a whole function before it starts: which names need memory, which are assigned, and where.
 */
import type { Expression, Statement } from './syntax.js';
import { visit } from './walk.js';

export interface Survey {
  /** Names whose address is taken, or whose members are used with a dot: they live in memory. */
  readonly inMemory: ReadonlySet<string>;
  /** Names that are assigned, and where for the first time. */
  readonly assigned: ReadonlyMap<string, number>;
  /**
   * Names declared without a value and assigned nowhere, with the first function they are an argument of:
   * that can only be a macro that sets them.
   */
  readonly setBy: ReadonlyMap<string, string>;
  /** Names declared without a value. */
  readonly bare: ReadonlySet<string>;
  /** How often a name is used. */
  readonly uses: ReadonlyMap<string, number>;
  /** Labels and where they stand. */
  readonly labels: ReadonlyMap<string, number>;
}

/** The name at the bottom of `x.f`, `x.f.g`. */
function rootName(expression: Expression): string | null {
  let node = expression;
  while (node.kind === 'field' && !node.arrow) node = node.object;
  return node.kind === 'name' ? node.name : null;
}

/**
 * @param byName which arguments a macro takes by name
 */
export function prescan(body: Statement, byName: (macro: string) => readonly boolean[] | null): Survey {
  const inMemory = new Set<string>();
  const assigned = new Map<string, number>();
  const firstCall = new Map<string, string>();
  const bare = new Set<string>();
  const uses = new Map<string, number>();
  const labels = new Map<string, number>();
  const assign = (target: Expression): void => {
    if (target.kind === 'name' && !assigned.has(target.name)) assigned.set(target.name, target.start);
  };
  /** Calls that are loop macros in truth. */
  const doMacros = new Set<Expression>();
  visit(body, {
    expression(node) {
      switch (node.kind) {
        case 'name':
          uses.set(node.name, (uses.get(node.name) ?? 0) + 1);
          break;
        case 'address': {
          const name = rootName(node.value);
          if (name !== null) inMemory.add(name);
          break;
        }
        case 'field': {
          if (node.arrow) break;
          const name = rootName(node);
          if (name !== null) inMemory.add(name);
          break;
        }
        case 'assign':
        case 'update':
          assign(node.target);
          break;
        case 'asm':
          for (const operand of node.operands) assign(operand);
          break;
        case 'call': {
          const callee = node.callee.kind === 'name' ? node.callee.name : null;
          if (callee === null || doMacros.has(node)) break;
          const taken = byName(callee);
          for (const [i, arg] of node.args.entries()) {
            if (arg.kind !== 'name') continue;
            if (!firstCall.has(arg.name)) firstCall.set(arg.name, callee);
            if (taken?.[i]) inMemory.add(arg.name);
            if (callee === 'swap') assign(arg);
          }
          break;
        }
        default:
          break;
      }
    },
    statement(node) {
      if (node.kind === 'declaration') {
        for (const declarator of node.declarators) {
          if (declarator.initializer === null) bare.add(declarator.name);
          else assigned.set(declarator.name, declarator.start);
        }
      } else if (node.kind === 'do' && node.macro !== null) doMacros.add(node.test);
      else if (node.kind === 'label') labels.set(node.name, node.start);
      else if (node.kind === 'macro') {
        // A loop macro's own variable is no candidate for being set by a call.
        for (const arg of node.args)
          if (arg.kind === 'name' && !firstCall.has(arg.name)) firstCall.set(arg.name, '');
      }
    },
  });
  const setBy = new Map<string, string>();
  for (const name of bare) {
    const callee = firstCall.get(name);
    if (callee && !assigned.has(name) && !inMemory.has(name)) setBy.set(name, callee);
  }
  return { inMemory, assigned, setBy, bare, uses, labels };
}
