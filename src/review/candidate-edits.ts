/**
 * Edits that may put a wrong order right: one statement moved, put back or repeated. Proposals only: whether one does
 * is for the search to say. What the search cannot see is settled here: that every name is in scope and has the value
 * it had, and that no path is cut off or joined by the way.
 */
import { eachStatement, type PlacedStatement } from '#c/statements.js';
import type { EventKind } from '#event/event.js';
import { applyEdits, type Edit, fillsItsLines, indentOf, joined, linesOf, removal } from './source-edit.js';
import { diffStatements } from './statement-diff.js';

/** One function of one side of a patch. */
export interface FunctionText {
  readonly file: string;
  readonly text: string;
  readonly parameters: string;
  readonly body: PlacedStatement;
  /** What the program does in the function, by line. */
  readonly events: ReadonlyMap<number, ReadonlySet<EventKind>>;
  /** What a primitive does, by its name: the program leaves out what changes nothing where it stands. */
  readonly primitive: (name: string) => ReadonlySet<EventKind>;
}

export interface CandidateEdit {
  readonly edits: readonly Edit[];
  /** Text of the file with the edits made. */
  readonly text: string;
  /** What a reader would have to follow: less is tried first. */
  readonly cost: number;
}

/** Events that can make up for what was done to an entry, or undo it. */
const HEALING: ReadonlySet<EventKind> = new Set<EventKind>([
  'flush',
  'barrier',
  'isb',
  'ipi-all',
  'rcu-wait',
  'gather-track',
  'gather-flush',
  'batch-add',
  'batch-flush',
  'pending',
  'notify-start',
  'notify-end',
  'notify-invalidate',
  'clear',
  'clear-range',
  'set',
  'change',
  'write-low',
  'write-high',
  'read-low',
  'read-high',
  'recheck',
  'interrupts',
  'rcu-read',
  'lock',
  'unlock',
  'cpu',
]);

/** Of those, the ones that do no harm when they are done once more. */
const REPEATABLE: ReadonlySet<EventKind> = new Set<EventKind>([
  'flush',
  'barrier',
  'isb',
  'ipi-all',
  'gather-track',
  'gather-flush',
  'batch-flush',
  'notify-invalidate',
]);

/**
 * Edits of `after`, the cheapest first, each text once.
 *
 * @param before    the function before the patch, null where it is new
 * @param violating line where the order goes wrong, null where that is in another function
 */
export function candidateEdits(
  before: FunctionText | null,
  after: FunctionText,
  violating: number | null,
): CandidateEdit[] {
  const scene = new Scene(after);
  const found: CandidateEdit[] = [];
  const add = (edits: readonly Edit[] | null, extra = 0): void => {
    if (edits === null) return;
    const text = applyEdits(after.text, edits);
    if (text === after.text || found.some((known) => known.text === text)) return;
    const lines = edits.reduce((sum, edit) => sum + edit.remove + edit.insert.length, 0);
    found.push({ edits, text, cost: lines + extra });
  };
  if (before !== null) for (const [edits, extra] of undone(before, scene)) add(edits, extra);
  if (violating !== null) for (const [edits, extra] of reordered(scene, violating)) add(edits, extra);
  return found.sort((a, b) => a.cost - b.cost);
}

type Costed = readonly [readonly Edit[] | null, number];

