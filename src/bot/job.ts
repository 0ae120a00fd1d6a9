/** One unit of the app's work: a pull request at one head. `bot/` is a front door: it talks to GitHub and posts. */
import { z } from 'zod';

export interface Job {
  readonly installation: number;
  readonly owner: string;
  readonly repo: string;
  /** Null where an event names a commit alone: the pull requests that have it as head are looked up first. */
  readonly pull: number | null;
  readonly head: string;
  /**
   * Null for the first review of a head. Else what asks for another one, such as the delivery that carried a request:
   * a head is reviewed once for each value.
   */
  readonly rerun: string | null;
}

/** The same work has the same id, so that redeliveries and races queue it once. */
export function jobId(job: Job): string {
  const again = job.rerun === null ? '' : `/${job.rerun}`;
  return `${job.owner}/${job.repo}/${job.pull ?? 'commit'}/${job.head}${again}`;
}

/** Jobs with one key are never worked on at the same time, since they write to the same pull request. */
export function pullKey(job: Job): string {
  return `${job.owner}/${job.repo}/${job.pull ?? job.head}`;
}

/** What of an event is worth a job. `reason` is for the log and the metrics. */
export type Incoming =
  | { readonly kind: 'jobs'; readonly jobs: readonly Job[] }
  | { readonly kind: 'ignored'; readonly reason: string };

const common = {
  action: z.string(),
  installation: z.object({ id: z.number() }).optional(),
  repository: z.object({ name: z.string(), owner: z.object({ login: z.string() }) }),
};
const pullRequestEvent = z.object({
  ...common,
  pull_request: z.object({
    number: z.number(),
    draft: z.boolean().optional(),
    state: z.string(),
    head: z.object({ sha: z.string() }),
    base: z.object({ sha: z.string() }),
  }),
  changes: z.object({ base: z.unknown() }).optional(),
});
const pulls = z.array(z.object({ number: z.number() }));
const checkRunEvent = z.object({
  ...common,
  check_run: z.object({
    head_sha: z.string(),
    external_id: z.string().nullish(),
    pull_requests: pulls,
    app: z.object({ id: z.number() }).nullish(),
  }),
});
const checkSuiteEvent = z.object({
  ...common,
  check_suite: z.object({ head_sha: z.string(), pull_requests: pulls }),
});

/** Actions of `pull_request` after which a head may need a review. */
const ACTIONS: ReadonlySet<string> = new Set(['opened', 'synchronize', 'reopened', 'ready_for_review']);

/**
 * Jobs of a webhook event.
 *
 * @param delivery the id that GitHub gave the delivery; a redelivery has the same
 */
export function readEvent(name: string, delivery: string, payload: unknown): Incoming {
  switch (name) {
    case 'pull_request':
      return readPullRequest(payload);
    case 'check_run':
      return readCheckRun(delivery, payload);
    case 'check_suite':
      return readCheckSuite(delivery, payload);
    default:
      return ignored('event');
  }
}

const ignored = (reason: string): Incoming => ({ kind: 'ignored', reason });

function readPullRequest(payload: unknown): Incoming {
  const event = pullRequestEvent.safeParse(payload);
  if (!event.success) return ignored('shape');
  const { action, changes, pull_request: pull } = event.data;
  const moved = action === 'edited' && changes?.base !== undefined;
  if (!moved && !ACTIONS.has(action)) return ignored('action');
  if (pull.draft === true) return ignored('draft');
  if (pull.state !== 'open') return ignored('closed');
  return withInstallation(event.data, (place) => [
    { ...place, pull: pull.number, head: pull.head.sha, rerun: moved ? `base-${pull.base.sha}` : null },
  ]);
}

function readCheckRun(delivery: string, payload: unknown): Incoming {
  const event = checkRunEvent.safeParse(payload);
  if (!event.success) return ignored('shape');
  if (event.data.action !== 'rerequested') return ignored('action');
  const run = event.data.check_run;
  // Pull requests from forks are not listed; our own id on the run names the one it was for.
  const own = readExternalId(run.external_id ?? '');
  const numbers = own === null ? run.pull_requests.map((pull) => pull.number) : [own.pull];
  return withInstallation(event.data, (place) => rerun(place, numbers, run.head_sha, delivery));
}

function readCheckSuite(delivery: string, payload: unknown): Incoming {
  const event = checkSuiteEvent.safeParse(payload);
  if (!event.success) return ignored('shape');
  if (event.data.action !== 'rerequested') return ignored('action');
  const suite = event.data.check_suite;
  const numbers = suite.pull_requests.map((pull) => pull.number);
  return withInstallation(event.data, (place) => rerun(place, numbers, suite.head_sha, delivery));
}

type Place = Pick<Job, 'installation' | 'owner' | 'repo'>;

function rerun(place: Place, numbers: readonly number[], head: string, delivery: string): Job[] {
  return (numbers.length === 0 ? [null] : numbers).map((pull) => ({ ...place, pull, head, rerun: delivery }));
}

function withInstallation(
  event: {
    readonly installation?: { readonly id: number } | undefined;
    readonly repository: { readonly name: string; readonly owner: { readonly login: string } };
  },
  jobs: (place: Place) => readonly Job[],
): Incoming {
  if (event.installation === undefined) return ignored('no installation');
  return {
    kind: 'jobs',
    jobs: jobs({
      installation: event.installation.id,
      owner: event.repository.owner.login,
      repo: event.repository.name,
    }),
  };
}

/** Kept on our check runs, so that a run tells which job it is the result of. */
export function externalId(job: Job): string {
  return `${job.pull ?? 0}/${job.head}${job.rerun === null ? '' : `/${job.rerun}`}`;
}

/** Null for an id that is not ours. */
function readExternalId(text: string): { readonly pull: number; readonly head: string } | null {
  const match = /^(\d{1,10})\/([0-9a-f]{40,64})(?:\/|$)/.exec(text);
  return match === null ? null : { pull: Number(match[1]), head: match[2] ?? '' };
}
