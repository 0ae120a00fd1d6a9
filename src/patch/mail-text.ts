import PostalMime from 'postal-mime';
import { splitHeaders } from './mail-headers.js';

/**
 * The plain text of a mail: transfer encoding and charset undone, parts of type text/plain first, then attached patches.
 * Text that claims format=flowed is taken as it is (a reader that reflows it would break the diff), except where the
 * sender did stuff it, which is undone. Never throws: what cannot be decoded is read as it is.
 */
export async function mailText(bytes: string): Promise<string> {
  const { headers, head, body } = splitHeaders(bytes);
  const type = (headers.get('content-type') ?? 'text/plain').toLowerCase();
  const encoding = (headers.get('content-transfer-encoding') ?? '7bit').toLowerCase();
  const isPlain = type.startsWith('text/') || !type.includes('/');
  const text =
    isPlain && !/^(?:quoted-printable|base64)/.test(encoding)
      ? decodeCharset(body, charsetOf(type))
      : await decodeMime(`${unflow(head)}\n${unflowParts(body)}`);
  return /format="?flowed/.test(type) ? undoStuffing(text) : text;
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

async function decodeMime(bytes: string): Promise<string> {
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
    return [mail.text ?? '', ...texts].join('\n');
  } catch {
    return Buffer.from(bytes, 'latin1').toString('utf8');
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
function undoStuffing(text: string): string {
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
    if (open) joined[last] = `${joined[last] ?? ''}${content}`;
    else joined.push(content);
    // A lone space is an empty context line, and `-- ` a signature.
    open = content.endsWith(' ') && content.trim() !== '' && content !== '-- ';
  }
  return joined.join('\n');
}
