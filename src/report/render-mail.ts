/**
 * A review as replies to the patches, as people on kernel lists write them: plain text, the patch quoted and trimmed,
 * each comment under its line. One reply for each patch that brings something in. Writing is all: nothing is sent.
 */
import { createHash } from 'node:crypto';
import type { Finding, MailAddress, ReviewDocument, ReviewedPatch } from '#review/document.js';
import { cleanLine, cleanQuoted } from './clean-text.js';
import { coverageOf } from './coverage.js';
import { mailComment, sayable } from './mail-comment.js';
import { addressHeader, idHeader, textHeader } from './mail-headers.js';
import { quotePatch } from './quote-patch.js';
import { wrapText } from './wrap-text.js';

export interface MailOptions {
  readonly from: MailAddress;
  /** When the reply is written. */
  readonly date: Date;
}

export interface MailReply {
  /** For a folder: sorts in the order of the series. */
  readonly fileName: string;
  /** A whole message, RFC 5322 with Unix line ends. */
  readonly text: string;
  /** The patch had no Message-ID, so the reply cannot be threaded. */
  readonly unthreaded: boolean;
}

const MOST_FINDINGS = 6;
/** RFC 5322, 2.1.1. */
const LONGEST_LINE = 990;

/** Replies in the order of the patches. What a later patch of the series closes, and what is silenced, is no reason to write. */
export function renderMail(document: ReviewDocument, options: MailOptions): readonly MailReply[] {
  return document.patches.flatMap((patch, i) => {
    const findings = findingsToSend(patch);
    return findings.length === 0 ? [] : [reply(patch, i, findings, document, options)];
  });
}

/** What a reply is about: introduced, not silenced, and still there at the end of the series. */
function findingsToSend(patch: ReviewedPatch): readonly Finding[] {
  return patch.findings.filter(
    (f) => f.status === 'introduced' && f.suppressed === undefined && f.closedBy === null,
  );
}

/** All replies as one mailbox (mboxrd), empty without any. */
export function mailbox(replies: readonly MailReply[]): string {
  const separator = 'From mboxrd@z Thu Jan  1 00:00:00 1970';
  return replies.map(({ text }) => `${separator}\n${text.replace(/^>*From /gm, '>$&')}\n`).join('');
}

function reply(
  patch: ReviewedPatch,
  index: number,
  findings: readonly Finding[],
  document: ReviewDocument,
  options: MailOptions,
): MailReply {
  const subject = patch.mail?.subject || patch.subject;
  const body = bodyOf(patch, findings, document, options);
  const text = body.join('\n');
  const isPlain = /^[\t\n -~]*$/.test(text);
  const isLong = body.some((line) => Buffer.byteLength(line) > LONGEST_LINE);
  const { to, cc } = recipientsOf(patch);
  const headers = [
    addressHeader('From', [options.from]),
    addressHeader('To', to),
    addressHeader('Cc', cc),
    textHeader('Subject', /^re:/i.test(subject) ? subject : `Re: ${subject}`),
    `Date: ${mailDate(options.date)}`,
    idHeader('Message-ID', [messageId(patch, findings, options.from)]),
    ...threadHeaders(patch),
    'Auto-Submitted: auto-generated',
    // Patchwork must not take a suggested change for a new patch.
    ...(findings.some((f) => f.suggestion !== null) ? ['X-Patchwork-Hint: ignore'] : []),
    'MIME-Version: 1.0',
    `Content-Type: text/plain; charset=${isPlain ? 'us-ascii' : 'UTF-8'}`,
    `Content-Transfer-Encoding: ${isLong ? 'quoted-printable' : isPlain ? '7bit' : '8bit'}`,
  ].filter((header) => header !== '');
  return {
    fileName: `${String(index + 1).padStart(4, '0')}-re-${slug(subject)}.eml`,
    text: `${headers.join('\n')}\n\n${isLong ? quotedPrintable(text) : text}\n`,
    unthreaded: patch.messageId === null,
  };
}

function bodyOf(
  patch: ReviewedPatch,
  findings: readonly Finding[],
  document: ReviewDocument,
  options: MailOptions,
): readonly string[] {
  const shown = findings.slice(0, MOST_FINDINGS);
  const lines: string[] = [];
  const parts = quotePatch(patch, shown);
  if (parts.some((part) => part.kind === 'quote')) lines.push(...attribution(patch));
  for (const part of parts) {
    switch (part.kind) {
      case 'quote':
        lines.push(`> ${cleanQuoted(part.text)}`.trimEnd());
        break;
      case 'cut':
        lines.push('[ ... ]');
        break;
      case 'comment':
        if (lines.length > 0 && lines.at(-1) !== '') lines.push('');
        lines.push(...mailComment(part.finding, part.onItsLine, patch.context), '');
        break;
    }
  }
  while (lines.at(-1) === '') lines.pop();
  const rest = [...new Set(findings.slice(MOST_FINDINGS).map((f) => `${f.function}()`))];
  if (rest.length > 0) lines.push('', ...wrapText(`More of this was seen in ${rest.join(', ')}.`, 72));
  for (const text of [unseenParts(patch, document), undecidedText(patch)])
    if (text !== '') lines.push('', ...wrapText(sayable(text), 72));
  return [...lines, '', ...footer(shown, document, options)];
}

