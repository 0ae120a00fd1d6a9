import { chooseSeries } from './choose-series.js';
import { decodeInput, decodeUtf8 } from './decode-input.js';
import { type Budget, limits } from './limits.js';
import { parseDiff } from './parse-diff.js';
import { parseMail, parseText, type ReadMail } from './parse-mail.js';
import { type FilePatch, PatchError, type PatchSeries } from './series.js';
import { splitMails } from './split-mails.js';

/**
 * Reads patches from bytes: one or several mails (git format-patch, b4 or another mbox, in any order), a plain diff of
 * git or diff -u, the output of git show or git log -p, or the saved page of a mail archive. `name` is how errors call
 * the input, and the subject of a diff that has none.
 *
 * Throws PatchError: `not-text` and `too-large` before anything is parsed; `truncated` with file and hunk; `bad-path`
 * for names that leave the tree; `not-a-patch` when nothing in the input is a patch.
 */
export function parsePatches(input: Uint8Array, name: string): Promise<PatchSeries> {
  return parseInputs([{ bytes: input, name }]);
}

/** The same for several inputs that make one series together: the parts of a series in a file each. */
export async function parseInputs(inputs: readonly PatchInput[]): Promise<PatchSeries> {
  const budget: Budget = { files: limits.files, hunks: limits.hunks };
  const all: ReadMail[] = [];
  const others: string[] = [];
  for (const { bytes, name, folder } of inputs) {
    const mails = await readMails(bytes, name, budget).catch((error) => {
      // A mail box holds what people sent, pictures too; what is no text is no patch.
      if (folder === undefined || !(error instanceof PatchError) || error.code !== 'not-text') throw error;
      others.push(error.message);
      return [];
    });
    if (folder === undefined && mails.every((mail) => mail.patch.files.length === 0)) {
      const isCover = inputs.length > 1 && mails.some((mail) => mail.patch.part === 0);
      if (!isCover) throw new PatchError('not-a-patch', `${name}: ${whyNone(bytes, mails)}`);
    }
    all.push(...mails);
  }
  const folders = new Set(inputs.flatMap(({ folder }) => folder ?? []));
  if (all.every((mail) => mail.patch.files.length === 0) && folders.size > 0)
    throw new PatchError('not-a-patch', `${[...folders].join(', ')}: no patch in it`);
  const chosen = chooseSeries(all);
  const series = { ...chosen, notes: [...others.map((other) => `left out: ${other}`), ...chosen.notes] };
  if (series.patches.length === 0) throw new PatchError('not-a-patch', 'no patch in the input');
  return series;
}

/**
 * The files of a diff that git made of a repository, given as a string of bytes. Throws PatchError as parsePatches does.
 */
export function parseGitDiff(diff: string): readonly FilePatch[] {
  return parseDiff(decodeUtf8(diff), { files: limits.files, hunks: limits.hunks }).files;
}

export interface PatchInput {
  readonly bytes: Uint8Array;
  /** How errors call the input. */
  readonly name: string;
  /** The mail box or folder that it is one of many in: only one of them needs to hold a patch. */
  readonly folder?: string;
}

async function readMails(input: Uint8Array, name: string, budget: Budget): Promise<ReadMail[]> {
  const bytes = decodeInput(input, name);
  const mails: ReadMail[] = [];
  try {
    for (const mail of splitMails(bytes, name)) {
      if (mail.isMail) mails.push(...(await parseMail(mail, budget)));
      else mails.push(...parseText(mail.bytes, name, budget));
    }
  } catch (error) {
    if (error instanceof PatchError) throw new PatchError(error.code, named(name, error.message));
    throw error;
  }
  return mails;
}

function named(name: string, message: string): string {
  return message.startsWith(`${name}: `) ? message : `${name}: ${message}`;
}

function whyNone(bytes: Uint8Array, mails: readonly ReadMail[]): string {
  if (bytes.every((byte) => byte <= 0x20)) return 'empty';
  const [first] = mails;
  const note = mails.flatMap((mail) => mail.notes)[0];
  if (note !== undefined) return note;
  if (mails.length === 1 && first !== undefined) {
    if (first.tags.isReply) return 'a reply, not a patch';
    if (first.tags.isPull) return 'a pull request, not a patch';
    if (first.patch.part === 0) return 'a cover letter without its patches';
  }
  return 'no patch in it';
}
