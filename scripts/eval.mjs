#!/usr/bin/env node
/**
 * Measures the built command line against a corpus of kernel mutations, and against harmless edits of large functions.
 *
 * A corpus is a folder of specs, `*.json` or `specs/*.json`; fixtures/kernel-mutations is the one of our own. Each
 * spec becomes a patch and its reverse; both are given to one `check` as a series of two, so that patch 1 is the
 * forward verdict and patch 2 the verdict on the undo. The first spec of each tree is also run alone, to verify that
 * the forward verdict does not depend on the patch behind it (`--verify-forward` does so for every spec). Each corpus
 * is measured and reported by itself.
 *
 * Only the published JSON is read. What the figures mean is in docs/evaluation.md.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compareFigures, figuresOf } from './eval/figures.mjs';
import { harmlessFigures, judgeHarmless, makeHarmlessPatches } from './eval/harmless.mjs';
import { judgeSpec, sameVerdict } from './eval/judge.mjs';
import { makePatches, readSpecs } from './eval/make-patches.mjs';
import { hasTable, renderFigures, renderHarmless, renderMarkdown, replaceTable } from './eval/render.mjs';
import { runCheck, runPool } from './eval/run-check.mjs';
import { judgeUnchanged, makeUnchangedPatches, renderUnchanged, VERSIONS } from './eval/unchanged.mjs';

const HELP = `usage: npm run eval -- --trees DIR [--corpus DIR]... [--own] [options]
       npm run eval -- --trees DIR --harmless [options]
       npm run eval -- --trees DIR --unchanged-order [options]

  --trees DIR        holds linux-source-6.12/ and linux-source-6.1/, unpacked
  --corpus DIR       holds mutation specs, *.json or specs/*.json; may be given several times
  --own              also the specs in fixtures/kernel-mutations, as the last corpus
  --only REGEX       only specs (or harmless patches) whose id matches
  --jobs N           processes at a time (default: CPUs, at most 2)
  --timeout SECONDS  for one run; a run that reaches it counts as undecided (default 60)
  --hunks            review the patches from their hunks, without a tree
  --verify-forward   run every forward patch alone too, and say where the verdict differs
  --baseline FILE    figures written before: exit 1 when one of them got worse on the specs common to both
  --write FILE       write figures and per-spec results as JSON, and the table in FILE with .md for .json, or in the
                     section of docs/evaluation.md that names FILE. With several corpora, one --write and one
                     --baseline for each, in their order
  --out DIR          keep the patches and the JSON of each run there
  --harmless         instead of the corpus: comment-only and rename-only edits of the functions in
                     scripts/large-functions.json; exit 1 when one of them raises anything
  --unchanged-order  instead of the corpus: what became of the functions in scripts/unchanged-order.json between the
                     two trees, in which the order of events stayed; exit 1 when a change raises an error
  --list FILE        another list of functions for --harmless or --unchanged-order
  --cli FILE         the command line to measure (default dist/cli/main.js)
  --help             this text

Exit codes: 0 done; 1 worse than the baseline, a harmless edit or one that keeps the order raised something, or the forward verdict depends on
the reverse patch; 2 usage error.`;

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const OWN = path.join(ROOT, 'fixtures/kernel-mutations');

async function main() {
  const options = readOptions();
  const out = options.out ?? mkdtempSync(path.join(tmpdir(), 'shootdown-eval-'));
  mkdirSync(out, { recursive: true });
  // Nothing that a run before found is taken for what this one finds.
  const cache = mkdtempSync(path.join(tmpdir(), 'shootdown-eval-cache-'));
  process.env.XDG_CACHE_HOME = cache;
  try {
    if (options.harmless) return await evaluateHarmless(options, out);
    if (options.unchangedOrder) return await evaluateUnchanged(options, out);
    let status = 0;
    for (const corpus of options.corpora)
      status = Math.max(status, await evaluateCorpus(corpus, options, out));
    return status;
  } finally {
    rmSync(cache, { recursive: true, force: true });
    if (options.out === null) rmSync(out, { recursive: true, force: true });
  }
}

async function evaluateCorpus(corpus, options, out) {
  const specs = readSpecs(corpus.folder).filter((spec) => options.only.test(spec.id));
  if (specs.length === 0) throw new UsageError(`${corpus.folder}: no spec matches ${options.only}`);
  const unmade = makePatches(options.trees, out, specs);
  const made = specs.filter((spec) => !unmade.has(spec.id));
  for (const [id, why] of unmade) process.stderr.write(`${id}: no patch: ${why}\n`);

  const alone = aloneToo(made, options.verifyForward);
  const results = await runPool(made, options.jobs, async (spec) => {
    const forward = path.join(out, `${spec.id}.patch`);
    const reverse = path.join(out, `${spec.id}.fix.patch`);
    const tree = options.hunks ? null : treeOf(options.trees, spec.tree);
    const run = await runCheck(options.cli, tree, [forward, reverse], options.timeout);
    if (options.out !== null && run.stdout !== '')
      writeFileSync(path.join(out, `${spec.id}.json`), run.stdout);
    const result = judgeSpec(spec, run);
    if (!alone.has(spec.id)) return result;
    const single = await runCheck(options.cli, tree, [forward], options.timeout);
    return { ...result, forwardAlone: sameVerdict(run, single) ? 'same' : 'differs' };
  });

  const figures = figuresOf(results);
  if (options.corpora.length > 1) process.stdout.write(`== ${corpus.folder}\n`);
  process.stdout.write(renderFigures(figures, results));
  const differing = results.filter((result) => result.forwardAlone === 'differs');
  for (const result of differing) {
    process.stderr.write(`${result.id}: the forward patch alone gets another verdict than in the series\n`);
  }
  if (corpus.write !== null) writeResults(corpus.write, figures, results);
  const worse =
    corpus.baseline === null ? [] : compareFigures(readBaseline(corpus.baseline, results), results);
  for (const line of worse) process.stderr.write(`worse than ${corpus.baseline}: ${line}\n`);
  return worse.length > 0 || differing.length > 0 ? 1 : 0;
}

async function evaluateHarmless(options, out) {
  const list = JSON.parse(readFileSync(options.list, 'utf8'));
  const { patches, skipped } = makeHarmlessPatches(list, options.trees, out);
  for (const line of skipped) process.stderr.write(`${line}\n`);
  const chosen = patches.filter((patch) => options.only.test(patch.id));
  if (chosen.length === 0) throw new UsageError(`no harmless patch matches ${options.only}`);
  const results = await runPool(chosen, options.jobs, async (patch) => {
    const run = await runCheck(options.cli, treeOf(options.trees, patch.tree), [patch.path], options.timeout);
    if (options.out !== null && run.stdout !== '')
      writeFileSync(path.join(out, `${patch.id}.json`), run.stdout);
    return judgeHarmless(patch, run);
  });
  const figures = harmlessFigures(results);
  process.stdout.write(renderHarmless(figures, results));
  return figures.raising > 0 || figures.failed > 0 ? 1 : 0;
}

async function evaluateUnchanged(options, out) {
  const list = JSON.parse(readFileSync(options.list, 'utf8'));
  const { patches, skipped } = makeUnchangedPatches(list, options.trees, out);
  for (const line of skipped) process.stderr.write(`${line}\n`);
  const chosen = patches.filter((patch) => options.only.test(patch.id));
  if (chosen.length === 0) throw new UsageError(`no change matches ${options.only}`);
  const tree = treeOf(options.trees, VERSIONS[1]);
  const results = await runPool(chosen, options.jobs, async (patch) => {
    const run = await runCheck(options.cli, tree, patch.files, options.timeout);
    if (options.out !== null && run.stdout !== '')
      writeFileSync(path.join(out, `${patch.id}.json`), run.stdout);
    return judgeUnchanged(patch, run);
  });
  process.stdout.write(renderUnchanged(results));
  return results.some(({ outcome }) => outcome === 'alarm' || outcome === 'failed') ? 1 : 0;
}

/** Ids to run alone as well: the first of each tree, or all. */
function aloneToo(specs, all) {
  const first = new Map();
  for (const spec of specs) if (spec.kind === 'bug' && !first.has(spec.tree)) first.set(spec.tree, spec.id);
  return new Set(all ? specs.map((spec) => spec.id) : first.values());
}

