/** Carries out a plan: one review, edits in place, threads resolved. What GitHub refuses costs no other comment. */
import { z } from 'zod';
import type { Repository } from './api-tree.js';
import type { Octokit } from './github-client.js';
import { statusOf } from './github-error.js';
import { readMarker } from './marker.js';
import type { NewComment, Plan, There, ThereComment, ThereReview } from './plan-comments.js';

export interface Target extends Repository {
  readonly pull: number;
  readonly head: string;
}

const PAGE = 100;
const MOST_PAGES = 30;

/** Comments and reviews of the pull request. @param login the app's own user */
export async function readThere(octokit: Octokit, target: Target, login: string): Promise<There> {
  const place = { owner: target.owner, repo: target.repo, pull_number: target.pull, per_page: PAGE };
  const comments: ThereComment[] = [];
  for (let page = 1; page <= MOST_PAGES; page++) {
    const { data } = await octokit.request('GET /repos/{owner}/{repo}/pulls/{pull_number}/comments', {
      ...place,
      page,
    });
    for (const comment of data) {
      comments.push({
        id: Number(comment.id),
        node: comment.node_id,
        body: comment.body,
        isOurs: comment.user?.login === login,
        line: comment.line ?? null,
        replyTo: comment.in_reply_to_id ?? null,
      });
    }
    if (data.length < PAGE) break;
  }
  const reviews: ThereReview[] = [];
  for (let page = 1; page <= MOST_PAGES; page++) {
    const { data } = await octokit.request('GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews', {
      ...place,
      page,
    });
    for (const review of data)
      if (review.user?.login === login && review.state !== 'PENDING')
        reviews.push({ id: Number(review.id), body: review.body });
    if (data.length < PAGE) break;
  }
  return { comments, reviews };
}

/** GitHub refused the places of these comments. The rest of the plan was not carried out: plan again without them. */
export class RefusedCommentsError extends Error {
  constructor(readonly keys: readonly string[]) {
    super(`GitHub refused ${keys.length} places for comments`);
    this.name = 'RefusedCommentsError';
  }
}

/** Throws RefusedCommentsError before anything is posted. */
export async function carryOut(octokit: Octokit, target: Target, plan: Plan, login: string): Promise<void> {
  const place = { owner: target.owner, repo: target.repo };
  const { review, text, isChanged } = plan.body;
  const isFirst = review === null && isChanged;
  if (plan.create.length > 0 || isFirst) {
    try {
      await postReview(octokit, target, plan.create, isFirst ? text : null, true);
    } catch (error) {
      if (statusOf(error) !== 422 || plan.create.length === 0) throw error;
      const refused = await findRefused(octokit, target, plan.create, login);
      if (refused.length === 0) throw error;
      throw new RefusedCommentsError(refused.map(({ body }) => readMarker(body)?.key ?? ''));
    }
  }
  if (review !== null && isChanged) {
    await octokit.request('PUT /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}', {
      ...place,
      pull_number: target.pull,
      review_id: review,
      body: text,
    });
  }
  // Threads come before the texts that record their state, so that a crash between the two repeats the harmless half.
  await setResolved(octokit, target, plan);
  for (const { id, body } of plan.edit) {
    await unlessGone(
      octokit.request('PATCH /repos/{owner}/{repo}/pulls/comments/{comment_id}', {
        ...place,
        comment_id: id,
        body,
      }),
    );
  }
  for (const id of plan.remove) {
    await unlessGone(
      octokit.request('DELETE /repos/{owner}/{repo}/pulls/comments/{comment_id}', {
        ...place,
        comment_id: id,
      }),
    );
  }
}

/** Somebody deleted the comment in the meantime: that is their decision. */
async function unlessGone(request: Promise<unknown>): Promise<void> {
  await request.catch((error) => {
    if (statusOf(error) !== 404) throw error;
  });
}

/** @param isFinal false leaves it pending: nobody sees it */
async function postReview(
  octokit: Octokit,
  target: Target,
  comments: readonly NewComment[],
  text: string | null,
  isFinal: boolean,
): Promise<number> {
  const { data } = await octokit.request('POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews', {
    owner: target.owner,
    repo: target.repo,
    pull_number: target.pull,
    commit_id: target.head,
    ...(isFinal ? { event: 'COMMENT' as const } : {}),
    ...(text === null ? {} : { body: text }),
    comments: comments.map((comment) => ({
      path: comment.path,
      line: comment.line,
      side: comment.side,
      ...(comment.startLine === null ? {} : { start_line: comment.startLine, start_side: comment.side }),
      body: comment.body,
    })),
  });
  return Number(data.id);
}

