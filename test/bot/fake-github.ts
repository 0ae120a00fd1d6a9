/**
 * GitHub as the app sees it: an HTTP server with the endpoints that the app uses, the checks on input that the real
 * one makes, and a log of every request. Nothing is mocked on the app's side.
 */
import { spawn } from 'node:child_process';
import { createHash, createHmac, generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { structuredPatch } from 'diff';
import { type Files, GitObjects } from './git-objects.js';

export const SECRET = 'a secret of the tests';
const SLUG = 'shootdown-test';
export const LOGIN = `${SLUG}[bot]`;
const INSTALLATION = 4711;
export const TOKEN = 'ghs_tokenOfTheTests';
export const { privateKey: KEY } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
});

export interface FakePull {
  readonly number: number;
  readonly title: string;
  base: string;
  head: string;
  draft: boolean;
  state: 'open' | 'closed';
  /** Owner of the repository that the head is in. */
  readonly headOwner: string;
}

export interface FakeRun {
  readonly id: number;
  readonly head_sha: string;
  readonly external_id: string;
  readonly name: string;
  status: string;
  conclusion: string | null;
  output: { title: string | null; summary: string | null; text: string | null };
  annotations: { readonly path: string; readonly start_line: number; readonly message: string }[];
}

export interface FakeComment {
  readonly id: number;
  readonly pull: number;
  readonly review: number;
  body: string;
  readonly user: string;
  readonly path: string;
  /** Null once its line is gone from the diff. */
  line: number | null;
  readonly side: string;
  readonly startLine: number | null;
  readonly replyTo: number | null;
  isResolved: boolean;
}

export interface FakeReview {
  readonly id: number;
  readonly pull: number;
  body: string;
  readonly user: string;
  state: 'COMMENTED' | 'PENDING';
}

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly at: number;
}

export interface Refusal {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface Delivery {
  readonly id: number;
  readonly guid: string;
  readonly name: string;
  readonly payload: string;
  readonly status: number;
  readonly at: number;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const ok = (body: unknown): Answer => ({ status: 200, body });
const unprocessable = (message: string): Answer => ({ status: 422, body: { message } });
const missing: Answer = { status: 404, body: { message: 'Not Found' } };

export class FakeGitHub {
  readonly owner = 'kernel-people';
  readonly repo = 'linux';
  readonly objects = new GitObjects();
  readonly pulls = new Map<number, FakePull>();
  runs: FakeRun[] = [];
  comments: FakeComment[] = [];
  reviews: FakeReview[] = [];
  readonly asked: Asked[] = [];
  readonly deliveries: Delivery[] = [];
  /** Called for each request; what it gives is sent instead of the real answer. */
  refuse: (method: string, path: string, body: unknown) => Refusal | null = () => null;
  /** After a request for which this holds no other is answered, until `isFrozen` is taken back. */
  freezeAfter: (asked: Asked) => boolean = () => false;
  isFrozen = false;
  /** Milliseconds before each answer. */
  delay = 0;
  /** What resolving a thread says; apps without the right to write contents are refused. */
  mayResolve = true;
  folded = new Set<string>();
  defaultBranch = '';
  #ids = 1000;
  #server: Server | null = null;
  #git: string | null = null;
  url = '';

