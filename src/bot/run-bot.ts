/** `shootdown bot`: puts the app together, runs it, and stops it in order. */
import { setMaxListeners } from 'node:events';
import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { Probot, ProbotOctokit } from 'probot';
import { UsageError } from '#cli/usage-error.js';
import { loadRules } from '#rules/load-rules.js';
import { createFront, type Delivery, type Received } from './front.js';
import { guardRequests, type Octokit } from './github-client.js';
import { sayError } from './github-error.js';
import { handleJob, type JobTools } from './handle-job.js';
import { readEvent } from './job.js';
import { createLog } from './log.js';
import { MemoryQueue } from './memory-queue.js';
import { createMetrics } from './metrics.js';
import { ObjectCache } from './object-cache.js';
import { MemoryPace, type Pace } from './pace.js';
import type { JobQueue } from './queue.js';
import { RedisPace } from './redis-pace.js';
import { RedisQueue } from './redis-queue.js';
import { Reviewer } from './reviewer.js';
import { readSettings, type Settings } from './settings.js';
import { type SweepTools, sweepDeliveries, sweepPulls } from './sweep.js';

export interface BotFlags {
  /** Only works on jobs from Redis; takes no webhooks. */
  readonly worker?: boolean;
}

/** Runs until a signal stops it; gives the exit code. Throws UsageError on settings that are missing or wrong. */
export async function runBot(
  flags: BotFlags,
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const settings = readSettings(env);
  const isWorker = flags.worker === true;
  if (isWorker && settings.redisUrl === null)
    throw new UsageError('--worker needs REDIS_URL: its jobs are there');
  const log = createLog(settings.logLevel);
  const stop = new AbortController();
  const closed = new AbortController();
  // Every request under way listens to it.
  setMaxListeners(0, closed.signal);
  const closing: (() => Promise<unknown> | unknown)[] = [];
  const { queue, pace } = connectQueue(settings, log, closing);
  const metrics = createMetrics();
  const clients = new Clients(settings, pace, metrics, log, closed.signal);
  const add = (job: Parameters<JobQueue['add']>[0]): Promise<void> => queue.add(job);
  const sweeper: SweepTools = {
    app: () => clients.app(),
    client: (id) => clients.installation(id),
    add,
    metrics,
    log,
  };

  // With Redis, the process that answers webhooks leaves the reviews to the workers.
  const works = isWorker || settings.redisUrl === null;
  if (works) {
    const reviewer = new Reviewer({ seconds: settings.reviewSeconds, megabytes: settings.reviewMegabytes });
    closing.push(() => reviewer.close());
    const tools: JobTools = {
      client: sweeper.client,
      login: () => clients.login(),
      add,
      rules: loadRules(),
      reviewer,
      cache: new ObjectCache(settings.cacheMegabytes * 1024 * 1024),
      pause: settings.retrySeconds * 1000,
      clones: settings.clones,
      metrics,
      log,
    };
    queue.work((job, failures, signal) => handleJob(job, failures, signal, tools), settings.concurrency);
  }
  const receive = isWorker ? null : await createReceiver(clients.probot, queue, log);
  const front = createFront({ receive, queue, metrics, log, isStopping: () => stop.signal.aborted });
  await new Promise<void>((resolve, reject) => {
    front.once('error', reject);
    front.listen(settings.port, settings.host, resolve);
  });
  const address = front.address();
  log.info({ port: typeof address === 'object' ? address?.port : null, worker: isWorker }, 'listening');
  if (!isWorker) sweepNowAndThen(sweeper, settings.sweepMinutes * 60_000, stop.signal);

  const signal = await stopSignal();
  log.info({ signal }, 'stopping');
  stop.abort();
  front.close();
  front.closeIdleConnections();
  const grace = setTimeout(() => closed.abort(), settings.graceSeconds * 1000);
  await queue.stop(settings.graceSeconds * 1000);
  clearTimeout(grace);
  closed.abort();
  for (const close of closing) await close();
  front.closeAllConnections();
  log.info('stopped');
  return 0;
}

