/**
 * Programs in which the witness's address is a number (event `witness`): what a primitive computes from addresses,
 * strides and fields of an operand is then followed bit by bit, as the CPU does it.
 */
import type { Event } from '#event/event.js';
import { LEVELS, type Value } from '#event/value.js';
import type { Step } from './step.js';

const ADDRESS = 'witness address';
const ASID = 'witness asid';

export function runWitness(step: Step, event: Extract<Event<Value>, { readonly kind: 'witness' }>): void {
  if (event.address.kind !== 'int') return;
  step.state.note(ADDRESS, String(event.address.n));
  if (event.asid?.kind === 'int') step.state.note(ASID, String(event.asid.n));
}

/** Are integers exact, and addresses, in this run? */
export function hasNumbers(step: Step): boolean {
  return step.state.extra.has(ADDRESS);
}

/** The number of the witness's address space; null where the program did not say. */
export function witnessAsid(step: Step): number | null {
  const text = step.state.extra.get(ASID);
  return text === undefined ? null : Number(text);
}

/** A number as a position relative to the witness; other values, and numbers where the witness has none, as they are. */
export function positionOf(step: Step, value: Value): Value {
  const text = step.state.extra.get(ADDRESS);
  if (text === undefined || value.kind !== 'int') return value;
  const w = Number(text);
  if (value.n >= (Math.floor(w / 4096) + 1) * 4096) return { kind: 'address', gap: 'past' };
  for (const [level, name] of LEVELS.entries()) {
    const size = 4096 * 512 ** level;
    if (Math.floor(value.n / size) === Math.floor(w / size)) return { kind: 'address', gap: name };
  }
  return { kind: 'address', gap: 'far' };
}

/**
 * Arithmetic as 64-bit registers do it; null where the result does not fit the numbers that programs compute with.
 * Shift counts are taken modulo 64 (DDI 0487, LSLV, LSRV), which C leaves open.
 */
export function compute(op: string, a: number, b: number): number | null {
  if (!Number.isInteger(a) || !Number.isInteger(b)) return null;
  const x = BigInt(a);
  const y = BigInt(b);
  switch (op) {
    case '+':
      return narrow(x + y);
    case '-':
      return narrow(x - y);
    case '*':
      return narrow(x * y);
    case '/':
      return y === 0n ? null : narrow(x / y);
    case '%':
      return y === 0n ? null : narrow(x % y);
    case '&':
      return narrow(x & y);
    case '|':
      return narrow(x | y);
    case '^':
      return narrow(x ^ y);
    case '<<':
      return narrow(BigInt.asIntN(65, x << (y & 63n)));
    case '>>':
      return narrow(x >> (y & 63n));
    default:
      return null;
  }
}

/** Numbers with more significant bits than fit are given up rather than rounded. */
function narrow(value: bigint): number | null {
  const n = Number(value);
  return BigInt(n) === value ? n : null;
}