function treeOf(trees, version) {
  return path.join(trees, `linux-source-${version}`);
}

function writeResults(file, figures, results) {
  writeFileSync(file, `${JSON.stringify({ version: 1, figures, specs: results }, null, 1)}\n`);
  for (const [page, section] of [
    [file.replace(/\.json$/, '.md'), null],
    [path.join(path.dirname(file), 'evaluation.md'), path.basename(file)],
  ]) {
    if (page === file || !existsSync(page)) continue;
    const text = readFileSync(page, 'utf8');
    if (hasTable(text, section)) {
      writeFileSync(page, replaceTable(text, section, renderMarkdown(figures, results)));
      return;
    }
  }
}

function readBaseline(file, results) {
  const baseline = JSON.parse(readFileSync(file, 'utf8'));
  if (baseline.version !== 1 || !Array.isArray(baseline.specs)) {
    throw new UsageError(`${file}: not figures of this script`);
  }
  const ids = new Set(results.map((result) => result.id));
  if (!baseline.specs.some((spec) => ids.has(spec.id))) {
    throw new UsageError(`${file}: has no spec in common with this run`);
  }
  return baseline.specs;
}

class UsageError extends Error {}

function readOptions() {
  const { values } = parse();
  if (values.help) {
    process.stdout.write(`${HELP}\n`);
    process.exit(0);
  }
  if (values.trees === undefined) throw new UsageError('--trees is needed');
  const corpora = corporaOf(values);
  const unchangedOrder = values['unchanged-order'] ?? false;
  if (corpora.length === 0 && !values.harmless && !unchangedOrder)
    throw new UsageError('--corpus, --own, --harmless or --unchanged-order is needed');
  const cli = path.resolve(values.cli ?? path.join(ROOT, 'dist/cli/main.js'));
  if (!existsSync(cli)) throw new UsageError(`${cli} is not there: npm run build`);
  return {
    trees: path.resolve(values.trees),
    corpora,
    only: readRegex(values.only ?? ''),
    jobs: readCount('--jobs', values.jobs ?? String(Math.min(2, availableParallelism()))),
    timeout: readCount('--timeout', values.timeout ?? '60') * 1000,
    verifyForward: values['verify-forward'] ?? false,
    out: values.out === undefined ? null : path.resolve(values.out),
    harmless: values.harmless ?? false,
    unchangedOrder,
    hunks: values.hunks ?? false,
    list:
      values.list ??
      path.join(ROOT, unchangedOrder ? 'scripts/unchanged-order.json' : 'scripts/large-functions.json'),
    cli,
  };
}

