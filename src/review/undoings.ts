/**
 * What a patch did to a function undone in one place: a statement put back where it stood, or as it was, a condition
 * as it was, or gone again.
 */
import { eachStatement, type PlacedStatement } from '#c/statements.js';
import type { Proposal } from './candidate-edits.js';
import { HEALING, PAIRED } from './mending-events.js';
import { type FunctionText, offsetOf, Scene, type Spot } from './scene.js';
import { type Edit, indentOf, joined, linesOf, removal } from './source-edit.js';
import { diffStatements, type StatementDiff } from './statement-diff.js';
import { holderOf, isSameCode } from './statement-tree.js';

export function* undoings(before: FunctionText, scene: Scene): Generator<Proposal> {
  const diff = diffStatements(before.body, scene.body);
  if (diff === null) return;
  const old = new Scene(before);
  const sides: Sides = { old, scene, diff, gone: new Set(diff.removed) };
  const runs = runsOf(diff.removed.filter((statement) => isOutermost(statement, sides)));
  for (const run of runs) {
    const heals = (statement: PlacedStatement): boolean => old.does(statement, HEALING);
    const sort = (some: readonly PlacedStatement[]): Proposal['sort'] =>
      some.some(heals) ? 'undo' : 'undo-other';
    if (run.length > 1) yield { edits: restored(run, sides), sort: sort(run) };
    for (const statement of run) {
      const inPlace = replaced(statement, sides);
      yield { edits: inPlace, sort: sort([statement]) };
      // A statement of no effect of its own is put back only where that is all that the patch took out.
      if (inPlace === null && (heals(statement) || runs.length === 1))
        yield {
          edits: restored([statement], sides),
          sort: leavesBarrier(statement, sides) ? 'undo-other' : sort([statement]),
        };
    }
  }
  for (const statement of diff.removed) yield { edits: conditionBack(statement, sides), sort: 'undo-other' };
  for (const statement of diff.added) yield { edits: conditionOff(statement, sides), sort: 'undo-other' };
}

interface Sides {
  readonly old: Scene;
  readonly scene: Scene;
  readonly diff: StatementDiff;
  readonly gone: ReadonlySet<PlacedStatement>;
}

/** Gone with all that stands in it, and not with something around it. */
function isOutermost(statement: PlacedStatement, { gone }: Sides): boolean {
  const outer = holderOf(statement);
  return isWholeGone(statement, gone) && !(outer !== null && gone.has(outer) && isWholeGone(outer, gone));
}

const isWholeGone = (statement: PlacedStatement, gone: ReadonlySet<PlacedStatement>): boolean =>
  [...eachStatement(statement)].every((inner) => inner.kind === 'block' || gone.has(inner));

/** Statements that stand directly behind one another. */
function runsOf(statements: readonly PlacedStatement[]): PlacedStatement[][] {
  const runs: PlacedStatement[][] = [];
  for (const statement of statements) {
    const run = runs.at(-1);
    const last = run?.at(-1);
    const row = statement.parent?.children ?? [];
    if (run !== undefined && last !== undefined && row[row.indexOf(statement) - 1] === last)
      run.push(statement);
    else runs.push([statement]);
  }
  return runs;
}

/** Where the new side has the place that a statement of the old side stood at. */
function placeOf(statement: PlacedStatement, { toNew }: StatementDiff): Spot | null {
  const row = statement.parent;
  if (row?.kind !== 'block') return null;
  const at = row.children.indexOf(statement);
  for (const next of row.children.slice(at + 1)) {
    const now = toNew.get(next);
    if (now !== undefined) return { before: now };
  }
  for (const last of row.children.slice(0, at).reverse()) {
    const now = toNew.get(last);
    if (now !== undefined) return { behind: now };
  }
  return null;
}