/** What the patch took away is put back, what it moved is moved back, what it changed is changed back: a run at a time. */
function* undone(before: FunctionText, scene: Scene): Generator<Costed> {
  const diff = diffStatements(before.body, scene.body);
  if (diff === null) return;
  const old = new Scene(before);
  const gone = new Set(diff.removed);
  // A statement goes with all that stands in it; where some of that is still there, only its condition changed.
  const whole = diff.removed.filter((statement) => {
    const outer = statement.parent === null ? null : unitAbove(statement.parent);
    return isWholeGone(statement, gone) && !(outer !== null && gone.has(outer) && isWholeGone(outer, gone));
  });
  const movedTo = (statement: PlacedStatement): PlacedStatement | undefined =>
    diff.added.find((now) => sameInside(now, statement) && scene.isMovable(now));
  const restored = (run: readonly PlacedStatement[], place: Spot): Edit[] | null => {
    const taken: Edit[] = [];
    const lines: PlacedStatement[] = [];
    for (const statement of run) {
      const moved = movedTo(statement);
      if (moved !== undefined) {
        if (!scene.keepsItsValues(moved, offsetOf(place), true)) return null;
        taken.push(removal(scene.file, scene.lines, moved));
        lines.push(statement);
      } else if (
        old.isMovable(statement) &&
        !old.does(statement, PAIRED) &&
        scene.knows(statement, old, place)
      )
        lines.push(statement);
      else return null;
    }
    const added = scene.insert(
      (indent) => lines.flatMap((statement) => linesOf(old.lines, statement, indent)),
      place,
    );
    return added === null ? null : joined([...added, ...taken]);
  };
  const runs = runsOf(whole);
  if (runs.length > 1) {
    const all = runs.map((run) => {
      const place = run[0] === undefined ? null : placeOf(run[0], diff.toNew);
      return place === null ? null : restored(run, place);
    });
    if (!all.includes(null)) yield [joined(all.flatMap((edits) => edits ?? [])), 0];
  }
  for (const run of runs) {
    const first = run[0];
    const place = first === undefined ? null : placeOf(first, diff.toNew);
    if (place === null || !run.some((statement) => old.does(statement, HEALING))) continue;
    if (run.length > 1) yield [restored(run, place), 0];
    for (const statement of run) {
      if (!old.does(statement, HEALING)) continue;
      const moved = movedTo(statement);
      if (moved !== undefined) {
        yield [scene.move(moved, place), scene.orders(moved, place)];
        continue;
      }
      if (!old.isMovable(statement) || !scene.knows(statement, old, place)) continue;
      const instead = diff.added.find((now) => scene.stands(now, place) && now.kind === statement.kind);
      if (instead !== undefined && scene.isMovable(instead)) {
        const insert = linesOf(old.lines, statement, indentOf(scene.lines[instead.firstLine - 1] ?? ''));
        const remove = instead.lastLine - instead.firstLine + 1;
        // One that does the same sort of thing was put in its place.
        yield [[{ file: scene.file, line: instead.firstLine, remove, insert }], -2];
      }
      yield [restored([statement], place), 0];
    }
  }
}

/** Events that come in pairs: one of them alone is never put in. */
const PAIRED: ReadonlySet<EventKind> = new Set<EventKind>([
  'lock',
  'unlock',
  'interrupts',
  'rcu-read',
  'notify-start',
  'notify-end',
  'lazy-mmu',
  'pending',
  'cpu',
  'gather-start',
  'gather-end',
]);

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

/** The statement is brought in front of what goes wrong, or that behind it. */
function* reordered(scene: Scene, line: number): Generator<Costed> {
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
        yield [scene.move(helper, { before: level }), scene.orders(helper, { before: level })];
    // Behind it: only what stands in the same row, so that it is done on the paths on which it was.
    const unit = unitOf(wrong);
    const helperLevel = unit.parent === null ? null : ancestorIn(helper, unit.parent);
    if (helperLevel !== null && helperLevel.start > unit.start && isCall(unit) && scene.isMovable(unit))
      if (!scene.leaves(unit.end, helperLevel.end))
        yield [scene.move(unit, { behind: helperLevel }), scene.orders(unit, { behind: helperLevel })];
    if (scene.does(helper, REPEATABLE) && isCall(helper)) yield [scene.repeat(helper, wrong), 3];
  }
}

const REPEATABLE_OR_CLEAR: ReadonlySet<EventKind> = new Set<EventKind>([
  ...REPEATABLE,
  'rcu-wait',
  'clear',
  'clear-range',
  'notify-start',
]);

