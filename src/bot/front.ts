/** The app's HTTP side: webhooks in, health and figures out. It answers at once; the work waits in the queue. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Metrics } from './metrics.js';
import type { JobQueue } from './queue.js';

const WEBHOOK_PATH = '/api/github/webhooks';
/** GitHub sends no more. */
const MOST_BYTES = 25 * 1024 * 1024;

export interface Delivery {
  readonly id: string;
  readonly name: string;
  readonly signature: string;
  readonly payload: string;
}

/** What a delivery came to. `refused`: the signature is wrong. */
export type Received = 'queued' | 'ignored' | 'refused';

export interface FrontOptions {
  /** Null: a worker, which takes no webhooks. Throws when the job could not be queued. */
  readonly receive: ((delivery: Delivery) => Promise<Received>) | null;
  readonly queue: JobQueue;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly isStopping: () => boolean;
}

export function createFront(options: FrontOptions): Server {
  const server = createServer((request, response) => {
    answer(request, response, options).catch((error: unknown) => {
      options.log.error({ reason: error instanceof Error ? error.message : '' }, 'request failed');
      if (!response.headersSent) respond(response, 500, 'error');
    });
  });
  // Slow or silent clients must not hold connections for long.
  server.requestTimeout = 30_000;
  server.headersTimeout = 10_000;
  return server;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: FrontOptions,
): Promise<void> {
  const path = (request.url ?? '').split('?')[0];
  if (path === WEBHOOK_PATH && options.receive !== null) {
    if (request.method !== 'POST') return respond(response, 405, 'POST only');
    return webhook(request, response, options, options.receive);
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') return respond(response, 404, 'not found');
  switch (path) {
    case '/healthz':
      return respond(response, 200, 'ok');
    case '/readyz': {
      const isReady =
        !options.isStopping() && (await within(1000, options.queue.isReady()).catch(() => false));
      return respond(response, isReady ? 200 : 503, isReady ? 'ready' : 'not ready');
    }
    case '/metrics': {
      const depth = await within(2000, options.queue.depth()).catch(() => null);
      if (depth !== null)
        for (const [state, count] of Object.entries(depth)) options.metrics.queue.set({ state }, count);
      const { registry } = options.metrics;
      return respond(response, 200, await registry.metrics(), registry.contentType);
    }
    default:
      return respond(response, 404, 'not found');
  }
}

async function webhook(
  request: IncomingMessage,
  response: ServerResponse,
  options: FrontOptions,
  receive: NonNullable<FrontOptions['receive']>,
): Promise<void> {
  const started = performance.now();
  const name = header(request, 'x-github-event');
  const finish = (status: number, outcome: string): void => {
    respond(response, status, outcome);
    options.metrics.webhooks.inc({ event: KNOWN.has(name) ? name : 'other', outcome });
    options.metrics.webhookSeconds.observe((performance.now() - started) / 1000);
  };
  if (options.isStopping()) return finish(503, 'stopping');
  const payload = await readBody(request);
  if (payload === null) return finish(413, 'too large');
  const delivery = {
    id: header(request, 'x-github-delivery'),
    name,
    signature: header(request, 'x-hub-signature-256'),
    payload,
  };
  if (delivery.id === '' || name === '' || delivery.signature === '') return finish(400, 'missing headers');
  try {
    const received = await receive(delivery);
    finish(received === 'refused' ? 401 : 202, received);
  } catch (error) {
    options.log.error(
      { delivery: delivery.id, event: name, reason: error instanceof Error ? error.message : '' },
      'delivery could not be queued',
    );
    // GitHub lists it as failed, and the sweep asks for it again.
    finish(503, 'failed');
  }
}

/** Labels of metrics are few: a stranger's event name is none. */
const KNOWN: ReadonlySet<string> = new Set([
  'pull_request',
  'check_run',
  'check_suite',
  'installation',
  'ping',
]);

function header(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return typeof value === 'string' ? value : '';
}

/** Null when it is larger than GitHub sends. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > MOST_BYTES) return null;
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function respond(response: ServerResponse, status: number, text: string, type = 'text/plain'): void {
  response.writeHead(status, { 'content-type': type, 'x-content-type-options': 'nosniff' });
  response.end(`${text}\n`);
}

function within<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no answer in time')), milliseconds);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
