/** What GitHub's refusals mean for a job: wait, go on without, or give up. */
import { z } from 'zod';

/** GitHub wants silence for longer than it is worth to keep a worker waiting. The job goes back until then. */
export class RateLimitError extends Error {
  constructor(readonly milliseconds: number) {
    super(`GitHub asks to wait for ${Math.ceil(milliseconds / 1000)} s`);
    this.name = 'RateLimitError';
  }
}

const requestError = z.object({
  status: z.number(),
  message: z.string().catch(''),
  response: z
    .object({
      headers: z.record(z.string(), z.union([z.string(), z.number(), z.undefined()])).catch({}),
      data: z.unknown(),
    })
    .optional(),
});

/** The HTTP status of an error that the client threw; 500 also stands for no answer at all. Null: another error. */
export function statusOf(error: unknown): number | null {
  const read = error instanceof Error ? requestError.safeParse(error) : null;
  return read?.success === true ? read.data.status : null;
}

/** GitHub's own wait where none is named, and the start of the exponential one. */
const SHORTEST_WAIT = 60_000;

/**
 * Milliseconds that a refusal asks to wait; null when it is no rate limit but a refusal for good.
 *
 * @param attempt how often the request was refused before, for limits that name no time
 */
export function waitOf(error: unknown, attempt: number, now: number): number | null {
  const read = error instanceof Error ? requestError.safeParse(error) : null;
  if (read?.success !== true || (read.data.status !== 403 && read.data.status !== 429)) return null;
  const headers = read.data.response?.headers ?? {};
  const seconds = Number(headers['retry-after'] ?? Number.NaN);
  if (Number.isFinite(seconds)) return Math.max(0, seconds) * 1000;
  const reset = Number(headers['x-ratelimit-reset'] ?? Number.NaN);
  if (String(headers['x-ratelimit-remaining'] ?? '') === '0' && Number.isFinite(reset))
    return Math.max(1000, reset * 1000 - now);
  const isLimit = read.data.status === 429 || /secondary rate|abuse detection/i.test(read.data.message);
  return isLimit ? SHORTEST_WAIT * 2 ** Math.min(attempt, 5) : null;
}

/** Gone, forbidden or switched off for the app: no repetition helps. */
export function isFinal(error: unknown): boolean {
  const status = statusOf(error);
  return status === 401 || status === 403 || status === 404 || status === 410 || status === 451;
}

/** One line for logs and check runs; never headers or bodies, which may hold secrets. */
export function sayError(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const plain = [...text].map((c) => (c < ' ' || c === '\u007f' ? ' ' : c)).join('');
  return plain.replace(/ {2,}/g, ' ').trim().slice(0, 300);
}