type Spot = { readonly before: PlacedStatement } | { readonly behind: PlacedStatement };

const isCall = (statement: PlacedStatement): boolean =>
  [...eachStatement(statement)].every(({ kind }) => ['expression', 'if', 'block'].includes(kind));

/** A call that stands alone under a condition goes with the condition. */
function unitOf(statement: PlacedStatement): PlacedStatement {
  let unit = statement;
  for (;;) {
    const holder: PlacedStatement | null =
      unit.parent?.kind === 'block' && unit.parent.children.length === 1 ? unit.parent.parent : unit.parent;
    if (holder?.kind !== 'if' || holder.children.length > 1) return unit;
    unit = holder;
  }
}

const unitAbove = (statement: PlacedStatement): PlacedStatement | null =>
  statement.kind !== 'block' ? statement : statement.parent === null ? null : unitAbove(statement.parent);

const contains = (outer: PlacedStatement, inner: PlacedStatement): boolean =>
  outer.start <= inner.start && inner.end <= outer.end;

/** The statement of `block` that `inner` is, or stands in. */
function ancestorIn(inner: PlacedStatement, block: PlacedStatement): PlacedStatement | null {
  if (block.kind !== 'block') return null;
  for (let at: PlacedStatement | null = inner; at !== null; at = at.parent)
    if (at.parent === block) return at;
  return null;
}

const isWholeGone = (statement: PlacedStatement, gone: ReadonlySet<PlacedStatement>): boolean =>
  [...eachStatement(statement)].every((inner) => inner.kind === 'block' || gone.has(inner));

const insideCode = (statement: PlacedStatement): string =>
  [...eachStatement(statement)].map(({ code }) => code).join('\n');
const sameInside = (a: PlacedStatement, b: PlacedStatement): boolean => insideCode(a) === insideCode(b);

/** Where the new side has the place that a statement of the old side stood at. */
function placeOf(
  statement: PlacedStatement,
  toNew: ReadonlyMap<PlacedStatement, PlacedStatement>,
): Spot | null {
  const row = statement.parent;
  if (row?.kind !== 'block') return null;
  const at = row.children.indexOf(statement);
  for (const next of row.children.slice(at + 1)) {
    const now = toNew.get(next);
    if (now !== undefined) return { before: now };
  }
  for (const last of row.children.slice(0, at).reverse()) {
    const now = toNew.get(last);
    if (now !== undefined) return now.parent?.kind === 'block' ? { behind: now } : null;
  }
  return null;
}

const LOOPS: ReadonlySet<string> = new Set(['while', 'do', 'for', 'macro']);

/** A function's text with what is asked about it. */
class Scene {
  readonly file: string;
  readonly lines: readonly string[];
  readonly body: PlacedStatement;
  private readonly statements: readonly PlacedStatement[];
  private readonly locals = new Map<string, PlacedStatement[]>();

  constructor(private readonly source: FunctionText) {
    this.file = source.file;
    this.lines = source.text.split('\n');
    this.body = source.body;
    this.statements = [...eachStatement(source.body)];
    for (const statement of this.statements)
      for (const name of statement.declares)
        this.locals.set(name, [...(this.locals.get(name) ?? []), statement]);
  }

  /** The innermost statement of a line; null for the end of the function. */
  at(line: number): PlacedStatement | null {
    let found: PlacedStatement | null = null;
    for (const statement of this.statements)
      if (statement.kind !== 'block' && statement.firstLine <= line && line <= statement.lastLine)
        found = statement;
    return found;
  }

  does(statement: PlacedStatement, kinds: ReadonlySet<EventKind>): boolean {
    for (let line = statement.firstLine; line <= statement.lastLine; line += 1)
      for (const kind of this.source.events.get(line) ?? []) if (kinds.has(kind)) return true;
    for (const { names } of eachStatement(statement))
      for (const name of names)
        for (const kind of this.source.primitive(name)) if (kinds.has(kind)) return true;
    return false;
  }

