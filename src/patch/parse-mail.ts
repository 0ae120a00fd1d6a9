import { createHash } from 'node:crypto';
import { decodeUtf8 } from './decode-input.js';
import type { Budget } from './limits.js';
import { envelopeOf, messageIds, readableHeader, splitHeaders } from './mail-headers.js';
import { mailText } from './mail-text.js';
import { isScissors, parseMessage } from './message-text.js';
import { parseDiff } from './parse-diff.js';
import type { FilePatch, Patch } from './series.js';
import { type RawMail, splitMails } from './split-mails.js';
import { parseSubject, type SubjectTags } from './subject.js';

/** A mail or text as read, before a series is made of several. */
export interface ReadMail {
  readonly patch: Patch;
  readonly tags: SubjectTags;
  readonly notes: readonly string[];
  /** Equal for equal changes. */
  readonly digest: string;
}

/** Mails attached to mails attached to mails. */
const mostNested = 3;

/** Reads one mail, and the patches attached to it that are mails themselves. Throws what the diff parser throws. */
export async function parseMail(mail: RawMail, budget: Budget, depth = 0): Promise<ReadMail[]> {
  const { headers } = splitHeaders(mail.bytes);
  const { text, attached, isHtml } = await mailText(mail.bytes);
  const inner: ReadMail[] = [];
  for (const one of depth < mostNested ? attached : []) {
    const bytes = Buffer.from(one, 'utf8').toString('latin1');
    for (const part of splitMails(bytes, 'attachment'))
      inner.push(...(await parseMail(part, budget, depth + 1)));
  }
  const headerSubject = readableHeader(headers, 'subject') ?? '';
  const outer = parseSubject(headerSubject);
  const isOther = (outer.isReply && !text.split('\n').some(isScissors)) || outer.part === 0 || outer.isPull;
  const diff = isOther
    ? { files: [], start: Number.POSITIVE_INFINITY, rest: [], notes: [] }
    : parseDiff(text, budget);
  const message = parseMessage(linesBefore(text, diff.start), diff.rest);
  const subject = message.hasScissors ? (message.inBody.get('subject') ?? headerSubject) : headerSubject;
  const tags = parseSubject(subject);
  const hash = /^From ([0-9a-f]{40,64}) /.exec(mail.separator ?? '')?.[1] ?? null;
  const own: ReadMail = {
    tags,
    notes: isHtml ? [`"${subject.slice(0, 200)}" is an HTML mail: a patch is plain text`] : diff.notes,
    digest: digestOf(diff.files),
    patch: {
      subject,
      author: message.inBody.get('from') ?? readableHeader(headers, 'from'),
      date: message.inBody.get('date') ?? readableHeader(headers, 'date'),
      messageId: messageIds(headers, 'message-id')[0] ?? null,
      inReplyTo: messageIds(headers, 'in-reply-to')[0] ?? null,
      references: messageIds(headers, 'references'),
      commit: hash === null || /^0+$/.test(hash) ? null : hash,
      version: tags.version,
      part: tags.part,
      of: tags.of,
      trailers: message.trailers,
      body: message.message,
      files: tags.isReply || tags.isPull || tags.part === 0 ? [] : diff.files,
      envelope: envelopeOf(headers),
    },
  };
  return own.patch.files.length === 0 && inner.length > 0 ? inner : [own, ...inner];
}

/** Reads a text that is no mail: a plain diff, the output of git show or git log, a saved web page. */
export function parseText(bytes: string, name: string, budget: Budget): ReadMail[] {
  const text = decodeUtf8(bytes);
  const commits = splitCommits(text);
  return commits.map((part) => parseOneText(part, name, budget));
}

