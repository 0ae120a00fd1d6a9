/** The app with workers on a real Redis. `npm run test:redis`; needs `redis-server`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type App, ensureBuilt, startApp, until } from './app.js';
import { FakeGitHub } from './fake-github.js';
import { collapseWrong, edit, kernel } from './kernel-files.js';

const PULLS = 500;
const WORKERS = 3;

const folder = mkdtempSync(join(tmpdir(), 'shootdown-redis-'));
let redis: ChildProcess;
let url = '';
let github: FakeGitHub;
let apps: App[] = [];

beforeAll(async () => {
  ensureBuilt();
  const port = await freePort();
  redis = spawn('redis-server', ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', ''], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise<void>((resolve, reject) => {
    redis.once('error', reject);
    redis.stdout?.on('data', (text: Buffer) => {
      if (text.toString().includes('Ready to accept connections')) resolve();
    });
  });
  url = `redis://127.0.0.1:${port}`;
});
afterAll(() => {
  redis.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  github = new FakeGitHub();
  await github.start();
  github.defaultBranch = github.objects.commit(kernel);
});
afterEach(async () => {
  await Promise.all(apps.map((app) => app.kill()));
  apps = [];
  await github.stop();
});

const start = async (kind: 'front' | 'worker'): Promise<App> => {
  const env = { REDIS_URL: url, SHOOTDOWN_LOCK_SECONDS: '3' };
  const app = await startApp(github, env, kind === 'front' ? ['bot'] : ['bot', '--worker']);
  if (kind === 'front') github.appUrl = app.url;
  apps.push(app);
  return app;
};
const log = (): string => apps.flatMap((app) => app.output.slice(-5)).join('\n');

it(`${PULLS} pull requests, ${WORKERS} workers, one of them killed: none is lost, none is reviewed twice`, async () => {
  const front = await start('front');
  const workers = await Promise.all(Array.from({ length: WORKERS }, () => start('worker')));
  for (let number = 1; number <= PULLS; number++) {
    const files = edit(kernel, 'mm/khugepaged.c', (text) => `/* Number ${number}. */\n${text}`);
    github.open(number, github.defaultBranch, collapseWrong(files));
  }
  for (let number = 1; number <= PULLS; number++) {
    // Every fifth comes twice, as redeliveries do.
    for (let times = number % 5 === 0 ? 2 : 1; times > 0; times--)
      expect(await github.deliver(front.url, 'pull_request', github.payload('opened', number))).toBe(202);
  }
  const finished = (): number => github.runs.filter((run) => run.status === 'completed').length;
  await until(() => finished() >= 50, log, 120_000);
  await workers[0]?.kill();
  await until(
    () => finished() >= PULLS,
    () => `${finished()} finished\n${log()}`,
    480_000,
  );

  const count = (numbers: readonly number[]): Map<number, number> =>
    numbers.reduce((counts, n) => counts.set(n, (counts.get(n) ?? 0) + 1), new Map<number, number>());
  const reviews = count(github.reviews.map((review) => review.pull));
  const comments = count(github.comments.map((comment) => comment.pull));
  const runs = count(github.runs.map((run) => Number(run.external_id.split('/')[0])));
  for (let number = 1; number <= PULLS; number++)
    expect([number, reviews.get(number), comments.get(number), runs.get(number)]).toEqual([number, 1, 1, 1]);
  // All of the workers took part.
  for (const worker of workers)
    expect(worker.output.filter((line) => line.includes('"outcome":"reviewed"')).length).toBeGreaterThan(0);
}, 660_000);

it('is not ready while Redis is silent, and works on when it is back', async () => {
  const front = await start('front');
  await start('worker');
  const files = collapseWrong(kernel);
  const pull = github.open(1, github.defaultBranch, files);
  redis.kill('SIGSTOP');
  try {
    expect((await fetch(`${front.url}/readyz`)).status).toBe(503);
    expect((await fetch(`${front.url}/healthz`)).status).toBe(200);
  } finally {
    redis.kill('SIGCONT');
  }
  await until(() => front.output.length > 0, log);
  expect((await fetch(`${front.url}/readyz`)).status).toBe(200);
  await github.deliver(front.url, 'pull_request', github.payload('opened', 1));
  await until(() => github.runs.some((run) => run.head_sha === pull.head && run.status === 'completed'), log);
  expect(github.reviews).toHaveLength(1);
}, 120_000);

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