  async start(): Promise<void> {
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch((error) => {
        response.writeHead(599).end(String(error));
      });
    });
    await new Promise<void>((resolve) => this.#server?.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
    if (this.#git !== null) rmSync(this.#git, { recursive: true, force: true });
  }

  /** Forgets everything but its git objects. */
  reset(): void {
    this.pulls.clear();
    this.runs = [];
    this.comments = [];
    this.reviews = [];
    this.asked.length = 0;
    this.deliveries.length = 0;
    this.refuse = () => null;
    this.delay = 0;
    this.freezeAfter = () => false;
    this.isFrozen = false;
    this.mayResolve = true;
    this.folded = new Set();
    this.leavesOutPatches = false;
    if (this.#git !== null) rmSync(this.#git, { recursive: true, force: true });
    this.#git = null;
  }

  /** Opens a pull request from `base` to a new commit with `files`. */
  open(number: number, base: string, files: Files, more: Partial<FakePull> = {}): FakePull {
    const pull: FakePull = {
      number,
      title: `mm: change ${number}`,
      base,
      head: this.objects.commit(files, [base]),
      draft: false,
      state: 'open',
      headOwner: this.owner,
      ...more,
    };
    this.pulls.set(number, pull);
    return pull;
  }

  /** Pushes a commit; comments whose line is no longer in the diff lose their place, the others move with it. */
  push(number: number, files: Files, base?: string): void {
    const pull = this.pull(number);
    const before = this.objects.commits.get(pull.head)?.files ?? {};
    if (base !== undefined) pull.base = base;
    pull.head = this.objects.commit(files, [base ?? pull.head]);
    for (const comment of this.comments.filter((c) => c.pull === number && c.line !== null)) {
      const text = before[comment.path]?.split('\n')[(comment.line ?? 0) - 1];
      const now = (files[comment.path] ?? '').split('\n');
      const at = text === undefined ? -1 : now.indexOf(text);
      comment.line = at >= 0 && this.isInDiff(pull, comment.path, at + 1, 'RIGHT') ? at + 1 : null;
    }
  }

  pull(number: number): FakePull {
    const pull = this.pulls.get(number);
    if (pull === undefined) throw new Error(`no pull request ${number}`);
    return pull;
  }

  reply(to: FakeComment, body: string, user = 'ada'): void {
    this.comments.push({ ...to, id: this.#ids++, body, user, replyTo: to.id });
  }

  /** Requests that change something, without those that fetch tokens or only ask. */
  writes(): readonly Asked[] {
    return this.asked.filter(
      ({ method, path, status }) =>
        method !== 'GET' && status < 300 && !path.endsWith('/access_tokens') && path !== '/graphql?query',
    );
  }

  // Webhooks

  /** A payload in the shape that GitHub sends, made to be about a pull request of this server. */
  payload(action: string, number: number, more: object = {}): string {
    const pull = this.pull(number);
    const example = examplePayload('pull_request', action === 'ready_for_review' ? action : 'opened');
    const pullRequest = example.pull_request as Record<string, unknown>;
    return JSON.stringify({
      ...example,
      ...more,
      action,
      number,
      installation: { id: INSTALLATION, node_id: 'MDIz' },
      repository: this.#repository(example.repository as object),
      pull_request: {
        ...pullRequest,
        number,
        state: pull.state,
        draft: pull.draft,
        title: pull.title,
        head: { ...(pullRequest.head as object), sha: pull.head },
        base: { ...(pullRequest.base as object), sha: pull.base },
      },
    });
  }

  rerequest(run: FakeRun): string {
    const example = examplePayload('check_run', 'rerequested');
    return JSON.stringify({
      ...example,
      action: 'rerequested',
      installation: { id: INSTALLATION, node_id: 'MDIz' },
      repository: this.#repository(example.repository as object),
      check_run: {
        ...(example.check_run as object),
        id: run.id,
        head_sha: run.head_sha,
        external_id: run.external_id,
        pull_requests: [],
      },
    });
  }

  /** Sends a delivery as GitHub does and gives the status of the answer. */
  async deliver(
    app: string,
    name: string,
    payload: string,
    guid: string = randomUUID(),
    secret = SECRET,
  ): Promise<number> {
    const signature = `sha256=${createHmac('sha256', secret).update(payload).digest('hex')}`;
    const status = await fetch(`${app}/api/github/webhooks`, {
      method: 'POST',
      body: payload,
      headers: {
        'content-type': 'application/json',
        'x-github-event': name,
        'x-github-delivery': guid,
        'x-hub-signature-256': signature,
      },
    }).then(
      async (answer) => {
        await answer.text();
        return answer.status;
      },
      () => 0,
    );
    this.deliveries.push({ id: this.#ids++, guid, name, payload, status, at: Date.now() });
    return status;
  }

  /** Where redeliveries go. */
  appUrl = '';

  #repository(example: object): object {
    return {
      ...example,
      name: this.repo,
      owner: { ...(example as { owner: object }).owner, login: this.owner },
    };
  }

  // Server

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
    const bytes = Buffer.concat(pieces);
    const url = new URL(request.url ?? '/', this.url);
    if (url.pathname.startsWith(`/${this.owner}/${this.repo}.git/`))
      return this.#serveGit(request, response, url, bytes);
    const body: unknown = bytes.length === 0 ? null : JSON.parse(bytes.toString('utf8'));
    const method = request.method ?? 'GET';
    const isQuery =
      url.pathname === '/graphql' &&
      !String((body as { query?: string }).query)
        .trimStart()
        .startsWith('mutation');
    const path = isQuery ? '/graphql?query' : url.pathname;
    if (this.delay > 0) await sleep(this.delay);
    while (this.isFrozen && !response.destroyed) await sleep(10);
    // Who asked is gone: what never arrived does nothing.
    if (response.destroyed) return;
    const isApp = url.pathname.startsWith('/app');
    const auth = request.headers.authorization ?? '';
    const isKnown = isApp ? auth.startsWith('bearer ') : auth === `token ${TOKEN}`;
    const refusal = this.refuse(method, path, body);
    const answer: Answer =
      refusal !== null
        ? { body: { message: 'refused' }, ...refusal }
        : isKnown
          ? this.#answer(method, decodeURIComponent(url.pathname), url.searchParams, body)
          : { status: 401, body: { message: 'Bad credentials' } };
    const text = answer.status === 204 ? '' : JSON.stringify(answer.body);
    const etag = `"${createHash('sha1').update(text).digest('hex')}"`;
    const isSame = method === 'GET' && answer.status === 200 && request.headers['if-none-match'] === etag;
    const status = isSame ? 304 : answer.status;
    const asked = { method, path, status, at: Date.now() };
    this.asked.push(asked);
    if (this.freezeAfter(asked)) this.isFrozen = true;
    response.writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      ...(answer.status === 200 && method === 'GET' ? { etag } : {}),
      ...answer.headers,
    });
    response.end(isSame ? '' : text);
  }

  #answer(method: string, path: string, query: URLSearchParams, body: unknown): Answer {
    const at = (pattern: RegExp): RegExpExecArray | null => pattern.exec(path);
    const input = (body ?? {}) as Record<string, unknown>;
    if (path === '/app') return ok({ id: 1, slug: SLUG });
    if (path === '/app/installations') return ok([{ id: INSTALLATION, suspended_at: null }]);
    if (path === `/app/installations/${INSTALLATION}/access_tokens`)
      return {
        status: 201,
        body: { token: TOKEN, expires_at: new Date(Date.now() + 3_600_000).toISOString(), permissions: {} },
      };
    if (path === '/app/hook/deliveries')
      return ok(
        [...this.deliveries].reverse().map((d) => ({
          id: d.id,
          guid: d.guid,
          delivered_at: new Date(d.at).toISOString(),
          status_code: d.status,
          status: d.status < 300 ? 'OK' : 'failed',
          event: d.name,
        })),
      );
    const attempt = at(/^\/app\/hook\/deliveries\/(\d+)\/attempts$/);
    if (attempt !== null) {
      const known = this.deliveries.find((d) => d.id === Number(attempt[1]));
      if (known === undefined) return missing;
      void this.deliver(this.appUrl, known.name, known.payload, known.guid);
      return { status: 202, body: {} };
    }
    if (path === '/installation/repositories')
      return ok({ total_count: 1, repositories: [{ name: this.repo, owner: { login: this.owner } }] });
    if (path === '/graphql') return this.#graphql(input);
    const prefix = `/repos/${this.owner}/${this.repo}/`;
    if (!path.startsWith(prefix)) return missing;
    return this.#repositoryAnswer(method, path.slice(prefix.length), query, input);
  }

  #repositoryAnswer(
    method: string,
    path: string,
    query: URLSearchParams,
    input: Record<string, unknown>,
  ): Answer {
    const route = (pattern: RegExp): readonly string[] | null => pattern.exec(path)?.slice(1) ?? null;
    let found = route(/^git\/commits\/([0-9a-f]+)$/);
    if (found !== null) {
      const commit = this.objects.commits.get(found[0] ?? '');
      return commit === undefined ? missing : ok({ sha: commit.sha, tree: { sha: commit.tree } });
    }
    found = route(/^git\/trees\/([0-9a-f]+)$/);
    if (found !== null) {
      const tree = this.objects.trees.get(found[0] ?? '');
      return tree === undefined ? missing : ok({ sha: found[0], tree, truncated: false });
    }
    found = route(/^git\/blobs\/([0-9a-f]+)$/);
    if (found !== null) {
      const text = this.objects.blobs.get(found[0] ?? '');
      if (text === undefined) return missing;
      return ok({
        sha: found[0],
        encoding: 'base64',
        content: Buffer.from(text).toString('base64'),
        size: text.length,
      });
    }
    found = route(/^contents\/(.+)$/);
    if (found !== null) {
      const ref = query.get('ref') ?? '';
      const commit = this.objects.commits.get(ref === 'master' ? this.defaultBranch : ref);
      const text = commit?.files[found[0] ?? ''];
      if (text === undefined) return missing;
      return ok({ type: 'file', encoding: 'base64', content: Buffer.from(text).toString('base64') });
    }
    found = route(/^compare\/([0-9a-f]+)\.\.\.([0-9a-f]+)$/);
    if (found !== null) {
      const sha = this.objects.mergeBase(found[0] ?? '', found[1] ?? '');
      return sha === null ? missing : ok({ merge_base_commit: { sha }, files: [], commits: [] });
    }
    found = route(/^commits\/([0-9a-f]+)\/check-runs$/);
    if (found !== null) {
      const runs = this.runs.filter((run) => run.head_sha === found?.[0]).map(asRun);
      return ok({ total_count: runs.length, check_runs: page(runs, query) });
    }
    found = route(/^commits\/([0-9a-f]+)\/pulls$/);
    if (found !== null)
      return ok([...this.pulls.values()].filter((p) => p.head === found?.[0]).map((p) => this.#pull(p)));
    if (path === 'check-runs' && method === 'POST') return this.#createRun(input);
    found = route(/^check-runs\/(\d+)$/);
    if (found !== null && method === 'PATCH') return this.#updateRun(Number(found[0]), input);
    found = route(/^pulls\/comments\/(\d+)$/);
    if (found !== null) return this.#changeComment(method, Number(found[0]), input);
    if (path === 'pulls')
      return ok(
        page(
          [...this.pulls.values()].filter((p) => p.state === 'open').map((p) => this.#pull(p)),
          query,
        ),
      );
    found = route(/^pulls\/(\d+)(?:\/(files|comments|reviews)(?:\/(\d+))?)?$/);
    const pull = this.pulls.get(Number(found?.[0] ?? 0));
    if (found === null || pull === undefined) return missing;
    switch (found[1]) {
      case 'files':
        return ok(page(this.files(pull), query));
      case 'comments':
        return ok(
          page(
            this.comments.filter((c) => c.pull === pull.number && !this.#isPending(c)).map(asComment),
            query,
          ),
        );
      case 'reviews':
        return this.#reviewsAnswer(method, pull, Number(found[2] ?? 0), query, input);
      default:
        return ok(this.#pull(pull));
    }
  }

  #pull(pull: FakePull): object {
    const files = this.files(pull);
    return {
      number: pull.number,
      title: pull.title,
      state: pull.state,
      draft: pull.draft,
      head: {
        sha: pull.head,
        ref: 'topic',
        repo: {
          name: this.repo,
          owner: { login: pull.headOwner },
          clone_url: `${this.url}/${pull.headOwner}/x.git`,
        },
      },
      base: {
        sha: pull.base,
        ref: 'master',
        repo: {
          name: this.repo,
          owner: { login: this.owner },
          clone_url: `${this.url}/${this.owner}/${this.repo}.git`,
        },
      },
      changed_files: files.length,
      additions: files.reduce((sum, f) => sum + f.additions, 0),
      deletions: files.reduce((sum, f) => sum + f.deletions, 0),
    };
  }

  /** The diff of a pull request, file by file. */
  files(pull: FakePull) {
    const base = this.objects.mergeBase(pull.base, pull.head) ?? '';
    const before = this.objects.commits.get(base)?.files ?? {};
    const after = this.objects.commits.get(pull.head)?.files ?? {};
    const paths = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return paths
      .filter((path) => before[path] !== after[path])
      .map((path) => {
        const { hunks } = structuredPatch(path, path, before[path] ?? '', after[path] ?? '', '', '', {
          context: 3,
        });
        const lines = hunks.flatMap((hunk) => hunk.lines);
        const patch = hunks
          .map((h) =>
            [`@@ -${h.oldStart},${h.oldLines} +${h.newStart},${h.newLines} @@`, ...h.lines].join('\n'),
          )
          .join('\n');
        const additions = lines.filter((line) => line.startsWith('+')).length;
        const deletions = lines.filter((line) => line.startsWith('-')).length;
        return {
          filename: path,
          status: before[path] === undefined ? 'added' : after[path] === undefined ? 'removed' : 'modified',
          additions,
          deletions,
          changes: additions + deletions,
          ...(this.leavesOutPatches ? {} : { patch }),
        };
      });
  }

  /** GitHub does so for large files. */
  leavesOutPatches = false;

  isInDiff(pull: FakePull, path: string, line: number, side: string): boolean {
    const file = this.files(pull).find((f) => f.filename === path);
    for (const hunk of (file?.patch ?? '').split(/^(?=@@ )/m)) {
      const [, from = '0', count = '0'] =
        (side === 'LEFT' ? /^@@ -(\d+),(\d+)/ : /^@@ -\d+,\d+ \+(\d+),(\d+)/).exec(hunk) ?? [];
      if (line >= Number(from) && line < Number(from) + Number(count)) return true;
    }
    return false;
  }

  #createRun(input: Record<string, unknown>): Answer {
    const run: FakeRun = {
      id: this.#ids++,
      head_sha: String(input.head_sha),
      external_id: String(input.external_id ?? ''),
      name: String(input.name),
      status: String(input.status ?? 'queued'),
      conclusion: null,
      output: { title: null, summary: null, text: null },
      annotations: [],
    };
    if (!this.objects.commits.has(run.head_sha)) return unprocessable('No commit found for SHA');
    this.runs.push(run);
    return { status: 201, body: asRun(run) };
  }

  #updateRun(id: number, input: Record<string, unknown>): Answer {
    const run = this.runs.find((r) => r.id === id);
    if (run === undefined) return missing;
    const output = (input.output ?? null) as null | {
      title: string;
      summary: string;
      text?: string;
      annotations?: FakeRun['annotations'];
    };
    if (output !== null) {
      if ((output.annotations?.length ?? 0) > 50) return unprocessable('annotations exceeds a maximum of 50');
      if (output.summary.length > 65_535 || (output.text?.length ?? 0) > 65_535)
        return unprocessable('summary or text is too long');
      run.output = { title: output.title, summary: output.summary, text: output.text ?? null };
      run.annotations.push(...(output.annotations ?? []));
    }
    if (input.status !== undefined) run.status = String(input.status);
    if (input.conclusion !== undefined) run.conclusion = String(input.conclusion);
    return ok(asRun(run));
  }

  #isPending(comment: FakeComment): boolean {
    return this.reviews.find((r) => r.id === comment.review)?.state === 'PENDING';
  }

  #reviewsAnswer(
    method: string,
    pull: FakePull,
    id: number,
    query: URLSearchParams,
    input: Record<string, unknown>,
  ): Answer {
    if (method === 'GET') {
      const mine = this.reviews.filter((r) => r.pull === pull.number);
      return ok(
        page(
          mine.map((r) => ({ ...r, user: { login: r.user } })),
          query,
        ),
      );
    }
    const known = this.reviews.find((r) => r.id === id);
    if (method === 'DELETE') {
      if (known?.state !== 'PENDING')
        return unprocessable('Can not delete a non-pending pull request review');
      this.reviews = this.reviews.filter((r) => r.id !== id);
      this.comments = this.comments.filter((c) => c.review !== id);
      return ok({});
    }
    if (method === 'PUT') {
      if (known === undefined) return missing;
      known.body = String(input.body);
      return ok({ id });
    }
    const comments = (input.comments ?? []) as {
      path: string;
      line: number;
      side: string;
      start_line?: number;
      body: string;
    }[];
    const body = String(input.body ?? '');
    if (body.length > 65_536 || comments.some((c) => c.body.length > 65_536))
      return unprocessable('Body is too long (maximum is 65536 characters)');
    if (input.commit_id !== pull.head) return unprocessable('commit_id is not part of the pull request');
    if (comments.some((c) => !this.isInDiff(pull, c.path, c.line, c.side)))
      return unprocessable('Pull request review thread line must be part of the diff');
    if (this.reviews.some((r) => r.pull === pull.number && r.state === 'PENDING'))
      return unprocessable('User can only have one pending review per pull request');
    const isPending = input.event === undefined;
    if (!isPending && body === '' && comments.length === 0) return unprocessable('Body can not be blank');
    const review: FakeReview = {
      id: this.#ids++,
      pull: pull.number,
      body,
      user: LOGIN,
      state: isPending ? 'PENDING' : 'COMMENTED',
    };
    this.reviews.push(review);
    for (const c of comments) {
      this.comments.push({
        id: this.#ids++,
        pull: pull.number,
        review: review.id,
        body: c.body,
        user: LOGIN,
        path: c.path,
        line: c.line,
        side: c.side,
        startLine: c.start_line ?? null,
        replyTo: null,
        isResolved: false,
      });
    }
    return ok({ id: review.id });
  }