/**
 * GitHub does not say which comment it refuses. Pending reviews, which nobody sees and which are deleted at once, tell
 * by halves.
 */
async function findRefused(
  octokit: Octokit,
  target: Target,
  comments: readonly NewComment[],
  login: string,
): Promise<readonly NewComment[]> {
  await dropPending(octokit, target, login);
  const probe = async (part: readonly NewComment[], isKnownBad: boolean): Promise<readonly NewComment[]> => {
    if (part.length === 0) return [];
    if (!isKnownBad) {
      try {
        const id = await postReview(octokit, target, part, null, false);
        await deletePending(octokit, target, id);
        return [];
      } catch (error) {
        if (statusOf(error) !== 422) throw error;
      }
    }
    if (part.length === 1) return part;
    const middle = Math.ceil(part.length / 2);
    const first = await probe(part.slice(0, middle), false);
    // Where the first half is clean, the second is known to hold what was refused.
    const second = await probe(part.slice(middle), first.length === 0);
    return [...first, ...second];
  };
  // A single comment may be refused for another reason than its place, so it is asked for again.
  return probe(comments, comments.length > 1);
}

/** A crash may have left one, and there can be only one. */
async function dropPending(octokit: Octokit, target: Target, login: string): Promise<void> {
  const { data } = await octokit.request('GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews', {
    owner: target.owner,
    repo: target.repo,
    pull_number: target.pull,
    per_page: PAGE,
  });
  for (const review of data)
    if (review.state === 'PENDING' && review.user?.login === login)
      await deletePending(octokit, target, Number(review.id));
}

async function deletePending(octokit: Octokit, target: Target, id: number): Promise<void> {
  await octokit.request('DELETE /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}', {
    owner: target.owner,
    repo: target.repo,
    pull_number: target.pull,
    review_id: id,
  });
}

const threadsAnswer = z.object({
  repository: z.object({
    pullRequest: z.object({
      reviewThreads: z.object({
        pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
        nodes: z.array(
          z.object({
            id: z.string(),
            isResolved: z.boolean(),
            comments: z.object({
              nodes: z.array(z.object({ id: z.string() })),
            }),
          }),
        ),
      }),
    }),
  }),
});

const THREADS = `query ($owner: String!, $repo: String!, $pull: Int!, $after: String) {
  repository(owner: $owner, name: $repo) {
    pullRequest(number: $pull) {
      reviewThreads(first: 100, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes { id isResolved comments(first: 1) { nodes { id } } }
      }
    }
  }
}`;
const RESOLVE = 'mutation ($id: ID!) { resolveReviewThread(input: { threadId: $id }) { thread { id } } }';
const REOPEN = 'mutation ($id: ID!) { unresolveReviewThread(input: { threadId: $id }) { thread { id } } }';
const FOLD =
  'mutation ($id: ID!) { minimizeComment(input: { subjectId: $id, classifier: RESOLVED }) { minimizedComment { isMinimized } } }';
const UNFOLD =
  'mutation ($id: ID!) { unminimizeComment(input: { subjectId: $id }) { unminimizedComment { isMinimized } } }';

/** Resolving wants more rights than an app that reads contents may have; then the comment is folded away instead. */
async function setResolved(octokit: Octokit, target: Target, plan: Plan): Promise<void> {
  const wanted = new Map([
    ...plan.resolve.map((node) => [node, true] as const),
    ...plan.reopen.map((node) => [node, false] as const),
  ]);
  let after: string | null = null;
  while (wanted.size > 0) {
    const answer: unknown = await octokit.graphql(THREADS, {
      owner: target.owner,
      repo: target.repo,
      pull: target.pull,
      after,
    });
    const { pageInfo, nodes } = threadsAnswer.parse(answer).repository.pullRequest.reviewThreads;
    for (const thread of nodes) {
      const [first] = thread.comments.nodes;
      const isWanted = first === undefined ? undefined : wanted.get(first.id);
      if (first === undefined || isWanted === undefined) continue;
      wanted.delete(first.id);
      if (thread.isResolved === isWanted) continue;
      try {
        await octokit.graphql(isWanted ? RESOLVE : REOPEN, { id: thread.id });
      } catch (error) {
        if (!isRefusedByGraphql(error)) throw error;
        await octokit.graphql(isWanted ? FOLD : UNFOLD, { id: first.id }).catch((second) => {
          if (!isRefusedByGraphql(second)) throw second;
        });
      }
    }
    if (!pageInfo.hasNextPage) return;
    after = pageInfo.endCursor;
  }
}

function isRefusedByGraphql(error: unknown): boolean {
  return error instanceof Error && error.name === 'GraphqlResponseError';
}
