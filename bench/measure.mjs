/** What the benches have in common: figures of several runs, options, and how a bench ends. */
import { parseArgs } from 'node:util';

/** Something that the caller of a bench can put right: one line, exit 2. */
export class UsageError extends Error {}

/** The middle one of the numbers; of an even count the mean of the two in the middle. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Flags of node with which a program, at its end, writes what the expression gives into the file BENCH_FILE names. */
export const atExit = (expression) => [
  '--import',
  `data:text/javascript,${encodeURIComponent(`import { writeFileSync } from 'node:fs';
    import { isMainThread } from 'node:worker_threads';
    if (isMainThread) process.on('exit', () => writeFileSync(process.env.BENCH_FILE, JSON.stringify(${expression})));`)}`,
];

/** Peak resident memory in KB, threads included. */
export const PEAK = 'process.resourceUsage().maxRSS';

/** The options by name, all texts; --tree is needed. --help prints the text and ends the program. */
export function readValues(names, help) {
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' }]));
  let values;
  try {
    ({ values } = parseArgs({ options: { ...options, help: { type: 'boolean' } } }));
  } catch (error) {
    throw new UsageError(error.message);
  }
  if (values.help) {
    process.stdout.write(`${help}\n`);
    process.exit(0);
  }
  if (values.tree === undefined) throw new UsageError('--tree is needed');
  return values;
}

/** The option as a number from 1 on. */
export function countOf(values, name, fallback) {
  const count = Number(values[name] ?? fallback);
  if (!Number.isInteger(count) || count < 1)
    throw new UsageError(`--${name}: not a positive number: ${values[name]}`);
  return count;
}

/** Runs a bench that gives its exit code. */
export async function runBench(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`bench: ${error.message}\n`);
    process.exitCode = 2;
  }
}
