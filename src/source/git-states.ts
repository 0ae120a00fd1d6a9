import { parseCommitMessage } from '#patch/message-text.js';
import { parseGitDiff } from '#patch/parse-patches.js';
import { type FilePatch, type Patch, PatchError, plainPatch } from '#patch/series.js';
import { gitOutput } from './git-command.js';
import { entryKind, type GitCommit, GitObjects } from './git-objects.js';
import { GitTree, idOf, isShallow } from './git-tree.js';
import { requireKernel } from './kernel-check.js';
import { emptyTree, overlay } from './overlay-tree.js';
import { type PatchedState, SourceError, type Tree } from './snapshot.js';

/** Changes taken from git: the real trees on both sides of each, so that nothing has to be applied. */
export interface GitStates {
  readonly states: readonly PatchedState[];
  /** What was left out, and why. */
  readonly notes: readonly string[];
}

/** Commits of one range. */
const mostCommits = 5_000;
/** Commits whose diffs are in memory at the same time. */
const diffsAtOnce = 50;

/** The user's settings must not change what a diff looks like; git's plumbing takes few of them to begin with. */
const plainDiff = [
  '--no-color',
  '--no-ext-diff',
  '--no-textconv',
  '--src-prefix=a/',
  '--dst-prefix=b/',
  '--full-index',
  '--submodule=short',
  '-M',
  '-l1000',
  '-U3',
];

/**
 * The commits that `to` has and `from` has not, oldest first, each against its own (first) parent. Merges themselves are
 * left out, with a note where they change something of their own. Throws SourceError `git` and `not-a-kernel`, PatchError
 * `too-large`.
 */
export function rangeStates(dir: string, from: string, to: string): GitStates {
  const [old, now] = [commitId(dir, from), commitId(dir, to)];
  const objects = new GitObjects(dir);
  const tree = (id: string): Tree => new GitTree(objects, id);
  requireKernel(tree(objects.commit(now).tree), `${dir} at ${to}`);
  const listed = listCommits(dir, old, now);
  if (listed.length > mostCommits)
    throw new PatchError('too-large', `${from}..${to}: more than ${mostCommits} commits`);
  const commits = objects.commits(listed.map(({ id }) => id));
  const notes = mergeNotes(dir, listed, commits);
  const single = listed.flatMap((entry, index) => {
    const commit = commits[index];
    return commit === undefined || entry.parents.length > 1 ? [] : [{ ...entry, commit }];
  });
  const states: PatchedState[] = [];
  for (let at = 0; at < single.length; at += diffsAtOnce) {
    const some = single.slice(at, at + diffsAtOnce);
    const diffs = commitDiffs(
      dir,
      some.map(({ id }) => id),
    );
    for (const { id, parents, commit } of some) {
      const subject = parseCommitMessage(commit.message).subject;
      const skip = (reason: string): void => {
        notes.push(`commit ${id.slice(0, 12)} ("${subject}") is not reviewed: ${reason}`);
      };
      if (parents.length === 0 && commit.parents.length > 0) {
        skip('this clone was cut off there, so what it changes is not known');
        continue;
      }
      const files = readDiff(diffs.get(id) ?? '', skip);
      // A commit without a file (--allow-empty) changes nothing.
      if (files === null || files.length === 0) continue;
      const [parent] = parents;
      const before = parent === undefined ? emptyTree : tree(objects.commit(parent).tree);
      states.push(stateOf(patchOf(id, commit, files), before, tree(commit.tree)));
    }
  }
  return { states, notes };
}

/**
 * What is staged for the next commit: HEAD before, the index after, whatever the work tree holds. Throws SourceError
 * `git`, also while a merge is unresolved, and `not-a-kernel`.
 */
export function stagedStates(dir: string): GitStates {
  const objects = new GitObjects(dir);
  const head = idOf(dir, 'HEAD^{tree}');
  // git knows the empty tree's id without having it.
  const base = head ?? gitOutput(dir, ['hash-object', '-t', 'tree', '--stdin']).toString('utf8').trim();
  const before = head === null ? emptyTree : new GitTree(objects, head);
  const cached = ['diff-index', '--cached'];
  const entries = changedEntries(
    gitOutput(dir, [...cached, '--raw', '--no-renames', '--no-abbrev', '-z', base]),
  );
  const unmerged = entries.find(({ status }) => status === 'U');
  if (unmerged !== undefined)
    throw new SourceError(
      'git',
      `${dir}: ${unmerged.path} is not merged yet: nothing can be reviewed as staged`,
    );
  const texts = new Map<string, string | null>();
  for (const { path, mode, id } of entries) {
    if (mode === '000000') texts.set(path, null);
    else if (entryKind(mode) === 'file') texts.set(path, objects.text(id));
  }
  const notes: string[] = [];
  const diff = gitOutput(dir, [...cached, '-p', ...plainDiff, base, '--']).toString('latin1');
  const files = readDiff(diff, (reason) => notes.push(`what is staged is not reviewed: ${reason}`));
  if (files === null || files.length === 0) return { states: [], notes };
  const after = overlay(before, texts);
  requireKernel(after, `what is staged in ${dir}`);
  const patch = plainPatch({ subject: 'staged changes', files });
  return { states: [stateOf(patch, before, after)], notes };
}

