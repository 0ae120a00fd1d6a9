import { existsSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { chooseMachines } from './choose-machines.js';
import { chooseRenderer, type RenderFlags } from './choose-renderer.js';
import { type ChosenTree, chooseTree } from './choose-tree.js';
import { type FailOn, fails } from './fails.js';
import { INTERRUPTED, jobsForScan, reviewOnThreads } from './review-parts.js';
import { showProgress } from './show-progress.js';
import { readSilence, type SilenceFlags } from './silence.js';
import { UsageError } from './usage-error.js';
import { writeReport } from './write-report.js';

/** Options as commander gives them. */
export interface ScanFlags extends SilenceFlags, RenderFlags {
  readonly tree?: string;
  readonly machine: readonly string[];
  readonly failOn: FailOn;
  readonly jobs?: number;
  /** False for --no-cache. */
  readonly cache?: boolean;
}

/** `shootdown scan`: whole files or folders of a tree, no patch; every finding counts. Gives the exit code. */
export async function scan(paths: readonly string[], flags: ScanFlags): Promise<number> {
  const render = await chooseRenderer(flags);
  const silence = await readSilence(flags, true);
  const { loadRules } = await import('#rules/load-rules.js');
  const rules = loadRules();
  const machines = chooseMachines(flags.machine, rules.machines);
  const chosen = chooseTree(flags.tree ?? null, process.cwd());
  if (chosen === null) throw new UsageError('scan needs a kernel tree: name it with --tree, or stand in one');
  const inside = paths.map((path) => insideTree(path, chosen));

  const [{ filesToScan, scanWeight, unscanned }, { joinScan, skippedPart }] = await Promise.all([
    import('#review/review-files.js'),
    import('#review/join-parts.js'),
  ]);
  const files = filesToScan(chosen.tree, inside);
  const started = performance.now();
  const progress = showProgress(process.stderr, () => performance.now());
  const source = { kind: 'scan', folder: chosen.folder, files } as const;
  const { parts, left } = await reviewOnThreads(
    { source, machines, existing: true, suggestions: false, cache: flags.cache !== false },
    {
      count: files.length,
      weight: (index) => scanWeight(chosen.tree.read(files[index] ?? '') ?? ''),
      without: (index, reason) => skippedPart(unscanned(files[index] ?? ''), files[index] ?? '', reason),
    },
    jobsForScan(flags.jobs ?? null, files.length),
    progress,
  );
  progress.clear();
  const scanned = joinScan(inside, files, parts, performance.now() - started);
  const { document, notes } = await silence(scanned);
  const stopped = left === 0 ? [] : [`interrupted: ${left} of ${files.length} files were not searched`];
  await writeReport(render(document, rules.hazards), flags.output ?? null, [...stopped, ...notes]);
  if (left > 0) return INTERRUPTED;
  return fails(document, flags.failOn, ['introduced', 'existing']) ? 1 : 0;
}

/** A path that the user wrote, from the tree's top or from the current folder, as the tree names it. */
function insideTree(path: string, { folder }: ChosenTree): string {
  for (const full of [resolve(folder, path), resolve(path)]) {
    const inside = relative(folder, full);
    const leaves = inside === '..' || inside.startsWith(`..${sep}`) || resolve(inside) === inside;
    if (!leaves && existsSync(join(folder, inside))) return inside.split(sep).join('/');
  }
  throw new UsageError(`${path}: no such file or folder in ${folder}`);
}
