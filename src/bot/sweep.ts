/**
 * Finds work that got lost: open pull requests whose head has no finished check run, and deliveries that failed, which
 * GitHub never repeats by itself.
 */
import type { Logger } from 'pino';
import { findCheckRun } from './check-run.js';
import type { Octokit } from './github-client.js';
import { sayError } from './github-error.js';
import type { Job } from './job.js';
import type { Metrics } from './metrics.js';

export interface SweepTools {
  readonly app: () => Promise<Octokit>;
  readonly client: (installation: number) => Promise<Octokit>;
  readonly add: (job: Job) => Promise<void>;
  readonly metrics: Metrics;
  readonly log: Logger;
}

const PAGE = 100;

/** Queues every open pull request without a finished check run of ours. A repository that cannot be read is left out. */
export async function sweepPulls(tools: SweepTools, signal: AbortSignal): Promise<number> {
  const app = await tools.app();
  let queued = 0;
  const installations = await app.paginate('GET /app/installations', { per_page: PAGE });
  for (const { id, suspended_at: suspended } of installations) {
    if (suspended !== null) continue;
    try {
      const client = await tools.client(id);
      const repositories = await client.paginate('GET /installation/repositories', { per_page: PAGE });
      for (const { name: repo, owner } of repositories) {
        if (signal.aborted) return queued;
        queued += await sweepRepository(client, id, owner.login, repo, tools);
      }
    } catch (error) {
      tools.log.warn({ installation: id, reason: sayError(error) }, 'installation could not be swept');
      tools.metrics.sweeps.inc({ kind: 'pulls', outcome: 'failed' });
    }
  }
  tools.metrics.sweeps.inc({ kind: 'pulls', outcome: 'done' });
  tools.log.info({ queued }, 'open pull requests swept');
  return queued;
}

async function sweepRepository(
  client: Octokit,
  installation: number,
  owner: string,
  repo: string,
  tools: SweepTools,
): Promise<number> {
  let queued = 0;
  const pulls = await client.paginate('GET /repos/{owner}/{repo}/pulls', {
    owner,
    repo,
    state: 'open',
    per_page: PAGE,
  });
  for (const pull of pulls) {
    if (pull.draft === true) continue;
    const job: Job = { installation, owner, repo, pull: pull.number, head: pull.head.sha, rerun: null };
    const run = await findCheckRun(client, job, job);
    if (run?.isFinished === true) continue;
    await tools.add(job);
    queued += 1;
  }
  return queued;
}

/** Older deliveries are left to the sweep of pull requests. */
const LOOK_BACK = 24 * 3600 * 1000;
const MOST_PAGES = 10;
/** A delivery that failed as often fails for a reason of its own. */
const MOST_ATTEMPTS = 4;

/** Asks for failed deliveries again, once a sweep. */
export async function sweepDeliveries(tools: SweepTools, now: number): Promise<number> {
  const app = await tools.app();
  const attempts = new Map<string, { readonly latest: number; count: number; isDelivered: boolean }>();
  let cursor: string | null = null;
  for (let page = 0; page < MOST_PAGES; page++) {
    const { data, headers }: Awaited<ReturnType<typeof readPage>> = await readPage(app, cursor);
    for (const delivery of data) {
      if (Date.parse(delivery.delivered_at) < now - LOOK_BACK) continue;
      const isDelivered = delivery.status_code >= 200 && delivery.status_code < 300;
      const known = attempts.get(delivery.guid);
      if (known === undefined)
        attempts.set(delivery.guid, { latest: Number(delivery.id), count: 1, isDelivered });
      else {
        known.count += 1;
        known.isDelivered ||= isDelivered;
      }
    }
    const last = data.at(-1);
    cursor = /[?&]cursor=([^&>]+)[^>]*>; rel="next"/.exec(headers.link ?? '')?.[1] ?? null;
    if (cursor === null || last === undefined || Date.parse(last.delivered_at) < now - LOOK_BACK) break;
  }
  let asked = 0;
  for (const { latest, count, isDelivered } of attempts.values()) {
    if (isDelivered || count >= MOST_ATTEMPTS) continue;
    await app.request('POST /app/hook/deliveries/{delivery_id}/attempts', { delivery_id: latest });
    asked += 1;
  }
  tools.metrics.sweeps.inc({ kind: 'deliveries', outcome: 'done' });
  if (asked > 0) tools.log.info({ asked }, 'failed deliveries asked for again');
  return asked;
}

function readPage(app: Octokit, cursor: string | null) {
  return app.request('GET /app/hook/deliveries', {
    per_page: PAGE,
    ...(cursor === null ? {} : { cursor: decodeURIComponent(cursor) }),
  });
}
