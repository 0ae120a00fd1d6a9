/**
 * The published result of a review: version 1 of the JSON format, written by hand and separate from internal types.
 * Every other format is rendered from it alone.
 */
import type { HazardId } from '#rules/rule.js';
import type { Cache } from '#source/cache-folder.js';

export interface ReviewDocument {
  readonly version: 1;
  readonly tool: string;
  readonly patches: readonly ReviewedPatch[];
  readonly stats: ReviewStats;
  /** Suppressions that were given and silence nothing; absent when there is none. */
  readonly idleSuppressions?: readonly IdleSuppression[];
}

/** A suppression that has ended, or that silenced nothing in functions that were searched. */
export interface IdleSuppression {
  readonly state: 'unused' | 'expired';
  readonly hazard: HazardId;
  readonly reason: string;
  readonly path: string | null;
  readonly function: string | null;
  readonly expires: string | null;
  /** Where it is written. */
  readonly file: string;
  readonly line: number;
}

export interface ReviewStats {
  readonly functions: number;
  readonly programs: number;
  readonly states: number;
  readonly milliseconds: number;
}

export interface ReviewedPatch {
  readonly subject: string;
  readonly messageId: string | null;
  readonly commit: string | null;
  readonly files: readonly string[];
  readonly context: 'tree' | 'hunks';
  readonly analysed: readonly { readonly function: string; readonly file: string }[];
  readonly findings: readonly Finding[];
  readonly undecided: readonly Undecided[];
  /** The mail that the patch came in, for a reply to it. */
  readonly mail?: MailOrigin;
  /** The files of the patch that its introduced findings are about, to quote from; absent without such findings. */
  readonly diff?: readonly QuotedFile[];
}

export interface MailOrigin {
  readonly subject: string;
  readonly from: MailAddress | null;
  readonly replyTo: readonly MailAddress[];
  readonly to: readonly MailAddress[];
  readonly cc: readonly MailAddress[];
  readonly date: string | null;
  readonly inReplyTo: string | null;
  readonly references: readonly string[];
  /** `[PATCH 2/3]`: part 2 of 3. */
  readonly part: number | null;
  readonly of: number | null;
}

export interface MailAddress {
  readonly name: string;
  readonly address: string;
}

export interface QuotedFile {
  readonly oldPath: string | null;
  readonly newPath: string | null;
  readonly hunks: readonly QuotedHunk[];
}

export interface QuotedHunk {
  readonly oldStart: number;
  readonly oldLines: number;
  readonly newStart: number;
  readonly newLines: number;
  readonly heading: string;
  /** With their first character: blank, `+` or `-`. */
  readonly lines: readonly string[];
}

export interface Undecided {
  readonly function: string;
  readonly file: string;
  readonly kind: 'parse' | 'limit' | 'resolve';
  readonly reason: string;
}

export type Status = 'introduced' | 'fixed' | 'existing';
export type Severity = 'error' | 'warning' | 'note';
export type Side = 'new' | 'old';

export interface Finding {
  readonly fingerprint: string;
  readonly hazard: HazardId;
  readonly status: Status;
  readonly severity: Severity;
  readonly confidence: 'high' | 'medium' | 'low';
  readonly why: string;
  readonly file: string;
  readonly side: Side;
  readonly line: number;
  readonly function: string;
  readonly message: string;
  readonly machines: readonly string[];
  readonly safeOn: readonly string[];
  readonly notBuiltOn: readonly string[];
  readonly related: readonly RelatedLine[];
  readonly trace: readonly TraceLine[];
  readonly consequence: string;
  readonly assumptions: readonly string[];
  readonly closedBy: string | null;
  readonly suggestion: Suggestion | null;
  /** Somebody decided not to be told: it is kept in the document, and neither counted nor shown. */
  readonly suppressed?: Suppressed;
}

/** An edit of the patched source with which the search found nothing new: in how many states, on which machines. */
export interface Suggestion {
  readonly edits: readonly SuggestedEdit[];
  readonly states: number;
  readonly machines: readonly string[];
}

/** `remove` lines from `line` on make way for `insert`. The texts spare formats a look into the file. */
export interface SuggestedEdit {
  readonly file: string;
  readonly line: number;
  readonly remove: number;
  readonly insert: readonly string[];
  readonly removed?: readonly string[];
  /** Lines directly in front of the edit and behind it. */
  readonly above?: readonly string[];
  readonly below?: readonly string[];
}

export interface Suppressed {
  readonly by: 'suppression' | 'baseline';
  readonly reason: string;
}

/** `text` is the source line itself, so that a code frame needs no file access. */
export interface RelatedLine {
  readonly file: string;
  readonly side: Side;
  readonly line: number;
  readonly what: string;
  readonly text?: string;
}

export interface TraceLine {
  readonly cpu: number;
  readonly who: string;
  readonly what: string;
  readonly file: string | null;
  readonly line: number | null;
  readonly text?: string;
  readonly changes: readonly { readonly what: string; readonly from: string; readonly to: string }[];
}

/** What the engine tells while it works; only front doors render it. */
export type Progress =
  | { readonly kind: 'patch'; readonly subject: string; readonly index: number; readonly of: number }
  | { readonly kind: 'function'; readonly function: string; readonly file: string; readonly machine: string };

/** Options after normalisation: the core sees only these. */
export interface ReviewOptions {
  /** Machine names, in order; empty means all known. */
  readonly machines: readonly string[];
  readonly existing: boolean;
  /** Are edits looked for that put right what is brought in? Absent: yes. */
  readonly suggestions?: boolean;
  /** Milliseconds for one root on one machine, and states: reaching either is reported as undecided. */
  readonly limits: {
    readonly states: number;
    readonly milliseconds: number;
    /** For a function that does the same on both sides, on all machines together. Default: none but the other two. */
    readonly unchangedMilliseconds?: number;
  };
  /** Are callers out of view taken to do everything right? A scan asks what the code itself does wrong. */
  readonly kindCallers?: boolean;
  /** What all searches may take together is counted for the patch (the default), or for each function. */
  readonly allowance?: 'patch' | 'function';
  /** What earlier runs worked out; absent or null: nothing is kept. The result is the same. */
  readonly cache?: Cache | null;
  readonly now: () => number;
  readonly onProgress: (event: Progress) => void;
}
/*
 * The folder's functions:
 *   review-series.ts  reviewSeries(states: PatchedState[], rules: RuleSet, options: ReviewOptions): ReviewDocument
 *   suppressions.ts   readSuppressions(text, file): Suppression[]; applySuppressions(document, suppressions, options): ReviewDocument
 *   baseline.ts       readBaseline(text, file): Baseline; applyBaseline(document, baseline); baselineOf(document): Baseline
 *   review-series.ts  reviewPart(states, index, rules, options, kept): ReviewPart    one patch of a series
 *   join-parts.ts     joinParts(parts, milliseconds), joinScan(paths, files, parts, milliseconds): ReviewDocument
 *   review-files.ts   filesToScan(tree, paths): string[]; scanFile(tree, file, rules, options, kept): ReviewPart    (every finding existing)
 */
