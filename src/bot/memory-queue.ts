/**
 * The queue of an app that is one process. It keeps nothing over a restart; the sweep at start-up finds what was open.
 */
import { type Job, jobId, pullKey } from './job.js';
import type { HandleJob, JobEnd, JobQueue, QueueDepth } from './queue.js';

interface Entry {
  readonly job: Job;
  readonly failures: number;
}

/** A job that ends by throwing is a bug in its handler: it is dropped and told of. */
export class MemoryQueue implements JobQueue {
  readonly #waiting = new Map<string, Entry>();
  readonly #active = new Map<string, { readonly key: string; readonly done: Promise<void> }>();
  readonly #delayed = new Map<string, NodeJS.Timeout>();
  readonly #onBug: (error: unknown) => void;
  readonly #stopping = new AbortController();
  #handle: HandleJob | null = null;
  #concurrency = 0;
  #isStopped = false;

  constructor(onBug: (error: unknown) => void) {
    this.#onBug = onBug;
  }

  async add(job: Job): Promise<void> {
    const id = jobId(job);
    if (this.#active.has(id) || this.#delayed.has(id) || this.#waiting.has(id)) return;
    this.#waiting.set(id, { job, failures: 0 });
    this.#next();
  }

  work(handle: HandleJob, concurrency: number): void {
    this.#handle = handle;
    this.#concurrency = concurrency;
    this.#next();
  }

  async depth(): Promise<QueueDepth> {
    return { waiting: this.#waiting.size, active: this.#active.size, delayed: this.#delayed.size };
  }

  async isReady(): Promise<boolean> {
    return !this.#isStopped;
  }

  async stop(grace: number): Promise<void> {
    this.#isStopped = true;
    for (const timer of this.#delayed.values()) clearTimeout(timer);
    const timer = setTimeout(() => this.#stopping.abort(), grace);
    await Promise.all([...this.#active.values()].map(({ done }) => done));
    clearTimeout(timer);
  }

  #next(): void {
    if (this.#handle === null || this.#isStopped) return;
    const busy = new Set([...this.#active.values()].map(({ key }) => key));
    for (const [id, entry] of this.#waiting) {
      if (this.#active.size >= this.#concurrency) return;
      const key = pullKey(entry.job);
      if (busy.has(key)) continue;
      busy.add(key);
      this.#waiting.delete(id);
      this.#active.set(id, { key, done: this.#run(id, entry, this.#handle) });
    }
  }

  async #run(id: string, entry: Entry, handle: HandleJob): Promise<void> {
    // The entry is registered as active before the handler's first step.
    await Promise.resolve();
    let end: JobEnd = { kind: 'done' };
    try {
      end = await handle(entry.job, entry.failures, this.#stopping.signal);
    } catch (error) {
      this.#onBug(error);
    }
    this.#active.delete(id);
    if (end.kind === 'later' && !this.#isStopped) this.#putOff(id, entry.job, end);
    this.#next();
  }

  #putOff(id: string, job: Job, end: JobEnd & { readonly kind: 'later' }): void {
    const timer = setTimeout(
      () => {
        this.#delayed.delete(id);
        this.#waiting.set(id, { job, failures: end.failures });
        this.#next();
      },
      Math.max(0, end.at - Date.now()),
    );
    this.#delayed.set(id, timer);
  }
}
