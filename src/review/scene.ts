/**
 * A function's text with what is asked about it when an edit is looked for: what its statements do, which names mean
 * what where, and how a statement is moved or put in. What the search cannot see is settled here: that every name is in
 * scope and has the value it had, and that no path is cut off or joined by the way.
 */
import { eachStatement, type PlacedStatement } from '#c/statements.js';
import type { EventKind } from '#event/event.js';
import { STORES } from './mending-events.js';
import { type Edit, fillsItsLines, indentOf, joined, linesOf, removal } from './source-edit.js';
import { contains, inside, LOOPS } from './statement-tree.js';

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

/** Where a statement is to stand. */
export type Spot = { readonly before: PlacedStatement } | { readonly behind: PlacedStatement };

/** A function's text with what is asked about it. */
export class Scene {
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

  /** Does it do nothing but this? */
  doesOnly(statement: PlacedStatement, kinds: ReadonlySet<EventKind>): boolean {
    for (let line = statement.firstLine; line <= statement.lastLine; line += 1)
      for (const kind of this.source.events.get(line) ?? []) if (!kinds.has(kind)) return false;
    for (const { names } of eachStatement(statement))
      for (const name of names)
        for (const kind of this.source.primitive(name)) if (!kinds.has(kind)) return false;
    return true;
  }

  fills(statement: PlacedStatement): boolean {
    return fillsItsLines(this.lines, this.source.text, statement);
  }

  isMovable(statement: PlacedStatement): boolean {
    return (
      statement.parent?.kind === 'block' &&
      this.fills(statement) &&
      ![...eachStatement(statement)].some(({ kind }) => ['declaration', 'label', 'case'].includes(kind))
    );
  }

  /** Does the spot touch the statement? */
  stands(statement: PlacedStatement, spot: Spot): boolean {
    const row = statement.parent?.children ?? [];
    const at = row.indexOf(statement);
    return 'before' in spot ? row[at + 1] === spot.before : row[at - 1] === spot.behind;
  }

  /** Does something that does this stand between the statement and the offset? */
  crosses(statement: PlacedStatement, offset: number, kind: EventKind): boolean {
    return this.between(statement, offset, this.statements).some(
      (other) => other.kind === 'expression' && this.does(other, new Set([kind])),
    );
  }

  /** Would what waits for other CPUs come to stand where interrupts are off, or what sleeps where a lock is held? */
  waitsAcross(statement: PlacedStatement, spot: Spot): boolean {
    const sleeps = this.does(statement, new Set<EventKind>(['rcu-wait']));
    const kinds: readonly EventKind[] = sleeps
      ? ['interrupts', 'lock', 'unlock', 'rcu-read']
      : ['interrupts'];
    return kinds.some((kind) => this.crosses(statement, offsetOf(spot), kind));
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
    const whole = { ...statement, firstLine: this.commentAbove(statement.firstLine) };
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

  /**
   * Puts lines in at a spot.
   *
   * @param under does a comment above the spot stay above what is put in?
   */
  insert(lines: (indent: string) => string[], spot: Spot, under = false): Edit[] | null {
    const mark = 'before' in spot ? spot.before : spot.behind;
    const first = this.lines[mark.firstLine - 1] ?? '';
    if (!fillsItsLines(this.lines, this.source.text, mark)) return null;
    const indent = indentOf(first);
    if (mark.kind === 'declaration' && 'before' in spot) return null;
    if (mark.parent?.kind === 'block') {
      const front = under ? mark.firstLine : this.commentAbove(mark.firstLine);
      const line = 'before' in spot ? front : mark.lastLine + 1;
      return [{ file: this.file, line, remove: 0, insert: lines(indent) }];
    }
    // The only statement of a condition or loop: it takes braces to hold two.
    const holder = mark.parent;
    if (holder === null || holder.children.length > 1 || holder.kind === 'do') return null;
    const above = mark.firstLine - 1;
    const head = this.lines[above - 1] ?? '';
    if (above < holder.firstLine || !/\)\s*$/.test(head)) return null;
    const own = this.lines.slice(mark.firstLine - 1, mark.lastLine);
    return [
      {
        file: this.file,
        line: above,
        remove: mark.lastLine - above + 1,
        insert: [
          `${head.trimEnd()} {`,
          ...('before' in spot ? [...lines(indent), ...own] : [...own, ...lines(indent)]),
          `${indentOf(this.lines[holder.firstLine - 1] ?? '')}}`,
        ],
      },
    ];
  }

  /** The first line of a comment directly above a line, which belongs to what stands there; the line itself if none. */
  commentAbove(line: number): number {
    if (!/\*\/\s*$/.test(this.lines[line - 2] ?? '')) return line;
    for (let first = line - 1; first >= 1; first -= 1) {
      const text = this.lines[first - 1] ?? '';
      if (/^\s*\/\*/.test(text)) return first;
      if (!/^\s*\*/.test(text)) return line;
    }
    return line;
  }

  /** Takes out a comment directly above a line that the other side has no line of: it speaks for what is undone. */
  withoutNewComment(line: number, other: Scene): Edit[] {
    const first = this.commentAbove(line);
    const said = this.lines.slice(first - 1, line - 1).map((text) => text.replace(/[/*\s]+/g, ' ').trim());
    if (first === line || said.some((text) => text !== '' && other.source.text.includes(text))) return [];
    return [{ file: this.file, line: first, remove: line - first, insert: [] }];
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

  /** Does one of the two store to an entry that the other has a pointer to? Then their order decides what is read. */
  private meetsAtEntry(a: PlacedStatement, b: PlacedStatement): boolean {
    if (!this.does(a, STORES) && !this.does(b, STORES)) return false;
    const pointed = new Set<string>();
    for (const inner of [...eachStatement(a), ...eachStatement(b)])
      for (const [, star, arrow] of inner.code.matchAll(/\*\s*(\w+)|\b(\w+)\s*(?:->|\[)/g))
        pointed.add(star ?? arrow ?? '');
    for (const [, name] of this.functionText().matchAll(/\bp(?:te|md|ud|4d|gd)_t\s*\*\s*(\w+)/g))
      pointed.add(name ?? '');
    const named = new Set([...eachStatement(a)].flatMap(({ names }) => [...names]));
    return [...eachStatement(b)].some(({ names }) =>
      [...names].some((name) => named.has(name) && pointed.has(name)),
    );
  }

  private functionText(): string {
    return this.source.parameters + this.source.text.slice(this.body.start, this.body.end);
  }

  /** Does the statement stand in every loop that the spot stands in? */
  loopsAsOftenAs(statement: PlacedStatement, offset: number): boolean {
    return this.statements.every(
      (outer) => !LOOPS.has(outer.kind) || !inside(outer, offset) || contains(outer, statement),
    );
  }

  /** The statements of `among` that begin between the spot and the statement. */
  between(
    statement: PlacedStatement,
    offset: number,
    among: readonly PlacedStatement[],
  ): readonly PlacedStatement[] {
    const [from, to] = offset <= statement.start ? [offset, statement.start] : [statement.end, offset];
    return among.filter((other) => other.start >= from && other.start < to && !contains(statement, other));
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
      if (moves && between && this.meetsAtEntry(statement, other)) return false;
      if (moves) for (const name of other.names) if (writes.has(name)) return false;
    }
    return true;
  }
}

export const offsetOf = (spot: Spot): number => ('before' in spot ? spot.before.start : spot.behind.end);
