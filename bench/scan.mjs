#!/usr/bin/env node
/**
 * Compares the wall time of a scan of a folder, with nothing kept and with what the run before kept, with that of
 * Coccinelle on the same folder and bench/coccinelle/page-table-order.cocci, which asks the part of the question that
 * a semantic patch can: within one function, calls not followed. Then one worker thread against two, and peak memory.
 *
 * The programs run in turn (A B C D, A B C D, …), so that load on the computer hits all alike; medians are compared.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { atExit, countOf, median, PEAK, readValues, runBench, UsageError } from './measure.mjs';

const MAX_COLD = 3;
const MAX_WARM = 1;
const MAX_MEGABYTES = 1000;

const HELP = `usage: npm run bench:scan -- --tree DIR [--folder NAME] [--runs N] [--jobs N] [--write FILE] [--cli FILE]

  --tree DIR     a kernel source
  --folder NAME  what is scanned (default mm)
  --runs N       runs of each program (default 3)
  --jobs N       threads of the scan, and jobs of spatch (default 2)
  --write FILE   the figures as JSON, too
  --cli FILE     the command line to measure (default dist/cli/main.js)

Needs spatch (Coccinelle). Exit 1 when a cold scan takes more than ${MAX_COLD} times as long as spatch, a warm one more
than ${MAX_WARM} times, or a scan more than ${MAX_MEGABYTES} MB; 2 on a usage error or when one of the programs fails.`;

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const SEMANTIC_PATCH = path.join(ROOT, 'bench/coccinelle/page-table-order.cocci');

function main() {
  const options = readOptions();
  const kept = mkdtempSync(path.join(tmpdir(), 'shootdown-bench-'));
  try {
    const scan = (jobs, cache) => measured(scanCommand(options, jobs, kept), cache, kept);
    const rows = { spatch: [], cold: [], warm: [], oneThread: [] };
    for (let run = 0; run < options.runs; run++) {
      rows.spatch.push(measured(spatchCommand(options), 'leave', kept));
      rows.cold.push(scan(options.jobs, 'empty'));
      rows.warm.push(scan(options.jobs, 'leave'));
      rows.oneThread.push(scan(1, 'empty'));
    }
    const seconds = (name) => median(rows[name].map((row) => row.seconds));
    const figures = {
      folder: options.folder,
      jobs: options.jobs,
      runs: options.runs,
      cpus: availableParallelism(),
      cpu: cpus()[0]?.model ?? '',
      seconds: Object.fromEntries(Object.keys(rows).map((name) => [name, seconds(name)])),
      cold: seconds('cold') / seconds('spatch'),
      warm: seconds('warm') / seconds('spatch'),
      threads: seconds('oneThread') / seconds('cold'),
      megabytes: Math.max(...[...rows.cold, ...rows.warm].map((row) => row.megabytes)),
    };
    for (const [name, runs] of Object.entries(rows)) process.stdout.write(line(name, runs));
    process.stdout.write(
      [
        `cold / spatch      ${figures.cold.toFixed(2)} (at most ${MAX_COLD})`,
        `warm / spatch      ${figures.warm.toFixed(2)} (at most ${MAX_WARM})`,
        `1 thread / ${options.jobs}       ${figures.threads.toFixed(2)}`,
        `peak memory        ${figures.megabytes.toFixed(0)} MB (at most ${MAX_MEGABYTES})`,
        '',
      ].join('\n'),
    );
    if (options.write !== null) writeFileSync(options.write, `${JSON.stringify(figures, null, 2)}\n`);
    const isSlow = figures.cold > MAX_COLD || figures.warm > MAX_WARM;
    return isSlow || figures.megabytes > MAX_MEGABYTES ? 1 : 0;
  } finally {
    rmSync(kept, { recursive: true, force: true });
  }
}

const line = (name, runs) => {
  const seconds = runs.map((run) => run.seconds);
  const [middle, least, most] = [median(seconds), Math.min(...seconds), Math.max(...seconds)];
  return `${name.padEnd(12)}median ${middle.toFixed(1).padStart(7)} s   min ${least.toFixed(1).padStart(7)}   max ${most.toFixed(1).padStart(7)}\n`;
};

const scanCommand = ({ cli, tree, folder }, jobs) => [
  process.execPath,
  ...atExit(PEAK),
  cli,
  'scan',
  folder,
  '--tree',
  tree,
  '--jobs',
  String(jobs),
  '--format',
  'json',
  '--fail-on',
  'never',
];

const spatchCommand = ({ tree, folder, jobs }) => [
  'spatch',
  '--sp-file',
  SEMANTIC_PATCH,
  '--dir',
  path.join(tree, folder),
  '--jobs',
  String(jobs),
  '-D',
  'report',
  '--very-quiet',
  '--no-includes',
];

/** One run. `cache`: is what earlier runs kept taken away first? */
function measured([program, ...args], cache, kept) {
  const folder = path.join(kept, 'cache');
  if (cache === 'empty') rmSync(folder, { recursive: true, force: true });
  const peak = path.join(kept, 'peak');
  const env = { ...process.env, XDG_CACHE_HOME: folder, BENCH_FILE: peak };
  const started = process.hrtime.bigint();
  const run = spawnSync(program, args, { encoding: 'utf8', env, cwd: kept, maxBuffer: 1 << 28 });
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  if (run.error) throw new UsageError(`${program}: ${run.error.message}`);
  if (run.status !== 0)
    throw new UsageError(`${program}: exit ${run.status ?? run.signal}: ${run.stderr.trim()}`);
  return { seconds, megabytes: existsSync(peak) ? Number(readFileSync(peak, 'utf8')) / 1024 : 0 };
}

function readOptions() {
  const values = readValues(['tree', 'folder', 'runs', 'jobs', 'write', 'cli'], HELP);
  const options = {
    tree: path.resolve(values.tree),
    folder: values.folder ?? 'mm',
    runs: countOf(values, 'runs', 3),
    jobs: countOf(values, 'jobs', 2),
    write: values.write === undefined ? null : path.resolve(values.write),
    cli: path.resolve(values.cli ?? path.join(ROOT, 'dist/cli/main.js')),
  };
  for (const needed of [path.join(options.tree, options.folder), options.cli])
    if (!existsSync(needed)) throw new UsageError(`${needed} is not there`);
  return options;
}

await runBench(main);
