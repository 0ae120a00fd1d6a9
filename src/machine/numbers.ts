/**
 * Programs in which the witness's address is a number (event `witness`): what a primitive computes from addresses,
 * strides and fields of an operand is then followed bit by bit, as the CPU does it.
 */
import { entryBit, entryBitNumber } from '#event/entry-bits.js';
import type { Event } from '#event/event.js';
import { ANY, LEVELS, type Value } from '#event/value.js';
import type { Step } from './step.js';

const ADDRESS = 'witness address';
const ASID = 'witness asid';
const PRESENT = 'witness present';

export function runWitness(step: Step, event: Extract<Event<Value>, { readonly kind: 'witness' }>): void {
  if (event.address.kind !== 'int') return;
  step.state.note(ADDRESS, String(event.address.n));
  if (event.asid?.kind === 'int') step.state.note(ASID, String(event.asid.n));
  const present = event.present === undefined ? null : wordOf(event.present);
  if (present !== null) step.state.note(PRESENT, String(present));
}

/** Are integers exact, and addresses, in this run? */
export function hasNumbers(step: Step): boolean {
  return step.state.extra.has(ADDRESS);
}

/** The witness's address, where it is a number. */
export function witnessNumber(step: Step): number | null {
  const text = step.state.extra.get(ADDRESS);
  return text === undefined ? null : Number(text);
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
  const isPast = value.n >= (Math.floor(w / 4096) + 1) * 4096;
  for (const [level, name] of LEVELS.entries()) {
    const size = 4096 * 512 ** level;
    if (Math.floor(value.n / size) !== Math.floor(w / size)) continue;
    if (!isPast) return { kind: 'address', gap: name };
    return { kind: 'address', gap: name === 'pmd' || name === 'pud' ? `past-${name}` : 'past' };
  }
  if (isPast) return { kind: 'address', gap: 'past' };
  return { kind: 'address', gap: 'far' };
}

/** Words that JavaScript's numbers cannot hold exactly: an entry with a flag at each end (bits 0 and 63). */
const WORD = /^word:(-?\d+)$/;
/** `$bit:NAME` with the number that the machine's headers give it, where they are in view. */
const FLAG = /^(bit|not):(\w+)(?::(\d+))?$/;
/** Without that: a bit of its own, beyond those of the machine's words. */
const FIRST_FLAG = 64n;

/** The integer that a value is in such a run; null for what is none. */
function wordOf(value: Value): bigint | null {
  if (value.kind === 'int') return Number.isInteger(value.n) ? BigInt(value.n) : null;
  if (value.kind !== 'symbol') return null;
  const word = WORD.exec(value.name);
  if (word !== null) return BigInt(word[1] ?? '0');
  const [, sense, name, number] = FLAG.exec(value.name) ?? [];
  if (name === undefined || (number === undefined && entryBit(name) === null)) return null;
  const bit = number === undefined ? 1n << (FIRST_FLAG + BigInt(entryBitNumber(name))) : BigInt(number);
  return sense === 'not' ? ~bit : bit;
}

function numberValue(word: bigint): Value {
  const n = Number(word);
  return BigInt(n) === word ? { kind: 'int', n } : { kind: 'symbol', name: `word:${word}` };
}

/** Is it an integer that numbers of this run hold? */
export const isWord = (value: Value): boolean => wordOf(value) !== null;

/** Is an entry that is given as a number present? Null for what is none, or where the flag is not known. */
export function wordIsPresent(step: Step, value: Value): boolean | null {
  const flag = step.state.extra.get(PRESENT);
  const word = flag === undefined ? null : wordOf(value);
  return flag === undefined || word === null ? null : (word & BigInt(flag)) !== 0n;
}

/** Where the number of the page stands in an entry (arch/x86/include/asm/pgtable_types.h, PTE_PFN_MASK without encryption). */
const FRAME = 0x000f_ffff_ffff_f000n;

/** The page that an entry maps which is given as a number, flags and all; null where it is none. */
export function frameOf(step: Step, entry: Value): Value | null {
  const word = hasNumbers(step) ? wordOf(entry) : null;
  return word === null ? null : numberValue((word & FRAME) >> 12n);
}

/** `~a`; null where this run has no numbers, or it is none. */
export function complementOf(step: Step, a: Value): Value | null {
  const word = hasNumbers(step) ? wordOf(a) : null;
  return word === null ? null : numberValue(~word);
}

/** `a OP b` where both are integers and this run has numbers; null elsewhere. */
export const exactly = (step: Step, op: string, a: Value, b: Value): Value | null =>
  hasNumbers(step) ? compute(op, a, b) : null;

/**
 * Arithmetic as 64-bit registers do it; null where an operand is no integer. What C leaves open is unknown, but shift
 * counts are taken modulo 64 (DDI 0487, LSLV, LSRV).
 */
export function compute(op: string, a: Value, b: Value): Value | null {
  const [x, y] = [wordOf(a), wordOf(b)];
  if (x === null || y === null) return null;
  switch (op) {
    case '+':
      return numberValue(x + y);
    case '-':
      return numberValue(x - y);
    case '*':
      return numberValue(x * y);
    case '/':
      return y === 0n ? ANY : numberValue(x / y);
    case '%':
      return y === 0n ? ANY : numberValue(x % y);
    case '&':
      return numberValue(x & y);
    case '|':
      return numberValue(x | y);
    case '^':
      return numberValue(x ^ y);
    case '<<':
      return numberValue(BigInt.asIntN(65, x << (y & 63n)));
    case '>>':
      return numberValue(x >> (y & 63n));
    default:
      return ANY;
  }
}
