/**
 * `shootdown check`: patches in, findings out. `cli/` is a front door: it reads options, files, git and the
 * environment, and writes; it decides nothing about kernel code.
 */
import type { PatchedState } from '#source/snapshot.js';
import { chooseMachines } from './choose-machines.js';
import { chooseRenderer, type RenderFlags } from './choose-renderer.js';
import { chooseTree } from './choose-tree.js';
import { type FailOn, fails } from './fails.js';
import { REVIEW_LIMITS } from './review-limits.js';
import { showProgress } from './show-progress.js';
import { readSilence, type SilenceFlags } from './silence.js';
import { UsageError } from './usage-error.js';
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
}

interface Changes {
  readonly states: readonly PatchedState[];
  readonly notes: readonly string[];
}

/** Runs the command and gives its exit code. Throws UsageError, PatchError or SourceError before anything is written. */
export async function check(files: readonly string[], flags: CheckFlags): Promise<number> {
  const render = await chooseRenderer(flags);
  const silence = await readSilence(flags, flags.existing === true);
  const { loadRules } = await import('#rules/load-rules.js');
  const rules = loadRules();
  const machines = chooseMachines(flags.machine, rules.machines);
  const changes = await readChanges(files, flags);
  const { states } = changes;

  const now = (): number => performance.now();
  const progress = showProgress(process.stderr, now);
  const options = {
    machines,
    existing: flags.existing === true,
    suggestions: flags.suggest !== false,
    limits: REVIEW_LIMITS,
    now,
    onProgress: progress.show,
  };
  if (flags.dump !== undefined) {
    const { dump } = await import('./dump.js');
    await writeOutput(dump(flags.dump, states, rules, options), flags.output ?? null);
    return 0;
  }
  const { reviewSeries } = await import('#review/review-series.js');
  const reviewed = reviewSeries(states, rules, options);
  progress.clear();
  const { document, notes } = await silence(reviewed);
  await writeReport(render(document, rules.hazards), flags.output ?? null, [...changes.notes, ...notes]);
  return fails(document, flags.failOn, ['introduced']) ? 1 : 0;
}

async function readChanges(files: readonly string[], flags: CheckFlags): Promise<Changes> {
  const fromGit = flags.range !== undefined || flags.staged === true;
  if (fromGit && files.length > 0)
    throw new UsageError('name patch files, or --range, or --staged, not several');
  if (flags.range !== undefined && flags.staged)
    throw new UsageError('--range and --staged exclude each other');
  return fromGit ? readGit(flags) : readPatches(files, flags);
}

async function readGit(flags: CheckFlags): Promise<Changes> {
  const { rangeChanges, stagedChanges } = await import('./git-changes.js');
  const folder = flags.tree ?? process.cwd();
  const found = await (flags.range === undefined ? stagedChanges(folder) : rangeChanges(folder, flags.range));
  const none = found.states.length === 0 && found.notes.length === 0;
  return none ? { states: [], notes: ['nothing changed, nothing to review'] } : found;
}

async function readPatches(files: readonly string[], flags: CheckFlags): Promise<Changes> {
  if (files.length === 0 && process.stdin.isTTY === true) {
    throw new UsageError('name a patch file, - for standard input, --range A..B or --staged');
  }
  const [{ readInputs }, { parseInputs }] = await Promise.all([
    import('./read-input.js'),
    import('#patch/parse-patches.js'),
  ]);
  const { patches, notes } = await parseInputs(await readInputs(files.length === 0 ? ['-'] : files));
  const chosen = await chooseTree(flags.tree ?? null, process.cwd());
  if (chosen === null) {
    const { patchedStates } = await import('#source/patched-states.js');
    const unseen = 'no kernel tree (see --tree): only the hunks are reviewed';
    return { states: patchedStates(patches, null), notes: [...notes, unseen] };
  }
  const { statesOnTree } = await import('#source/series-states.js');
  const found = statesOnTree(patches, chosen.tree, chosen.folder);
  return { states: found.states, notes: [...notes, ...found.notes] };
}
