/** The action as a workflow runs it: against the same server, with a token that only reads. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { workflowCommands } from '#bot/workflow-commands.js';
import type { Finding } from '#review/document.js';
import { sampleFinding } from '../report/sample-document.js';
import { ensureBuilt, MAIN } from './app.js';
import { FakeGitHub, TOKEN } from './fake-github.js';
import { kernel, wrong } from './kernel-files.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const github = new FakeGitHub();
let folder = '';
beforeAll(async () => {
  ensureBuilt();
  await github.start();
});
beforeEach(() => {
  github.reset();
  github.defaultBranch = github.objects.commit(kernel);
  folder = mkdtempSync(join(tmpdir(), 'shootdown-action-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await github.stop();
});

interface Run {
  readonly code: number;
  readonly output: string;
  readonly summary: string;
}

function act(args: readonly string[] = []): Promise<Run> {
  const [event, summary] = [join(folder, 'event.json'), join(folder, 'summary.md')];
  writeFileSync(event, github.payload('opened', 1));
  writeFileSync(summary, '');
  const env = {
    PATH: process.env.PATH ?? '',
    GITHUB_EVENT_PATH: event,
    GITHUB_REPOSITORY: `${github.owner}/${github.repo}`,
    GITHUB_TOKEN: TOKEN,
    GITHUB_API_URL: github.url,
    GITHUB_STEP_SUMMARY: summary,
    RUNNER_TEMP: folder,
  };
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, 'action', ...args], { env, cwd: folder }, (error, stdout, stderr) => {
      const code = error === null ? 0 : Number(error.code);
      resolve({ code, output: stdout + stderr, summary: readFileSync(summary, 'utf8') });
    });
  });
}

describe('the action', () => {
  it('writes summary, annotations and SARIF for a pull request from a fork, and nothing to GitHub', async () => {
    github.open(1, github.defaultBranch, wrong, { headOwner: 'stranger' });
    const run = await act(['--sarif', 'out.sarif']);
    expect(run.code).toBe(0);
    expect(run.output).toContain(
      '::error file=mm/khugepaged.c,line=17,title=flush-without-ipi in collapse_free_table::',
    );
    expect(run.output).not.toContain(TOKEN);
    expect(run.summary).toContain('`flush-without-ipi` at `mm/khugepaged.c:17`');
    const sarif = JSON.parse(readFileSync(join(folder, 'out.sarif'), 'utf8')) as {
      readonly runs: readonly { readonly results: readonly { readonly ruleId: string }[] }[];
    };
    expect(sarif.runs[0]?.results.map((result) => result.ruleId)).toEqual(['flush-without-ipi']);
    expect(github.writes().filter(({ method }) => method !== 'GIT')).toEqual([]);
    expect(github.asked.filter(({ path }) => path.includes('stranger'))).toEqual([]);
  });

  it('fails where it is told to', async () => {
    github.open(1, github.defaultBranch, wrong);
    expect((await act(['--fail-on', 'error'])).code).toBe(1);
  });

  it('says what is wrong with the configuration of the base branch', async () => {
    const config = { '.github/shootdown.yml': 'fail-on: sometimes\n' };
    github.defaultBranch = github.objects.commit({ ...kernel, ...config });
    github.open(1, github.defaultBranch, { ...wrong, ...config });
    const run = await act();
    expect(run.code).toBe(2);
    expect(run.output).toContain('.github/shootdown.yml:1:10');
  });
});

describe('annotations in the log', () => {
  it('cannot be ended or begun by what they say', () => {
    const finding: Finding = { ...sampleFinding, message: '100%\n::set-output name=x::y', function: 'a,b:c' };
    expect(workflowCommands([finding])[0]).toContain(
      'title=free-before-flush in a%2Cb%3Ac::100%25%0A::set-output',
    );
  });

  it('are ten of a kind, and the rest is counted', () => {
    const lines = workflowCommands(Array.from({ length: 12 }, () => sampleFinding));
    expect(lines).toHaveLength(11);
    expect(lines.at(-1)).toBe('shootdown: 2 more are in the job summary and the SARIF file');
  });
});