function attribution(patch: ReviewedPatch): readonly string[] {
  const from = patch.mail?.from ?? null;
  if (from === null) return [];
  const who = cleanLine(from.name === '' ? from.address : from.name);
  const when = patch.mail?.date ?? null;
  return wrapText(`${when === null ? '' : `On ${cleanLine(when)}, `}${who} wrote:`, 72);
}

function unseenParts(patch: ReviewedPatch, document: ReviewDocument): string {
  const { part, of } = patch.mail ?? { part: null, of: null };
  if (part === null || of === null || of < 2) return '';
  const seen = new Set(document.patches.map((p) => p.mail?.part ?? null));
  const missing = Array.from({ length: Math.min(of, 100) }, (_, i) => i + 1).filter((n) => !seen.has(n));
  if (missing.length === 0) return '';
  const named =
    missing.length > 8 ? 'most other parts' : `part${missing.length === 1 ? '' : 's'} ${missing.join(', ')}`;
  return `Not seen here: ${named} of the series. If the answer is there, please ignore this.`;
}

function undecidedText(patch: ReviewedPatch): string {
  const { undecided } = coverageOf(patch);
  const names = [...new Set(undecided.flatMap((u) => (u.function === '' ? [] : [`${u.function}()`])))];
  if (names.length === 0) return '';
  return `Not decided, so nothing is said about: ${names.slice(0, 8).join(', ')}${names.length > 8 ? ', ...' : ''}.`;
}

/** `-- ` with its blank is what mail readers know a signature by. */
function footer(
  findings: readonly Finding[],
  document: ReviewDocument,
  options: MailOptions,
): readonly string[] {
  const hazards = [...new Set(findings.map((f) => f.hazard))];
  const who = options.from.name === '' ? options.from.address : options.from.name;
  return [
    '-- ',
    ...wrapText(
      `Found by ${document.tool}, a tool that runs patches on a model of TLBs and page-table walkers, and passed on by ${cleanLine(who)}, who reads the answers.`,
      72,
    ),
    ...wrapText(
      `If it is wrong, please say why: the model then learns it. If you want no more of these, say that. Background:`,
      72,
    ),
    ...hazards.map((hazard) => `shootdown explain ${hazard}`),
  ];
}

/** Everybody who had the patch gets the answer; nobody twice. */
function recipientsOf(patch: ReviewedPatch): {
  readonly to: readonly MailAddress[];
  readonly cc: readonly MailAddress[];
} {
  const { mail } = patch;
  if (mail === undefined) return { to: [], cc: [] };
  const to = mail.replyTo.length > 0 ? mail.replyTo : mail.from === null ? [] : [mail.from];
  const seen = new Set(to.map((a) => a.address.toLowerCase()));
  const cc = [...mail.to, ...mail.cc].filter((a) => {
    const key = a.address.toLowerCase();
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  });
  return to.length === 0 ? { to: cc, cc: [] } : { to, cc };
}

/** The parent's References and the parent; its In-Reply-To where it has no References (RFC 5322, 3.6.4). */
function threadHeaders(patch: ReviewedPatch): readonly string[] {
  if (patch.messageId === null) return [];
  const parent = bareId(patch.messageId);
  const { references = [], inReplyTo = null } = patch.mail ?? {};
  const before = references.length > 0 ? references : inReplyTo === null ? [] : [inReplyTo];
  const chain = [...before.map(bareId).filter((id) => id !== parent), parent];
  return [idHeader('In-Reply-To', [parent]), idHeader('References', chain)];
}

const bareId = (id: string): string => id.replace(/^<|>$/g, '');

/** The same answer to the same mail has the same id, so that archives show it once however often it is written. */
function messageId(patch: ReviewedPatch, findings: readonly Finding[], from: MailAddress): string {
  const content = [patch.messageId ?? patch.subject, ...findings.map((f) => f.fingerprint)].join('\n');
  const domain = from.address.slice(from.address.lastIndexOf('@') + 1);
  return `shootdown-${createHash('sha256').update(content).digest('hex').slice(0, 24)}@${domain}`;
}

function mailDate(date: Date): string {
  return date.toUTCString().replace(/GMT$/, '+0000');
}

function slug(subject: string): string {
  const words = subject
    .replace(/^(?:re: *)?(?:\[[^\]]*\] *)*/i, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return words.slice(0, 50).replace(/-+$/, '') || 'patch';
}

/** RFC 2045, 6.7; for the rare patch with a line that is longer than mail allows. */
function quotedPrintable(text: string): string {
  return text
    .split('\n')
    .map((line) => {
      const cells = [...Buffer.from(line)].map((byte, i, all) => {
        const isLastBlank = (byte === 0x20 || byte === 0x09) && i === all.length - 1;
        const isSafe = byte === 0x09 || (byte >= 0x20 && byte <= 0x7e && byte !== 0x3d);
        return isSafe && !isLastBlank
          ? String.fromCharCode(byte)
          : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
      });
      const out: string[] = [];
      let at = '';
      for (const cell of cells) {
        if (at.length + cell.length > 75) {
          out.push(`${at}=`);
          at = '';
        }
        at += cell;
      }
      out.push(at);
      return out.join('\n');
    })
    .join('\n');
}
