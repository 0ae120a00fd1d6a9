/** What runs on each thread of the pool: one part of a review after the other. */
import { type MessagePort, workerData } from 'node:worker_threads';
import type { Progress } from '#review/document.js';
import type { ReviewPart } from '#review/join-parts.js';
import { openWork, type ReviewOne } from './open-work.js';
import type { ThreadData } from './work.js';

export interface PartTask {
  readonly index: number;
  /** Where what is being searched is told, if anybody shows it. */
  readonly progress: MessagePort | null;
}

let opened: Promise<ReviewOne> | null = null;

/** The pool calls this by its name. */
export async function reviewTask({ index, progress }: PartTask): Promise<ReviewPart> {
  // The pool hands its own data and ours to the thread as a pair.
  const { work, stop } = (workerData as readonly [unknown, ThreadData])[1];
  opened ??= openWork(work, () => clock(stop));
  const review = await opened;
  try {
    return await review(index, tellEvery(progress));
  } finally {
    progress?.close();
  }
}

/** Milliseconds. Whoever asks for the time after the user interrupted is not to go on: what it works out is thrown away. */
function clock(stop: Int32Array): number {
  if (Atomics.load(stop, 0) !== 0) throw new Error('interrupted');
  return performance.now();
}

/** A terminal shows a few lines a second: more are not worth sending. */
const INTERVAL = 100;

function tellEvery(port: MessagePort | null): (event: Progress) => void {
  if (port === null) return () => {};
  let last = Number.NEGATIVE_INFINITY;
  return (event) => {
    const time = performance.now();
    if (event.kind !== 'function' || time - last < INTERVAL) return;
    last = time;
    port.postMessage(event);
  };
}
