/**
 * What has to change on a pull request so that it shows the present findings: a function of the findings and of what
 * is there. An empty plan means that not one request is sent.
 */
import { renderComment } from '#report/render-comment.js';
import type { Finding } from '#review/document.js';
import { cutSections, MOST_TEXT } from './cut-sections.js';
import { asReplacement, type DiffHunk } from './diff-lines.js';
import { type Marker, readMarker, withMarker, withoutMarker } from './marker.js';

/** A review comment as GitHub has it. */
export interface ThereComment {
  readonly id: number;
  /** The same comment's id in GraphQL. */
  readonly node: string;
  readonly body: string;
  readonly isOurs: boolean;
  /** Null when the line that it stood at is gone from the diff. */
  readonly line: number | null;
  readonly replyTo: number | null;
}

export interface ThereReview {
  readonly id: number;
  readonly body: string;
}

export interface There {
  readonly comments: readonly ThereComment[];
  /** Our reviews that were submitted, oldest first. */
  readonly reviews: readonly ThereReview[];
}

export interface NewComment {
  readonly path: string;
  readonly line: number;
  readonly side: 'LEFT' | 'RIGHT';
  readonly startLine: number | null;
  readonly body: string;
  readonly finding: Finding;
}

export interface Plan {
  readonly create: readonly NewComment[];
  readonly edit: readonly { readonly id: number; readonly body: string }[];
  /** Comments whose place is gone and that nobody answered; the finding is posted anew where it is now. */
  readonly remove: readonly number[];
  /** Ids in GraphQL of the comments whose threads are to be resolved, and opened again. */
  readonly resolve: readonly string[];
  readonly reopen: readonly string[];
  /** The text of the review, and the review that has to be edited; null: there is none yet. */
  readonly body: { readonly review: number | null; readonly text: string; readonly isChanged: boolean };
}

/** More comments than this are no review that anyone reads; the others are listed. */
const MOST_COMMENTS = 30;
const RANK = { error: 0, warning: 1, note: 2 } as const;

/** Worst first, then by place: the order in which findings get a comment of their own. */
export function byWeight(a: Finding, b: Finding): number {
  const byFile = a.file < b.file ? -1 : a.file > b.file ? 1 : 0;
  return RANK[a.severity] - RANK[b.severity] || byFile || a.line - b.line;
}

/**
 * @param findings those that the pull request brings in
 * @param hunks of each file of the diff, by new path
 * @param head for the note on what is fixed
 * @param refused keys of findings whose place GitHub refused: these go into the text of the review
 */
export function planComments(
  findings: readonly Finding[],
  hunks: ReadonlyMap<string, readonly DiffHunk[]>,
  there: There,
  head: string,
  refused: ReadonlySet<string> = new Set(),
): Plan {
  const known = groupByKey(there.comments);
  const answered = new Set(
    there.comments.flatMap((c) => (c.isOurs || c.replyTo === null ? [] : [c.replyTo])),
  );
  const create: NewComment[] = [];
  const edit: { id: number; body: string }[] = [];
  const remove: number[] = [];
  const reopen: string[] = [];
  const inText: Finding[] = [];
  const left: Finding[] = [];
  let shown = 0;

  for (const { key, finding } of withKeys([...findings].sort(byWeight))) {
    const mine = known.get(key) ?? [];
    known.delete(key);
    const place = refused.has(key) ? null : placeOf(finding, hunks);
    // One that still stands, else one that somebody answered, carries the finding on.
    const standing = mine.find(({ comment }) => comment.line !== null);
    const talked = mine.find(({ comment }) => answered.has(comment.id));
    const kept = standing ?? talked ?? null;
    for (const { comment } of mine)
      if (comment.id !== kept?.comment.id && !answered.has(comment.id)) remove.push(comment.id);
    if (kept !== null) {
      shown += 1;
      const body = withMarker(key, 'open', commentText(finding, place, kept.comment.line));
      if (readMarker(body)?.hash !== kept.marker.hash || kept.marker.state === 'fixed')
        edit.push({ id: kept.comment.id, body });
      if (kept.marker.state === 'fixed') reopen.push(kept.comment.node);
      continue;
    }
    if (place === null) {
      inText.push(finding);
      continue;
    }
    if (shown >= MOST_COMMENTS) {
      left.push(finding);
      continue;
    }
    shown += 1;
    create.push({
      path: finding.file,
      line: place.line,
      side: place.side,
      startLine: place.startLine,
      body: withMarker(key, 'open', commentText(finding, place, place.line)),
      finding,
    });
  }

  const resolve: string[] = [];
  for (const rest of known.values()) {
    for (const { comment, marker } of rest) {
      if (marker.state === 'fixed') continue;
      resolve.push(comment.node);
      edit.push({ id: comment.id, body: fixedBody(comment, marker, head) });
    }
  }
  const text = reviewText(findings, inText, left);
  const review = there.reviews.find(({ body }) => readMarker(body)?.key === 'review') ?? null;
  // Where nothing was ever said and there is nothing to say, no review is made.
  const isChanged =
    review === null ? findings.length > 0 : readMarker(review.body)?.hash !== readMarker(text)?.hash;
  return { create, edit, remove, resolve, reopen, body: { review: review?.id ?? null, text, isChanged } };
}

