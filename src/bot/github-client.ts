/**
 * The GitHub client of one installation. Every request passes one place that repeats reads on trouble, asks with
 * ETags, keeps writes apart and in pace, and waits where GitHub says so.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Probot } from 'probot';
import { RateLimitError, statusOf, waitOf } from './github-error.js';
import type { Metrics } from './metrics.js';
import type { Pace } from './pace.js';

export type Octokit = Awaited<ReturnType<Probot['auth']>>;

/** What reads need of a client: the app's, or the one of @octokit/rest that the action uses. */
export type Requests = Pick<Octokit, 'request'>;

export interface ClientOptions {
  readonly installation: number;
  readonly pace: Pace;
  readonly metrics: Metrics;
  /** A longer wait gives the job back. */
  readonly longestWait: number;
  /** The app ends: what is asked or waited for is given up. */
  readonly closed: AbortSignal;
}

/** Reads are repeated after these milliseconds; a write that was not answered is left to the job, which looks first. */
const READ_AGAIN = [500, 2000];
const REQUEST_TIMEOUT = 60_000;
const MOST_REFUSALS = 6;
const MOST_TAGGED = 500;
const LARGEST_TAGGED = 1_000_000;

interface Tagged {
  readonly etag: string;
  readonly response: unknown;
}

/** Puts the rules of this file before every request of `octokit`. */
export function guardRequests<Client extends Pick<Octokit, 'request' | 'hook'>>(
  octokit: Client,
  options: ClientOptions,
): Client {
  const tagged = new Map<string, Tagged>();
  let lastWrite: Promise<void> = Promise.resolve();

  octokit.hook.wrap('request', async (request, parameters) => {
    const { method, url, body } = octokit.request.endpoint.parse(parameters);
    const name = parameters.url;
    // Tokens are fetched inside a request that has its turn already.
    if (name.endsWith('/access_tokens')) return request(parameters);
    const isRead = method === 'GET' || (name === '/graphql' && isQuery(body));
    const ask = async (headers: Record<string, string>) => {
      // Not AbortSignal.any(), whose signals Node 20 may forget while a request still waits.
      const ending = new AbortController();
      const end = (): void => ending.abort();
      const timer = setTimeout(end, REQUEST_TIMEOUT);
      options.closed.addEventListener('abort', end);
      if (options.closed.aborted) end();
      try {
        // The hooks below see this very object, not what is passed on, so it is changed in place.
        Object.assign(parameters.headers, headers);
        parameters.request = { ...parameters.request, signal: ending.signal };
        const answer = await request(parameters);
        options.metrics.requests.inc({ method, status: String(answer.status) });
        return answer;
      } finally {
        clearTimeout(timer);
        options.closed.removeEventListener('abort', end);
      }
    };
    // What is named by its own hash never changes and is kept elsewhere.
    if (method === 'GET' && name.includes('/git/')) return patiently(true, options, () => ask({}));
    if (method === 'GET') return patiently(true, options, () => conditionally(tagged, url, parameters, ask));
    if (isRead) return patiently(true, options, () => ask({}));
    // One write after the other: GitHub asks for it, and the order of what people see depends on it.
    const before = lastWrite;
    let release = (): void => {};
    lastWrite = new Promise((resolve) => {
      release = resolve;
    });
    try {
      await before;
      return await patiently(false, options, async () => {
        await pause(await options.pace.slot(options.installation), options);
        return ask({});
      });
    } finally {
      release();
    }
  });
  return octokit;
}

/** Waits while the installation is on hold, then asks; repeats after a refusal that names a time, and failed reads. */
async function patiently<T>(isRead: boolean, options: ClientOptions, ask: () => Promise<T>): Promise<T> {
  let failures = 0;
  for (let refusals = 0; ; ) {
    const held = await options.pace.heldFor(options.installation);
    if (held > options.longestWait) throw new RateLimitError(held);
    if (held > 0) await pause(held, options);
    try {
      return await ask();
    } catch (error) {
      const wait = waitOf(error, refusals, Date.now());
      const status = statusOf(error);
      if (status !== null && status !== 304)
        options.metrics.requests.inc({ method: '-', status: `${status}` });
      if (wait !== null) {
        options.metrics.rateLimited.inc();
        await options.pace.hold(options.installation, wait);
        refusals += 1;
        if (refusals >= MOST_REFUSALS || wait > options.longestWait) throw new RateLimitError(wait);
        continue;
      }
      const again = READ_AGAIN[failures];
      if (!isRead || status === null || status < 500 || again === undefined) throw error;
      failures += 1;
      await pause(again, options);
    }
  }
}

const pause = (milliseconds: number, { closed }: ClientOptions): Promise<void> =>
  sleep(milliseconds, undefined, { signal: closed });

/** A GET with the ETag of the last answer, which costs nothing of the hourly limit while nothing changed. */
async function conditionally<T extends { readonly status: number; readonly headers: object }>(
  tagged: Map<string, Tagged>,
  url: string,
  parameters: { readonly headers: { readonly accept?: string | undefined } },
  ask: (headers: Record<string, string>) => Promise<T>,
): Promise<T> {
  const key = `${parameters.headers.accept ?? ''} ${url}`;
  const known = tagged.get(key);
  try {
    const answer = await ask(known === undefined ? {} : { 'if-none-match': known.etag });
    const { etag } = answer.headers as { readonly etag?: string };
    const size = Number((answer.headers as { readonly 'content-length'?: string })['content-length'] ?? 0);
    if (etag !== undefined && size <= LARGEST_TAGGED) {
      tagged.delete(key);
      tagged.set(key, { etag, response: answer });
      const [oldest] = tagged.keys();
      if (tagged.size > MOST_TAGGED && oldest !== undefined) tagged.delete(oldest);
    }
    return answer;
  } catch (error) {
    if (known === undefined || statusOf(error) !== 304) throw error;
    return known.response as T;
  }
}

function isQuery(body: unknown): boolean {
  const query = (body as { readonly query?: unknown } | undefined)?.query;
  return typeof query === 'string' && !query.trimStart().startsWith('mutation');
}