/** Statements that stood in a row where they stood; what stands elsewhere now is taken away there. */
function restored(run: readonly PlacedStatement[], sides: Sides): Edit[] | null {
  const { old, scene, diff } = sides;
  const [first] = run;
  const place = first === undefined ? null : placeOf(first, diff);
  if (first === undefined || place === null) return null;
  const condition = lostCondition(first, sides);
  if (condition === null) return null;
  const taken: Edit[] = [];
  const lines: ((indent: string) => string[])[] = [];
  for (const statement of run) {
    if (!old.isMovable(statement) || !scene.knows(statement, old, place)) return null;
    const moved = diff.added.find((now) => isSameCode(now, statement) && scene.isMovable(now));
    const isNew = (other: PlacedStatement): boolean => !run.some((own) => isSameCode(own, other));
    if (moved === undefined) {
      if (old.does(statement, PAIRED)) return null;
      lines.push((indent) => linesOf(old.lines, statement, indent));
      continue;
    }
    // What stood between then as well is no matter.
    const reads = new Set([...eachStatement(moved)].flatMap(({ names }) => [...names]));
    for (const other of scene.between(moved, offsetOf(place), diff.added.filter(isNew)))
      if ([...other.writes].some((name) => reads.has(name))) return null;
    const whole = { ...moved, firstLine: scene.commentAbove(moved.firstLine) };
    taken.push(removal(scene.file, scene.lines, whole));
    lines.push((indent) => linesOf(scene.lines, whole, indent));
  }
  const mark = 'before' in place ? place.before : place.behind;
  // A comment that stood above them, and stands above what came next since, is theirs.
  const under = old.commentAbove(first.firstLine) < first.firstLine && taken.length === 0;
  const added = scene.insert(
    (indent) =>
      condition.length === 0
        ? lines.flatMap((of) => of(indent))
        : [...condition.map((line) => indent + line), ...lines.flatMap((of) => of(`${indent}\t`))],
    place,
    under,
  );
  if (added === null) return null;
  const inBraces = mark.parent?.kind === 'block' ? mark : (mark.parent ?? mark);
  const comment = 'before' in place || inBraces !== mark ? inBraces.firstLine : null;
  return joined([
    ...added,
    ...taken,
    ...(comment === null || taken.length > 0 ? [] : scene.withoutNewComment(comment, old)),
  ]);
}

/** Would a barrier be left without a use, since what it kept apart stands on one side of it? */
function leavesBarrier(statement: PlacedStatement, { scene, diff }: Sides): boolean {
  const place = placeOf(statement, diff);
  const moved = diff.added.find((now) => isSameCode(now, statement));
  return place !== null && moved !== undefined && scene.crosses(moved, offsetOf(place), 'barrier');
}

