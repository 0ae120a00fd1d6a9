/** Calls, and the macros of the kernel's C dialect that are loads, stores or nothing at all. */
import type { Operand, Place } from './ir.js';
import { lowerPerCpu } from './lower-percpu.js';
import { behind, lowerAddress } from './lower-place.js';
import type { Lowering } from './lowering.js';
import type { Expression } from './syntax.js';
import { transparentArgument } from './transparent.js';

type Call = Extract<Expression, { readonly kind: 'call' }>;

export function lowerCall(l: Lowering, node: Call): Operand {
  const { callee, args } = node;
  const inner = transparentArgument(node);
  if (inner) return l.expression(inner);
  if (callee.kind === 'name' && !l.lookup(callee.name)) {
    return lowerDialect(l, callee.name, args) ?? lowerNamed(l, callee.name, node);
  }
  if (callee.kind === 'call' && callee.callee.kind === 'name') {
    const declared = lowerGuard(l, callee.callee.name, callee.args, args);
    if (declared) return declared;
  }
  if (callee.kind === 'string') {
    // An asm operand that was handed to a macro: `"r" (x)`.
    const values = args.map((arg) => l.expression(arg));
    return values[values.length - 1] ?? l.unknown(node);
  }
  const pointer = l.expression(callee.kind === 'deref' ? callee.value : callee);
  const values = args.map((arg) => l.expression(arg));
  l.mark(node);
  if (pointer.kind === 'global') return l.call(pointer.name, values);
  return l.value({ kind: 'call', callee: { pointer }, args: values }, null);
}

function lowerNamed(l: Lowering, name: string, node: Call): Operand {
  const byName = l.byName(name);
  const set: Expression[] = [];
  const values = node.args.map((arg, i): Operand => {
    if (byName?.[i] && isLvalue(arg)) return lowerAddress(l, arg);
    if (arg.kind === 'name' && l.survey.setBy.get(arg.name) === name && l.lookup(arg.name)) {
      set.push(arg);
      return { kind: 'unknown', text: `uninitialised ${arg.name}` };
    }
    return l.expression(arg);
  });
  l.mark(node);
  const value = l.call(name, values);
  // A variable that nothing else ever sets is set by the macro that is handed it first.
  for (const arg of set) l.writeTarget(l.target(arg, 'write'), value);
  return value;
}

function isLvalue(node: Expression): boolean {
  return node.kind === 'name' || node.kind === 'field' || node.kind === 'index' || node.kind === 'deref';
}

/** Macros that are part of the language as the kernel writes it; null when the name is none of them. */
function lowerDialect(l: Lowering, name: string, args: readonly Expression[]): Operand | null {
  const [first, second] = args;
  if (!first) return null;
  switch (name) {
    case 'READ_ONCE':
    case '__READ_ONCE':
    case 'READ_ONCE_NOCHECK':
      return l.readTarget(l.target(first, 'read'), true);
    case 'WRITE_ONCE':
    case '__WRITE_ONCE': {
      if (!second) return null;
      const value = l.expression(second);
      l.writeTarget(l.target(first, 'write'), value, true);
      return value;
    }
    case 'smp_load_acquire':
      return l.load(pointed(l, first), true);
    case 'smp_store_release': {
      if (!second) return null;
      const place = pointed(l, first);
      l.store(place, l.expression(second), true);
      return { kind: 'unknown', text: name };
    }
    // The atomicity is lost; what is stored, what comes out and the order stay.
    case 'xchg':
    case 'xchg_relaxed':
    case 'xchg_acquire':
    case 'xchg_release': {
      if (!second) return null;
      const place = pointed(l, first);
      const value = l.expression(second);
      const old = l.load(place, true);
      l.store(place, value, true);
      if (name === 'xchg') l.call('smp_mb', []);
      return old;
    }
    case 'swap': {
      if (!second) return null;
      const left = l.target(first, 'write');
      const right = l.target(second, 'write');
      const a = l.readTarget(left);
      l.writeTarget(left, l.readTarget(right));
      l.writeTarget(right, a);
      return { kind: 'unknown', text: name };
    }
    default:
      return lowerPerCpu(l, name, args) ?? l.enabled(name, args);
  }
}

function pointed(l: Lowering, pointer: Expression): Place {
  return behind(l, l.expression(pointer));
}

/** `guard(class)(args)` and `CLASS(class, variable)(args)`: a call now, and one at every exit of the scope. */
function lowerGuard(
  l: Lowering,
  name: string,
  head: readonly Expression[],
  args: readonly Expression[],
): Operand | null {
  const kind = head[0];
  if (!kind || (name !== 'guard' && name !== 'CLASS')) return null;
  const word = l.text(kind);
  const values = args.map((arg) => l.expression(arg));
  if (name === 'guard') {
    const value = l.call(`guard:${word}`, values);
    l.addCleanup({ name: `guard_end:${word}`, args: values });
    return value;
  }
  const value = l.call(`class:${word}`, values);
  const variable = head[1];
  if (variable?.kind === 'name') {
    l.writeVariable(
      l.declare(variable.name, null, l.survey.inMemory.has(variable.name) ? 'memory' : 'value'),
      value,
    );
  }
  l.addCleanup({ name: `class_end:${word}`, args: [value] });
  return value;
}
