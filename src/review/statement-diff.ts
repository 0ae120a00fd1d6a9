/** Which statements of a function stand on both sides of a patch: by their own code, in order. */
import { eachStatement, type PlacedStatement } from '#c/statements.js';

export interface StatementDiff {
  /** For statements that stand on both sides, the other side's. */
  readonly toNew: ReadonlyMap<PlacedStatement, PlacedStatement>;
  /** On the old side alone, in order of the text. */
  readonly removed: readonly PlacedStatement[];
  /** On the new side alone. */
  readonly added: readonly PlacedStatement[];
}

/** Larger functions are not compared: the table would be too large. */
const CELLS = 4_000_000;

/** Null where the functions are too large to compare. Blocks are no statements of their own. */
export function diffStatements(before: PlacedStatement, after: PlacedStatement): StatementDiff | null {
  const [old, now] = [before, after].map((root) =>
    [...eachStatement(root)].filter((statement) => statement.kind !== 'block'),
  ) as [PlacedStatement[], PlacedStatement[]];
  if (old.length * now.length > CELLS) return null;
  const width = now.length + 1;
  const best = new Uint16Array((old.length + 1) * width);
  for (let i = old.length - 1; i >= 0; i -= 1)
    for (let j = now.length - 1; j >= 0; j -= 1) {
      const [down, right] = [best[(i + 1) * width + j] ?? 0, best[i * width + j + 1] ?? 0];
      best[i * width + j] =
        old[i]?.code === now[j]?.code ? (best[(i + 1) * width + j + 1] ?? 0) + 1 : Math.max(down, right);
    }
  const toNew = new Map<PlacedStatement, PlacedStatement>();
  const removed: PlacedStatement[] = [];
  const added: PlacedStatement[] = [];
  let [i, j] = [0, 0];
  for (;;) {
    const [was, is] = [old[i], now[j]];
    if (was === undefined && is === undefined) break;
    if (was !== undefined && is !== undefined && was.code === is.code) {
      toNew.set(was, is);
      i += 1;
      j += 1;
    } else if (
      was !== undefined &&
      (is === undefined || (best[(i + 1) * width + j] ?? 0) >= (best[i * width + j + 1] ?? 0))
    ) {
      removed.push(was);
      i += 1;
    } else if (is !== undefined) {
      added.push(is);
      j += 1;
    }
  }
  return { toNew, removed, added };
}