/** The corpora in order, each with the files that its figures are compared with and written to. */
function corporaOf(values) {
  const folders = (values.corpus ?? []).map((folder) => path.resolve(folder));
  if (values.own) folders.push(OWN);
  for (const name of ['baseline', 'write']) {
    const given = (values[name] ?? []).length;
    if (given > 0 && given !== folders.length)
      throw new UsageError(`--${name}: one for each corpus is needed, ${folders.length} in all`);
  }
  return folders.map((folder, at) => ({
    folder,
    baseline: values.baseline?.[at] ?? null,
    write: values.write?.[at] ?? null,
  }));
}

function parse() {
  const text = { type: 'string' };
  const texts = { type: 'string', multiple: true };
  const flag = { type: 'boolean' };
  try {
    return parseArgs({
      options: {
        trees: text,
        corpus: texts,
        own: flag,
        only: text,
        jobs: text,
        timeout: text,
        baseline: texts,
        write: texts,
        out: text,
        list: text,
        cli: text,
        harmless: flag,
        'unchanged-order': flag,
        hunks: flag,
        'verify-forward': flag,
        help: flag,
      },
    });
  } catch (error) {
    throw new UsageError(error.message);
  }
}

function readRegex(text) {
  try {
    return new RegExp(text);
  } catch {
    throw new UsageError(`--only: not a regular expression: ${text}`);
  }
}

function readCount(name, text) {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new UsageError(`${name}: not a positive number: ${text}`);
  return count;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`eval: ${error.message}\n`);
  process.exitCode = 2;
}