function commitId(dir: string, revision: string): string {
  const id = idOf(dir, `${revision}^{commit}`);
  if (id !== null) return id;
  const hint = isShallow(dir) ? ' (the clone is shallow: it may lie beyond where it was cut off)' : '';
  throw new SourceError('git', `${dir}: git knows no commit ${revision}${hint}`);
}

interface ListedCommit {
  readonly id: string;
  /** As git follows them: those beyond the edge of a shallow clone are left out. */
  readonly parents: readonly string[];
}

function listCommits(dir: string, from: string, to: string): ListedCommit[] {
  const order = ['--reverse', '--topo-order', '--parents', `--max-count=${mostCommits + 1}`];
  return gitOutput(dir, ['rev-list', ...order, to, `^${from}`])
    .toString('latin1')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [id = '', ...parents] = line.split(' ');
      return { id, parents };
    });
}

/** Diffs by commit, as strings of bytes. */
function commitDiffs(dir: string, ids: readonly string[]): ReadonlyMap<string, string> {
  const output = gitOutput(
    dir,
    ['diff-tree', '--stdin', '--root', '-r', '-p', ...plainDiff],
    `${ids.join('\n')}\n`,
  ).toString('latin1');
  const diffs = new Map<string, string>();
  // The line that announces a commit holds its id and nothing else; no line of a diff does.
  for (const part of output.split(/^(?=[0-9a-f]{40,64}$)/m)) {
    const end = part.indexOf('\n');
    if (end > 0) diffs.set(part.slice(0, end), part.slice(end + 1));
  }
  return diffs;
}

/** Merges whose result is neither parent's: somebody edited while merging. */
function mergeNotes(dir: string, listed: readonly ListedCommit[], commits: readonly GitCommit[]): string[] {
  const merges = listed.flatMap(({ id, parents }, index) =>
    parents.length > 1 ? [{ id, message: commits[index]?.message ?? '' }] : [],
  );
  if (merges.length === 0) return [];
  const output = gitOutput(
    dir,
    ['diff-tree', '--stdin', '-r', '--cc', '-p', '--no-color', '--no-ext-diff', '--no-textconv'],
    `${merges.map(({ id }) => id).join('\n')}\n`,
  ).toString('latin1');
  const notes: string[] = [];
  for (const part of output.split(/^(?=[0-9a-f]{40,64}$)/m)) {
    const merge = merges.find(({ id }) => part.startsWith(id));
    const paths = Array.from(part.matchAll(/^diff --cc (.{1,200})/gm), ([, path = '']) => path);
    if (merge === undefined || paths.length === 0) continue;
    const { subject } = parseCommitMessage(merge.message);
    const more = paths.length > 3 ? ` and ${paths.length - 3} more` : '';
    notes.push(
      `merge ${merge.id.slice(0, 12)} ("${subject}") has changes of its own, which are not reviewed: ${paths.slice(0, 3).join(', ')}${more}`,
    );
  }
  return notes;
}

/** Files of a diff that git made; null, with a reason, when it cannot be read. */
function readDiff(diff: string, skip: (reason: string) => void): readonly FilePatch[] | null {
  try {
    return parseGitDiff(diff);
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    skip(error.message);
    return null;
  }
}

function patchOf(id: string, commit: GitCommit, files: readonly FilePatch[]): Patch {
  const { subject, body, trailers } = parseCommitMessage(commit.message);
  return plainPatch({
    subject,
    author: commit.author,
    date: commit.date,
    commit: id,
    trailers,
    body,
    files,
  });
}

function stateOf(patch: Patch, before: Tree, after: Tree): PatchedState {
  const changed = new Set<string>();
  const skipped: string[] = [];
  const offsets = new Map<string, readonly number[]>();
  for (const { change, oldPath, newPath, hunks } of patch.files) {
    const path = newPath ?? oldPath;
    if (path === null || change === 'mode') continue;
    const isSource = /\.[chS]$/.test(path);
    const isText =
      !isSource ||
      (newPath !== null && after.read(newPath) !== null) ||
      (newPath === null && oldPath !== null && before.read(oldPath) !== null);
    if (!isText || (change === 'binary' && !isSource)) {
      skipped.push(path);
      continue;
    }
    changed.add(path);
    if (change === 'rename' && oldPath !== null) changed.add(oldPath);
    offsets.set(
      path,
      hunks.map(() => 0),
    );
  }
  return {
    patch,
    context: 'tree',
    before,
    after,
    changed: [...changed],
    partial: false,
    partialFunctions: [],
    offsets,
    skipped,
  };
}

interface ChangedEntry {
  readonly status: string;
  readonly mode: string;
  readonly id: string;
  readonly path: string;
}

/** `:old-mode new-mode old-id new-id status NUL path NUL`, over and over. */
function changedEntries(bytes: Buffer): ChangedEntry[] {
  const fields = bytes.toString('utf8').split('\0');
  const entries: ChangedEntry[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [, mode = '', , id = '', status = ''] = (fields[at] ?? '').split(' ');
    entries.push({ status: status.slice(0, 1), mode, id, path: fields[at + 1] ?? '' });
  }
  return entries;
}
