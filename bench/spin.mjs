#!/usr/bin/env node
/**
 * Compares the search of shootdown with the verifier of spin on twelve of the scenarios in fixtures/scenarios: six for
 * which a Promela model is in bench/spin, and the nearest order of the other verdict for each.
 *
 * Both are timed inside their processes, from a model that is ready to run to its verdict: the verifier from the start
 * of its main() (bench/spin/harness.c), the search from the scenario in memory, shortest run and its replay included.
 * Left out are spin and gcc on the one side, node's start and the reading of YAML on the other; they are shown beside.
 * The two run in turn, so that load on the computer hits both alike; medians are compared.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from './measure.mjs';

const MAX_RATIO = 1;

const HELP = `usage: npm run bench:spin -- [--runs N]

  --runs N    runs of each scenario on each side (default 9)

Needs spin and gcc. Exit 1 when shootdown takes longer in total; 2 when one of the programs is missing or fails; 3 when
the two differ in a verdict.`;

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const MODELS = path.join(ROOT, 'bench/spin');

/** `hash` is the verifier's -w: the size of its table with which it is quickest. */
const CASES = [
  pair('hot-remove', 'x86-64', 'clear-flush-free', 'good-clear-flush-free', 'bad-free-before-flush'),
  pair(
    'hot-remove',
    'x86-64',
    'vmalloc-without-lock',
    'bad-vmalloc-walks-without-lock',
    'good-vmalloc-locks-whole-walk',
  ),
  pair(
    'khugepaged',
    'x86-64',
    'collapse-with-ipi',
    'good-collapse-with-ipi',
    'bad-collapse-neither-flush-nor-sync',
  ),
  pair(
    'half-word-entries',
    'x86-32-pae',
    'half-word-read',
    'good-flush-by-interrupt-before-unlock',
    'bad-lockless-read-of-changing-entry',
    21,
  ),
  pair(
    'deferred-vunmap-flush',
    'x86-64',
    'touch-before-deferred-flush',
    'bad-touch-before-entry-work',
    'good-touch-after-entry-work',
  ),
  pair(
    'table-frees',
    'x86-64',
    'flush-reaches-lazy',
    'good-flush-reaches-lazy-cpu',
    'bad-flush-skips-lazy-cpu',
  ),
].flat();

function pair(file, machine, model, scenario, sibling, hash = 16) {
  const one = (name, flags) => ({ file, machine, model, scenario: name, flags, hash });
  return [one(scenario, []), one(sibling, ['-DSIBLING'])];
}

