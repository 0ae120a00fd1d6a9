/** Whole files without a patch: every violation that their roots can show is `existing`. */

import { plainPatch } from '#patch/series.js';
import type { RuleSet } from '#rules/rule.js';
import type { PatchedState, Tree } from '#source/snapshot.js';
import type { ReviewedPatch, ReviewOptions } from './document.js';
import type { ReviewPart } from './join-parts.js';
import { reviewPart } from './review-series.js';
import type { Kept } from './session.js';

/** The C files below `paths`, each once, in order. `paths` are files or folders of the tree; missing ones are the caller's to report. */
export function filesToScan(tree: Tree, paths: readonly string[]): readonly string[] {
  return [...new Set(paths.flatMap((path) => filesUnder(tree, path.replace(/\/+$/, ''))))];
}

/** Characters that take as long to scan as a word that begins with the name of a level. Measured over mm. */
const LEVEL_WORD = 300;

/** How long a file of this text takes to scan, in no unit: a guess by which the long ones are begun first. */
export function scanWeight(text: string): number {
  return text.length + LEVEL_WORD * (text.match(/\b_*(?:pte|pmd|pud|p4d|pgd)/g)?.length ?? 0);
}

/**
 * One file of a scan. Afterwards `kept` holds headers alone: what other files of the kernel hold is read again when it
 * is needed, so that memory does not grow with the number of files.
 */
export function scanFile(
  tree: Tree,
  file: string,
  rules: RuleSet,
  options: ReviewOptions,
  kept: Kept,
): ReviewPart {
  const { patch, ...counts } = reviewPart(
    [scanState(tree, file)],
    0,
    rules,
    { ...options, suggestions: false },
    kept,
  );
  kept.forget((path) => path.endsWith('.h'));
  const findings = patch.findings.map((finding) => ({ ...finding, status: 'existing' as const }));
  return { patch: { ...patch, files: [file], findings }, ...counts };
}

/** What a file that was not searched is in a report, but for the reason. */
export function unscanned(file: string): ReviewedPatch {
  return {
    subject: file,
    messageId: null,
    commit: null,
    files: [file],
    context: 'tree',
    analysed: [],
    findings: [],
    undecided: [],
  };
}

/** A patch that adds the whole file. */
function scanState(tree: Tree, file: string): PatchedState {
  return {
    patch: plainPatch({ subject: file, files: [] }),
    context: 'tree',
    before: {
      read: (path) => (path === file ? null : tree.read(path)),
      list: (path) => tree.list(path),
    },
    after: tree,
    changed: [file],
    partial: false,
    partialFunctions: [],
    offsets: new Map(),
    skipped: [],
  };
}

function filesUnder(tree: Tree, path: string): string[] {
  if (/\.[ch]$/.test(path)) return [path];
  return tree
    .list(path)
    .flatMap((name) =>
      name.endsWith('/')
        ? filesUnder(tree, `${path}/${name.slice(0, -1)}`)
        : /\.[ch]$/.test(name)
          ? [`${path}/${name}`]
          : [],
    );
}
