/**
 * One job from front to back: read the pull request, review it, post what changed, finish the check run. Every step
 * looks at what is there before it writes, so a job may be repeated from the start at any time.
 */
import type { Logger } from 'pino';
import type { ReviewDocument } from '#review/document.js';
import { applySuppressions } from '#review/suppressions.js';
import type { RuleSet } from '#rules/rule.js';
import { RuleError } from '#rules/rule-error.js';
import { ApiTree, readContent } from './api-tree.js';
import { type CheckOutput, checkOutput, postedFindings } from './check-output.js';
import { type CheckRun, findCheckRun, finishCheckRun, startCheckRun } from './check-run.js';
import type { DiffHunk } from './diff-lines.js';
import type { Octokit } from './github-client.js';
import { isFinal, RateLimitError, sayError, statusOf } from './github-error.js';
import { externalId, type Job, jobId } from './job.js';
import { diffCommits, fetchCommits } from './local-clone.js';
import type { Metrics } from './metrics.js';
import type { ObjectCache } from './object-cache.js';
import { isEmptyPlan, planComments } from './plan-comments.js';
import { carryOut, RefusedCommentsError, readThere } from './post-review.js';
import {
  type ChangedFile,
  isTooLarge,
  type PullRequest,
  pullsWithHead,
  readFiles,
  readMergeBase,
  readPull,
} from './pull-request.js';
import type { JobEnd } from './queue.js';
import { isRelevant } from './relevant-files.js';
import { CONFIG_PATH, defaultConfig, type RepositoryConfig, readConfig } from './repository-config.js';
import { type Reviewer, ReviewStoppedError, ReviewTimeoutError } from './reviewer.js';

