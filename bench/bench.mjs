#!/usr/bin/env node
/**
 * Compares the wall time of one `check` with that of the kernel's own checkpatch.pl on the same patch, and measures
 * peak memory and start-up.
 *
 * The two run in turn (A B A B …), so that load on the computer hits both alike; medians are compared. Memory is
 * taken in a run of its own, by a hook in the process that reports its peak at exit, so that the timed runs are bare.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { atExit, countOf, median, PEAK, readValues, runBench, UsageError } from './measure.mjs';

const MAX_RATIO = 2.5;
const MAX_MEGABYTES = 300;

const HELP = `usage: npm run bench -- --tree DIR [--patch FILE] [--runs N] [--cli FILE]

  --tree DIR    kernel source that the patch applies to (the shipped patch: linux 6.12)
  --patch FILE  default bench/one-function.patch
  --runs N      runs of each program (default 9)
  --cli FILE    the command line to measure (default dist/cli/main.js)

Exit 1 when check takes more than ${MAX_RATIO} times as long as checkpatch.pl, or more than ${MAX_MEGABYTES} MB;
2 on a usage error or when one of the programs fails.`;

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

function main() {
  const options = readOptions();
  const check = [
    process.execPath,
    options.cli,
    'check',
    '--tree',
    options.tree,
    '--format',
    'text',
    options.patch,
  ];
  const checkpatch = ['perl', path.join(options.tree, 'scripts/checkpatch.pl'), '--no-tree', options.patch];
  const startUp = [process.execPath, options.cli, '--version'];

  const times = { check: [], checkpatch: [], startUp: [] };
  for (let run = 0; run < options.runs; run++) {
    times.check.push(timed(check));
    times.checkpatch.push(timed(checkpatch));
    times.startUp.push(timed(startUp));
  }
  const ratio = median(times.check) / median(times.checkpatch);
  const megabytes = peakMemory(check);

  const line = (name, values) =>
    `${name.padEnd(14)}median ${median(values).toFixed(0).padStart(6)} ms   min ${Math.min(...values)
      .toFixed(0)
      .padStart(6)}   max ${Math.max(...values)
      .toFixed(0)
      .padStart(6)}\n`;
  process.stdout.write(line('check', times.check));
  process.stdout.write(line('checkpatch.pl', times.checkpatch));
  process.stdout.write(line('start-up', times.startUp));
  process.stdout.write(`ratio         ${ratio.toFixed(2)} (at most ${MAX_RATIO})\n`);
  process.stdout.write(`peak memory   ${megabytes.toFixed(0)} MB (at most ${MAX_MEGABYTES})\n`);
  return ratio > MAX_RATIO || megabytes > MAX_MEGABYTES ? 1 : 0;
}

/** Milliseconds. Exit 0 and 1 are answers of both programs; anything else means that there is nothing to measure. */
function timed([program, ...args], env = process.env) {
  const started = process.hrtime.bigint();
  const run = spawnSync(program, args, { encoding: 'utf8', env, maxBuffer: 1 << 26 });
  const milliseconds = Number(process.hrtime.bigint() - started) / 1e6;
  if (run.error) throw new UsageError(`${program}: ${run.error.message}`);
  if (run.status !== 0 && run.status !== 1) {
    throw new UsageError(
      `${[program, ...args].join(' ')}: exit ${run.status ?? run.signal}: ${run.stderr.trim()}`,
    );
  }
  return milliseconds;
}

/** Peak resident memory of the process in MB, its threads included. */
function peakMemory(command) {
  const folder = mkdtempSync(path.join(tmpdir(), 'shootdown-bench-'));
  const file = path.join(folder, 'peak');
  try {
    const [program, ...args] = command;
    timed([program, ...atExit(PEAK), ...args], { ...process.env, BENCH_FILE: file });
    return Number(readFileSync(file, 'utf8')) / 1024;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readOptions() {
  const values = readValues(['tree', 'patch', 'runs', 'cli'], HELP);
  const options = {
    tree: path.resolve(values.tree),
    patch: path.resolve(values.patch ?? path.join(ROOT, 'bench/one-function.patch')),
    runs: countOf(values, 'runs', 9),
    cli: path.resolve(values.cli ?? path.join(ROOT, 'dist/cli/main.js')),
  };
  for (const file of [path.join(options.tree, 'scripts/checkpatch.pl'), options.patch, options.cli]) {
    if (!existsSync(file)) throw new UsageError(`${file} is not there`);
  }
  return options;
}

await runBench(main);
