/**
 * Reviews the parts of a series or a scan on a number of threads. The result does not depend on that number: each part
 * is reviewed by itself, and they are put together in their order.
 */
import { availableParallelism } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { MessageChannel } from 'node:worker_threads';
import type { Progress } from '#review/document.js';
import type { ReviewPart } from '#review/join-parts.js';
import type { ProgressLine } from './show-progress.js';
import type { ThreadData, Work } from './work.js';

export interface PartsToReview {
  readonly count: number;
  /** In which order parts are begun: the long ones first, so that no thread is left with one at the end. */
  readonly weight: (index: number) => number;
  /** What a part is in the report that was not reviewed. */
  readonly without: (index: number, reason: string) => ReviewPart;
}

export interface Reviewed {
  readonly parts: readonly ReviewPart[];
  /** How many of them were left out because the user interrupted. */
  readonly left: number;
}

/** The memory that all threads may use for what they keep, and what one needs at least. */
const MEGABYTES = 700;
const LEAST_MEGABYTES = 320;

/** A search makes states that live long: fewer, larger collections copy less of them. Measured: a sixth of the time. */
const YOUNG_MEGABYTES = 128;

/** Milliseconds that threads have to stop by themselves: many times what a file takes to be parsed. */
const GRACE = 5_000;

/**
 * Threads that all compute have no CPU left over for the collector's and the compiler's helpers. Measured on two CPUs:
 * with fewer and smaller compilations and a collector on the thread itself a scan takes a third less time.
 */
const BUSY_THREADS = [
  '--no-parallel-scavenge',
  '--no-concurrent-marking',
  '--always-sparkplug',
  '--interrupt-budget=1000000',
  '--max-inlined-bytecode-size-cumulative=300',
];

const megabytesEach = (jobs: number): number => Math.max(LEAST_MEGABYTES, Math.floor(MEGABYTES / jobs));

/** Patches that are reviewed before another thread would have started. */
const FEW = 4;

/** How many threads a series of patches gets; 1 is this thread. */
export function jobsForSeries(asked: number | null, patches: number): number {
  const jobs = asked ?? (patches < FEW ? 1 : availableParallelism());
  return Math.max(1, Math.min(jobs, patches));
}

/** How many threads a scan gets. */
export function jobsForScan(asked: number | null, files: number): number {
  return Math.max(1, Math.min(asked ?? availableParallelism(), files));
}

/** Everything on threads of a pool. SIGINT stops it: what is done by then is kept. */
export async function reviewOnThreads(
  work: Work,
  { count, weight, without }: PartsToReview,
  jobs: number,
  progress: ProgressLine,
): Promise<Reviewed> {
  const { Tinypool } = await import('tinypool');
  if (jobs >= availableParallelism()) for (const flag of BUSY_THREADS) setFlagsFromString(flag);
  const stop = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const pool = new Tinypool({
    filename: new URL('../cli/review-worker.js', import.meta.url).href,
    name: 'reviewTask',
    runtime: 'worker_threads',
    minThreads: jobs,
    maxThreads: jobs,
    workerData: { work, stop } satisfies ThreadData,
    // Threads that wait for work would not hear that they shall end.
    useAtomics: false,
    resourceLimits: {
      maxOldGenerationSizeMb: megabytesEach(jobs),
      maxYoungGenerationSizeMb: YOUNG_MEGABYTES,
    },
  });
  let interrupt = (): void => {};
  const stopped = new Promise<void>((resolve) => {
    interrupt = () => {
      Atomics.store(stop, 0, 1);
      resolve();
    };
  });
  process.once('SIGINT', interrupt);
  let done = 0;
  const parts: (ReviewPart | null)[] = Array.from({ length: count }, () => null);
  const order = parts
    .map((_, index) => ({ index, weight: weight(index) }))
    .sort((a, b) => b.weight - a.weight || a.index - b.index);
  try {
    const all = order.map(async ({ index }) => {
      const port = progress.visible ? tellingPort(progress.show) : null;
      const task = { index, progress: port };
      parts[index] = await pool
        .run(task, port === null ? {} : { transferList: [port] })
        .catch((error: unknown) =>
          tooLarge(error, () => without(index, 'needs more memory than there is for it')),
        );
      done += 1;
      progress.count(done, count);
    });
    // Those that the end of the pool cuts off fail, and nobody waits for them any more.
    for (const one of all) one.catch(() => {});
    await Promise.race([Promise.all(all), stopped]);
    // A thread that is ended inside the parser takes the process with it: each gets time to come to where it stops itself.
    if (Atomics.load(stop, 0) !== 0)
      await Promise.race([Promise.allSettled(all), setTimeout(GRACE, null, { ref: false })]);
    const left = parts.filter((part) => part === null).length;
    const whole = parts.map((part, index) => part ?? without(index, 'interrupted before it was reviewed'));
    return { parts: whole, left };
  } finally {
    process.removeListener('SIGINT', interrupt);
    await pool.destroy();
  }
}

/** A thread that ran out of memory took no other part with it: the pool starts another. */
function tooLarge(error: unknown, part: () => ReviewPart): ReviewPart {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code !== 'ERR_WORKER_OUT_OF_MEMORY') throw error;
  return part();
}

function tellingPort(show: (event: Progress) => void): MessageChannel['port1'] {
  const { port1, port2 } = new MessageChannel();
  port2.on('message', show);
  port2.unref();
  return port1;
}

/** What a shell takes an interrupted program to say. */
export const INTERRUPTED = 130;
