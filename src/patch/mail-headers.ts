import { addressParser, decodeWords } from 'postal-mime';
import { limits } from './limits.js';
import type { Address, Envelope } from './series.js';

/** Headers of a mail by lower-case name, unfolded, not yet decoded. The first of a name counts. */
export type MailHeaders = ReadonlyMap<string, string>;

/** Splits a mail's bytes into headers and body. */
export function splitHeaders(bytes: string): {
  readonly headers: MailHeaders;
  readonly head: string;
  readonly body: string;
} {
  const text = bytes.replace(/^[\r\n]{1,100}/, '');
  const blank = /\r?\n\r?\n/.exec(text);
  const head = blank === null ? text : text.slice(0, blank.index + 1);
  const body = blank === null ? '' : text.slice(blank.index + blank[0].length);
  const headers = new Map<string, string>();
  let name: string | null = null;
  for (const line of head.split('\n', limits.headerLines)) {
    if ((line.startsWith(' ') || line.startsWith('\t')) && name !== null) {
      headers.set(name, `${headers.get(name) ?? ''}\n${line.trimEnd()}`);
      continue;
    }
    const colon = line.indexOf(':');
    const found = colon > 0 ? line.slice(0, colon).toLowerCase() : null;
    name = found === null || headers.has(found) ? null : found;
    if (name !== null) headers.set(name, line.slice(colon + 1).trim());
  }
  return { headers, head, body };
}

/** A header for people: folds become one space, RFC 2047 words and raw UTF-8 are decoded. */
export function readableHeader(headers: MailHeaders, name: string): string | null {
  const raw = headers.get(name);
  if (raw === undefined) return null;
  const utf8 = Buffer.from(raw, 'latin1').toString('utf8');
  // A fold between two encoded words is no space (RFC 2047, 6.2); decodeWords knows that when only white space is left.
  return decodeWords(utf8.replace(/\n[ \t]{0,200}/g, ' '))
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
}

/** The ids of a header such as References, without brackets; comments around them are dropped. */
export function messageIds(headers: MailHeaders, name: string): string[] {
  return Array.from((headers.get(name) ?? '').matchAll(/<([^<>\s]{1,998})>/g), (match) => match[1] ?? '');
}

/** No kernel list mail has more; what has more is no reason to read on. */
const MOST_ADDRESSES = 200;

/** The addresses of a header such as Cc, groups taken apart. */
function addresses(headers: MailHeaders, name: string): readonly Address[] {
  const raw = headers.get(name);
  if (raw === undefined) return [];
  const utf8 = Buffer.from(raw.slice(0, 50_000), 'latin1').toString('utf8');
  const found: Address[] = [];
  for (const { name: label, address } of addressParser(utf8.replace(/\n[ \t]{0,200}/g, ' '), {
    flatten: true,
  })) {
    if (address === undefined || !/^[^\s<>,;:"()@]{1,250}@[^\s<>,;:"()@]{1,250}$/.test(address)) continue;
    found.push({ name: label.replace(/[\s\p{Cc}]+/gu, ' ').trim(), address });
    if (found.length === MOST_ADDRESSES) break;
  }
  return found;
}

/** Who wrote a mail, who got it, and when. */
export function envelopeOf(headers: MailHeaders): Envelope {
  return {
    subject: readableHeader(headers, 'subject') ?? '',
    from: addresses(headers, 'from')[0] ?? null,
    replyTo: addresses(headers, 'reply-to'),
    to: addresses(headers, 'to'),
    cc: addresses(headers, 'cc'),
    date: readableHeader(headers, 'date'),
  };
}
