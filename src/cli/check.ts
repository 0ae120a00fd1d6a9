/**
 * `shootdown check`: patches in, findings out. `cli/` is a front door: it reads options, files, git and the
 * environment, and writes; it decides nothing about kernel code.
 */
import type { ReviewDocument } from '#review/document.js';
import { joinParts, type ReviewPart } from '#review/join-parts.js';
import { loadRules } from '#rules/load-rules.js';
import { chooseCache } from './choose-cache.js';
import { chooseMachines } from './choose-machines.js';
import { chooseRenderer, type RenderFlags } from './choose-renderer.js';
import { chooseTree } from './choose-tree.js';
import { type FailOn, fails } from './fails.js';
import { openSeries } from './open-series.js';
import { type Changes, patchChanges } from './patch-changes.js';
import { readInputs } from './read-input.js';
import { REVIEW_LIMITS } from './review-limits.js';
import { INTERRUPTED, jobsForSeries, reviewOnThreads } from './review-parts.js';
import { showProgress } from './show-progress.js';
import { readSilence, type SilenceFlags } from './silence.js';
import { UsageError } from './usage-error.js';
import type { Source } from './work.js';
import { writeOutput } from './write-output.js';
import { writeReport } from './write-report.js';

/** Options as commander gives them. */
export interface CheckFlags extends SilenceFlags, RenderFlags {
  readonly tree?: string;
  readonly range?: string;
  readonly staged?: boolean;
  readonly machine: readonly string[];
  readonly existing?: boolean;
  readonly suggest?: boolean;
  readonly failOn: FailOn;
  readonly dump?: string;
  readonly jobs?: number;
  /** False for --no-cache. */
  readonly cache?: boolean;
}

interface Found extends Changes {
  /** What a thread needs to find the same; null where there is one patch alone. */
  readonly source: Source | null;
}

/** Runs the command and gives its exit code. Throws UsageError, PatchError or SourceError before anything is written. */
export async function check(files: readonly string[], flags: CheckFlags): Promise<number> {
  const render = await chooseRenderer(flags);
  const silence = await readSilence(flags, flags.existing === true);
  const rules = loadRules();
  const machines = chooseMachines(flags.machine, rules.machines);
  const changes = await readChanges(files, flags);
  const { states, source } = changes;

  const now = (): number => performance.now();
  const started = now();
  const progress = showProgress(process.stderr, now);
  const options = {
    machines,
    existing: flags.existing === true,
    suggestions: flags.suggest !== false,
    limits: REVIEW_LIMITS,
    cache: chooseCache(flags.cache !== false, process.env),
    now,
    onProgress: progress.show,
  };
  if (flags.dump !== undefined) {
    const { dump } = await import('./dump.js');
    await writeOutput(dump(flags.dump, states, rules, options), flags.output ?? null);
    return 0;
  }
  const jobs = jobsForSeries(flags.jobs ?? null, states.length);
  let reviewed: ReviewDocument;
  let left = 0;
  if (source === null || jobs === 1) {
    const review = openSeries(states, rules, options);
    const parts: ReviewPart[] = [];
    for (const index of states.keys()) parts.push(await review(index, progress.show));
    reviewed = joinParts(parts, now() - started);
  } else {
    const { skippedState } = await import('#review/review-series.js');
    const done = await reviewOnThreads(
      {
        source,
        machines,
        existing: options.existing,
        suggestions: options.suggestions,
        cache: flags.cache !== false,
      },
      {
        count: states.length,
        weight: () => 0,
        without: (index, reason) => skippedState(states, index, reason),
      },
      jobs,
      progress,
    );
    left = done.left;
    reviewed = joinParts(done.parts, now() - started);
  }
  progress.clear();
  const { document, notes } = await silence(reviewed);
  const stopped = left === 0 ? [] : [`interrupted: ${left} of ${states.length} patches were not reviewed`];
  const said = [...stopped, ...changes.notes, ...notes];
  await writeReport(render(document, rules.hazards), flags.output ?? null, said);
  if (left > 0) return INTERRUPTED;
  return fails(document, flags.failOn, ['introduced']) ? 1 : 0;
}

async function readChanges(files: readonly string[], flags: CheckFlags): Promise<Found> {
  const fromGit = flags.range !== undefined || flags.staged === true;
  if (fromGit && files.length > 0)
    throw new UsageError('name patch files, or --range, or --staged, not several');
  if (flags.range !== undefined && flags.staged)
    throw new UsageError('--range and --staged exclude each other');
  return fromGit ? readGit(flags) : readPatches(files, flags);
}

async function readGit(flags: CheckFlags): Promise<Found> {
  const { rangeChanges, stagedChanges } = await import('./git-changes.js');
  const folder = flags.tree ?? process.cwd();
  const { range } = flags;
  const found = await (range === undefined ? stagedChanges(folder) : rangeChanges(folder, range));
  const none = found.states.length === 0 && found.notes.length === 0;
  if (none) return { states: [], notes: ['nothing changed, nothing to review'], source: null };
  return { ...found, source: range === undefined ? null : { kind: 'range', folder, range } };
}

async function readPatches(files: readonly string[], flags: CheckFlags): Promise<Found> {
  if (files.length === 0 && process.stdin.isTTY === true) {
    throw new UsageError('name a patch file, - for standard input, --range A..B or --staged');
  }
  const inputs = await readInputs(files.length === 0 ? ['-'] : files);
  const chosen = chooseTree(flags.tree ?? null, process.cwd());
  const changes = await patchChanges(inputs, chosen);
  return { ...changes, source: { kind: 'patches', inputs, folder: chosen?.folder ?? null } };
}
