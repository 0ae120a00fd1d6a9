/**
 * `shootdown action`: the review of a GitHub workflow, for those who run no app. It fetches the two commits as git
 * objects into a bare repository: nothing of the pull request is checked out or run, so it is safe on forks, and a
 * token that only reads is enough.
 */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Octokit } from '@octokit/rest';
import { z } from 'zod';
import { type FailOn, fails } from '#cli/fails.js';
import { UsageError } from '#cli/usage-error.js';
import { renderSarif } from '#report/render-sarif.js';
import type { ReviewDocument } from '#review/document.js';
import { applySuppressions } from '#review/suppressions.js';
import { loadRules } from '#rules/load-rules.js';
import { readContent } from './api-tree.js';
import { checkOutput, postedFindings } from './check-output.js';
import { guardRequests } from './github-client.js';
import { diffCommits, fetchCommits } from './local-clone.js';
import { createMetrics } from './metrics.js';
import { MemoryPace } from './pace.js';
import { readMergeBase, readPull } from './pull-request.js';
import { isRelevant } from './relevant-files.js';
import { CONFIG_PATH, defaultConfig, readConfig } from './repository-config.js';
import { Reviewer } from './reviewer.js';
import { workflowCommands } from './workflow-commands.js';

export interface ActionFlags {
  readonly sarif?: string;
  /** Stronger than the repository's configuration. */
  readonly failOn?: FailOn;
}

const environment = z.object({
  GITHUB_EVENT_PATH: z.string().min(1),
  GITHUB_REPOSITORY: z.string().regex(/^[^/\s]+\/[^/\s]+$/),
  GITHUB_TOKEN: z.string().min(1),
  GITHUB_API_URL: z.url().default('https://api.github.com'),
  GITHUB_STEP_SUMMARY: z.string().min(1).optional(),
  RUNNER_TEMP: z.string().min(1).optional(),
});
const event = z.object({ pull_request: z.object({ number: z.number() }) });

/** Milliseconds. A workflow that waits costs its owner minutes. */
const LONGEST_WAIT = 90_000;
const REVIEW_SECONDS = 1800;
const REVIEW_MEGABYTES = 4096;

/** Gives the exit code: 1 where a finding reaches `fail-on`. Throws UsageError outside a pull request's workflow. */
export async function runAction(
  flags: ActionFlags,
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const read = environment.safeParse(env);
  if (!read.success) {
    const name = String(read.error.issues[0]?.path[0] ?? '');
    throw new UsageError(`${name} is not set: shootdown action runs in a workflow of GitHub`);
  }
  const settings = read.data;
  const payload = event.safeParse(JSON.parse(readFileSync(settings.GITHUB_EVENT_PATH, 'utf8')));
  if (!payload.success) throw new UsageError('the event is not about a pull request');
  const [owner = '', repo = ''] = settings.GITHUB_REPOSITORY.split('/');
  const repository = { owner, repo };
  const client = new Octokit({
    auth: settings.GITHUB_TOKEN,
    baseUrl: settings.GITHUB_API_URL.replace(/\/+$/, ''),
  });
  // The action only reads, so there is no pace to keep; it waits and asks again as the app does.
  const octokit = guardRequests(client, {
    installation: 0,
    pace: new MemoryPace(0),
    metrics: createMetrics(),
    longestWait: LONGEST_WAIT,
    closed: new AbortController().signal,
  });
  const rules = loadRules();
  const pull = await readPull(octokit, repository, payload.data.pull_request.number);
  // Of the base branch, so that a pull request cannot silence itself.
  const text = await readContent(octokit, repository, pull.baseRef, CONFIG_PATH);
  const known = rules.machines.map((machine) => machine.name);
  const config = text === null ? defaultConfig : readConfig(text, known);
  const mergeBase = await readMergeBase(octokit, repository, pull);

  const folder = mkdtempSync(join(settings.RUNNER_TEMP ?? tmpdir(), 'shootdown-'));
  const reviewer = new Reviewer({ seconds: REVIEW_SECONDS, megabytes: REVIEW_MEGABYTES });
  try {
    const source = { url: pull.cloneUrl, name: `${owner}_${repo}`, token: settings.GITHUB_TOKEN };
    const clone = await fetchCommits(folder, source, [mergeBase, pull.head]);
    const files = await diffCommits(clone, mergeBase, pull.head, (path) =>
      isRelevant(path, rules.paths, config.paths),
    );
    const task = {
      subject: pull.title,
      commit: pull.head,
      changed: files.map((file) => file.path),
      renamed: Object.fromEntries(
        files.filter((file) => file.oldPath !== file.path).map((file) => [file.path, file.oldPath]),
      ),
      machines: config.machines,
      local: { folder: clone, before: mergeBase, after: pull.head },
    };
    const reviewed =
      files.length === 0 ? nothing : await reviewer.review(task, noTrees, new AbortController().signal);
    const today = new Date().toISOString().slice(0, 10);
    const document = applySuppressions(reviewed, config.suppressions, { today, complete: false });
    const failOn = flags.failOn ?? config.failOn;
    if (flags.sarif !== undefined) writeFileSync(flags.sarif, renderSarif(document, rules.hazards));
    report(document, failOn, settings.GITHUB_STEP_SUMMARY ?? null);
    return fails(document, failOn, ['introduced']) ? 1 : 0;
  } finally {
    reviewer.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const nothing: ReviewDocument = {
  version: 1,
  tool: 'shootdown',
  patches: [],
  stats: { functions: 0, programs: 0, states: 0, milliseconds: 0 },
};

/** With a local repository the review asks for nothing. */
const noTree = {
  read: async (): Promise<null> => null,
  list: async (): Promise<readonly string[]> => [],
};
const noTrees = { before: noTree, after: noTree };

/** The job's summary, and annotations in the log. */
function report(document: ReviewDocument, failOn: FailOn, summary: string | null): void {
  const output = checkOutput(document, failOn);
  if (summary !== null) appendFileSync(summary, `## shootdown\n\n${output.summary}\n${output.text}`);
  process.stdout.write(`shootdown: ${output.title}\n`);
  for (const line of workflowCommands(postedFindings(document))) process.stdout.write(`${line}\n`);
}
