/** The queue of an app with workers: BullMQ on Redis. A job outlives whoever worked on it. */
import { randomUUID } from 'node:crypto';
import { type Job as BullJob, DelayedError, Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { type Job, jobId, pullKey } from './job.js';
import type { HandleJob, JobQueue, QueueDepth } from './queue.js';

const NAME = 'shootdown';
/** A worker that dies with the same job again and again is no reason to forget the job at once. */
const MOST_STALLS = 10;

interface Data {
  readonly job: Job;
  readonly failures: number;
}

export interface RedisQueueOptions {
  /** Makes a connection: one that fails at once while Redis is away, or one for a worker, which waits for it. */
  readonly connect: (kind: 'quick' | 'patient') => Redis;
  /** After so long without a sign of life a worker's job goes to another. */
  readonly lockMilliseconds: number;
  readonly onError: (error: unknown) => void;
}

const RENEW = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0`;
const RELEASE = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`;

export class RedisQueue implements JobQueue {
  readonly #options: RedisQueueOptions;
  readonly #queue: Queue<Data>;
  readonly #redis: Redis;
  readonly #stopping = new AbortController();
  #worker: Worker<Data> | null = null;

  constructor(options: RedisQueueOptions) {
    this.#options = options;
    this.#redis = options.connect('quick');
    this.#queue = new Queue<Data>(NAME, { connection: this.#redis });
    this.#queue.on('error', options.onError);
  }

  async add(job: Job): Promise<void> {
    await this.#queue.add('review', { job, failures: 0 }, addOptions(job));
  }

  work(handle: HandleJob, concurrency: number): void {
    const { lockMilliseconds } = this.#options;
    this.#worker = new Worker<Data>(NAME, (job, token) => this.#run(job, token ?? '', handle), {
      connection: this.#options.connect('patient'),
      concurrency,
      lockDuration: lockMilliseconds,
      stalledInterval: lockMilliseconds,
      maxStalledCount: MOST_STALLS,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    });
    this.#worker.on('error', this.#options.onError);
    this.#worker.on('failed', (_job, error) => this.#options.onError(error));
  }

  async depth(): Promise<QueueDepth> {
    const counts = await this.#queue.getJobCounts('waiting', 'active', 'delayed');
    return { waiting: counts.waiting ?? 0, active: counts.active ?? 0, delayed: counts.delayed ?? 0 };
  }

  async isReady(): Promise<boolean> {
    return (await this.#redis.ping()) === 'PONG';
  }

  async stop(grace: number): Promise<void> {
    const timer = setTimeout(() => this.#stopping.abort(), grace);
    await this.#worker?.close();
    clearTimeout(timer);
    await this.#queue.close();
    this.#redis.disconnect();
  }

  async #run(job: BullJob<Data>, token: string, handle: HandleJob): Promise<void> {
    const later = async (at: number, failures: number): Promise<never> => {
      if (failures !== job.data.failures) await job.updateData({ ...job.data, failures });
      await job.moveToDelayed(at, token);
      throw new DelayedError();
    };
    const lock = await this.#lock(pullKey(job.data.job));
    // Another worker writes to the same pull request: its turn first.
    if (lock === null) return later(Date.now() + 500, job.data.failures);
    try {
      const end = await handle(job.data.job, job.data.failures, this.#stopping.signal);
      if (end.kind === 'later') await later(end.at, end.failures);
    } finally {
      await lock.release();
    }
  }

  /** One worker at a time for a pull request, whatever the head. Null: somebody else has it. */
  async #lock(name: string): Promise<{ readonly release: () => Promise<void> } | null> {
    const key = `shootdown:lock:${name}`;
    const token = randomUUID();
    const { lockMilliseconds } = this.#options;
    if ((await this.#redis.set(key, token, 'PX', lockMilliseconds, 'NX')) === null) return null;
    const renewal = setInterval(() => {
      this.#redis.eval(RENEW, 1, key, token, lockMilliseconds).catch(this.#options.onError);
    }, lockMilliseconds / 3);
    return {
      release: async () => {
        clearInterval(renewal);
        await this.#redis.eval(RELEASE, 1, key, token).catch(this.#options.onError);
      },
    };
  }
}

function addOptions(job: Job) {
  // What is done or failed is forgotten at once: the check run tells what was reviewed, and a job may come again.
  return { jobId: jobId(job), removeOnComplete: true, removeOnFail: true, attempts: 1 };
}
