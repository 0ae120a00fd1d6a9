/** The app from end to end: a process of its own against a GitHub that is an HTTP server. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type App, ensureBuilt, startApp, until } from './app.js';
import { type Asked, FakeGitHub, type FakeRun, KEY, LOGIN, SECRET, TOKEN } from './fake-github.js';
import type { Files } from './git-objects.js';
import { collapseWrong, edit, kernel, manyWrong, removeWrong, wrong } from './kernel-files.js';

// Processes are started and killed here, beside whatever else the computer does.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const github = new FakeGitHub();
/** Most tests share one app, which is then warm as in real life; those that stop it or set it up have their own. */
let shared: App | null = null;
let own: App[] = [];
/** What the shared app wrote before the test. */
let mark = 0;

beforeAll(async () => {
  ensureBuilt();
  await github.start();
});
afterAll(async () => {
  await shared?.kill();
  await github.stop();
});
beforeEach(() => {
  github.reset();
  github.defaultBranch = github.objects.commit(kernel);
  mark = shared?.output.length ?? 0;
});
afterEach(async () => {
  github.refuse = () => null;
  github.freezeAfter = () => false;
  github.isFrozen = false;
  github.delay = 0;
  for (const app of own) await app.kill();
  own = [];
  // Its queue is empty, and every line that it wrote about a job is here.
  const isIdle = async (app: App): Promise<boolean> => {
    const text = await (await fetch(`${app.url}/metrics`)).text();
    const counts = [...text.matchAll(/^shootdown_jobs_total\{.*\} (\d+)$/gm)].map(([, n]) => Number(n));
    const lines = app.output.filter((line) => line.includes('"job ended"')).length;
    const isEmpty = ['waiting', 'active'].every((state) => text.includes(`{state="${state}"} 0\n`));
    return isEmpty && lines === counts.reduce((a, b) => a + b, 0);
  };
  while (shared !== null && !(await isIdle(shared))) await new Promise((resolve) => setTimeout(resolve, 50));
});

const startOwn = async (env: Readonly<Record<string, string>> = {}): Promise<App> => {
  const app = await startApp(github, env);
  own.push(app);
  return app;
};
const start = async (): Promise<App> => {
  shared ??= await startApp(github);
  return shared;
};
const outputOf = (app: App): readonly string[] => app.output.slice(app === shared ? mark : 0);
const log = (): string => (shared === null ? own : [shared, ...own]).flatMap(outputOf).join('\n');
const isDone = (head: string): boolean =>
  github.runs.some((run) => run.head_sha === head && run.status === 'completed');
const done = async (head: string): Promise<FakeRun> => {
  await until(
    () => isDone(head),
    () => `no finished check run:\n${log()}`,
  );
  const runs = github.runs.filter((run) => run.head_sha === head);
  expect(runs).toHaveLength(1);
  return runs[0] as FakeRun;
};
const send = (app: App, action: string, number = 1, guid?: string): Promise<number> =>
  github.deliver(app.url, 'pull_request', github.payload(action, number), guid);
const ended = (app: App, outcome: string): number =>
  outputOf(app).filter((line) => line.includes(`"outcome":"${outcome}"`)).length;

/** Opens a pull request and waits for its review; what was asked until then is forgotten. */
async function reviewed(app: App, files: Files): Promise<FakeRun> {
  const pull = github.open(1, github.defaultBranch, files);
  expect(await send(app, 'opened')).toBe(202);
  const run = await done(pull.head);
  github.asked.length = 0;
  return run;
}

async function pushed(app: App, files: Files, base?: string): Promise<FakeRun> {
  github.push(1, files, base);
  expect(await send(app, 'synchronize')).toBe(202);
  return done(github.pull(1).head);
}

const paths = (asked: readonly Asked[]): readonly string[] =>
  asked.map(({ method, path }) => `${method} ${path.replace(/^\/repos\/[^/]+\/[^/]+\//, '')}`);

