/**
 * What the app and its review process say to each other, and how it goes over a pipe: four bytes of length, then
 * JSON. The review is synchronous and may run for minutes, and it works on the C of strangers, so it has a process of
 * its own without secrets.
 */
import { z } from 'zod';
import type { ReviewDocument } from '#review/document.js';

export interface ReviewTask {
  readonly subject: string;
  readonly commit: string;
  /** Paths after the change, deleted ones under their old name. */
  readonly changed: readonly string[];
  /** New path → old path. */
  readonly renamed: Readonly<Record<string, string>>;
  readonly machines: readonly string[];
  /** Where both states lie in one local git repository; null: the app is asked for each file. */
  readonly local: { readonly folder: string; readonly before: string; readonly after: string } | null;
}

export type Side = 'before' | 'after';

/** From the review process to the app. */
export type FromReview =
  | { readonly kind: 'read'; readonly side: Side; readonly path: string }
  | { readonly kind: 'list'; readonly side: Side; readonly path: string }
  | { readonly kind: 'done'; readonly document: ReviewDocument }
  | { readonly kind: 'failed'; readonly message: string };

/** From the app to the review process. */
export type ToReview =
  | { readonly kind: 'task'; readonly task: ReviewTask }
  | { readonly kind: 'text'; readonly text: string | null }
  | { readonly kind: 'names'; readonly names: readonly string[] };

const side = z.enum(['before', 'after']);
/** The process runs our code alone, yet over the text of strangers: its requests are checked, its document is typed. */
export const fromReview = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('read'), side, path: z.string() }),
  z.object({ kind: z.literal('list'), side, path: z.string() }),
  z.object({ kind: z.literal('done'), document: z.custom<ReviewDocument>((value) => value !== null) }),
  z.object({ kind: z.literal('failed'), message: z.string() }),
]);

const HEAD = 4;
/** A length beyond this is no message. */
const LONGEST = 512 * 1024 * 1024;

export function frame(message: FromReview | ToReview): Buffer {
  const body = Buffer.from(JSON.stringify(message));
  const bytes = Buffer.allocUnsafe(HEAD + body.length);
  bytes.writeUInt32BE(body.length, 0);
  body.copy(bytes, HEAD);
  return bytes;
}

/** Length of the message whose frame starts with these bytes. Throws on what is no frame. */
export function frameLength(head: Buffer): number {
  const length = head.readUInt32BE(0);
  if (length > LONGEST) throw new Error('a frame is longer than any message: the pipe is out of step');
  return length;
}

/** Puts frames together from pieces as a stream brings them. */
export class FrameReader {
  #pieces: Buffer[] = [];
  #size = 0;

  push(piece: Buffer): readonly unknown[] {
    this.#pieces.push(piece);
    this.#size += piece.length;
    const messages: unknown[] = [];
    while (this.#size >= HEAD) {
      let all = this.#pieces.length === 1 ? this.#pieces[0] : undefined;
      // Long messages come in many pieces: these are put together once their length is there.
      const head = Buffer.concat(this.#pieces.slice(0, HEAD), Math.min(this.#size, HEAD));
      const end = HEAD + frameLength(head);
      if (this.#size < end) break;
      all ??= Buffer.concat(this.#pieces, this.#size);
      messages.push(JSON.parse(all.toString('utf8', HEAD, end)));
      const rest = all.subarray(end);
      this.#pieces = rest.length === 0 ? [] : [rest];
      this.#size = rest.length;
    }
    return messages;
  }
}