  isMovable(statement: PlacedStatement): boolean {
    return (
      statement.parent?.kind === 'block' &&
      fillsItsLines(this.lines, this.source.text, statement) &&
      ![...eachStatement(statement)].some(({ kind }) => ['declaration', 'label', 'case'].includes(kind))
    );
  }

  /** Does the spot touch the statement? */
  stands(statement: PlacedStatement, spot: Spot): boolean {
    const row = statement.parent?.children ?? [];
    const at = row.indexOf(statement);
    return 'before' in spot ? row[at + 1] === spot.before : row[at - 1] === spot.behind;
  }

  /** Does something that does this stand between the statement and the spot? */
  crosses(statement: PlacedStatement, spot: Spot, kind: EventKind): boolean {
    const offset = offsetOf(spot);
    const [from, to] = offset <= statement.start ? [offset, statement.start] : [statement.end, offset];
    return this.statements.some(
      (other) =>
        other.kind === 'expression' &&
        other.start >= from &&
        other.start < to &&
        this.does(other, new Set([kind])),
    );
  }

  /** What is moved across a barrier leaves it without a use: any other edit is better. */
  orders(statement: PlacedStatement, spot: Spot): number {
    return this.crosses(statement, spot, 'barrier') ? 5 : 0;
  }

  /** Would what waits for other CPUs come to stand where interrupts are off, or what sleeps where a lock is held? */
  waitsAcross(statement: PlacedStatement, spot: Spot): boolean {
    const sleeps = this.does(statement, new Set<EventKind>(['rcu-wait']));
    const kinds: readonly EventKind[] = sleeps
      ? ['interrupts', 'lock', 'unlock', 'rcu-read']
      : ['interrupts'];
    return kinds.some((kind) => this.crosses(statement, spot, kind));
  }

  /** Does control leave between the two offsets? */
  leaves(from: number, to: number): boolean {
    return this.statements.some(
      ({ kind, start }) =>
        start >= from && start < to && ['return', 'goto', 'break', 'continue'].includes(kind),
    );
  }

  move(statement: PlacedStatement, spot: Spot): Edit[] | null {
    const offset = offsetOf(spot);
    if ('before' in spot ? contains(spot.before, statement) : contains(spot.behind, statement)) return null;
    if (!this.keepsItsValues(statement, offset, true)) return null;
    const whole = { ...statement, firstLine: this.aboveComment(statement.firstLine) };
    const inserted = this.insert((indent) => linesOf(this.lines, whole, indent), spot);
    if (inserted === null) return null;
    const taken = removal(this.file, this.lines, whole);
    const [first] = inserted;
    if (first !== undefined && first.line > taken.line && first.line < taken.line + taken.remove) return null;
    return joined([...inserted, taken]);
  }

  /** The call once more, directly in front of `wrong`. */
  repeat(helper: PlacedStatement, wrong: PlacedStatement): Edit[] | null {
    const call = [...eachStatement(helper)].find(({ kind }) => kind === 'expression') ?? helper;
    if (!fillsItsLines(this.lines, this.source.text, call)) return null;
    if (!this.keepsItsValues(call, wrong.start, false)) return null;
    return this.insert((indent) => linesOf(this.lines, call, indent), { before: wrong });
  }

