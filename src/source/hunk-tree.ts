import { applyFile } from '#patch/apply-patch.js';
import { type ChangedLines, changedLines, type LineMap, mapLines } from '#patch/line-map.js';
import type { FilePatch, Hunk, Patch } from '#patch/series.js';
import { emptyTree, overlay } from './overlay-tree.js';
import {
  type HunkHeading,
  type KnownLines,
  padLines,
  type RebuiltFile,
  rebuildFile,
} from './rebuild-file.js';
import type { PartialFunction, PatchedState } from './snapshot.js';

/** Line numbers beyond this are no kernel file's; padding up to them would only cost memory. */
const maxLine = 300_000;
const maxPadding = 5_000_000;

/**
 * States of a series without a tree. Of each file that the hunks touch, the known lines stand at their places, made into
 * whole functions; all else is unknown. What a patch shows of a file is kept for the patches after it. Files that a patch
 * adds are known as a whole.
 */
export function hunkStates(patches: readonly Patch[]): PatchedState[] {
  const files = new Map<string, FileState>();
  const shown = new Map<string, string | null>();
  let padding = 0;
  return patches.map((patch, number) => {
    const olds = new Map<string, string | null>();
    const news = new Map<string, string | null>();
    const partial: PartialFunction[] = [];
    const skipped: string[] = [];
    const offsets = new Map<string, readonly number[]>();
    for (const [index, file] of patch.files.entries()) {
      const path = file.newPath ?? file.oldPath;
      if (path === null) continue;
      const change = changeOf(file, files.get(file.oldPath ?? path) ?? null, `${number}_${index}`);
      padding += change === null ? 0 : change.lastLine;
      if (change === null || padding > maxPadding) {
        skipped.push(path);
        continue;
      }
      const { before, after } = shownTexts(path, file, change);
      if (file.oldPath !== null) olds.set(file.oldPath, before.text);
      if (file.oldPath !== null && file.oldPath !== path && file.change === 'rename') {
        news.set(file.oldPath, null);
        files.delete(file.oldPath);
      }
      if (file.newPath === null) {
        news.set(path, null);
        files.delete(path);
      } else {
        news.set(path, after.text);
        if (change.after !== null) files.set(path, change.after);
      }
      offsets.set(
        path,
        file.hunks.map(() => 0),
      );
      for (const { name, lines } of before.partial)
        partial.push({ file: file.oldPath ?? path, side: 'old', name, lines });
      for (const { name, lines } of after.partial) partial.push({ file: path, side: 'new', name, lines });
    }
    const before = overlay(emptyTree, new Map([...shown, ...olds]));
    for (const [path, text] of [...olds, ...news]) shown.set(path, text);
    const after = overlay(emptyTree, new Map(shown));
    const changed = [...new Set([...news.keys()])];
    const isPartial = patch.files.some((file) => file.change !== 'add' && file.change !== 'delete');
    return {
      patch,
      context: 'hunks',
      before,
      after,
      changed,
      partial: isPartial,
      partialFunctions: partial,
      offsets,
      skipped,
    };
  });
}

/** What is known of a file: all of it, or some lines. */
type FileState =
  | { readonly kind: 'whole'; readonly text: string }
  | ({ readonly kind: 'lines' } & KnownLines);

interface FileChange {
  readonly before: FileState | null;
  readonly after: FileState | null;
  readonly lastLine: number;
}

/** A file before and after its hunks; null when it is no text, or nothing of it is known. */
function changeOf(file: FilePatch, known: FileState | null, id: string): FileChange | null {
  if (file.change === 'binary') return null;
  if (file.change === 'add') {
    const applied = applyFile(null, file);
    if ('failed' in applied || applied.text === null) return null;
    return {
      before: null,
      after: { kind: 'whole', text: applied.text },
      lastLine: file.hunks[0]?.newLines ?? 0,
    };
  }
  if (known?.kind === 'whole') {
    const applied = applyFile(known.text, file);
    if (!('failed' in applied)) {
      return {
        before: known,
        after: applied.text === null ? null : { kind: 'whole', text: applied.text },
        lastLine: 0,
      };
    }
  }
  if (file.hunks.length === 0 && known === null) return null;
  const lastLine = Math.max(
    0,
    ...file.hunks.map((hunk) => Math.max(hunk.oldStart + hunk.oldLines, hunk.newStart + hunk.newLines)),
  );
  if (lastLine > maxLine) return null;
  if (file.change === 'delete') {
    const text = file.hunks.flatMap((hunk) => hunk.lines.map((line) => line.text)).join('\n');
    return { before: { kind: 'whole', text: `${text}\n` }, after: null, lastLine };
  }
  return { ...linesOf(file, known?.kind === 'lines' ? known : null, id), lastLine };
}

