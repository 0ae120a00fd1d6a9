/** Initialiser lists and compound literals. */
import type { Operand, Place } from './ir.js';
import { extend } from './lower-place.js';
import type { Lowering } from './lowering.js';
import type { Entry, Expression } from './syntax.js';

type Compound = Extract<Expression, { readonly kind: 'compound' }>;

/** A list used as a value: its members by name, positions as `[0]`. */
export function lowerAggregate(l: Lowering, node: Compound): Operand {
  const fields = node.entries.map((entry, i) => ({
    name: entryName(l, entry, i),
    value: l.expression(entry.value),
  }));
  l.mark(node);
  return l.value({ kind: 'aggregate', type: node.type, fields }, node.type);
}

/** A list that fills a variable: what it does not name is zero, the rest is stored member by member. */
export function lowerListInto(l: Lowering, place: Place, node: Compound): void {
  l.mark(node);
  l.store(place, { kind: 'int', value: 0 });
  const zero = node.entries.length === 1 ? node.entries[0] : undefined;
  if (zero && zero.path.length === 0 && zero.value.kind === 'int' && !zero.value.value) return;
  fill(l, place, node);
}

function fill(l: Lowering, place: Place, node: Compound): void {
  const element = place.type?.array ? { base: place.type.base, pointers: place.type.pointers } : null;
  for (const [i, entry] of node.entries.entries()) {
    let target = place;
    if (entry.path.length === 0)
      target = extend(place, { kind: 'index', at: { kind: 'int', value: i } }, element);
    for (const step of entry.path) {
      target =
        'field' in step
          ? extend(target, { kind: 'field', name: step.field }, null)
          : extend(target, { kind: 'index', at: l.expression(step.index) }, element);
    }
    if (entry.value.kind === 'compound' && entry.value.type === null) fill(l, target, entry.value);
    else {
      const value = l.expression(entry.value);
      l.mark(entry.value);
      l.store(target, value);
    }
  }
}

function entryName(l: Lowering, entry: Entry, position: number): string {
  if (entry.path.length === 0) return `[${position}]`;
  return entry.path
    .map((step) => ('field' in step ? step.field : `[${l.text(step.index)}]`))
    .join('.')
    .replaceAll('.[', '[');
}