/** Does the plan leave everything as it is? */
export function isEmptyPlan(plan: Plan): boolean {
  return (
    !plan.body.isChanged &&
    plan.create.length + plan.edit.length + plan.remove.length + plan.resolve.length + plan.reopen.length ===
      0
  );
}

/** A finding's key: its fingerprint, with a number where several share one. */
function withKeys(
  findings: readonly Finding[],
): readonly { readonly key: string; readonly finding: Finding }[] {
  const counts = new Map<string, number>();
  return findings.map((finding) => {
    const count = (counts.get(finding.fingerprint) ?? 0) + 1;
    counts.set(finding.fingerprint, count);
    return { key: count === 1 ? finding.fingerprint : `${finding.fingerprint}#${count}`, finding };
  });
}

interface Mine {
  readonly comment: ThereComment;
  readonly marker: Marker;
}

function groupByKey(comments: readonly ThereComment[]): Map<string, Mine[]> {
  const groups = new Map<string, Mine[]>();
  for (const comment of comments) {
    const marker = comment.isOurs && comment.replyTo === null ? readMarker(comment.body) : null;
    if (marker === null) continue;
    groups.set(marker.key, [...(groups.get(marker.key) ?? []), { comment, marker }]);
  }
  return groups;
}

interface Place {
  readonly line: number;
  readonly side: 'LEFT' | 'RIGHT';
  readonly startLine: number | null;
  /** Lines for a suggestion that stands exactly at `startLine` to `line`. */
  readonly suggested: readonly string[] | null;
}

/** Where a comment can stand: on a line that a hunk shows. Null: nowhere. */
function placeOf(finding: Finding, hunks: ReadonlyMap<string, readonly DiffHunk[]>): Place | null {
  const own = hunks.get(finding.file) ?? [];
  const side = finding.side === 'new' ? 'right' : 'left';
  const replacement =
    finding.suggestion === null ? null : asReplacement(finding.suggestion.edits, finding.file, own);
  if (replacement !== null) {
    const { first, last, lines } = replacement;
    return { line: last, side: 'RIGHT', startLine: first === last ? null : first, suggested: lines };
  }
  if (!own.some((hunk) => hunk[side].has(finding.line))) return null;
  return { line: finding.line, side: side === 'right' ? 'RIGHT' : 'LEFT', startLine: null, suggested: null };
}

/** @param at the line that the comment stands at; a suggestion replaces the lines there, whatever they are */
function commentText(finding: Finding, place: Place | null, at: number | null): string {
  const isThere = place !== null && place.line === at;
  const suggested = isThere && place.suggested !== null ? { lines: place.suggested } : null;
  const withPlace = at !== finding.line;
  const text = renderComment(finding, suggested, withPlace) + footer(finding);
  if (text.length <= MOST_TEXT) return text;
  const short = renderComment({ ...finding, trace: [] }, suggested, withPlace);
  return `${short}\nThe run is too long for a comment.\n${footer(finding)}`;
}

const footer = (finding: Finding): string =>
  `\n<sub>From a tool, which can be wrong: answer here if it is. \`shootdown explain ${finding.hazard}\` says more.</sub>\n`;

function fixedBody(comment: ThereComment, marker: Marker, head: string): string {
  const note = `No longer found as of ${head.slice(0, 12)}.\n`;
  const before = withoutMarker(comment.body).trim();
  const text = `${note}\n<details><summary>What it was</summary>\n\n${before}\n\n</details>\n`;
  return withMarker(marker.key, 'fixed', text.length <= MOST_TEXT ? text : note);
}

/** The text of the review: counts, then what has no comment of its own. */
function reviewText(all: readonly Finding[], offDiff: readonly Finding[], left: readonly Finding[]): string {
  const count = (severity: Finding['severity']): string => {
    const n = all.filter((finding) => finding.severity === severity).length;
    return n === 0 ? '' : `${n} ${severity}${n === 1 ? '' : 's'}`;
  };
  const counts = (['error', 'warning', 'note'] as const).map(count).filter((text) => text !== '');
  const head =
    counts.length === 0
      ? 'shootdown: nothing is left of what was reported here.\n'
      : `shootdown found orders of page-table changes, flushes and frees that can go wrong: ${counts.join(', ')}.\n`;
  const sections = [
    ...offDiff.map((finding) => `\n---\n\nOff the diff: ${renderComment(finding, null, true)}`),
    ...(left.length === 0 ? [] : ['\n---\n\nWithout a comment of their own, since there are many:\n']),
    ...left.map(
      (f) =>
        `\n- ${f.severity}: \`${f.hazard}\` at \`${f.file}:${f.line}\` in \`${f.function.replaceAll('`', '')}\``,
    ),
  ];
  const text = cutSections(
    head,
    sections,
    (n) => `\n\nThis text is full: ${n} more are in the check run, or in \`shootdown check\`.`,
  );
  return withMarker('review', 'open', text);
}
