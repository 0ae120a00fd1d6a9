#!/usr/bin/env node
/**
 * How long the largest functions of mm/ take. Each is the only changed function of a patch that gives it an empty
 * statement more, and `check` reviews that patch as it is and with `--existing`, on all machines. It must be decided,
 * or said to be cut off, within the limit: that is what a mail with a change to it costs its reader.
 *
 * What counts is the time in the engine; on a busy computer, where that is mostly waiting, the CPU time of the whole
 * program if it is less.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { functionsIn, mailOf } from './functions.mjs';
import { atExit, readValues, runBench, UsageError } from './measure.mjs';

const HELP = `usage: npm run bench:largest -- --tree DIR [--count N] [--seconds S] [--write FILE]

  --tree DIR   a kernel source
  --count N    that many functions, by lines (default 20)
  --seconds S  what the engine may take for one (default 2)
  --write FILE the figures as JSON, too

Exit 1 when one of them takes longer; 2 on a usage error or when check fails.`;

const CLI = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../dist/cli/main.js');

function main() {
  const options = readOptions();
  const folder = mkdtempSync(path.join(tmpdir(), 'shootdown-largest-'));
  // No review is known from before, but which files use a name.
  process.env.XDG_CACHE_HOME = path.join(folder, 'cache');
  try {
    const chosen = largest(options.tree, options.count);
    for (const found of chosen.slice(0, 1)) {
      const patch = path.join(folder, 'first.patch');
      writeFileSync(patch, patchFor(found, 'first'));
      checked(patch, options.tree, ['--existing']);
    }
    const rows = chosen.map((found) => {
      const patch = path.join(folder, `${found.name}.patch`);
      writeFileSync(patch, patchFor(found));
      const plain = checked(patch, options.tree, []);
      const existing = checked(patch, options.tree, ['--existing']);
      const { name, file, lines } = found;
      const row = { name, file, lines, plain, existing };
      process.stdout.write(`${line(row)}\n`);
      return row;
    });
    const times = ({ plain, existing }) => [plain, existing].map(({ engine, cpu }) => Math.min(engine, cpu));
    const slow = rows.filter((row) => Math.max(...times(row)) > options.seconds * 1000);
    const most = Math.max(...rows.flatMap(times));
    const open = rows.filter(({ existing }) => existing.open.length > 0).length;
    process.stdout.write(
      `${rows.length} functions, ${open} cut off, longest ${most} ms, ${slow.length} above ${options.seconds} s\n`,
    );
    if (options.write !== null) writeFileSync(options.write, `${JSON.stringify(rows, null, 2)}\n`);
    return slow.length > 0 ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const line = ({ name, file, lines, plain, existing }) =>
  [
    `${name} (${file}, ${lines} lines)`.padEnd(62),
    `${plain.engine} ms`.padStart(8),
    `--existing ${existing.engine} ms`.padStart(20),
    `CPU ${existing.cpu} ms`.padStart(13),
    `wall ${existing.wall.toFixed(0)} ms`.padStart(14),
    existing.open.length === 0 ? ' decided' : ` cut off: ${existing.open.join('; ')}`,
  ].join('');

/** Definitions of mm/*.c by lines, the largest first; of equal ones the first by file and place. */
const largest = (tree, count) =>
  functionsIn(tree, 'mm')
    .sort((a, b) => b.lines - a.lines)
    .slice(0, count);

/** The closing brace gets an empty statement before it. */
function patchFor({ name, file, text, end }, subject = name) {
  const brace = text.lastIndexOf('}', end);
  const edited = `${text.slice(0, brace)}\t;\n${text.slice(brace)}`;
  return mailOf(`${subject}: an empty statement`, file, text, edited);
}

function checked(patch, tree, flags) {
  const started = process.hrtime.bigint();
  const usage = path.join(path.dirname(patch), 'usage');
  const args = [
    ...atExit('process.cpuUsage()'),
    CLI,
    'check',
    '--tree',
    tree,
    '--format',
    'json',
    '--fail-on',
    'never',
    ...flags,
    patch,
  ];
  const env = { ...process.env, BENCH_FILE: usage };
  const run = spawnSync(process.execPath, args, { encoding: 'utf8', env, maxBuffer: 1 << 28 });
  const wall = Number(process.hrtime.bigint() - started) / 1e6;
  if (run.error) throw new UsageError(run.error.message);
  if (run.status !== 0) throw new UsageError(`check ${path.basename(patch)}: ${run.stderr.trim()}`);
  const { patches, stats } = JSON.parse(run.stdout);
  const { user, system } = JSON.parse(readFileSync(usage, 'utf8'));
  return {
    wall,
    cpu: Math.round((user + system) / 1000),
    engine: stats.milliseconds,
    states: stats.states,
    open: patches.flatMap(({ undecided }) =>
      undecided.filter(({ kind }) => kind !== 'resolve').map((gap) => `${gap.function} ${gap.reason}`),
    ),
  };
}

function readOptions() {
  const values = readValues(['tree', 'count', 'seconds', 'write'], HELP);
  const number = (name, fallback) => {
    const value = Number(values[name] ?? fallback);
    if (!(value > 0)) throw new UsageError(`--${name}: not a positive number: ${values[name]}`);
    return value;
  };
  return {
    tree: path.resolve(values.tree),
    count: number('count', 20),
    seconds: number('seconds', 2),
    write: values.write === undefined ? null : path.resolve(values.write),
  };
}

await runBench(main);
