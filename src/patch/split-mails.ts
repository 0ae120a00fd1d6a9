import { limits } from './limits.js';
import { PatchError } from './series.js';

/** One mail, or one text without headers, as bytes. */
export interface RawMail {
  /** The `From …` line of an mbox or of format-patch. */
  readonly separator: string | null;
  readonly isMail: boolean;
  readonly bytes: string;
}

const headerName = /^[A-Za-z][A-Za-z0-9-]{0,76}:(?:[ \t\r]|$)/;
const separatorLine = /^From \S{1,998} .{0,60}\d\d:\d\d:\d\d.{0,40}\d{4}/;

/**
 * Cuts an input into mails. A `From ` line separates only where a date follows on it and a header on the next line, so
 * that prose cannot. In an mbox one `>` of `>From ` is taken off (mboxrd).
 */
export function splitMails(input: string, name: string): RawMail[] {
  const starts = separators(input);
  if (starts.length > limits.mails) {
    throw new PatchError('too-large', `${name}: ${starts.length} mails; at most ${limits.mails} are read`);
  }
  const first = starts[0];
  if (first === undefined) return [{ separator: null, isMail: startsWithHeaders(input), bytes: input }];
  const mails: RawMail[] = [];
  const lead = input.slice(0, first);
  if (lead.trim() !== '') mails.push({ separator: null, isMail: startsWithHeaders(lead), bytes: lead });
  for (const [index, start] of starts.entries()) {
    const whole = input.slice(start, starts[index + 1] ?? input.length);
    const end = whole.indexOf('\n');
    mails.push({
      separator: whole.slice(0, end).trimEnd(),
      isMail: true,
      bytes: whole.slice(end + 1).replace(/^>(>{0,50}From )/gm, '$1'),
    });
  }
  return mails;
}

function separators(input: string): number[] {
  const starts: number[] = [];
  for (
    let at = input.startsWith('From ') ? 0 : nextSeparator(input, 0);
    at >= 0;
    at = nextSeparator(input, at)
  ) {
    const end = input.indexOf('\n', at);
    if (end < 0) break;
    if (
      separatorLine.test(input.slice(at, Math.min(end, at + 1200))) &&
      headerName.test(input.slice(end + 1, end + 90))
    ) {
      starts.push(at);
    }
  }
  return starts;
}

function nextSeparator(input: string, after: number): number {
  const at = input.indexOf('\nFrom ', after);
  return at < 0 ? -1 : at + 1;
}

/** The text opens with a block of mail headers, one of which only mails have. */
function startsWithHeaders(text: string): boolean {
  let known = false;
  for (const line of text.trimStart().slice(0, 65_536).split('\n')) {
    if (line.trim() === '') return known;
    if (line.startsWith(' ') || line.startsWith('\t')) continue;
    if (!headerName.test(line)) return false;
    known ||= /^(?:subject|from|message-id|mime-version|content-type):/i.test(line);
  }
  return known;
}
