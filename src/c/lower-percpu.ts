/** Per-CPU variables: the accessors that are loads, stores and addresses of one CPU's copy. */
import type { Operand, Place } from './ir.js';
import type { Lowering } from './lowering.js';
import type { Expression } from './syntax.js';

const READS = new Set(['this_cpu_read', '__this_cpu_read', 'raw_cpu_read', 'this_cpu_read_stable']);
const WRITES = new Set(['this_cpu_write', '__this_cpu_write', 'raw_cpu_write']);
/** Accessors that add: the amount, or null where it is the second argument. */
const ADDS: ReadonlyMap<string, number | null> = new Map([
  ['this_cpu_inc', 1],
  ['__this_cpu_inc', 1],
  ['this_cpu_inc_return', 1],
  ['__this_cpu_inc_return', 1],
  ['this_cpu_dec', -1],
  ['__this_cpu_dec', -1],
  ['this_cpu_dec_return', -1],
  ['__this_cpu_dec_return', -1],
  ['this_cpu_add', null],
  ['__this_cpu_add', null],
  ['this_cpu_add_return', null],
]);
const EXCHANGES = new Set(['this_cpu_xchg', '__this_cpu_xchg', 'raw_cpu_xchg']);
const POINTERS = new Set(['this_cpu_ptr', 'raw_cpu_ptr', 'per_cpu_ptr']);

/** A call of an accessor as what it does; null when it is none, or when its variable is no plain per-CPU one. */
export function lowerPerCpu(l: Lowering, name: string, args: readonly Expression[]): Operand | null {
  const [first, second] = args;
  if (!first) return null;
  if (name === 'per_cpu' || READS.has(name)) {
    const place = perCpuPlace(l, name, args);
    return place && l.load(place, true);
  }
  if (WRITES.has(name) || EXCHANGES.has(name)) {
    const place = perCpuPlace(l, name, args);
    if (!place || !second) return null;
    const value = l.expression(second);
    const old = EXCHANGES.has(name) ? l.load(place, true) : null;
    l.store(place, value, true);
    return old ?? value;
  }
  const amount = ADDS.get(name);
  if (amount !== undefined) {
    const place = perCpuPlace(l, name, args);
    if (!place || (amount === null && !second)) return null;
    const by: Operand =
      amount === null && second ? l.expression(second) : { kind: 'int', value: amount ?? 0 };
    const sum = l.binary('+', l.load(place, true), by);
    l.store(place, sum, true);
    return sum;
  }
  if (POINTERS.has(name)) {
    // The argument is a per-CPU pointer: `&x`, or the name of an array.
    const variable = first.kind === 'address' ? first.value : null;
    const place = variable && copyOf(l, variable, name === 'per_cpu_ptr' ? second : undefined);
    return place && { kind: 'address', place };
  }
  return null;
}

/** The place that an accessor names: `per_cpu(x, cpu)` stands left of `=` too. Null when it is no such place. */
export function perCpuPlace(l: Lowering, name: string, args: readonly Expression[]): Place | null {
  const [first, second] = args;
  if (!first) return null;
  const ofThisCpu =
    READS.has(name) || WRITES.has(name) || EXCHANGES.has(name) || ADDS.has(name) || name === 'get_cpu_var';
  if (name !== 'per_cpu' && !ofThisCpu) return null;
  return copyOf(l, first, name === 'per_cpu' ? second : undefined);
}

/** `x` or a member of it, in the copy of the CPU (this one where none is given). */
function copyOf(l: Lowering, variable: Expression, cpu: Expression | undefined): Place | null {
  const target = l.target(variable, 'write');
  if (target.kind !== 'place' || target.place.base.kind !== 'global') return null;
  const base = {
    kind: 'percpu',
    name: target.place.base.name,
    cpu: cpu === undefined ? null : l.expression(cpu),
  } as const;
  return { ...target.place, base };
}