function connectQueue(
  settings: Settings,
  log: Logger,
  closing: (() => Promise<unknown> | unknown)[],
): { readonly queue: JobQueue; readonly pace: Pace } {
  const onError = (error: unknown): void => log.error({ reason: sayError(error) }, 'queue');
  const { redisUrl } = settings;
  if (redisUrl === null)
    return { queue: new MemoryQueue(onError), pace: new MemoryPace(settings.writeInterval) };
  const connect = (kind: 'quick' | 'patient'): Redis => {
    const redis = new Redis(redisUrl, {
      maxRetriesPerRequest: kind === 'quick' ? 1 : null,
      retryStrategy: (times) => Math.min(100 * times, 2000),
    });
    redis.on('error', onError);
    closing.push(() => redis.disconnect());
    return redis;
  };
  const queue = new RedisQueue({ connect, lockMilliseconds: settings.lockSeconds * 1000, onError });
  return { queue, pace: new RedisPace(connect('patient'), settings.writeInterval) };
}

/** Clients of GitHub: the app's own, and one an installation, each behind the rules of github-client.ts. */
class Clients {
  readonly probot: Probot;
  readonly #settings: Settings;
  readonly #pace: Pace;
  readonly #metrics: JobTools['metrics'];
  readonly #known = new Map<number, Promise<Octokit>>();
  readonly #closed: AbortSignal;
  #login: Promise<string> | null = null;

  constructor(
    settings: Settings,
    pace: Pace,
    metrics: JobTools['metrics'],
    log: Logger,
    closed: AbortSignal,
  ) {
    this.#closed = closed;
    this.#settings = settings;
    this.#pace = pace;
    this.#metrics = metrics;
    this.probot = new Probot({
      appId: settings.appId,
      privateKey: settings.privateKey,
      secret: settings.webhookSecret,
      baseUrl: settings.apiUrl,
      log: log.child({}, { level: settings.logLevel === 'info' ? 'warn' : settings.logLevel }),
      // Probot's own throttle neither repeats after a secondary limit nor knows of other workers. Probot sets it for
      // each client, so it is taken out last.
      Octokit: ProbotOctokit.defaults((options: object) => ({
        ...options,
        throttle: { enabled: false },
        retry: { enabled: false },
      })),
    });
  }

  app(): Promise<Octokit> {
    return this.#client(0);
  }

  installation(id: number): Promise<Octokit> {
    return this.#client(id);
  }

  /** The app's own user. */
  login(): Promise<string> {
    this.#login ??= this.app()
      .then((app) => app.request('GET /app'))
      .then(({ data }) => `${data?.slug ?? ''}[bot]`)
      .catch((error: unknown) => {
        this.#login = null;
        throw error;
      });
    return this.#login;
  }

  #client(id: number): Promise<Octokit> {
    let client = this.#known.get(id);
    if (client === undefined) {
      const options = {
        installation: id,
        pace: this.#pace,
        metrics: this.#metrics,
        longestWait: this.#settings.longestWait,
        closed: this.#closed,
      };
      client = this.probot
        .auth(...(id === 0 ? [] : [id]))
        .then((octokit) => guardRequests(octokit, options))
        .catch((error: unknown) => {
          this.#known.delete(id);
          throw error;
        });
      this.#known.set(id, client);
    }
    return client;
  }
}

/** Probot verifies and hands out the events; what comes of one is told to whoever delivered it. */
async function createReceiver(
  probot: Probot,
  queue: JobQueue,
  log: Logger,
): Promise<(delivery: Delivery) => Promise<Received>> {
  await probot.ready();
  return async ({ id, name, signature, payload }) => {
    if (!(await probot.webhooks.verify(payload, signature).catch(() => false))) return 'refused';
    const incoming = readEvent(name, id, JSON.parse(payload));
    if (incoming.kind === 'ignored') {
      log.debug({ delivery: id, event: name, reason: incoming.reason }, 'ignored');
      return 'ignored';
    }
    for (const job of incoming.jobs) await queue.add(job);
    log.info({ delivery: id, event: name, jobs: incoming.jobs.length }, 'queued');
    return 'queued';
  };
}

/** At once, which finds what a crash left, and then again and again. */
function sweepNowAndThen(tools: SweepTools, interval: number, signal: AbortSignal): void {
  const once = async (): Promise<void> => {
    await sweepPulls(tools, signal);
    await sweepDeliveries(tools, Date.now());
  };
  const run = (): void => {
    if (signal.aborted) return;
    once()
      .catch((error: unknown) => {
        tools.metrics.sweeps.inc({ kind: 'all', outcome: 'failed' });
        tools.log.warn({ reason: sayError(error) }, 'sweep failed');
      })
      .finally(() => {
        setTimeout(run, interval).unref();
      });
  };
  run();
}

function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });
}