/** The lines of the condition that went with the patch while other statements under it stayed; null where it cannot be said. */
function lostCondition(statement: PlacedStatement, { old, scene, diff, gone }: Sides): string[] | null {
  const holder = holderOf(statement);
  if (holder === null || !gone.has(holder)) return [];
  const place = placeOf(statement, diff);
  const head = holder.kind === 'if' && holder.children.length === 1 ? headOf(holder, old) : null;
  if (head === null || place === null || gone.has(holderOf(holder) ?? old.body)) return null;
  if (!scene.knows({ ...holder, children: [] }, old, place)) return null;
  const indent = indentOf(head[0] ?? '');
  return head.map((line) => line.slice(indent.length).replace(/\s*\{\s*$/, ''));
}

/** A statement as it was, in place of one of the same sort that stands there instead. */
function replaced(statement: PlacedStatement, { old, scene, diff }: Sides): Edit[] | null {
  const place = placeOf(statement, diff);
  if (place === null || !old.fills(statement)) return null;
  const isNew = (now: PlacedStatement): boolean => !diff.removed.some((was) => isSameCode(was, now));
  const instead = diff.added.find(
    (now) => now.kind === statement.kind && scene.stands(now, place) && isNew(now),
  );
  if (instead === undefined || !scene.fills(instead)) return null;
  const isDeclaration = statement.kind === 'declaration';
  if (isDeclaration && [...statement.declares].join() !== [...instead.declares].join()) return null;
  if (!isDeclaration && !(old.isMovable(statement) && scene.isMovable(instead))) return null;
  if (!scene.knows(statement, old, { behind: instead })) return null;
  if (!isDeclaration && old.does(statement, PAIRED) !== scene.does(instead, PAIRED)) return null;
  return joined([
    {
      file: scene.file,
      line: instead.firstLine,
      remove: instead.lastLine - instead.firstLine + 1,
      insert: linesOf(old.lines, statement, indentOf(scene.lines[instead.firstLine - 1] ?? '')),
    },
    ...scene.withoutNewComment(instead.firstLine, old),
  ]);
}

/** Lines from the keyword to the opening brace, or to the line in front of the only statement. */
function headOf(statement: PlacedStatement, scene: Scene): string[] | null {
  const [body] = statement.children;
  if (body === undefined) return null;
  const last = body.kind === 'block' ? body.firstLine : body.firstLine - 1;
  const lines = scene.lines.slice(statement.firstLine - 1, last);
  const end = lines.at(-1) ?? '';
  return lines.length > 0 && (body.kind === 'block' ? /\{\s*$/ : /\)\s*$/).test(end) ? lines : null;
}

/** A condition as it was, where what stands under it is what stood under it. */
function conditionBack(statement: PlacedStatement, { old, scene, diff, gone }: Sides): Edit[] | null {
  if (statement.kind !== 'if' && statement.kind !== 'while') return null;
  const under = [...eachStatement(statement)].find(
    (inner) => inner !== statement && inner.kind !== 'block' && !gone.has(inner),
  );
  const now = under === undefined ? undefined : diff.toNew.get(under);
  const holder = now === undefined ? null : holderOf(now);
  if (holder === null || holder.kind !== statement.kind || !diff.added.includes(holder)) return null;
  const [was, is] = [headOf(statement, old), headOf(holder, scene)];
  if (was === null || is === null || !was[0]?.trim().startsWith(statement.kind)) return null;
  if (statement.children[0]?.kind !== holder.children[0]?.kind) return null;
  if (!scene.knows({ ...statement, children: [] }, old, { before: holder })) return null;
  return joined([
    { file: scene.file, line: holder.firstLine, remove: is.length, insert: was },
    ...scene.withoutNewComment(holder.firstLine, old),
  ]);
}

/** A condition that the patch put around statements taken off them again. */
function conditionOff(statement: PlacedStatement, { old, scene, diff }: Sides): Edit[] | null {
  const [body] = statement.children;
  if (statement.kind !== 'if' || statement.children.length !== 1 || body === undefined) return null;
  if (statement.parent?.kind !== 'block' || !scene.fills(statement)) return null;
  const inner = body.kind === 'block' ? body.children : [body];
  const stood = new Map([...diff.toNew].map(([was, is]) => [is, was]));
  const holders = new Set(
    inner.map((now) => {
      const was = stood.get(now);
      const holder = was === undefined ? undefined : holderOf(was);
      return holder === null || holder === undefined ? holder : (diff.toNew.get(holder) ?? undefined);
    }),
  );
  const [holder] = holders;
  if (holders.size !== 1 || holder === undefined || holder !== holderOf(statement)) return null;
  const [first, last] = [inner[0], inner.at(-1)];
  if (first === undefined || last === undefined) return null;
  const indent = indentOf(scene.lines[statement.firstLine - 1] ?? '');
  const whole = { ...first, lastLine: last.lastLine };
  return joined([
    {
      file: scene.file,
      line: statement.firstLine,
      remove: statement.lastLine - statement.firstLine + 1,
      insert: linesOf(scene.lines, whole, indent),
    },
    ...scene.withoutNewComment(statement.firstLine, old),
  ]);
}
