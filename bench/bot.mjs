#!/usr/bin/env node
/**
 * Measures the GitHub app: how long a webhook waits for its answer while reviews run, and how long the review of a pull
 * request of ten files takes from its webhook to the finished check run. GitHub is the server of the tests.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer } from 'vite';

const SECONDS = Number(process.argv[2] ?? 20);
const RATE = 50;
const MOST_P99 = 100;

// The server of the tests is TypeScript: vite, which the tests run on, loads it.
const vite = await createServer({
  server: { middlewareMode: true },
  appType: 'custom',
  logLevel: 'error',
  optimizeDeps: { noDiscovery: true, include: [] },
});
const load = (path) => vite.ssrLoadModule(path);
const [{ FakeGitHub }, { startApp, ensureBuilt, until }, files] = await Promise.all([
  load('/test/bot/fake-github.ts'),
  load('/test/bot/app.ts'),
  load('/test/bot/kernel-files.ts'),
]);
ensureBuilt();
const github = new FakeGitHub();
await github.start();
github.defaultBranch = github.objects.commit(files.kernel);
const app = await startApp(github);
/** Ten files of interest, one of them wrong; `number` makes them new to any cache. */
function tenFiles(number) {
  const change = (tree, path) => files.edit(tree, path, (text) => `/* Change ${number}. */\n${text}`);
  const others = Object.keys(files.kernel)
    .filter((path) => /^(mm|arch|include)\/.*\.[ch]$/.test(path) && path !== 'mm/khugepaged.c')
    .slice(0, 9);
  return others.reduce(change, files.collapseWrong(change(files.kernel, 'mm/khugepaged.c')));
}

let code = 0;
try {
  const finished = (head) => github.runs.some((r) => r.head_sha === head && r.status === 'completed');
  const review = async (number, change) => {
    const pull = github.open(number, github.defaultBranch, change);
    const payload = github.payload('opened', number);
    const started = performance.now();
    await github.deliver(app.url, 'pull_request', payload);
    await until(
      () => finished(pull.head),
      () => app.output.join('\n'),
      300_000,
    );
    return performance.now() - started;
  };
  const cold = await review(1, tenFiles(1));
  const warm = await review(2, tenFiles(2));
  process.stdout.write(`ten files      cold ${cold.toFixed(0)} ms, warm ${warm.toFixed(0)} ms\n`);

  const times = [];
  const sent = [];
  const total = RATE * SECONDS;
  // Made before the clock starts: what GitHub does is not measured.
  const payloads = Array.from({ length: total }, (_, i) => {
    const tree = files.edit(files.kernel, 'mm/khugepaged.c', (text) => `/* ${i} */\n${text}`);
    github.open(100 + i, github.defaultBranch, files.collapseWrong(tree));
    return github.payload('opened', 100 + i);
  });
  const begin = performance.now();
  for (const [i, payload] of payloads.entries()) {
    await sleep(Math.max(0, begin + (i * 1000) / RATE - performance.now()));
    const started = performance.now();
    sent.push(
      github.deliver(app.url, 'pull_request', payload).then((status) => {
        times.push(performance.now() - started);
        if (status !== 202) throw new Error(`a webhook was answered with ${status}`);
      }),
    );
  }
  await Promise.all(sent);
  const rate = total / ((performance.now() - begin) / 1000);
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
  const p99 = at(0.99);
  process.stdout.write(
    `webhooks       ${total} at ${rate.toFixed(0)}/s: p50 ${at(0.5).toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, longest ${at(1).toFixed(1)} ms (p99 at most ${MOST_P99})\n`,
  );
  if (p99 > MOST_P99) code = 1;
} finally {
  await app.kill();
  await github.stop();
  await vite.close();
}
process.exitCode = code;
