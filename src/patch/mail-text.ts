import PostalMime from 'postal-mime';
import { splitHeaders } from './mail-headers.js';

export interface MailText {
  readonly text: string;
  /** Attached patches that are mails themselves, as `git format-patch --attach` and mail readers attach them. */
  readonly attached: readonly string[];
  /** There is HTML and nothing else; what a browser shows is no patch. */
  readonly isHtml: boolean;
}

/**
 * The plain text of a mail: transfer encoding and charset undone, parts of type text/plain first, then attached patches.
 * Text that claims format=flowed is taken as it is (a reader that reflows it would break the diff), except where the
 * sender did stuff it, which is undone. Never throws: what cannot be decoded is read as it is.
 */
export async function mailText(bytes: string): Promise<MailText> {
  const { headers, head, body } = splitHeaders(bytes);
  const type = (headers.get('content-type') ?? 'text/plain').toLowerCase();
  const encoding = (headers.get('content-transfer-encoding') ?? '7bit').toLowerCase();
  if (type.startsWith('text/html')) return { text: '', attached: [], isHtml: true };
  const isPlain = type.startsWith('text/') || !type.includes('/');
  const { text, attached, isHtml } =
    isPlain && !/^(?:quoted-printable|base64)/.test(encoding)
      ? { text: decodeCharset(body, charsetOf(type)), attached: [], isHtml: false }
      : await decodeMime(`${unflow(head)}\n${unflowParts(body)}`);
  const plain = /format="?flowed/.test(type) ? undoStuffing(text, /delsp="?yes/.test(type)) : text;
  return { text: withoutSignature(plain), attached, isHtml };
}

/** A text signed as RFC 4880 has it: `- ` was put before each line that starts with a dash. */
function withoutSignature(text: string): string {
  const begin = text.indexOf('-----BEGIN PGP SIGNED MESSAGE-----');
  if (begin < 0) return text;
  const start = text.indexOf('\n\n', begin);
  const end = text.indexOf('\n-----BEGIN PGP SIGNATURE-----', begin);
  if (start < 0 || end < start || /^NotDashEscaped:/m.test(text.slice(begin, start))) return text;
  return `${text.slice(0, begin)}${text.slice(start + 2, end + 1).replace(/^- /gm, '')}`;
}

function charsetOf(type: string): string {
  return /charset="?([a-z0-9._:-]{1,40})/.exec(type)?.[1] ?? 'utf-8';
}

/** Senders label UTF-8 as us-ascii; bytes that are valid UTF-8 are read as that whatever the label says. */
function decodeCharset(body: string, charset: string): string {
  const buffer = Buffer.from(body, 'latin1');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(buffer);
  } catch {
    // Not UTF-8: the label decides.
  }
  try {
    return new TextDecoder(charset === 'us-ascii' ? 'utf-8' : charset).decode(buffer);
  } catch {
    return buffer.toString('utf8');
  }
}

async function decodeMime(bytes: string): Promise<MailText> {
  try {
    const mail = await PostalMime.parse(Buffer.from(bytes, 'latin1'), {
      maxNestingDepth: 20,
      maxHeadersSize: 1_048_576,
    });
    const attached = mail.attachments.filter(
      ({ mimeType, filename }) =>
        /^text\/(?:x-)?(?:patch|diff)$/.test(mimeType) || /\.(?:patch|diff)$/i.test(filename ?? ''),
    );
    const texts = attached.map(({ content }) =>
      typeof content === 'string'
        ? content
        : Buffer.from(content instanceof ArrayBuffer ? new Uint8Array(content) : content).toString('utf8'),
    );
    const isMail = (text: string): boolean => /^From [0-9a-f]{40,64} .{10,60}\n[A-Z][\w-]{1,40}:/.test(text);
    return {
      text: [mail.text ?? '', ...texts.filter((text) => !isMail(text))].join('\n'),
      attached: texts.filter(isMail),
      isHtml: mail.text === undefined && mail.html !== undefined && texts.length === 0,
    };
  } catch {
    return { text: Buffer.from(bytes, 'latin1').toString('utf8'), attached: [], isHtml: false };
  }
}

function unflow(head: string): string {
  return head.replace(/format="?flowed"?/gi, 'format=fixed');
}

/** The same for the headers of parts; other lines stay as they are. */
function unflowParts(body: string): string {
  if (!/format="?flowed/i.test(body)) return body;
  let inType = false;
  const lines = body.split('\n').map((line) => {
    inType = /^content-type:/i.test(line) || (inType && /^[ \t]/.test(line));
    return inType ? unflow(line) : line;
  });
  return lines.join('\n');
}

/**
 * RFC 3676 puts one more space before lines that start with a space, and breaks long lines after a space. A sender that
 * did so has no context line with a single leading space; any other text is left alone.
 */
function undoStuffing(text: string, dropsSpace: boolean): string {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.startsWith('@@ -'));
  if (start < 0) return text;
  const spaced = lines.slice(start).filter((line) => line.startsWith(' ') && line.trim() !== '');
  if (spaced.length === 0 || spaced.some((line) => !line.startsWith('  '))) return text;
  const joined: string[] = [];
  let open = false;
  for (const line of lines) {
    const content = line.startsWith(' ') ? line.slice(1) : line;
    const last = joined.length - 1;
    const before = joined[last] ?? '';
    if (open) joined[last] = `${dropsSpace ? before.slice(0, -1) : before}${content}`;
    else joined.push(content);
    // A lone space is an empty context line, and `-- ` a signature.
    open = content.endsWith(' ') && content.trim() !== '' && content !== '-- ';
  }
  return joined.join('\n');
}