function linesOf(
  file: FilePatch,
  known: KnownLines | null,
  id: string,
): { readonly before: FileState; readonly after: FileState } {
  const hunksAlone = sideLines(file.hunks, 'old', id);
  // Lines that an earlier patch showed help only where the two agree; else the patches have different bases.
  const agrees =
    known !== null &&
    Array.from(hunksAlone.lines).every(([line, text]) => (known.lines.get(line) ?? text) === text);
  const before: KnownLines = agrees
    ? {
        lines: new Map([...known.lines, ...hunksAlone.lines]),
        headings: new Map([...hunksAlone.headings, ...known.headings]),
      }
    : hunksAlone;
  const map = mapLines({ ...file, newPath: file.newPath ?? file.oldPath });
  const hunksAfter = sideLines(file.hunks, 'new', id);
  const after: KnownLines = {
    lines: new Map([...moved(before.lines, map), ...hunksAfter.lines]),
    headings: new Map([...hunksAfter.headings, ...(agrees ? moved(known.headings, map) : [])]),
  };
  return { before: { kind: 'lines', ...before }, after: { kind: 'lines', ...after } };
}

function moved<T>(values: ReadonlyMap<number, T>, map: LineMap): [number, T][] {
  const result: [number, T][] = [];
  for (const [line, value] of values) {
    const to = map.toNew(line);
    if (to !== null) result.push([to, value]);
  }
  return result;
}

function sideLines(hunks: readonly Hunk[], side: 'old' | 'new', id: string): KnownLines {
  const lines = new Map<number, string>();
  const headings = new Map<number, HunkHeading>();
  for (const [index, hunk] of hunks.entries()) {
    const count = side === 'old' ? hunk.oldLines : hunk.newLines;
    let number = (side === 'old' ? hunk.oldStart : hunk.newStart) + (count === 0 ? 1 : 0);
    headings.set(number, { id: `${id}_${index}`, text: hunk.heading });
    for (const line of hunk.lines) {
      if (line.kind === (side === 'old' ? 'add' : 'remove')) continue;
      lines.set(number, line.text);
      number++;
    }
  }
  return { lines, headings };
}

interface ShownText {
  readonly text: string | null;
  readonly partial: RebuiltFile['partial'];
}

function shownTexts(
  path: string,
  file: FilePatch,
  { before, after }: FileChange,
): { readonly before: ShownText; readonly after: ShownText } {
  if (before?.kind !== 'lines' || after?.kind !== 'lines' || !/\.[ch]$/.test(path)) {
    return { before: plainText(before), after: plainText(after) };
  }
  const old = rebuildFile(before, new Set());
  const now = rebuildFile(after, old.joined);
  const untouched = untouchedNames(old.partial, now.partial, changedLines(file));
  if (untouched.size === 0) return { before: old, after: now };
  const oldRest = rebuildFile(withoutBodies(before, old.partial, untouched), new Set());
  return {
    before: oldRest,
    after: rebuildFile(withoutBodies(after, now.partial, untouched), oldRest.joined),
  };
}

function plainText(state: FileState | null): ShownText {
  return { text: state === null ? null : state.kind === 'whole' ? state.text : padLines(state), partial: [] };
}

/** Cut functions that the patch does not change on either side. */
function untouchedNames(
  old: RebuiltFile['partial'],
  now: RebuiltFile['partial'],
  changed: ChangedLines,
): ReadonlySet<string> {
  const touches = (partial: RebuiltFile['partial'], lines: readonly number[], name: string): boolean =>
    partial.some(
      (one) =>
        one.name === name &&
        one.lines.some(([first, last]) => lines.some((line) => line >= first && line <= last)),
    );
  const names = old.map(({ name }) => name).filter((name) => now.some((one) => one.name === name));
  return new Set(
    names.filter((name) => !touches(old, changed.removed, name) && !touches(now, changed.added, name)),
  );
}

/**
 * Takes the bodies of some cut functions out. Half a body that nothing changed is worse than none: calls to it would be
 * followed into what happens to be in a hunk's context.
 */
function withoutBodies(
  known: KnownLines,
  partial: RebuiltFile['partial'],
  names: ReadonlySet<string>,
): KnownLines {
  const lines = new Map(known.lines);
  const headings = new Map(known.headings);
  for (const { name, lines: ranges, hasHeader } of partial) {
    if (!names.has(name)) continue;
    for (const [index, [first, last]] of ranges.entries()) {
      const header = hasHeader && index === 0 ? (lines.get(first) ?? '') : null;
      for (let line = first; line <= last; line++) lines.delete(line);
      if (header !== null) lines.set(first, `${header.slice(0, Math.max(0, header.lastIndexOf('{')))};`);
      // What is left of the hunk starts between definitions, where no heading is needed.
      headings.delete(first);
    }
  }
  return { lines, headings };
}
