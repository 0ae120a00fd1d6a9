/** The check run of one job: found again after a crash, never made twice, finished once. */
import type { Repository } from './api-tree.js';
import type { Annotation, CheckOutput } from './check-output.js';
import type { Octokit } from './github-client.js';
import { externalId, type Job } from './job.js';

const CHECK_NAME = 'shootdown';
/** GitHub drops what is beyond this in one request. */
const ANNOTATIONS_AT_ONCE = 50;
const PAGE = 100;

export interface CheckRun {
  readonly id: number;
  readonly isFinished: boolean;
  /** Annotations that are there already: a crash between two batches must not repeat the first. */
  readonly annotations: number;
}

/** The job's check run, or null when it has none yet. The newest wins where a crash left several. */
export async function findCheckRun(
  octokit: Octokit,
  repository: Repository,
  job: Job,
): Promise<CheckRun | null> {
  for (let page = 1; ; page++) {
    const { data } = await octokit.request('GET /repos/{owner}/{repo}/commits/{ref}/check-runs', {
      ...repository,
      ref: job.head,
      check_name: CHECK_NAME,
      filter: 'all',
      per_page: PAGE,
      page,
    });
    const own = data.check_runs
      .filter((run) => run.external_id === externalId(job))
      .sort(
        (a, b) =>
          Number(b.status === 'completed') - Number(a.status === 'completed') || Number(b.id) - Number(a.id),
      );
    const [run] = own;
    if (run !== undefined)
      return {
        id: Number(run.id),
        isFinished: run.status === 'completed',
        annotations: run.output.annotations_count,
      };
    if (data.check_runs.length < PAGE) return null;
  }
}

export async function startCheckRun(octokit: Octokit, repository: Repository, job: Job): Promise<CheckRun> {
  const { data } = await octokit.request('POST /repos/{owner}/{repo}/check-runs', {
    ...repository,
    name: CHECK_NAME,
    head_sha: job.head,
    external_id: externalId(job),
    status: 'in_progress',
    started_at: new Date().toISOString(),
  });
  return { id: Number(data.id), isFinished: false, annotations: 0 };
}

/** Sends the annotations in batches, and with the last of them the conclusion. */
export async function finishCheckRun(
  octokit: Octokit,
  repository: Repository,
  run: CheckRun,
  output: CheckOutput,
): Promise<void> {
  const { title, summary, text, conclusion } = output;
  const left = output.annotations.slice(run.annotations);
  const update = { ...repository, check_run_id: run.id };
  const shown = { title, summary, ...(text === '' ? {} : { text }) };
  let at = 0;
  for (; left.length - at > ANNOTATIONS_AT_ONCE; at += ANNOTATIONS_AT_ONCE) {
    await octokit.request('PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}', {
      ...update,
      output: { ...shown, annotations: left.slice(at, at + ANNOTATIONS_AT_ONCE).map(asSent) },
    });
  }
  await octokit.request('PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}', {
    ...update,
    status: 'completed',
    conclusion,
    completed_at: new Date().toISOString(),
    output: { ...shown, annotations: left.slice(at).map(asSent) },
  });
}

function asSent(annotation: Annotation) {
  return {
    path: annotation.path,
    start_line: annotation.line,
    end_line: annotation.line,
    ...(annotation.column === null ? {} : { start_column: annotation.column, end_column: annotation.column }),
    annotation_level: annotation.level,
    title: annotation.title,
    message: annotation.message,
    ...(annotation.details === '' ? {} : { raw_details: annotation.details }),
  };
}
