/** A patch series as plain data. `patch/` parses mail, mbox and diffs; it does no IO and runs nothing. */

export interface HunkLine {
  readonly kind: 'context' | 'add' | 'remove';
  /** Without the leading mark and line end. */
  readonly text: string;
  /** The line ended in CR LF. */
  readonly crlf?: true;
  /** "\ No newline at end of file" followed. */
  readonly noNewline?: true;
}

export interface Hunk {
  /** 1-based, as the header says. */
  readonly oldStart: number;
  readonly oldLines: number;
  readonly newStart: number;
  readonly newLines: number;
  /** Text after the second `@@`. */
  readonly heading: string;
  readonly lines: readonly HunkLine[];
}

export interface FilePatch {
  /** Path without `a/`, `b/`; null for /dev/null. */
  readonly oldPath: string | null;
  readonly newPath: string | null;
  readonly change: 'modify' | 'add' | 'delete' | 'rename' | 'copy' | 'mode' | 'binary';
  readonly hunks: readonly Hunk[];
}

export interface Patch {
  readonly subject: string;
  readonly author: string | null;
  readonly date: string | null;
  readonly messageId: string | null;
  readonly inReplyTo: string | null;
  readonly references: readonly string[];
  readonly commit: string | null;
  /** From `[PATCH v3 02/11]`: version 3, part 2, of 11. */
  readonly version: number;
  readonly part: number | null;
  readonly of: number | null;
  readonly trailers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly files: readonly FilePatch[];
  /** What a reply to the mail needs; absent where the patch came in no mail. */
  readonly envelope?: Envelope;
}

/** A patch that came in no mail: what `facts` says, and nothing else. */
export const plainPatch = (facts: Pick<Patch, 'subject' | 'files'> & Partial<Patch>): Patch => ({
  author: null,
  date: null,
  messageId: null,
  inReplyTo: null,
  references: [],
  commit: null,
  version: 1,
  part: null,
  of: null,
  trailers: {},
  body: '',
  ...facts,
});

export interface Address {
  /** Decoded; empty where there is none. */
  readonly name: string;
  readonly address: string;
}

export interface Envelope {
  /** As the header has it: a Subject in the body is the commit's, not the mail's. */
  readonly subject: string;
  /** Who sent it, which need not be the author. */
  readonly from: Address | null;
  /** Where answers are asked for instead. */
  readonly replyTo: readonly Address[];
  readonly to: readonly Address[];
  readonly cc: readonly Address[];
  /** The Date header as it stands. */
  readonly date: string | null;
}

export interface PatchSeries {
  readonly patches: readonly Patch[];
  /** Missing parts, skipped mails, other things worth a line to the user. */
  readonly notes: readonly string[];
}

export type PatchErrorCode = 'not-a-patch' | 'truncated' | 'bad-path' | 'too-large' | 'not-text';

/** Expected failure on input: one clear line for the user. */
export class PatchError extends Error {
  constructor(
    readonly code: PatchErrorCode,
    message: string,
  ) {
    // What a mail says may hold anything; a message is one line.
    super(message.replace(/[\p{Cc}\u2028\u2029]+/gu, ' '));
    this.name = 'PatchError';
  }
}
/*
 * The folder's functions:
 *   parse-patches.ts  parsePatches(input: Uint8Array, name: string): PatchSeries   throws PatchError
 *   apply-patch.ts    applyFile(before: string | null, file: FilePatch): { text: string | null, offsets: number[] } | { failed: Hunk, reason }
 *   line-map.ts       maps old to new line numbers of a FilePatch and back (mapLines(file).toOld(newLine) | toNew(oldLine), null where none)
 */
