/** Which lines of a patch a reply quotes, and where between them its comments go. */
import type { Finding, QuotedFile, QuotedHunk, ReviewedPatch } from '#review/document.js';

/** A piece of the reply, in order. */
export type QuotedPart =
  | { readonly kind: 'quote'; readonly text: string }
  | { readonly kind: 'cut' }
  | { readonly kind: 'comment'; readonly finding: Finding; readonly onItsLine: boolean };

/** Lines kept above a comment, and beside a line that a finding names. */
const ABOVE = 6;
const BESIDE = 1;

interface Anchor {
  readonly finding: Finding;
  readonly file: number;
  readonly hunk: number;
  /** Index of the line below which the comment stands. */
  readonly line: number;
  /** Lines of the hunk that the finding names. */
  readonly named: readonly number[];
  readonly onItsLine: boolean;
}

/**
 * The hunks that findings are about, trimmed, with each comment under its line and nothing quoted after the last.
 * Findings for which the patch has no hunk at all come at the end.
 */
export function quotePatch(patch: ReviewedPatch, findings: readonly Finding[]): readonly QuotedPart[] {
  const files = patch.diff ?? [];
  const anchors: Anchor[] = [];
  const homeless: Finding[] = [];
  for (const finding of findings) {
    const anchor = anchorOf(finding, files);
    if (anchor === null) homeless.push(finding);
    else anchors.push(anchor);
  }
  const parts: QuotedPart[] = [];
  files.forEach((file, f) => {
    let isFirst = true;
    file.hunks.forEach((hunk, h) => {
      const here = anchors.filter((a) => a.file === f && a.hunk === h).sort((a, b) => a.line - b.line);
      if (here.length === 0) return;
      if (isFirst) {
        const [a, b] = [file.oldPath ?? file.newPath, file.newPath ?? file.oldPath];
        parts.push({ kind: 'quote', text: `diff --git a/${a} b/${b}` });
        isFirst = false;
      }
      parts.push({ kind: 'quote', text: headerOf(hunk) }, ...quoteHunk(hunk, here));
    });
  });
  for (const finding of homeless) parts.push({ kind: 'comment', finding, onItsLine: false });
  return parts;
}

function headerOf({ oldStart, oldLines, newStart, newLines, heading }: QuotedHunk): string {
  return `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@${heading === '' ? '' : ` ${heading}`}`;
}

function quoteHunk(hunk: QuotedHunk, anchors: readonly Anchor[]): readonly QuotedPart[] {
  const kept = new Set<number>();
  for (const { line, named } of anchors) {
    for (let i = Math.max(0, line - ABOVE); i <= line; i++) kept.add(i);
    for (const at of named)
      for (let i = at - BESIDE; i <= at + BESIDE; i++) if (i >= 0 && i < line) kept.add(i);
  }
  const parts: QuotedPart[] = [];
  let gap = false;
  const last = anchors.at(-1)?.line ?? -1;
  for (let i = 0; i <= last; i++) {
    const text = hunk.lines[i] ?? '';
    if (!kept.has(i)) {
      gap = true;
      continue;
    }
    if (gap) parts.push({ kind: 'cut' });
    gap = false;
    parts.push({ kind: 'quote', text });
    for (const a of anchors)
      if (a.line === i) parts.push({ kind: 'comment', finding: a.finding, onItsLine: a.onItsLine });
  }
  return parts;
}

/**
 * The finding's own line if a hunk shows it, lowered to the first changed line behind it where no change stands
 * above: what the patch did has to be in sight. Else the end of the nearest change in the file, else of the first
 * change of the patch.
 */
function anchorOf(finding: Finding, files: readonly QuotedFile[]): Anchor | null {
  const own = files.findIndex((file) => finding.file === file.newPath || finding.file === file.oldPath);
  const file = files[own];
  if (file !== undefined) {
    for (const [h, hunk] of file.hunks.entries()) {
      const numbers = lineNumbers(hunk, finding.side);
      const at = numbers.indexOf(finding.line);
      if (at < 0) continue;
      const changed = changedLines(hunk);
      const line = changed.some((i) => i <= at) ? at : (changed[0] ?? at);
      const onItsLine = line === at;
      return { finding, file: own, hunk: h, line, named: namedLines(finding, hunk), onItsLine };
    }
  }
  const candidates = files.flatMap((candidate, f) =>
    candidate.hunks.flatMap((hunk, h) => {
      const line = changedLines(hunk).at(-1);
      if (line === undefined || (own >= 0 && f !== own)) return [];
      const from = finding.side === 'new' ? hunk.newStart : hunk.oldStart;
      return [{ file: f, hunk: h, line, away: own >= 0 ? Math.abs(from - finding.line) : 0 }];
    }),
  );
  const nearest = candidates.reduce<(typeof candidates)[number] | null>(
    (best, next) => (best === null || next.away < best.away ? next : best),
    null,
  );
  if (nearest === null) return null;
  const { away: _, ...place } = nearest;
  const hunk = files[nearest.file]?.hunks[nearest.hunk];
  return {
    finding,
    ...place,
    named: hunk === undefined ? [] : namedLines(finding, hunk),
    onItsLine: false,
  };
}

const changedLines = (hunk: QuotedHunk): readonly number[] =>
  hunk.lines.flatMap((text, i) => (text.startsWith('+') || text.startsWith('-') ? [i] : []));

/** The number that each line has on a side, or null where the side does not have it. */
function lineNumbers(hunk: QuotedHunk, side: Finding['side']): readonly (number | null)[] {
  const foreign = side === 'new' ? '-' : '+';
  let next = side === 'new' ? hunk.newStart : hunk.oldStart;
  return hunk.lines.map((text) => (text.startsWith(foreign) ? null : next++));
}

function namedLines(finding: Finding, hunk: QuotedHunk): readonly number[] {
  return finding.related.flatMap((r) => {
    const at = lineNumbers(hunk, r.side).indexOf(r.line);
    return at < 0 || r.file !== finding.file ? [] : [at];
  });
}
