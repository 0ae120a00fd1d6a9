#!/usr/bin/env node
/**
 * Compares the wall time of one `check` with that of the kernel's own checkpatch.pl on the same patch, and measures
 * peak memory and start-up: a patch that is new, on a tree whose names are known, and the same patch once more.
 *
 * They run in turn (A B C A B C …), so that load on the computer hits all alike; medians are compared. Memory is
 * taken in a run of its own, by a hook in the process that reports its peak at exit, so that the timed runs are bare.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { atExit, countOf, median, PEAK, readValues, runBench, UsageError } from './measure.mjs';

const MAX_RATIO = 2.5;
const MAX_AGAIN = 2;
const MAX_MEGABYTES = 300;

const HELP = `usage: npm run bench -- --tree DIR [--patch FILE] [--runs N] [--cli FILE]

  --tree DIR    kernel source that the patch applies to (the shipped patch: linux 6.12)
  --patch FILE  default bench/one-function.patch
  --runs N      runs of each program (default 9)
  --cli FILE    the command line to measure (default dist/cli/main.js)

Exit 1 when check takes more than ${MAX_RATIO} times as long as checkpatch.pl, more than ${MAX_AGAIN} times when the
patch comes again, or more than ${MAX_MEGABYTES} MB; 2 on a usage error or when one of the programs fails.`;

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

function main() {
  const options = readOptions();
  const folder = mkdtempSync(path.join(tmpdir(), 'shootdown-bench-'));
  try {
    return compare(options, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function compare(options, folder) {
  process.env.XDG_CACHE_HOME = path.join(folder, 'cache');
  const check = (patch) => [
    process.execPath,
    options.cli,
    'check',
    '--tree',
    options.tree,
    '--format',
    'text',
    patch,
  ];
  const text = readFileSync(options.patch, 'utf8');
  /** The patch under another subject: what was kept of it does not hold. */
  const renamed = (number) => {
    const file = path.join(folder, `${number}.patch`);
    writeFileSync(file, text.replace(/^Subject: .*/m, `$& (${number})`));
    return file;
  };
  if (!/^Subject: /m.test(text)) throw new UsageError(`${options.patch}: no mail with a subject`);
  const checkpatch = ['perl', path.join(options.tree, 'scripts/checkpatch.pl'), '--no-tree', options.patch];
  const startUp = [process.execPath, options.cli, '--version'];

  timed(check(renamed('first')));
  const times = { check: [], again: [], checkpatch: [], startUp: [] };
  for (let run = 0; run < options.runs; run++) {
    const patch = renamed(run);
    times.check.push(timed(check(patch)));
    times.again.push(timed(check(patch)));
    times.checkpatch.push(timed(checkpatch));
    times.startUp.push(timed(startUp));
  }
  const ratio = median(times.check) / median(times.checkpatch);
  const again = median(times.again) / median(times.checkpatch);
  const megabytes = peakMemory(check(renamed('last')), folder);

  const line = (name, values) =>
    `${name.padEnd(14)}median ${median(values).toFixed(0).padStart(6)} ms   min ${Math.min(...values)
      .toFixed(0)
      .padStart(6)}   max ${Math.max(...values)
      .toFixed(0)
      .padStart(6)}\n`;
  process.stdout.write(line('check', times.check));
  process.stdout.write(line('again', times.again));
  process.stdout.write(line('checkpatch.pl', times.checkpatch));
  process.stdout.write(line('start-up', times.startUp));
  process.stdout.write(`ratio         ${ratio.toFixed(2)} (at most ${MAX_RATIO})\n`);
  process.stdout.write(`again         ${again.toFixed(2)} (at most ${MAX_AGAIN})\n`);
  process.stdout.write(`peak memory   ${megabytes.toFixed(0)} MB (at most ${MAX_MEGABYTES})\n`);
  return ratio > MAX_RATIO || again > MAX_AGAIN || megabytes > MAX_MEGABYTES ? 1 : 0;
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
function peakMemory([program, ...args], folder) {
  const file = path.join(folder, 'peak');
  timed([program, ...atExit(PEAK), ...args], { ...process.env, BENCH_FILE: file });
  return Number(readFileSync(file, 'utf8')) / 1024;
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
