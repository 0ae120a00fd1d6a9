/** Where statements of a function stand to one another. */
import { eachStatement, type PlacedStatement } from '#c/statements.js';

export const LOOPS: ReadonlySet<string> = new Set(['while', 'do', 'for', 'macro']);

export const contains = (outer: PlacedStatement, inner: PlacedStatement): boolean =>
  outer.start <= inner.start && inner.end <= outer.end;

/** Does the offset lie inside the statement, neither in front of it nor behind it? */
export const inside = (statement: PlacedStatement, offset: number): boolean =>
  statement.start < offset && offset < statement.end;

/** The statement itself, then what it stands in, blocks left out. */
function unitAbove(statement: PlacedStatement): PlacedStatement | null {
  for (let at: PlacedStatement | null = statement; at !== null; at = at.parent)
    if (at.kind !== 'block') return at;
  return null;
}

/** The statement that this one stands in, blocks left out. */
export const holderOf = (statement: PlacedStatement): PlacedStatement | null =>
  statement.parent === null ? null : unitAbove(statement.parent);

/** A call that stands alone under a condition goes with the condition. */
export function unitOf(statement: PlacedStatement): PlacedStatement {
  let unit = statement;
  for (;;) {
    const holder: PlacedStatement | null =
      unit.parent?.kind === 'block' && unit.parent.children.length === 1 ? unit.parent.parent : unit.parent;
    if (holder?.kind !== 'if' || holder.children.length > 1) return unit;
    unit = holder;
  }
}

/** The statement of `block` that `inner` is, or stands in. */
export function ancestorIn(inner: PlacedStatement, block: PlacedStatement): PlacedStatement | null {
  if (block.kind !== 'block') return null;
  for (let at: PlacedStatement | null = inner; at !== null; at = at.parent)
    if (at.parent === block) return at;
  return null;
}

const insideCode = (statement: PlacedStatement): string =>
  [...eachStatement(statement)].map(({ code }) => code).join('\n');

/** The same code, what stands inside included. */
export const isSameCode = (a: PlacedStatement, b: PlacedStatement): boolean =>
  insideCode(a) === insideCode(b);
