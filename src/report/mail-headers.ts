/** Headers of a mail (RFC 5322, RFC 2047): what is not ASCII is encoded, what is long is folded, nothing can break out. */
import type { MailAddress } from '#review/document.js';
import { cleanLine } from './clean-text.js';

const LONGEST = 76;

/** A header of free text, such as Subject. */
export function textHeader(name: string, text: string): string {
  const clean = cleanLine(text);
  if (isPlain(clean)) return fold(`${name}: `, clean.split(' '));
  // Words at both ends that are plain stay readable; blanks between two encoded words are encoded too.
  const words = clean.split(' ');
  const first = words.findIndex((word) => !isPlain(word));
  const last = words.findLastIndex((word) => !isPlain(word));
  return fold(`${name}: `, [
    ...words.slice(0, first),
    ...encodedWords(words.slice(first, last + 1).join(' ')),
    ...words.slice(last + 1),
  ]);
}

/** A header of addresses, such as Cc. Empty when there are none. */
export function addressHeader(name: string, list: readonly MailAddress[]): string {
  const items = list.map((address, i) => formatAddress(address) + (i === list.length - 1 ? '' : ','));
  return items.length === 0 ? '' : fold(`${name}: `, items);
}

/** A header of message ids, such as References. Empty when there are none. */
export function idHeader(name: string, ids: readonly string[]): string {
  const safe = ids.filter((id) => /^[!-~]+$/.test(id) && !/[<>]/.test(id));
  const items = safe.map((id) => `<${id}>`);
  return items.length === 0 ? '' : fold(`${name}: `, items);
}

function formatAddress({ name, address }: MailAddress): string {
  const clean = cleanLine(name);
  if (clean === '') return address;
  // Not every reader takes a quoted backslash as one: encoded, it is what it was for all of them.
  if (!isPlain(clean) || clean.includes('\\')) return `${encodedWords(clean).join(' ')} <${address}>`;
  // An atom may stand bare, with blanks between; everything else is quoted (RFC 5322, 3.2.3).
  const bare = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+$/.test(clean);
  return `${bare ? clean : `"${clean.replace(/[\\"]/g, '\\$&')}"`} <${address}>`;
}

function isPlain(text: string): boolean {
  return /^[ -~]*$/.test(text) && !text.includes('=?');
}

/** Words of base64, none over 75 characters, no character cut in two (RFC 2047, 2 and 5). */
function encodedWords(text: string): readonly string[] {
  const words: string[] = [];
  let part = '';
  for (const character of text) {
    // 39 bytes become 52 characters; with the frame of 12 and a header's name the line stays short.
    if (Buffer.byteLength(part + character) > 39) {
      words.push(part);
      part = '';
    }
    part += character;
  }
  words.push(part);
  return words.map((word) => `=?UTF-8?B?${Buffer.from(word).toString('base64')}?=`);
}

function fold(lead: string, items: readonly string[]): string {
  const lines: string[] = [];
  let line = lead;
  items.forEach((item, i) => {
    const next = i === 0 ? line + item : `${line} ${item}`;
    if (i > 0 && next.length > LONGEST) {
      lines.push(line);
      line = ` ${item}`;
    } else line = next;
  });
  lines.push(line);
  return lines.join('\n');
}