  #changeComment(method: string, id: number, input: Record<string, unknown>): Answer {
    const comment = this.comments.find((c) => c.id === id);
    if (comment === undefined) return missing;
    if (method === 'DELETE') {
      this.comments = this.comments.filter((c) => c.id !== id);
      return { status: 204, body: null };
    }
    comment.body = String(input.body);
    return ok(asComment(comment));
  }

  #graphql(input: Record<string, unknown>): Answer {
    const query = String(input.query);
    const variables = input.variables as Record<string, unknown>;
    if (query.includes('reviewThreads')) {
      const nodes = this.comments
        .filter((c) => c.pull === variables.pull && c.replyTo === null)
        .map((c) => ({
          id: `T${c.id}`,
          isResolved: c.isResolved,
          comments: { nodes: [{ id: `N${c.id}` }] },
        }));
      const reviewThreads = { pageInfo: { hasNextPage: false, endCursor: null }, nodes };
      return ok({ data: { repository: { pullRequest: { reviewThreads } } } });
    }
    const id = String(variables.id);
    if (query.includes('esolveReviewThread')) {
      if (!this.mayResolve)
        return ok({
          data: null,
          errors: [{ type: 'FORBIDDEN', message: 'Resource not accessible by integration' }],
        });
      const comment = this.comments.find((c) => `T${c.id}` === id);
      if (comment !== undefined) comment.isResolved = !query.includes('unresolve');
      return ok({ data: { resolveReviewThread: { thread: { id } } } });
    }
    if (query.includes('unminimizeComment')) this.folded.delete(id);
    else if (query.includes('minimizeComment')) this.folded.add(id);
    return ok({ data: { minimizeComment: { minimizedComment: { isMinimized: true } } } });
  }

  /** Git's own server program, over what the API shows. */
  #serveGit(request: IncomingMessage, response: ServerResponse, url: URL, body: Buffer): void {
    if (this.#git === null) {
      this.#git = mkdtempSync(join(tmpdir(), 'shootdown-git-'));
      const folder = join(this.#git, this.owner, `${this.repo}.git`);
      mkdirSync(join(folder, 'refs/heads'), { recursive: true });
      writeFileSync(join(folder, 'HEAD'), 'ref: refs/heads/master\n');
      writeFileSync(
        join(folder, 'config'),
        '[core]\n\trepositoryformatversion = 0\n\tbare = true\n[uploadpack]\n\tallowAnySHA1InWant = true\n[http]\n\treceivepack = false\n',
      );
      this.objects.write(folder);
      writeFileSync(join(folder, 'refs/heads/master'), `${this.defaultBranch}\n`);
      mkdirSync(join(folder, 'refs/pull'), { recursive: true });
      for (const pull of this.pulls.values())
        writeFileSync(join(folder, `refs/pull/${pull.number}`), `${pull.head}\n`);
    }
    const expected = `Basic ${Buffer.from(`x-access-token:${TOKEN}`).toString('base64')}`;
    if (request.headers.authorization !== expected) {
      response.writeHead(401, { 'www-authenticate': 'Basic' }).end();
      return;
    }
    this.asked.push({ method: 'GIT', path: url.pathname, status: 200, at: Date.now() });
    const program = spawn('git', ['http-backend'], {
      env: {
        PATH: process.env.PATH ?? '',
        GIT_PROJECT_ROOT: this.#git,
        GIT_HTTP_EXPORT_ALL: '1',
        PATH_INFO: url.pathname,
        QUERY_STRING: url.search.slice(1),
        REQUEST_METHOD: request.method ?? 'GET',
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        CONTENT_LENGTH: String(body.length),
        HTTP_CONTENT_ENCODING: String(request.headers['content-encoding'] ?? ''),
        GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      },
    });
    const pieces: Buffer[] = [];
    program.stdout.on('data', (piece: Buffer) => pieces.push(piece));
    program.stdin.end(body);
    program.on('close', () => {
      const all = Buffer.concat(pieces);
      const end = all.indexOf('\r\n\r\n');
      const headers: Record<string, string> = {};
      for (const line of all.toString('latin1', 0, end).split('\r\n')) {
        const [key = '', value = ''] = line.split(': ');
        headers[key.toLowerCase()] = value;
      }
      const status = Number((headers.status ?? '200').slice(0, 3));
      delete headers.status;
      response.writeHead(status, headers).end(all.subarray(end + 4));
    });
  }
}

function page<T>(items: readonly T[], query: URLSearchParams): readonly T[] {
  const size = Number(query.get('per_page') ?? 30);
  const number = Number(query.get('page') ?? 1);
  return items.slice((number - 1) * size, number * size);
}

const asRun = (run: FakeRun): object => ({
  ...run,
  output: { ...run.output, annotations_count: run.annotations.length },
});

const asComment = (comment: FakeComment): object => ({
  id: comment.id,
  node_id: `N${comment.id}`,
  body: comment.body,
  user: { login: comment.user },
  path: comment.path,
  line: comment.line,
  side: comment.side,
  start_line: comment.startLine,
  ...(comment.replyTo === null ? {} : { in_reply_to_id: comment.replyTo }),
});

interface Example {
  readonly name: string;
  readonly examples: readonly Record<string, unknown>[];
}

const examples = createRequire(import.meta.url)('@octokit/webhooks-examples') as readonly Example[];

function examplePayload(name: string, action: string): Record<string, unknown> {
  const event = examples.find((one) => one.name === name);
  const found = event?.examples.find((one) => one.action === action);
  if (found === undefined) throw new Error(`no example of ${name}.${action}`);
  return found;
}
