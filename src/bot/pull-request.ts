/** What the app needs to know of a pull request, read in as few requests as possible. */
import type { Repository } from './api-tree.js';
import { type DiffHunk, readHunks } from './diff-lines.js';
import type { Requests } from './github-client.js';
import { statusOf } from './github-error.js';

export interface PullRequest {
  readonly number: number;
  readonly title: string;
  readonly isOpen: boolean;
  readonly isDraft: boolean;
  readonly head: string;
  readonly base: string;
  readonly baseRef: string;
  readonly cloneUrl: string;
  readonly changedFiles: number;
  readonly changedLines: number;
}

export interface ChangedFile {
  readonly path: string;
  readonly oldPath: string;
  readonly isDeleted: boolean;
  /** Null where GitHub leaves the patch out: too large, or no text. */
  readonly hunks: readonly DiffHunk[] | null;
}

/** Beyond these GitHub's diff of a pull request is cut or refused. */
const MOST_FILES = 300;
const MOST_LINES = 20_000;
const MOST_PAGES = 30;
const PAGE = 100;

export async function readPull(
  octokit: Requests,
  repository: Repository,
  number: number,
): Promise<PullRequest> {
  const { data } = await octokit.request('GET /repos/{owner}/{repo}/pulls/{pull_number}', {
    ...repository,
    pull_number: number,
  });
  return {
    number,
    title: data.title,
    isOpen: data.state === 'open',
    isDraft: data.draft === true,
    head: data.head.sha,
    base: data.base.sha,
    baseRef: data.base.ref,
    cloneUrl: data.base.repo.clone_url,
    changedFiles: data.changed_files,
    changedLines: data.additions + data.deletions,
  };
}

/** The files of a pull request's diff; null where the API says that there are too many, and git has to tell. */
export async function readFiles(
  octokit: Requests,
  repository: Repository,
  pull: PullRequest,
): Promise<readonly ChangedFile[] | null> {
  if (pull.changedFiles > MOST_PAGES * PAGE) return null;
  const files: ChangedFile[] = [];
  try {
    for (let page = 1; page <= MOST_PAGES; page++) {
      const { data } = await octokit.request('GET /repos/{owner}/{repo}/pulls/{pull_number}/files', {
        ...repository,
        pull_number: pull.number,
        per_page: PAGE,
        page,
      });
      for (const file of data) {
        const isMoved = file.status === 'renamed' || file.status === 'copied';
        files.push({
          path: file.filename,
          oldPath: isMoved ? (file.previous_filename ?? file.filename) : file.filename,
          isDeleted: file.status === 'removed',
          // A pure rename has no patch, and nothing to review.
          hunks: file.patch === undefined ? (file.changes === 0 ? [] : null) : readHunks(file.patch),
        });
      }
      if (data.length < PAGE) break;
    }
  } catch (error) {
    const status = statusOf(error);
    if (status === 406 || status === 422) return null;
    throw error;
  }
  return files;
}

/** Does the API's diff leave out something of these files? */
export function isTooLarge(pull: PullRequest, relevant: readonly ChangedFile[]): boolean {
  return (
    pull.changedFiles > MOST_FILES ||
    pull.changedLines > MOST_LINES ||
    relevant.some((file) => file.hunks === null)
  );
}

/** The commit that the diff of a pull request starts from. */
export async function readMergeBase(
  octokit: Requests,
  repository: Repository,
  pull: PullRequest,
): Promise<string> {
  const { data } = await octokit.request('GET /repos/{owner}/{repo}/compare/{basehead}', {
    ...repository,
    basehead: `${pull.base}...${pull.head}`,
    per_page: 1,
  });
  return data.merge_base_commit.sha;
}

/** Numbers of open pull requests whose head is this commit. */
export async function pullsWithHead(
  octokit: Requests,
  repository: Repository,
  head: string,
): Promise<readonly number[]> {
  const { data } = await octokit.request('GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls', {
    ...repository,
    commit_sha: head,
    per_page: PAGE,
  });
  return data.filter((pull) => pull.state === 'open' && pull.head.sha === head).map((pull) => pull.number);
}
