/**
 * Bits of entries by meaning: `$bit:NAME` stands for a flag of an entry, `$not:NAME` for all bits but that one.
 * Arithmetic of C on an entry's value then tests or changes an attribute.
 */
import { type EntryBit, entryBit } from '#event/entry-bits.js';
import type { EntryValue, Value } from '#event/value.js';
import type { Step } from './step.js';

interface Bit extends EntryBit {
  /** All other bits, not this one. */
  readonly others: boolean;
}

function bitOf(value: Value): Bit | null {
  if (value.kind !== 'symbol') return null;
  const match = /^(bit|not):(\w+)(?::\d+)?$/.exec(value.name);
  const known = match === null ? null : entryBit(match[2] ?? '');
  return match === null || known === null ? null : { ...known, others: match[1] === 'not' };
}

/** `~bit`, or null for what is no bit. */
export function complement(value: Value): Value | null {
  const bit = bitOf(value);
  if (bit === null || value.kind !== 'symbol') return null;
  return { kind: 'symbol', name: value.name.replace(/^\w+:/, bit.others ? 'bit:' : 'not:') };
}

/** `entry & bit` as 0 or 1, `entry & ~bit` as an entry; null where the operands are others. */
export function maskEntry(step: Step, a: Value, b: Value): Value | null {
  const [entry, bit] = a.kind === 'entry-value' ? [a, bitOf(b)] : [b, bitOf(a)];
  if (entry.kind !== 'entry-value' || bit === null) return null;
  if (bit.others) return withBit(step, entry, bit, false);
  const known = step.settleMaps(entry);
  const has =
    bit.attribute === 'present'
      ? known.maps === 'page' || known.maps === 'table'
      : known.maps !== 'none' && step.attribute(known, bit.attribute);
  return { kind: 'int', n: has === bit.set ? 1 : 0 };
}

/** `entry | bit`; null where the operands are others. */
export function joinEntry(step: Step, a: Value, b: Value): Value | null {
  const [entry, bit] = a.kind === 'entry-value' ? [a, bitOf(b)] : [b, bitOf(a)];
  if (entry.kind !== 'entry-value' || bit === null || bit.others) return null;
  return withBit(step, entry, bit, true);
}

function withBit(step: Step, entry: EntryValue, bit: Bit, on: boolean): EntryValue {
  const has = on === bit.set;
  if (bit.attribute !== 'present') return { ...entry, [bit.attribute]: has };
  const known = step.settleMaps(entry);
  if (!has) return known.maps === 'page' ? { ...known, maps: 'soft' } : known;
  return known.maps === 'soft' ? { ...known, maps: 'page' } : known;
}
