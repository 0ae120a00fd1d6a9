/** Declarations of locals. */
import type { CType } from './ir.js';
import { lowerListInto } from './lower-initializer.js';
import type { Lowering, Variable } from './lowering.js';
import type { Expression, Statement } from './syntax.js';

export function lowerDeclaration(
  l: Lowering,
  node: Extract<Statement, { readonly kind: 'declaration' }>,
): void {
  for (const declarator of node.declarators) {
    if (declarator.extern || declarator.name === '') continue;
    const type = resolveTypeof(l, declarator.type);
    const { initializer } = declarator;
    if (declarator.static) {
      // Its value is set before the program runs.
      l.declare(declarator.name, type, 'static');
      continue;
    }
    // The initialiser sees the names outside: kernel macros write `int __x = (x)` where x may be __x further out.
    const storage = localStorage(l, declarator.name, type);
    if (initializer?.kind === 'compound' && initializer.type === null && storage === 'memory') {
      const variable = l.declare(declarator.name, type, storage);
      lowerListInto(l, l.placeOf(variable), initializer);
      continue;
    }
    if (!initializer) {
      undefinedAtFirst(l, l.declare(declarator.name, type, storage));
      continue;
    }
    const value = l.expression(initializer);
    const variable = l.declare(declarator.name, type, storage);
    l.mark(declarator);
    l.writeVariable(variable, value);
  }
}

/** In a loop the variable of an earlier round must not shine through. */
function undefinedAtFirst(l: Lowering, variable: Variable): void {
  if (variable.storage === 'value') {
    l.writeVariable(variable, { kind: 'unknown', text: `uninitialised ${variable.name}` });
  }
}

/** Structs, arrays and names whose address is taken live in memory, all else in values. */
export function localStorage(l: Lowering, name: string, type: CType | null): 'value' | 'memory' {
  if (l.survey.inMemory.has(name) || type?.array) return 'memory';
  return type && type.pointers === 0 && /^(struct|union)\b/.test(type.base) ? 'memory' : 'value';
}

/** `typeof(x)` and `typeof(*x)` of a local are its type. */
function resolveTypeof(l: Lowering, type: CType): CType {
  const match = /^\w*typeof\w* ?\( ?(\*?) ?\(?(\w+)\)? ?\)$/.exec(type.base);
  const variable = match ? l.lookup(match[2] ?? '') : null;
  if (!match || !variable?.type) return type;
  const inner = variable.type;
  const pointers = inner.pointers + type.pointers - (match[1] ? 1 : 0);
  if (pointers < 0) return type;
  return type.array ? { base: inner.base, pointers, array: true } : { base: inner.base, pointers };
}

const DECLARING = /DEFINE|DECLARE|_HEAD$|STATE|ITERATOR|WALK|ONSTACK|BITMAP|WAIT/;

/**
 * `LIST_HEAD(name);` and the like declare a local through a macro in capitals. Declares it when the call is one;
 * the caller then lowers the call as it stands, with the new local's address as an argument.
 */
export function declareThroughMacro(l: Lowering, node: Expression, atStart: boolean): void {
  if (node.kind !== 'call' || node.callee.kind !== 'name' || !/^_*[A-Z][A-Z0-9_]*$/.test(node.callee.name))
    return;
  const first = node.args[0];
  if (first?.kind !== 'name' || l.lookup(first.name)) return;
  if ((l.survey.uses.get(first.name) ?? 0) < 2) return;
  if (!DECLARING.test(node.callee.name) && !(atStart && l.survey.inMemory.has(first.name))) return;
  // The array mark makes every use of the name its address.
  l.declare(first.name, { base: node.callee.name, pointers: 0, array: true }, 'memory');
}