async function main() {
  const runs = readRuns();
  const folder = mkdtempSync(path.join(tmpdir(), 'shootdown-spin-'));
  try {
    return await compare(runs, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compare(runs, folder) {
  const started = process.hrtime.bigint();
  const verifiers = CASES.map((one, n) => compile(one, path.join(folder, String(n))));
  const compiling = since(started);
  const plain = CASES.map((one, n) =>
    one.model === 'half-word-read'
      ? compile({ ...one, flags: [...one.flags, '-DNO_TLB'] }, path.join(folder, `plain${n}`))
      : null,
  );
  const searches = await loadSearches();
  const rows = CASES.map((one) => ({ ...one, spin: [], own: [], plain: [] }));
  for (let run = 0; run < runs; run++) {
    for (const [n, row] of rows.entries()) {
      row.spin.push(verify(verifiers[n]));
      row.own.push(searches[n]());
      if (plain[n] !== null) row.plain.push(verify(plain[n]));
    }
  }
  return show(rows, compiling);
}

/** Prints the table and gives the exit code. */
function show(rows, compiling) {
  const cells = (name, spin, spinStates, own, ownStates, verdict) =>
    `${name.padEnd(40)}${spin.padStart(10)}${spinStates.padStart(11)}${own.padStart(11)}${ownStates.padStart(8)}  ${verdict}\n`;
  const ms = (value) => value.toFixed(2);
  process.stdout.write(cells('scenario', 'spin ms', 'states', 'shootdown', 'states', 'verdict'));
  let differ = 0;
  const total = { spin: 0, own: 0, plain: 0, first: 0 };
  for (const row of rows) {
    const [spin, own] = [medianTime(row.spin), medianTime(row.own)];
    const [theirs, ours] = [row.spin[0], row.own[0]];
    total.spin += spin;
    total.own += own;
    total.plain += row.plain.length === 0 ? spin : medianTime(row.plain);
    total.first += ours.milliseconds;
    const same = theirs.clean === ours.clean && ours.expected;
    if (!same) differ += 1;
    const verdict = same
      ? ours.verdict
      : `DIFFERS: spin ${theirs.clean ? 'clean' : 'error'}, shootdown ${ours.verdict}`;
    process.stdout.write(
      cells(row.scenario, ms(spin), String(theirs.states), ms(own), String(ours.states), verdict),
    );
    if (row.plain.length > 0)
      process.stdout.write(
        cells('  without TLBs', ms(medianTime(row.plain)), String(row.plain[0].states), '', '', ''),
      );
  }
  const ratio = total.own / total.spin;
  process.stdout.write(
    `\ntotal of medians: spin ${ms(total.spin)} ms, shootdown ${ms(total.own)} ms; ratio ${ratio.toFixed(3)} (at most ${MAX_RATIO})\n` +
      `with the half-word model cut down to what its question needs: spin ${ms(total.plain)} ms; ratio ${(total.own / total.plain).toFixed(3)}\n` +
      `not counted: spin and gcc ${ms(compiling)} ms; shootdown's first run of each, before the JIT ${ms(total.first)} ms\n`,
  );
  if (differ > 0) return 3;
  return ratio > MAX_RATIO ? 1 : 0;
}

/** A verifier of the model, ready to run. */
function compile({ model, flags, hash }, folder) {
  mkdirSync(folder);
  cpSync(MODELS, folder, { recursive: true });
  run('spin', [...flags, '-a', `${model}.pml`], folder);
  // What spin generates is not warning-free, and the harness takes the place of its main().
  run('gcc', ['-O2', '-w', '-DSAFETY', '-Dmain=pan_main', '-c', 'pan.c'], folder);
  run('gcc', ['-O2', '-o', 'verifier', 'harness.c', 'pan.o'], folder);
  return { folder, args: [`-w${hash}`] };
}

function verify({ folder, args }) {
  const { stdout, stderr } = run(path.join(folder, 'verifier'), args, folder);
  const number = (text, pattern) => {
    const found = pattern.exec(text);
    if (found === null) throw new Error(`not understood: ${stdout}${stderr}`);
    return Number(found[1]);
  };
  if (/max search depth too small/.test(stdout)) throw new Error('the verifier did not look at all states');
  return {
    milliseconds: number(stderr, /nanoseconds (\d+)/) / 1e6,
    clean: number(stdout, /errors: (\d+)/) === 0,
    states: number(stdout, /([\d.e+]+) states, stored/),
  };
}

async function loadSearches() {
  const load = (file) => import(path.join(ROOT, 'dist', file));
  const { parseScenarios } = await load('machine/scenario.js');
  const { runScenario } = await load('machine/run-scenario.js');
  const { loadRules } = await load('rules/load-rules.js');
  const { machines } = loadRules();
  return CASES.map(({ file, machine: wanted, scenario: name }) => {
    const source = path.join(ROOT, 'fixtures/scenarios', `${file}.yaml`);
    const scenario = parseScenarios(source, readFileSync(source, 'utf8')).find((one) => one.name === name);
    const machine = machines.find((one) => one.name === wanted);
    if (scenario === undefined || machine === undefined) throw new Error(`${name} on ${wanted}: not there`);
    return () => {
      const started = process.hrtime.bigint();
      const { verdict, states } = runScenario(scenario, machine);
      const milliseconds = since(started);
      const expected = verdict === scenario.expect.get(wanted);
      return { milliseconds, verdict, states, expected, clean: verdict === 'clean' };
    };
  });
}

const since = (started) => Number(process.hrtime.bigint() - started) / 1e6;

function run(program, args, cwd) {
  const done = spawnSync(program, args, { cwd, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (done.error) throw new Error(`${program}: ${done.error.message}`);
  if (done.status !== 0) throw new Error(`${program} ${args.join(' ')}: ${done.stdout}${done.stderr}`);
  return done;
}

const medianTime = (results) => median(results.map(({ milliseconds }) => milliseconds));

function readRuns() {
  const { values } = parseArgs({ options: { runs: { type: 'string' }, help: { type: 'boolean' } } });
  if (values.help) {
    process.stdout.write(`${HELP}\n`);
    process.exit(0);
  }
  const runs = Number(values.runs ?? 9);
  if (!Number.isInteger(runs) || runs < 1) throw new Error('--runs takes a number from 1 on');
  return runs;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`bench:spin: ${error.message}\n`);
  process.exitCode = 2;
}
