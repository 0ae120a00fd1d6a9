/** What the app needs of a queue, whatever holds it: this process, or Redis. */
import type { Job } from './job.js';

/** How a job ended. `later` is no failure: it comes again at `at` (milliseconds of the clock) and keeps its count. */
export type JobEnd =
  | { readonly kind: 'done' }
  | { readonly kind: 'later'; readonly at: number; readonly failures: number };

/**
 * @param failures how often the job failed before
 * @param signal stop: give the job back as soon as possible
 */
export type HandleJob = (job: Job, failures: number, signal: AbortSignal) => Promise<JobEnd>;

export interface QueueDepth {
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
}

export interface JobQueue {
  /** Resolves once the job is safe: in memory, or acknowledged by Redis. A job that is there already stays alone. */
  add(job: Job): Promise<void>;
  /** Starts to hand out jobs, at most `concurrency` at a time and one a pull request. */
  work(handle: HandleJob, concurrency: number): void;
  depth(): Promise<QueueDepth>;
  /** Can jobs be added now? */
  isReady(): Promise<boolean>;
  /** Hands out no more, waits for what runs, aborts it after `grace` milliseconds, and gives it back. */
  stop(grace: number): Promise<void>;
}