  insert(lines: (indent: string) => string[], spot: Spot): Edit[] | null {
    const mark = 'before' in spot ? spot.before : spot.behind;
    const first = this.lines[mark.firstLine - 1] ?? '';
    if (!fillsItsLines(this.lines, this.source.text, mark)) return null;
    const indent = indentOf(first);
    if (mark.kind === 'declaration' && 'before' in spot) return null;
    if (mark.parent?.kind === 'block') {
      const line = 'before' in spot ? this.aboveComment(mark.firstLine) : mark.lastLine + 1;
      return [{ file: this.file, line, remove: 0, insert: lines(indent) }];
    }
    // The only statement of a condition or loop: it takes braces to hold two.
    const holder = mark.parent;
    if (holder === null || holder.children.length > 1 || holder.kind === 'do' || 'behind' in spot)
      return null;
    const above = mark.firstLine - 1;
    const head = this.lines[above - 1] ?? '';
    if (above < holder.firstLine || !/\)\s*$/.test(head)) return null;
    return [
      {
        file: this.file,
        line: above,
        remove: mark.lastLine - above + 1,
        insert: [
          `${head.trimEnd()} {`,
          ...lines(indent),
          ...this.lines.slice(mark.firstLine - 1, mark.lastLine),
          `${indentOf(this.lines[holder.firstLine - 1] ?? '')}}`,
        ],
      },
    ];
  }

  /** A comment directly above a statement belongs to it. */
  private aboveComment(line: number): number {
    if (!/\*\/\s*$/.test(this.lines[line - 2] ?? '')) return line;
    for (let first = line - 1; first >= 1; first -= 1) {
      const text = this.lines[first - 1] ?? '';
      if (/^\s*\/\*/.test(text)) return first;
      if (!/^\s*\*/.test(text)) return line;
    }
    return line;
  }

  /** Would the names of another side's statement mean here what they meant there? */
  knows(statement: PlacedStatement, other: Scene, spot: Spot): boolean {
    const offset = offsetOf(spot);
    for (const inner of eachStatement(statement))
      for (const name of inner.names) {
        const was = other.isVariable(name);
        if (was !== this.isVariable(name)) return false;
        if (was && !this.inScope(name, offset)) return false;
      }
    return !this.directives(offset, offset);
  }

  private isVariable(name: string): boolean {
    return this.locals.has(name) || new RegExp(`\\b${name}\\b`).test(this.source.parameters);
  }

  private inScope(name: string, offset: number): boolean {
    const declared = this.locals.get(name);
    if (declared === undefined) return true;
    return declared.some(
      (statement) =>
        (statement.kind !== 'declaration' && statement.start <= offset && offset <= statement.end) ||
        (statement.end <= offset && offset <= (statement.parent?.end ?? 0)),
    );
  }

  private directives(from: number, to: number): boolean {
    return /^[ \t]*#/m.test(this.source.text.slice(from, to));
  }

  /** At `offset`, does the statement compute with what it computes with where it stands, and give what it gives? */
  keepsItsValues(statement: PlacedStatement, offset: number, moves: boolean): boolean {
    const [from, to] = offset <= statement.start ? [offset, statement.start] : [statement.end, offset];
    const own = [...eachStatement(statement)];
    const reads = new Set(own.flatMap(({ names }) => [...names]));
    const writes = new Set(own.flatMap((inner) => [...inner.writes]));
    for (const name of reads) if (!this.inScope(name, offset)) return false;
    if (this.directives(from, to)) return false;
    for (const other of this.statements) {
      if (contains(statement, other) || other.kind === 'block') continue;
      const loop = LOOPS.has(other.kind) && inside(other, offset) !== contains(other, statement);
      const between = (other.start >= from && other.start < to) || loop;
      const inLoop = this.statements.some(
        (outer) =>
          LOOPS.has(outer.kind) &&
          inside(outer, offset) !== contains(outer, statement) &&
          contains(outer, other),
      );
      if (!between && !inLoop) continue;
      // A copy that stands on a path of its own is not asked for the labels between.
      if (moves && between && (other.kind === 'label' || other.kind === 'case')) return false;
      for (const name of other.writes) if (reads.has(name) || writes.has(name)) return false;
      if (moves) for (const name of other.names) if (writes.has(name)) return false;
    }
    return true;
  }
}

const inside = (statement: PlacedStatement, offset: number): boolean =>
  statement.start < offset && offset < statement.end;

const offsetOf = (spot: Spot): number => ('before' in spot ? spot.before.start : spot.behind.end);
