#!/usr/bin/env node
/**
 * Does the time of a review grow with what is reviewed, and no faster? Series of patches, each of which gives one
 * function a line that is another function's call, are reviewed by one thread: 1, 10, 100 and 1,000 of them. The
 * functions of a shorter series are spread evenly over those of a longer one, so that all are about equally large.
 *
 * Nothing is known of the patches from before; which files use a name is.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { functionsIn, mailOf } from './functions.mjs';
import { atExit, countOf, PEAK, readValues, runBench, UsageError } from './measure.mjs';

const MAX_GROWTH = 1.5;
/** From here on the start of the program is a small part of the time. */
const LEAST = 10;
const FOLDERS = ['mm', 'arch/x86/mm'];

const HELP = `usage: npm run bench:linear -- --tree DIR [--most N] [--write FILE]

  --tree DIR    a kernel source
  --most N      the longest series (default 1000): the others have a tenth, a hundredth, … of that
  --write FILE  the figures as JSON, too

Exit 1 when a patch of the longest series takes more than ${MAX_GROWTH} times what one of a series of ten takes; 2 on a usage
error or when check fails.`;

const CLI = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../dist/cli/main.js');

function main() {
  const values = readValues(['tree', 'most', 'write'], HELP);
  const tree = path.resolve(values.tree);
  const most = countOf(values, 'most', 1000);
  if (!existsSync(CLI)) throw new UsageError(`${CLI} is not there`);
  const folder = mkdtempSync(path.join(tmpdir(), 'shootdown-linear-'));
  process.env.XDG_CACHE_HOME = path.join(folder, 'cache');
  try {
    const chosen = spread(candidates(tree), most);
    if (chosen.length < most)
      throw new UsageError(`${FOLDERS.join(', ')}: no more than ${chosen.length} functions`);
    review(seriesOf(spread(chosen, 1), 'first'), folder, tree);
    const rows = [];
    for (let count = 1; count <= most; count *= 10) {
      const row = { count, ...review(seriesOf(spread(chosen, count), `of ${count}`), folder, tree) };
      rows.push({ ...row, each: row.milliseconds / count });
      process.stdout.write(
        `${String(count).padStart(6)} functions ${(row.milliseconds / 1000).toFixed(1).padStart(8)} s  ` +
          `${(row.milliseconds / count).toFixed(0).padStart(6)} ms each  ${row.megabytes.toFixed(0)} MB\n`,
      );
    }
    const few = rows.find(({ count }) => count >= LEAST) ?? rows[0];
    const growth = rows.at(-1).each / few.each;
    process.stdout.write(
      `each of the most / each of ${few.count}  ${growth.toFixed(2)} (at most ${MAX_GROWTH})\n`,
    );
    if (values.write !== undefined) writeFileSync(values.write, `${JSON.stringify(rows, null, 2)}\n`);
    return growth > MAX_GROWTH ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Functions whose last line can be another one: they return nothing, and end in a statement. */
const candidates = (tree) =>
  FOLDERS.flatMap((folder) => functionsIn(tree, folder)).filter(
    ({ text, start, body, end }) =>
      /\bvoid\s+\w+\s*\(/.test(text.slice(start, body)) && /;\n\}\s*$/.test(text.slice(body, end)),
  );

/** `count` of them at even distances. */
const spread = (all, count) =>
  all.length < count
    ? all
    : Array.from({ length: count }, (_, n) => all[Math.floor((n * all.length) / count)]);

/** One mail for each function, on top of those before it. */
function seriesOf(functions, name) {
  const texts = new Map();
  return functions.map(({ name: changed, file, text, end }) => {
    const known = texts.get(file) ?? { text, added: 0 };
    const brace = known.text.lastIndexOf('}', end + known.added);
    const line = '\tcond_resched();\n';
    const after = `${known.text.slice(0, brace)}${line}${known.text.slice(brace)}`;
    texts.set(file, { text: after, added: known.added + line.length });
    return mailOf(`${changed}: ${name}`, file, known.text, after);
  });
}

function review(mails, folder, tree) {
  const files = mails.map((mail, n) => {
    const file = path.join(folder, `${String(n).padStart(4, '0')}.patch`);
    writeFileSync(file, mail);
    return file;
  });
  const peak = path.join(folder, 'peak');
  const args = [
    ...atExit(PEAK),
    CLI,
    'check',
    '--tree',
    tree,
    '--jobs',
    '1',
    '--fail-on',
    'never',
    '--no-suggest',
  ];
  const started = process.hrtime.bigint();
  const run = spawnSync(process.execPath, [...args, '--output', path.join(folder, 'report'), ...files], {
    encoding: 'utf8',
    env: { ...process.env, BENCH_FILE: peak },
  });
  const milliseconds = Number(process.hrtime.bigint() - started) / 1e6;
  if (run.error) throw new UsageError(run.error.message);
  if (run.status !== 0) throw new UsageError(`check of ${mails.length} patches: ${run.stderr.trim()}`);
  return { milliseconds, megabytes: Number(readFileSync(peak, 'utf8')) / 1024 };
}

await runBench(main);