export interface JobTools {
  readonly client: (installation: number) => Promise<Octokit>;
  /** The app's own user, `NAME[bot]`. */
  readonly login: () => Promise<string>;
  readonly add: (job: Job) => Promise<void>;
  readonly rules: RuleSet;
  readonly reviewer: Reviewer;
  readonly cache: ObjectCache;
  /** Milliseconds before a failed job is tried again; four times as many after each further failure. */
  readonly pause: number;
  /** Folder for local clones. */
  readonly clones: string;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** A job that failed as often is given up, and its check run says so. */
const MOST_FAILURES = 5;
/** A plan is made anew after refused places, but not for ever. */
const MOST_PLANS = 3;

/** Never throws: what goes wrong is put off, or given up and said. */
export async function handleJob(
  job: Job,
  failures: number,
  signal: AbortSignal,
  tools: JobTools,
): Promise<JobEnd> {
  const log = tools.log.child({ job: jobId(job) });
  const started = Date.now();
  const end = (outcome: string, result: JobEnd = { kind: 'done' }): JobEnd => {
    const seconds = (Date.now() - started) / 1000;
    tools.metrics.jobs.inc({ outcome });
    tools.metrics.jobSeconds.observe(seconds);
    log.info({ outcome, seconds, failures }, 'job ended');
    return result;
  };
  try {
    return end(await workOn(job, signal, tools, log));
  } catch (error) {
    if (error instanceof ReviewStoppedError || signal.aborted)
      return end('handed back', { kind: 'later', at: Date.now(), failures });
    if (error instanceof RateLimitError) {
      const at = Date.now() + error.milliseconds;
      return end('rate limited', { kind: 'later', at, failures });
    }
    log.warn({ reason: sayError(error), failures }, 'job failed');
    if (failures + 1 < MOST_FAILURES && !isHopeless(error, failures)) {
      const at = Date.now() + tools.pause * 4 ** failures;
      return end('failed', { kind: 'later', at, failures: failures + 1 });
    }
    return end(await giveUp(job, error, tools, log));
  }
}

/** Repeating would end in the same way. What was pushed a moment ago may not be there yet, so nothing found is asked again. */
function isHopeless(error: unknown, failures: number): boolean {
  if (statusOf(error) === 404 && failures < 2) return false;
  return isFinal(error) || error instanceof ReviewTimeoutError;
}

async function workOn(job: Job, signal: AbortSignal, tools: JobTools, log: Logger): Promise<string> {
  const octokit = await tools.client(job.installation);
  const repository = { owner: job.owner, repo: job.repo };
  if (job.pull === null) {
    for (const pull of await pullsWithHead(octokit, repository, job.head)) await tools.add({ ...job, pull });
    return 'looked up';
  }
  const pull = await readPull(octokit, repository, job.pull);
  if (!pull.isOpen) return 'closed';
  if (pull.isDraft && job.rerun === null) return 'draft';
  if (pull.head !== job.head) {
    // Its own event may have been lost; the same job twice is one.
    await tools.add({ ...job, head: pull.head, rerun: null });
    return 'superseded';
  }
  const files = await readFiles(octokit, repository, pull);
  const mayBear = (path: string): boolean => isRelevant(path, tools.rules.paths, []);
  if (files !== null && !files.some((file) => mayBear(file.path))) return 'not relevant';

  let run = await findCheckRun(octokit, repository, job);
  if (run?.isFinished === true) return 'finished before';
  const config = await baseConfig(octokit, pull, job, tools);
  if ('problem' in config) {
    run ??= await startCheckRun(octokit, repository, job);
    await finishCheckRun(octokit, repository, run, config.problem);
    return 'bad configuration';
  }
  const isWanted = (path: string): boolean => isRelevant(path, tools.rules.paths, config.paths);
  if (files !== null && !files.some((file) => isWanted(file.path))) return 'not wanted';
  run ??= await startCheckRun(octokit, repository, job);
  const { document, relevant } = await review(job, pull, files, isWanted, config, signal, tools, log);
  if (relevant.length === 0) {
    await finishCheckRun(octokit, repository, run, nothingToDo);
    return 'not relevant';
  }

  const findings = postedFindings(document);
  const isCurrent = await post(octokit, job, pull, document, relevant, tools);
  if (!isCurrent) {
    await finishCheckRun(octokit, repository, run, superseded);
    return 'superseded';
  }
  await finishCheckRun(octokit, repository, run, checkOutput(document, config.failOn));
  for (const finding of findings) tools.metrics.findings.inc({ hazard: finding.hazard });
  log.info({ findings: findings.length, states: document.stats.states }, 'reviewed');
  return 'reviewed';
}

const note = (conclusion: CheckOutput['conclusion'], title: string, summary: string): CheckOutput => ({
  conclusion,
  title,
  summary,
  text: '',
  annotations: [],
});
const superseded = note(
  'cancelled',
  'Superseded by a newer push',
  'The pull request has a newer head, which gets a review of its own.',
);
const nothingToDo = note(
  'success',
  'Nothing to review',
  'No file of this pull request bears on page tables.',
);

/** The base branch's configuration, or the check run's output that says what is wrong with it. */
async function baseConfig(
  octokit: Octokit,
  pull: PullRequest,
  job: Job,
  tools: JobTools,
): Promise<RepositoryConfig | { readonly problem: CheckOutput }> {
  const text = await readContent(octokit, job, pull.baseRef, CONFIG_PATH);
  if (text === null) return defaultConfig;
  try {
    return readConfig(
      text,
      tools.rules.machines.map((machine) => machine.name),
    );
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    const place = `line ${error.line}, column ${error.column}`;
    const problem: CheckOutput = {
      conclusion: 'action_required',
      title: `${CONFIG_PATH} of the base branch is not valid`,
      summary: `\`${CONFIG_PATH}\` of \`${pull.baseRef.replaceAll('`', '')}\`, ${place}: ${error.reason}.\n\nNothing was reviewed: the file may silence what a review without it would post.\n`,
      text: '',
      annotations: [
        {
          path: CONFIG_PATH,
          line: error.line,
          column: error.column,
          level: 'failure',
          title: 'Not valid',
          message: error.reason,
          details: '',
        },
      ],
    };
    return { problem };
  }
}

interface Reviewed {
  readonly document: ReviewDocument;
  readonly relevant: readonly ChangedFile[];
}

/** Reviews through the API, or, where it leaves something out, from a local clone without history. */
async function review(
  job: Job,
  pull: PullRequest,
  files: readonly ChangedFile[] | null,
  isWanted: (path: string) => boolean,
  config: RepositoryConfig,
  signal: AbortSignal,
  tools: JobTools,
  log: Logger,
): Promise<Reviewed> {
  const octokit = await tools.client(job.installation);
  const mergeBase = await readMergeBase(octokit, job, pull);
  let relevant = (files ?? []).filter((file) => isWanted(file.path));
  let folder: string | null = null;
  if (files === null || isTooLarge(pull, relevant)) {
    log.info('too large for the API: fetching');
    const { token } = (await octokit.auth({ type: 'installation' })) as { readonly token: string };
    const source = { url: pull.cloneUrl, name: `${job.owner}_${job.repo}`, token };
    folder = await fetchCommits(tools.clones, source, [mergeBase, pull.head]);
    relevant = [...(await diffCommits(folder, mergeBase, pull.head, isWanted))];
  }
  const repository = { owner: job.owner, repo: job.repo };
  const before = new ApiTree(octokit, repository, mergeBase, tools.cache);
  const after = new ApiTree(octokit, repository, pull.head, tools.cache);
  try {
    const task = {
      subject: pull.title,
      commit: pull.head,
      changed: relevant.map((file) => file.path),
      renamed: Object.fromEntries(
        relevant.filter((file) => file.oldPath !== file.path).map((file) => [file.path, file.oldPath]),
      ),
      machines: config.machines,
      local: folder === null ? null : { folder, before: mergeBase, after: pull.head },
    };
    const document = await tools.reviewer.review(task, { before, after }, signal);
    const today = new Date().toISOString().slice(0, 10);
    const options = { today, complete: false };
    return { document: applySuppressions(document, config.suppressions, options), relevant };
  } finally {
    before.close();
    after.close();
  }
}

/** Brings the comments up to date. False: a push came in between, nothing was posted. */
async function post(
  octokit: Octokit,
  job: Job,
  pull: PullRequest,
  document: ReviewDocument,
  relevant: readonly ChangedFile[],
  tools: JobTools,
): Promise<boolean> {
  const target = { owner: job.owner, repo: job.repo, pull: pull.number, head: pull.head };
  const login = await tools.login();
  const hunks = new Map<string, readonly DiffHunk[]>(relevant.map((file) => [file.path, file.hunks ?? []]));
  const refused = new Set<string>();
  for (let round = 1; ; round++) {
    const there = await readThere(octokit, target, login);
    const plan = planComments(postedFindings(document), hunks, there, pull.head, refused);
    if (isEmptyPlan(plan)) return true;
    const now = await readPull(octokit, job, pull.number);
    if (now.head !== pull.head) {
      await tools.add({ ...job, head: now.head, rerun: null });
      return false;
    }
    if (!now.isOpen) return true;
    try {
      await carryOut(octokit, target, plan, login);
      return true;
    } catch (error) {
      if (!(error instanceof RefusedCommentsError) || round === MOST_PLANS) throw error;
      for (const key of error.keys) refused.add(key);
    }
  }
}

/** Says in the check run that there will be no review, and why. */
async function giveUp(job: Job, error: unknown, tools: JobTools, log: Logger): Promise<string> {
  if (job.pull === null) return 'given up';
  const output = note(
    'neutral',
    error instanceof ReviewTimeoutError ? 'Not decided: the review took too long' : 'The review was given up',
    `${sayError(error)}.\n\nNothing is known about this head: no comment does not mean that nothing is wrong. Re-run the check to try again.\n`,
  );
  try {
    const octokit = await tools.client(job.installation);
    const repository = { owner: job.owner, repo: job.repo };
    const known: CheckRun | null = await findCheckRun(octokit, repository, job);
    if (known?.isFinished === true) return 'given up';
    await finishCheckRun(
      octokit,
      repository,
      known ?? (await startCheckRun(octokit, repository, job)),
      output,
    );
  } catch (second) {
    // The sweep finds the pull request again when GitHub can be reached.
    const status = statusOf(second);
    log.error({ reason: sayError(second), status, run: externalId(job) }, 'giving up could not be shown');
    return 'lost';
  }
  return 'given up';
}
