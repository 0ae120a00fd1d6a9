/**
 * Bit operations on whole entries (`spte & ~PT_WRITABLE_MASK`): the names of the masks say which attribute is meant,
 * as rules/constants.yaml lists them; what an entry maps stays the same.
 */
import { type EntryBit, entryBit } from '#event/entry-bits.js';
import { constant, type Expression, integer, type Operator } from '#event/expression.js';
import type { RuleSet } from '#rules/rule.js';
import { choice } from './expressions.js';
import type { Val } from './value.js';

/** Constants of this form stand for bits of an entry: `$bit:write`, `$bit:none`. */
const BIT = 'bit:';

/** All bits but the flag that the expression names; null where it names none. */
export function otherBits(expr: Expression): Expression | null {
  if (expr.op !== 'const' || expr.value.kind !== 'symbol' || !expr.value.name.startsWith(BIT)) return null;
  return constant({ kind: 'symbol', name: `not:${expr.value.name.slice(BIT.length)}` });
}

/** Flags among the bits of a mask, and whether every name in it is known. */
function bitsIn(mask: Val, rules: RuleSet): { readonly bits: readonly EntryBit[]; readonly whole: boolean } {
  const bits = new Set<EntryBit>();
  let whole = true;
  for (const name of mask.origin.match(/[A-Za-z_]\w*/g) ?? []) {
    const value = rules.constants.get(name)?.[0]?.value;
    const bit =
      value?.op === 'const' && value.value.kind === 'symbol' && value.value.name.startsWith(BIT)
        ? value.value.name.slice(BIT.length)
        : null;
    const flag = bit === null ? null : entryBit(bit);
    if (flag !== null) bits.add(flag);
    else if (bit === null) whole = false;
  }
  return { bits: [...bits], whole };
}

/**
 * `entry OP mask` as an expression; null where the operation is none on an entry's bits. A mask that names no known bit
 * may hold any: what it does to the write permission, on which most depends, is then a choice.
 */
export function entryBits(op: Operator, entry: Val, mask: Val, rules: RuleSet): Expression | null {
  const { bits, whole } = bitsIn(mask, rules);
  const inverted = mask.origin.startsWith('~');
  const put = (on: boolean): Expression =>
    bits.reduce<Expression>(
      (value, { attribute, set }) => ({
        op: `with-${attribute}`,
        args: [value, integer(on === set ? 1 : 0)],
      }),
      entry.expr,
    );
  const guessed = (value: Expression, keeps: Expression): Expression =>
    whole
      ? value
      : {
          op: 'with-write',
          args: [
            value,
            {
              op: 'select',
              args: [
                choice(`${mask.origin} leaves the write bit`, mask.stable),
                { op: 'is-write', args: [entry.expr] },
                keeps,
              ],
            },
          ],
        };
  switch (op) {
    case '|':
    case '+':
      return guessed(put(true), integer(1));
    case '&':
      if (inverted) return guessed(put(false), integer(0));
      if (bits.length === 0) return null;
      return bits
        .map(({ attribute, set }): Expression => {
          const has: Expression = { op: `is-${attribute}`, args: [entry.expr] };
          return set ? has : { op: '!', args: [has] };
        })
        .reduce((a, b) => ({ op: '||', args: [a, b] }));
    default:
      return null;
  }
}
