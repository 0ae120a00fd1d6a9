/** A statement brought in front of what goes wrong, or that behind it, or done once more on a path without it. */
import { eachStatement, type PlacedStatement } from '#c/statements.js';
import type { EventKind } from '#event/event.js';
import type { Proposal } from './candidate-edits.js';
import { HARMLESS, HEALING, REPEATABLE } from './mending-events.js';
import type { Scene } from './scene.js';
import { ancestorIn, contains, unitOf } from './statement-tree.js';

/** @param line where the order goes wrong */
export function* reorderings(scene: Scene, line: number): Generator<Proposal> {
  const wrong = scene.at(line);
  if (wrong === null) return;
  const helpers = [...eachStatement(scene.body)]
    .filter((statement) => statement.kind === 'expression' && scene.does(statement, HEALING))
    .filter((statement) => statement !== wrong)
    .map((statement) => unitOf(statement));
  const near = (statement: PlacedStatement): number => Math.abs(statement.firstLine - line);
  for (const helper of [...new Set(helpers)].sort((a, b) => near(a) - near(b))) {
    if (!scene.isMovable(helper) || contains(helper, wrong)) continue;
    const block = helper.parent;
    if (block === null) continue;
    const level = ancestorIn(wrong, block);
    if (level !== null && scene.does(helper, REPEATABLE_OR_CLEAR))
      if (!scene.waitsAcross(helper, { before: level }))
        yield { edits: scene.move(helper, { before: level }), sort: sortOf(scene, helper, level.start) };
    // Behind it: only what stands in the same row, so that it is done on the paths on which it was.
    const unit = unitOf(wrong);
    const helperLevel = unit.parent === null ? null : ancestorIn(helper, unit.parent);
    if (helperLevel !== null && helperLevel.start > unit.start && isCall(unit) && scene.isMovable(unit))
      if (!scene.leaves(unit.end, helperLevel.end) && scene.keepsItsValues(helper, unit.start, false))
        // What it is brought behind must be about the same addresses as it would have been in front of it.
        yield {
          edits: scene.move(unit, { behind: helperLevel }),
          sort: sortOf(scene, unit, helperLevel.end),
        };
    if (isMissed(scene, helper, wrong)) yield { edits: scene.repeat(helper, wrong), sort: 'repeat' };
  }
}

/** What is moved across a barrier leaves it without a use: any other edit is better. */
const sortOf = (scene: Scene, statement: PlacedStatement, offset: number): Proposal['sort'] =>
  scene.crosses(statement, offset, 'barrier') ? 'move-across-barrier' : 'move';

/**
 * Would a call have mended what goes wrong on a path that ends before it comes to the call? On any other path the call
 * could be moved; and a flush for each round of a loop is no way out.
 */
function isMissed(scene: Scene, helper: PlacedStatement, wrong: PlacedStatement): boolean {
  return (
    scene.does(helper, REPEATABLE) &&
    isCall(helper) &&
    scene.doesOnly(helper, REPEATS) &&
    helper.start > wrong.start &&
    scene.leaves(wrong.end, helper.start) &&
    scene.loopsAsOftenAs(helper, wrong.start)
  );
}

const REPEATS: ReadonlySet<EventKind> = new Set([...REPEATABLE, ...HARMLESS]);

const REPEATABLE_OR_CLEAR: ReadonlySet<EventKind> = new Set<EventKind>([
  ...REPEATABLE,
  'rcu-wait',
  'clear',
  'clear-range',
  'notify-start',
]);

const isCall = (statement: PlacedStatement): boolean =>
  [...eachStatement(statement)].every(({ kind }) => ['expression', 'if', 'block'].includes(kind));
