import type { FilePatch } from './series.js';

/** Line numbers on both sides of a change, 1-based. */
export interface LineMap {
  /** The old line that a new line was; null for an added line. */
  toOld(newLine: number): number | null;
  /** The new line that an old line becomes; null for a removed line. */
  toNew(oldLine: number): number | null;
}

export interface ChangedLines {
  /** Old lines that are removed. */
  readonly removed: readonly number[];
  /** New lines that are added. */
  readonly added: readonly number[];
}

/**
 * Maps line numbers across one file of a patch.
 *
 * @param offsets what applyFile found out about where the hunks really stand; without it their headers are believed
 */
export function mapLines(file: FilePatch, offsets: readonly number[] = []): LineMap {
  if (file.oldPath === null || file.newPath === null) return { toOld: () => null, toNew: () => null };
  const runs = runsOf(file, offsets);
  return {
    toOld: (line) => across(runs, line, 'newLine', 'oldLine'),
    toNew: (line) => across(runs, line, 'oldLine', 'newLine'),
  };
}

/** The lines that a file's change removes and adds. */
export function changedLines(file: FilePatch, offsets: readonly number[] = []): ChangedLines {
  const removed: number[] = [];
  const added: number[] = [];
  for (const { oldLine, newLine, kind } of hunkLines(file, offsets)) {
    if (kind === 'remove') removed.push(oldLine);
    if (kind === 'add') added.push(newLine);
  }
  return { removed, added };
}

interface NumberedLine {
  readonly kind: 'context' | 'add' | 'remove';
  readonly oldLine: number;
  readonly newLine: number;
}

/** Lines that are the same on both sides. */
interface Run {
  readonly oldLine: number;
  readonly newLine: number;
  readonly length: number;
}

function* hunkLines(file: FilePatch, offsets: readonly number[]): Generator<NumberedLine> {
  let delta = 0;
  for (const [index, hunk] of file.hunks.entries()) {
    let oldLine = hunk.oldStart + (hunk.oldLines === 0 ? 1 : 0) + (offsets[index] ?? 0);
    let newLine = oldLine + delta;
    for (const { kind } of hunk.lines) {
      yield { kind, oldLine, newLine };
      if (kind !== 'add') oldLine++;
      if (kind !== 'remove') newLine++;
    }
    delta = newLine - oldLine;
  }
}

function runsOf(file: FilePatch, offsets: readonly number[]): readonly Run[] {
  const runs: Run[] = [];
  let open: { oldLine: number; newLine: number } | null = { oldLine: 1, newLine: 1 };
  let next = { oldLine: 1, newLine: 1 };
  for (const { kind, oldLine, newLine } of hunkLines(file, offsets)) {
    if (kind === 'context') open ??= next;
    else {
      // The first line of a hunk may lie far behind the last of the one before: what is between is the same.
      open ??= oldLine > next.oldLine ? next : null;
      if (open !== null) runs.push({ ...open, length: oldLine - open.oldLine });
      open = null;
    }
    next = { oldLine: oldLine + (kind === 'add' ? 0 : 1), newLine: newLine + (kind === 'remove' ? 0 : 1) };
  }
  runs.push({ ...(open ?? next), length: Number.POSITIVE_INFINITY });
  return runs;
}

function across(
  runs: readonly Run[],
  line: number,
  from: 'oldLine' | 'newLine',
  to: 'oldLine' | 'newLine',
): number | null {
  const run = runs.find((one) => line >= one[from] && line < one[from] + one.length);
  return run === undefined ? null : line - run[from] + run[to];
}
