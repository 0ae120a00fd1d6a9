import { gunzipSync } from 'node:zlib';
import { limits } from './limits.js';
import { PatchError } from './series.js';

/**
 * The input as a string of bytes (one character a byte, so that mails in several charsets can be told apart later).
 * gzip, as archives of lists give whole threads, is undone. UTF-16 with a byte order mark, as some shells write it,
 * becomes UTF-8 first; a UTF-8 mark is dropped. Throws `too-large` and `not-text`.
 */
export function decodeInput(input: Uint8Array, name: string): string {
  if (input.byteLength > limits.inputBytes) {
    throw new PatchError(
      'too-large',
      `${name}: ${input.byteLength} bytes; at most ${limits.inputBytes} are read`,
    );
  }
  const bytes = withoutMark(unpacked(Buffer.from(input.buffer, input.byteOffset, input.byteLength), name));
  if (isBinary(bytes)) throw new PatchError('not-text', `${name}: not a text file`);
  const lines = countLines(bytes);
  if (lines > limits.lines)
    throw new PatchError('too-large', `${name}: ${lines} lines; at most ${limits.lines} are read`);
  return bytes.toString('latin1');
}

/** UTF-8 text of a string of bytes, invalid bytes replaced, as files of a tree are read. */
export function decodeUtf8(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

function countLines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1)) count++;
  return count;
}

function unpacked(bytes: Buffer, name: string): Buffer {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: limits.inputBytes });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE')
      throw new PatchError(
        'too-large',
        `${name}: unpacks to more than the ${limits.inputBytes} bytes that are read`,
      );
    throw new PatchError('not-text', `${name}: broken gzip data`);
  }
}

function withoutMark(bytes: Buffer): Buffer {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return bytes.subarray(3);
  if (bytes[0] === 0xff && bytes[1] === 0xfe)
    return Buffer.from(bytes.subarray(2).toString('utf16le'), 'utf8');
  if (bytes[0] === 0xfe && bytes[1] === 0xff) {
    const even = Buffer.from(bytes.subarray(2, bytes.length - (bytes.length % 2)));
    return Buffer.from(even.swap16().toString('utf16le'), 'utf8');
  }
  return bytes;
}

/** NUL bytes, or many control characters near the start. */
function isBinary(bytes: Buffer): boolean {
  if (bytes.includes(0)) return true;
  const head = bytes.subarray(0, 65_536);
  let odd = 0;
  for (const byte of head) {
    const isWhite = byte >= 0x09 && byte <= 0x0d;
    if ((byte < 0x20 && !isWhite && byte !== 0x1b) || byte === 0x7f) odd++;
  }
  return odd * 20 > head.length;
}
