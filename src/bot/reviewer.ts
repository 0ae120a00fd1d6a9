/** Runs reviews in processes of their own: kept for the next task, ended when a time limit or a stop says so. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ReviewDocument } from '#review/document.js';
import type { WaitingTree } from './api-tree.js';
import {
  FrameReader,
  type FromReview,
  frame,
  fromReview,
  type ReviewTask,
  type Side,
  type ToReview,
} from './review-task.js';

export class ReviewTimeoutError extends Error {
  constructor(readonly seconds: number) {
    super(`the review took more than ${seconds} s`);
    this.name = 'ReviewTimeoutError';
  }
}

/** The job was told to stop while its review ran. */
export class ReviewStoppedError extends Error {
  constructor() {
    super('the review was stopped');
    this.name = 'ReviewStoppedError';
  }
}

/** The review process ended, or said that it cannot go on. */
class ReviewFailedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ReviewFailedError';
  }
}

export interface ReviewerOptions {
  readonly seconds: number;
  /** Largest heap of a review process. */
  readonly megabytes: number;
}

/** A process that has done as many reviews is replaced, so that nothing adds up. */
const MOST_REVIEWS = 100;

interface Worker {
  readonly process: ChildProcess;
  reviews: number;
}

export class Reviewer {
  readonly #idle: Worker[] = [];
  readonly #busy = new Set<Worker>();
  readonly #options: ReviewerOptions;

  constructor(options: ReviewerOptions) {
    this.#options = options;
  }

  /**
   * @param trees answer the process's reads; not asked when the task has a local repository
   * @throws ReviewTimeoutError, ReviewStoppedError, ReviewFailedError, and what a tree throws
   */
  async review(
    task: ReviewTask,
    trees: Readonly<Record<Side, WaitingTree>>,
    signal: AbortSignal,
  ): Promise<ReviewDocument> {
    if (signal.aborted) throw new ReviewStoppedError();
    const worker = this.#idle.pop() ?? this.#start();
    this.#busy.add(worker);
    try {
      const document = await this.#talk(worker, task, trees, signal);
      worker.reviews += 1;
      if (worker.reviews < MOST_REVIEWS) this.#idle.push(worker);
      else worker.process.kill('SIGKILL');
      return document;
    } catch (error) {
      worker.process.kill('SIGKILL');
      throw error;
    } finally {
      this.#busy.delete(worker);
    }
  }

  /** Ends every process. */
  close(): void {
    for (const worker of [...this.#idle, ...this.#busy]) worker.process.kill('SIGKILL');
    this.#idle.length = 0;
  }

  #start(): Worker {
    const program = fileURLToPath(new URL('../bot/review-child.js', import.meta.url));
    const child = spawn(process.execPath, [`--max-old-space-size=${this.#options.megabytes}`, program], {
      stdio: ['pipe', 'pipe', 'ignore'],
      // Signals to the app's group (Ctrl-C) are for the app, which ends or finishes the review itself.
      detached: true,
      // Nothing of the app's environment: it holds keys.
      env: { PATH: process.env.PATH ?? '', LC_ALL: 'C' },
    });
    const worker: Worker = { process: child, reviews: 0 };
    child.once('exit', () => {
      const at = this.#idle.indexOf(worker);
      if (at >= 0) this.#idle.splice(at, 1);
    });
    child.on('error', () => {});
    child.stdin.on('error', () => {});
    return worker;
  }

  #talk(
    worker: Worker,
    task: ReviewTask,
    trees: Readonly<Record<Side, WaitingTree>>,
    signal: AbortSignal,
  ): Promise<ReviewDocument> {
    const { stdin, stdout } = worker.process;
    if (stdin === null || stdout === null) throw new Error('the process was started with pipes');
    return new Promise((resolve, reject) => {
      const frames = new FrameReader();
      const say = (message: ToReview): void => {
        stdin.write(frame(message));
      };
      const finish = (end: () => void): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        stdout.off('data', onData);
        worker.process.off('exit', onExit);
        end();
      };
      const fail = (error: unknown): void => finish(() => reject(error));
      const onAbort = (): void => fail(new ReviewStoppedError());
      const onExit = (code: number | null, killed: string | null): void =>
        fail(new ReviewFailedError(`the review process ended (${killed ?? `exit code ${code}`})`));
      const onMessage = (message: FromReview): void => {
        switch (message.kind) {
          case 'read':
            trees[message.side].read(message.path).then((text) => say({ kind: 'text', text }), fail);
            return;
          case 'list':
            trees[message.side].list(message.path).then((names) => say({ kind: 'names', names }), fail);
            return;
          case 'done':
            finish(() => resolve(message.document));
            return;
          case 'failed':
            fail(new ReviewFailedError(message.message));
        }
      };
      const onData = (piece: Buffer): void => {
        try {
          for (const message of frames.push(piece)) onMessage(fromReview.parse(message));
        } catch (error) {
          fail(error);
        }
      };
      const { seconds } = this.#options;
      const timer = setTimeout(() => fail(new ReviewTimeoutError(seconds)), seconds * 1000);
      signal.addEventListener('abort', onAbort, { once: true });
      stdout.on('data', onData);
      worker.process.once('exit', onExit);
      say({ kind: 'task', task });
    });
  }
}