describe('a pull request', () => {
  it('is reviewed when it is opened: one check run, one review, one comment on the line', async () => {
    const app = await start();
    const run = await reviewed(app, wrong);
    expect(run).toMatchObject({ name: 'shootdown', conclusion: 'neutral', output: { title: '1 error' } });
    expect(run.annotations).toMatchObject([{ path: 'mm/khugepaged.c', start_line: 17 }]);
    expect(github.reviews).toMatchObject([{ state: 'COMMENTED', user: LOGIN }]);
    expect(github.comments).toMatchObject([{ path: 'mm/khugepaged.c', line: 16, side: 'RIGHT' }]);
    const body = github.comments[0]?.body ?? '';
    const parts = ['flush-without-ipi', '```text\nCPU0', '```mermaid\nsequenceDiagram'].map((text) =>
      body.indexOf(text),
    );
    expect(parts).toEqual([...parts].sort((a, b) => a - b));
    expect(parts).not.toContain(-1);
  });

  it('gets a suggestion that, applied as GitHub does, leaves nothing to find', async () => {
    const app = await start();
    // Something harmless stays when the suggestion is applied.
    const both = edit(wrong, 'mm/khugepaged.c', (text) => text.replace('old;', 'old, spare;'));
    await reviewed(app, both);
    const [comment] = github.comments;
    expect(comment?.body).toMatch(
      /Suggested edit: no new violation found in [\d,]+ states on \d+ machines\.\n\n```suggestion\n/,
    );
    const block = /```suggestion\n([^`]*)```/.exec(comment?.body ?? '')?.[1] ?? '';
    expect(block).toBe('\ttlb_remove_table_sync_one();\n\tmm_dec_nr_ptes(mm);\n');
    const applied = edit(both, 'mm/khugepaged.c', (text) => {
      const lines = text.split('\n');
      lines.splice((comment?.line ?? 0) - 1, 1, ...block.trimEnd().split('\n'));
      return lines.join('\n');
    });
    expect(applied['mm/khugepaged.c']?.replace('old, spare;', 'old;')).toBe(kernel['mm/khugepaged.c']);
    const run = await pushed(app, applied);
    expect(run).toMatchObject({ conclusion: 'success', output: { title: 'Nothing found' } });
  });

  it('gets a suggestion that is no single stretch of lines as a diff, and no block to apply', async () => {
    const app = await start();
    const statistics = Array.from({ length: 20 }, (_, n) => `\tcount_vm_event(EVENT_${n});\n`).join('');
    const long = edit(kernel, 'mm/khugepaged.c', (text) =>
      text.replace('\tpte_free(mm, pmd_pgtable(old));\n', `$&${statistics}`),
    );
    github.defaultBranch = github.objects.commit(long);
    const moved = edit(long, 'mm/khugepaged.c', (text) =>
      text
        .replace('\ttlb_remove_table_sync_one();\n', '')
        .replace('EVENT_19);\n', '$&\ttlb_remove_table_sync_one();\n'),
    );
    await reviewed(app, moved);
    expect(github.comments).toMatchObject([{ path: 'mm/khugepaged.c', line: 17 }]);
    const body = github.comments[0]?.body ?? '';
    expect(body).toMatch(/^\+ +tlb_remove_table_sync_one\(\);$/m);
    expect(body).toMatch(/^- +tlb_remove_table_sync_one\(\);$/m);
    expect(body).not.toContain('```suggestion');
  });

  it('that is right gets a check run and nothing else', async () => {
    const app = await start();
    const harmless = edit(kernel, 'mm/khugepaged.c', (text) =>
      text.replace('pmd_t old;', 'pmd_t old, unused;'),
    );
    const run = await reviewed(app, harmless);
    expect(run).toMatchObject({ conclusion: 'success', output: { title: 'Nothing found' } });
    expect([github.reviews, github.comments]).toEqual([[], []]);
  });

  it('that touches nothing of interest costs two reads and no write', async () => {
    const app = await start();
    github.asked.length = 0;
    github.open(1, github.defaultBranch, {
      ...kernel,
      'Documentation/mm.rst': 'text\n',
      'lib/a.c': 'int a;\n',
    });
    await send(app, 'opened');
    await until(() => ended(app, 'not relevant') === 1, log);
    expect(github.writes()).toEqual([]);
    expect(paths(github.asked).filter((p) => p.includes('pulls/1'))).toEqual([
      'GET pulls/1',
      'GET pulls/1/files',
    ]);
  });

  it('from a fork is read through the base repository alone', async () => {
    const app = await start();
    const pull = github.open(1, github.defaultBranch, wrong, { headOwner: 'stranger' });
    await send(app, 'opened');
    expect((await done(pull.head)).conclusion).toBe('neutral');
    expect(github.comments).toHaveLength(1);
    expect(github.asked.filter(({ path }) => path.includes('stranger'))).toEqual([]);
  });

  it('that is a draft waits until it is ready', async () => {
    const app = await start();
    const pull = github.open(1, github.defaultBranch, wrong, { draft: true });
    github.asked.length = 0;
    expect(await send(app, 'opened')).toBe(202);
    expect(await send(app, 'synchronize')).toBe(202);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(github.asked.filter(({ path }) => path.includes('pulls/1'))).toEqual([]);
    pull.draft = false;
    await send(app, 'ready_for_review');
    await done(pull.head);
    expect(github.reviews).toHaveLength(1);
  });

  it('is reviewed anew, with the same comments, when its check is asked for again', async () => {
    const app = await start();
    const run = await reviewed(app, wrong);
    await until(() => ended(app, 'reviewed') === 1, log);
    const payload = github.rerequest(run);
    expect(await github.deliver(app.url, 'check_run', payload, 'guid-1')).toBe(202);
    await until(() => ended(app, 'reviewed') === 2, log);
    expect(await github.deliver(app.url, 'check_run', payload, 'guid-1')).toBe(202);
    await until(() => ended(app, 'finished before') === 1, log);
    expect(paths(github.writes())).toEqual([
      'POST check-runs',
      expect.stringMatching(/^PATCH check-runs\/\d+$/),
    ]);
  });
});

describe('a push', () => {
  it('that brings in another finding adds one comment and edits the text in place', async () => {
    const app = await start();
    await reviewed(app, wrong);
    const [first] = github.comments;
    const run = await pushed(app, removeWrong(wrong));
    expect(run.output.title).toBe('2 errors');
    expect(github.comments.map((c) => c.path)).toEqual(['mm/khugepaged.c', 'arch/arm64/mm/mmu.c']);
    expect(github.comments[0]).toBe(first);
    expect(github.reviews[0]?.body).toContain('2 errors');
    expect(github.reviews.map((r) => r.body === '')).toEqual([false, true]);
  });

  it('of another commit with the same findings writes the check run of its head and nothing else', async () => {
    const app = await start();
    await reviewed(app, wrong);
    await pushed(app, { ...wrong, 'Documentation/a.rst': 'text\n' });
    expect(paths(github.writes())).toEqual([
      'POST check-runs',
      expect.stringMatching(/^PATCH check-runs\/\d+$/),
    ]);
  });

  it('of the same head writes nothing at all', async () => {
    const app = await start();
    await reviewed(app, wrong);
    await until(() => ended(app, 'reviewed') === 1, log);
    for (const action of ['synchronize', 'reopened']) {
      await send(app, action);
      await until(() => ended(app, 'finished before') === (action === 'reopened' ? 2 : 1), log);
    }
    expect(github.writes()).toEqual([]);
  });

  it('that fixes a finding resolves its thread and says so in place', async () => {
    const app = await start();
    await reviewed(app, wrong);
    const run = await pushed(
      app,
      edit(kernel, 'mm/khugepaged.c', (text) => text.replace('old;', 'old, spare;')),
    );
    expect(run).toMatchObject({ conclusion: 'success', output: { title: 'Nothing found' } });
    expect(github.comments).toHaveLength(1);
    expect(github.comments[0]).toMatchObject({ isResolved: true });
    expect(github.comments[0]?.body).toContain(`No longer found as of ${github.pull(1).head.slice(0, 12)}`);
    expect(github.reviews).toHaveLength(1);
    expect(github.reviews[0]?.body).toContain('nothing is left');

    github.asked.length = 0;
    await pushed(app, wrong);
    expect(github.comments).toHaveLength(1);
    expect(github.comments[0]).toMatchObject({ isResolved: false, line: 16 });
    expect(github.comments[0]?.body).toContain('How it goes wrong');
  });

  it('folds a fixed comment away where the app may not resolve threads', async () => {
    const app = await start();
    github.mayResolve = false;
    await reviewed(app, wrong);
    await pushed(
      app,
      edit(kernel, 'mm/khugepaged.c', (text) => text.replace('old;', 'old, spare;')),
    );
    expect(github.folded).toEqual(new Set([`N${github.comments[0]?.id}`]));
  });

  it('after which the line has moved out of reach posts the comment anew where it is now', async () => {
    const app = await start();
    await reviewed(app, wrong);
    const [old] = github.comments;
    if (old !== undefined) old.line = null;
    const moved = edit(wrong, 'mm/khugepaged.c', (text) =>
      text.replace('/* Takes', '/* One line more. */\n/* Takes'),
    );
    github.push(1, moved);
    if (old !== undefined) old.line = null;
    await send(app, 'synchronize');
    await done(github.pull(1).head);
    await until(() => github.comments.length === 1 && github.comments[0]?.id !== old?.id, log);
    expect(github.comments).toMatchObject([{ path: 'mm/khugepaged.c', line: 17 }]);
  });

  it('never takes away a comment that somebody answered', async () => {
    const app = await start();
    await reviewed(app, wrong);
    const [old] = github.comments;
    if (old === undefined) throw new Error('no comment');
    github.reply(old, 'the caller waits for RCU');
    const moved = edit(wrong, 'mm/khugepaged.c', (text) =>
      text.replace('/* Takes', '/* One line more. */\n/* Takes'),
    );
    github.push(1, moved);
    old.line = null;
    await send(app, 'synchronize');
    await done(github.pull(1).head);
    expect(github.comments.map((c) => c.id)).toEqual([old.id, expect.any(Number)]);
    expect(old.body).toContain('`mm/khugepaged.c:18` in `collapse_free_table`');
    // Fixed: still there, with its answer.
    await pushed(
      app,
      edit(kernel, 'mm/khugepaged.c', (text) => text.replace('old;', 'old, spare;')),
    );
    expect(github.comments).toHaveLength(2);
    expect(old.isResolved).toBe(true);
  });

  it('by force onto another base re-anchors what is still there', async () => {
    const app = await start();
    await reviewed(app, wrong);
    const rebased = edit(kernel, 'mm/khugepaged.c', (text) =>
      text.replace('#include', '/* New above. */\n\n#include'),
    );
    const base = github.objects.commit(rebased, [github.defaultBranch]);
    github.defaultBranch = base;
    await pushed(app, collapseWrong(rebased), base);
    expect(github.comments).toMatchObject([{ path: 'mm/khugepaged.c', line: 18 }]);
    expect(github.reviews).toHaveLength(1);
  });

  it('in the middle of a review ends it and reviews the new head', async () => {
    const app = await start();
    const pull = github.open(1, github.defaultBranch, wrong);
    const old = pull.head;
    github.refuse = (method, path) => {
      // The push comes in after the review began.
      if (method === 'GET' && path.endsWith('/reviews') && pull.head === old)
        github.push(1, removeWrong(wrong));
      return null;
    };
    await send(app, 'opened');
    await until(() => isDone(github.pull(1).head) && isDone(old), log);
    expect(github.runs.find((run) => run.head_sha === old)?.conclusion).toBe('cancelled');
    expect(github.reviews).toHaveLength(1);
    expect(github.comments).toHaveLength(2);
  });
});

describe('trouble with GitHub', () => {
  it('422 for one line costs no other comment: it goes into the text', async () => {
    const app = await start();
    github.refuse = (method, path, body) => {
      const { comments = [] } = (body ?? {}) as { readonly comments?: readonly { readonly path: string }[] };
      const isBad = comments.some((comment) => comment.path.startsWith('arch/'));
      return method === 'POST' && path.endsWith('/reviews') && isBad
        ? { status: 422, body: { message: 'Pull request review thread line must be part of the diff' } }
        : null;
    };
    await reviewed(app, removeWrong(wrong));
    expect(github.reviews).toHaveLength(1);
    expect(github.comments.map((c) => c.path)).toEqual(['mm/khugepaged.c']);
    expect(github.reviews[0]?.body).toContain('`arch/arm64/mm/mmu.c:');
    expect(github.reviews[0]?.body).toContain('free-before-flush');
  });

  it.each([403, 429])(
    '%i with retry-after: nothing is asked until then, then the same again',
    async (status) => {
      const app = await startOwn();
      let refused = 0;
      github.refuse = (method, path) => {
        if (method !== 'POST' || !path.endsWith('/check-runs') || refused > 0) return null;
        refused = Date.now();
        return {
          status,
          headers: { 'retry-after': '1' },
          body: { message: 'You have exceeded a secondary rate limit' },
        };
      };
      await reviewed(app, wrong).catch(() => {});
      expect(github.reviews).toHaveLength(1);
      const text = await (await fetch(`${app.url}/metrics`)).text();
      expect(text).toContain('shootdown_github_rate_limited_total 1');
    },
  );

  it('is silent while it is asked to wait', async () => {
    const app = await startOwn();
    await until(() => log().includes('open pull requests swept'), log);
    let refused = 0;
    github.refuse = (method, path) => {
      if (method !== 'POST' || !path.endsWith('/check-runs') || refused > 0) return null;
      refused = Date.now();
      return { status: 403, headers: { 'retry-after': '1' } };
    };
    const pull = github.open(1, github.defaultBranch, wrong);
    await send(app, 'opened');
    await done(pull.head);
    const after = github.asked
      // The one that was refused is noted a moment later.
      .filter(({ at, path, status }) => at > refused && status !== 403 && path.startsWith('/repos/'))
      .map(({ at }) => at - refused);
    expect(Math.min(...after)).toBeGreaterThanOrEqual(950);
  });

  it('gives the job back when the wait is long, and does it then', async () => {
    const app = await startOwn({ SHOOTDOWN_LONGEST_WAIT_SECONDS: '0' });
    let isRefused = false;
    github.refuse = (method, path) => {
      if (isRefused || method !== 'GET' || !path.endsWith('/files')) return null;
      isRefused = true;
      const reset = Math.ceil(Date.now() / 1000) + 1;
      return { status: 403, headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': `${reset}` } };
    };
    const pull = github.open(1, github.defaultBranch, wrong);
    await send(app, 'opened');
    await done(pull.head);
    expect(ended(app, 'rate limited')).toBeGreaterThanOrEqual(1);
    expect(github.reviews).toHaveLength(1);
  });

  it('406 for the diff: git fetches the two commits, and the review is the same', async () => {
    const app = await start();
    github.refuse = (method, path) =>
      method === 'GET' && path.endsWith('/files')
        ? { status: 406, body: { errors: [{ code: 'too_large' }] } }
        : null;
    await reviewed(app, wrong);
    expect(log()).toContain('too large for the API');
    expect(github.comments).toMatchObject([{ path: 'mm/khugepaged.c', line: 16 }]);
  });

  it('a file without its patch is fetched as well', async () => {
    const app = await start();
    github.leavesOutPatches = true;
    const pull = github.open(1, github.defaultBranch, removeWrong(kernel));
    await send(app, 'opened');
    const run = await done(pull.head);
    expect(github.asked.some(({ method }) => method === 'GIT')).toBe(true);
    expect(run.annotations).toMatchObject([{ path: 'arch/arm64/mm/mmu.c', start_line: 26 }]);
  });

  it('reads that fail are asked again', async () => {
    const app = await start();
    let failures = 0;
    github.refuse = (method, path) =>
      method === 'GET' && path.includes('/git/blobs/') && failures++ === 0 ? { status: 502 } : null;
    await reviewed(app, wrong);
    expect(github.reviews).toHaveLength(1);
  });

  it('giving up is visible in the check run', async () => {
    const app = await startOwn({ SHOOTDOWN_RETRY_SECONDS: '0.01' });
    github.refuse = (method, path) =>
      method === 'POST' && path.endsWith('/reviews') ? { status: 500, body: { message: 'boom' } } : null;
    const pull = github.open(1, github.defaultBranch, wrong);
    await send(app, 'opened');
    const run = await done(pull.head);
    expect(run).toMatchObject({ conclusion: 'neutral', output: { title: 'The review was given up' } });
    expect(run.output.summary).toContain('boom');
    expect(ended(app, 'failed')).toBe(4);
  });

  it('a review that takes too long is ended and said so', async () => {
    const app = await startOwn({ SHOOTDOWN_REVIEW_SECONDS: '1' });
    github.refuse = (_method, path) => {
      if (path.includes('/git/blobs/')) github.delay = 1500;
      return null;
    };
    const pull = github.open(1, github.defaultBranch, wrong);
    await send(app, 'opened');
    await until(() => github.delay > 0, log);
    await new Promise((resolve) => setTimeout(resolve, 1200));
    github.refuse = () => null;
    github.delay = 0;
    const run = await done(pull.head);
    expect(run.output.title).toBe('Not decided: the review took too long');
  });
});

describe('reading', () => {
  it('asks with ETags, and for a file that it has by its hash not at all', async () => {
    const app = await start();
    const run = await reviewed(app, wrong);
    await until(() => ended(app, 'reviewed') === 1, log);
    await github.deliver(app.url, 'check_run', github.rerequest(run), 'guid-etag');
    await until(() => ended(app, 'reviewed') === 2, log);
    const same = github.asked.filter(({ status }) => status === 304);
    expect(paths(same)).toEqual(expect.arrayContaining(['GET pulls/1', 'GET pulls/1/files']));
    expect(github.asked.filter(({ path }) => path.includes('/git/'))).toEqual([]);
  });
});

describe('many findings', () => {
  it('250: capped comments, annotations in batches of 50, and a notice', async () => {
    const app = await start();
    const pull = github.open(1, github.defaultBranch, manyWrong(250));
    await send(app, 'opened');
    await until(() => isDone(pull.head), log, 150_000);
    const [run] = github.runs;
    expect(run?.output.title).toBe('250 errors');
    expect(run?.annotations).toHaveLength(250);
    expect(new Set(run?.annotations.map((a) => a.start_line)).size).toBe(250);
    expect(
      github.asked.filter(({ method, path }) => method === 'PATCH' && path.includes('/check-runs/')),
    ).toHaveLength(5);
    expect(github.comments).toHaveLength(30);
    expect(github.reviews).toHaveLength(1);
    expect(github.reviews[0]?.body).toContain('Without a comment of their own, since there are many');
    expect(run?.output.text).toMatch(/\d+ more are left out: this text is full/);
  });
});

describe('.github/shootdown.yml', () => {
  const withConfig = (text: string): string => {
    github.defaultBranch = github.objects.commit({ ...kernel, '.github/shootdown.yml': text });
    return text;
  };

  it('of the base branch decides, that of the pull request does not', async () => {
    const app = await start();
    const config = withConfig('fail-on: error\n');
    const pull = github.open(1, github.defaultBranch, {
      ...wrong,
      '.github/shootdown.yml': `${config}paths: ["nothing/"]\n`,
    });
    await send(app, 'opened');
    expect((await done(pull.head)).conclusion).toBe('failure');
    expect(github.comments).toHaveLength(1);
  });

  it('chooses machines and paths', async () => {
    const app = await start();
    const config = withConfig('machines: [x86-64]\npaths: ["mm/**", "arch/**", "!arch/arm64/"]\n');
    const files = { ...removeWrong(wrong), '.github/shootdown.yml': config };
    const pull = github.open(1, github.defaultBranch, files);
    await send(app, 'opened');
    // Clean on x86-64; the other file is left out.
    expect(await done(pull.head)).toMatchObject({
      conclusion: 'success',
      output: { title: 'Nothing found' },
    });
  });

  it('silences what it names, with its reason in the check run, until its last day', async () => {
    const app = await start();
    const entry = (expires: string): string =>
      `suppressions:\n  - hazard: flush-without-ipi\n    function: collapse_free_table\n    reason: walkers hold the lock\n    expires: ${expires}\n`;
    const live = withConfig(entry('2999-12-31'));
    const pull = github.open(1, github.defaultBranch, { ...wrong, '.github/shootdown.yml': live });
    await send(app, 'opened');
    const run = await done(pull.head);
    expect(run).toMatchObject({ conclusion: 'success', output: { title: 'Nothing found' } });
    expect(run.output.summary).toContain('silenced: walkers hold the lock');
    expect(github.comments).toEqual([]);

    const ended = withConfig(entry('2020-01-01'));
    const next = github.open(2, github.defaultBranch, { ...wrong, '.github/shootdown.yml': ended });
    await send(app, 'opened', 2);
    const second = await done(next.head);
    expect(second.output.title).toBe('1 error');
    expect(second.output.summary).toContain('ended on 2020-01-01');
  });

  it('with an error is told of with line and column, and nothing is reviewed', async () => {
    const app = await start();
    const config = withConfig('machines:\n  - x86-64\n  - pdp11\n');
    const pull = github.open(1, github.defaultBranch, { ...wrong, '.github/shootdown.yml': config });
    await send(app, 'opened');
    const run = await done(pull.head);
    expect(run.conclusion).toBe('action_required');
    expect(run.output.summary).toContain('line 3, column 5: no machine `pdp11`');
    expect(run.annotations).toMatchObject([
      { path: '.github/shootdown.yml', start_line: 3, start_column: 5 },
    ]);
    expect(github.comments).toEqual([]);
  });
});

describe('delivery', () => {
  it('refuses a wrong signature and queues nothing', async () => {
    const app = await start();
    github.open(1, github.defaultBranch, wrong);
    github.asked.length = 0;
    const status = await github.deliver(
      app.url,
      'pull_request',
      github.payload('opened', 1),
      'x',
      'wrong secret',
    );
    expect(status).toBe(401);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(github.asked.filter(({ path }) => path.includes('pulls/1'))).toEqual([]);
  });

  it('ten times the same at once gives one review', async () => {
    const app = await start();
    github.open(1, github.defaultBranch, wrong);
    const answers = await Promise.all(Array.from({ length: 10 }, () => send(app, 'opened', 1, 'guid-1')));
    expect(answers).toEqual(Array.from({ length: 10 }, () => 202));
    await until(() => ended(app, 'reviewed') === 1, log);
    await send(app, 'opened', 1, 'guid-1');
    await until(() => ended(app, 'finished before') === 1, log);
    expect([github.reviews.length, github.comments.length, github.runs.length]).toEqual([1, 1, 1]);
  });

  it('that failed is asked for again', async () => {
    const first = await startOwn();
    const run = await reviewed(first, wrong);
    await first.stop();
    // Nobody listens: a request for another review gets lost.
    expect(await github.deliver(first.url, 'check_run', github.rerequest(run), 'guid-lost')).toBe(0);
    await startOwn();
    await until(() => github.runs.filter((r) => r.status === 'completed').length === 2, log);
    expect(github.deliveries.filter((d) => d.guid === 'guid-lost').map((d) => d.status)).toEqual([0, 202]);
    expect(github.reviews).toHaveLength(1);
  });
});

describe('a crash', () => {
  const stages: readonly [string, (asked: Asked) => boolean][] = [
    ['after the check run was made', ({ method, path }) => method === 'POST' && path.endsWith('/check-runs')],
    ['while files are read', ({ path }) => path.includes('/git/blobs/')],
    ['after the review was posted', ({ method, path }) => method === 'POST' && path.endsWith('/reviews')],
  ];
  it.each(stages)('%s: the next start finishes it, with exactly one review', async (_name, isReached) => {
    const first = await startOwn();
    const pull = github.open(1, github.defaultBranch, wrong);
    github.freezeAfter = isReached;
    await send(first, 'opened');
    await until(() => github.isFrozen, log);
    await first.kill();
    github.freezeAfter = () => false;
    github.isFrozen = false;
    expect(isDone(pull.head)).toBe(false);
    await startOwn();
    const run = await done(pull.head);
    expect(run.annotations).toHaveLength(1);
    expect([github.reviews.length, github.comments.length, github.runs.length]).toEqual([1, 1, 1]);
  });

  it('between two batches of annotations repeats none', async () => {
    const first = await startOwn();
    const pull = github.open(1, github.defaultBranch, manyWrong(60));
    github.freezeAfter = ({ method, path }) => method === 'PATCH' && path.includes('/check-runs/');
    await send(first, 'opened');
    await until(() => github.isFrozen, log);
    await first.kill();
    expect(github.runs[0]?.annotations).toHaveLength(50);
    github.freezeAfter = () => false;
    github.isFrozen = false;
    await startOwn();
    await until(() => isDone(pull.head), log);
    expect(github.runs).toHaveLength(1);
    expect(new Set(github.runs[0]?.annotations.map((a) => a.start_line)).size).toBe(60);
    expect(github.runs[0]?.annotations).toHaveLength(60);
    expect(github.comments).toHaveLength(30);
  });
});

describe('stopping', () => {
  it('finishes what runs', async () => {
    const app = await startOwn();
    const pull = github.open(1, github.defaultBranch, wrong);
    github.freezeAfter = ({ method, path }) => method === 'POST' && path.endsWith('/check-runs');
    await send(app, 'opened');
    await until(() => github.isFrozen, log);
    const stopped = app.stop();
    github.freezeAfter = () => false;
    github.isFrozen = false;
    expect(await stopped).toBe(0);
    expect(isDone(pull.head)).toBe(true);
  });

  it('gives back what cannot be finished in time; the next start does it', async () => {
    const app = await startOwn({ SHOOTDOWN_GRACE_SECONDS: '0' });
    const pull = github.open(1, github.defaultBranch, wrong);
    github.freezeAfter = ({ path }) => path.includes('/git/blobs/');
    await send(app, 'opened');
    await until(() => github.isFrozen, log);
    expect(await app.stop()).toBe(0);
    expect(isDone(pull.head)).toBe(false);
    github.freezeAfter = () => false;
    github.isFrozen = false;
    await startOwn();
    await done(pull.head);
    expect(github.reviews).toHaveLength(1);
  });
});

describe('operation', () => {
  it('tells of its health and its figures', async () => {
    const app = await startOwn();
    await reviewed(app, wrong);
    expect((await fetch(`${app.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${app.url}/readyz`)).status).toBe(200);
    const text = await (await fetch(`${app.url}/metrics`)).text();
    expect(text).toContain('shootdown_webhooks_total{event="pull_request",outcome="queued"} 1');
    expect(text).toContain('shootdown_findings_total{hazard="flush-without-ipi"} 1');
    expect(text).toContain('shootdown_queue_jobs{state="active"} 0');
    expect((await fetch(`${app.url}/other`)).status).toBe(404);
  });

  it('writes no secret to its log, whatever the level', async () => {
    const app = await startOwn({ LOG_LEVEL: 'trace', SHOOTDOWN_RETRY_SECONDS: '0.01' });
    github.refuse = (method, path) =>
      method === 'POST' && path.endsWith('/reviews') ? { status: 500 } : null;
    const pull = github.open(1, github.defaultBranch, wrong);
    await send(app, 'opened');
    await done(pull.head);
    expect(app.output.length).toBeGreaterThan(20);
    for (const secret of [SECRET, TOKEN, KEY.split('\n')[1] ?? '']) expect(log()).not.toContain(secret);
  });
});
