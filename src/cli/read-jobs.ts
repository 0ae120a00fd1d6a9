import { UsageError } from './usage-error.js';

/** Reads `--jobs N`. Throws UsageError. */
export function readJobs(text: string): number {
  const jobs = Number(text);
  if (!/^\d+$/.test(text) || jobs < 1 || jobs > 256)
    throw new UsageError(`--jobs ${text}: give a number from 1 on`);
  return jobs;
}