function parseOneText(text: string, name: string, budget: Budget): ReadMail {
  const diff = parseDiff(patchSection(text), budget);
  const lead = linesBefore(text, linesBeforeDiff(text)).map((line) => line.trimEnd());
  const facts = gitFacts(lead) ?? pageFacts(lead, name);
  const tags = parseSubject(facts.subject);
  const message = parseMessage(facts.message, diff.rest);
  return {
    tags: { ...tags, isReply: false },
    notes: diff.notes,
    digest: digestOf(diff.files),
    patch: {
      subject: facts.subject,
      author: facts.author,
      date: facts.date,
      messageId: facts.messageId,
      inReplyTo: null,
      references: [],
      commit: facts.commit,
      version: tags.version,
      part: tags.part,
      of: tags.of,
      trailers: message.trailers,
      body: message.message,
      files: diff.files,
    },
  };
}

function digestOf(files: readonly FilePatch[]): string {
  return createHash('sha256').update(JSON.stringify(files)).digest('hex');
}

interface TextFacts {
  readonly subject: string;
  readonly author: string | null;
  readonly date: string | null;
  readonly messageId: string | null;
  readonly commit: string | null;
  readonly message: readonly string[];
}

/** Header of git show and git log. */
function gitFacts(lead: readonly string[]): TextFacts | null {
  const commit = /^commit ([0-9a-f]{40,64})\b/.exec(lead[0] ?? '')?.[1];
  if (commit === undefined) return null;
  const value = (name: string): string | null =>
    lead
      .find((line) => line.startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim() ?? null;
  const message = lead
    .filter((line, index) => index > 0 && (line.startsWith('    ') || line === ''))
    .map((line) => line.slice(4));
  const first = message.findIndex((line) => line !== '');
  return {
    subject: message[first] ?? '',
    author: value('Author'),
    date: value('Date') ?? value('AuthorDate'),
    messageId: null,
    commit,
    message: message.slice(first + 1),
  };
}

/** What a page or a hand-made diff says of itself; the file's name is the subject when it says nothing. */
function pageFacts(lead: readonly string[], name: string): TextFacts {
  const head = lead.slice(0, 200);
  const header = (key: string): string | null =>
    head
      .find((line) => line.toLowerCase().startsWith(`${key}:`))
      ?.slice(key.length + 1)
      .trim() || null;
  const titled = head.find((line) => line.startsWith('[') && line.length < 500 && parseSubject(line).isPatch);
  const subject = titled ?? header('subject') ?? name;
  const messageId = head
    .map((line) => /^Message[- ]ID:? {1,3}<?([^\s<>]{1,998}@[^\s<>]{1,998})/i.exec(line)?.[1])
    .find((id) => id !== undefined);
  const first = lead.indexOf(subject) + 1;
  return {
    subject,
    author: header('from'),
    date: header('date'),
    messageId: messageId ?? null,
    commit: null,
    message: lead.slice(first),
  };
}

/** `git log -p` lists the newest first; a series is applied oldest first. */
function splitCommits(text: string): string[] {
  if (!/^commit [0-9a-f]{40}/.test(text)) return [text];
  const parts = text.split(/^(?=commit [0-9a-f]{40,64}\b.{0,200}\r?\n(?:Author|Merge|AuthorDate|tree): ?)/m);
  return parts.reverse();
}

/** Patchwork shows comments, with diffs of their own, before the heading under which the patch stands. */
function patchSection(text: string): string {
  const heading = /^diff mbox series\s{1,20}^Patch$/gm;
  let end = 0;
  for (let found = heading.exec(text); found !== null; found = heading.exec(text))
    end = found.index + found[0].length;
  return text.slice(end);
}

function linesBeforeDiff(text: string): number {
  const lines = text.split('\n');
  const at = lines.findIndex(
    (line, index) =>
      line.startsWith('diff --git ') ||
      (line.startsWith('--- ') && lines[index + 1]?.startsWith('+++ ') === true),
  );
  return at < 0 ? lines.length : at;
}

function linesBefore(text: string, count: number): string[] {
  const lines = text.split('\n');
  return lines.slice(0, Math.min(count, lines.length));
}
