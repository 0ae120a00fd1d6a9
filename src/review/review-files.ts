/** Whole files without a patch: every violation that their roots can show is `existing`. */

import { plainPatch } from '#patch/series.js';
import type { RuleSet } from '#rules/rule.js';
import type { PatchedState, Tree } from '#source/snapshot.js';
import type { ReviewDocument, ReviewOptions } from './document.js';
import { reviewSeries } from './review-series.js';

/** `paths` are files or folders of the tree; folders are walked. Missing ones are the caller's to report. */
export function scanTree(
  tree: Tree,
  paths: readonly string[],
  rules: RuleSet,
  options: ReviewOptions,
): ReviewDocument {
  const files = paths.flatMap((path) => filesUnder(tree, path.replace(/\/+$/, '')));
  const state: PatchedState = {
    patch: plainPatch({ subject: paths.join(' '), files: [] }),
    context: 'tree',
    before: {
      read: (path) => (files.includes(path) ? null : tree.read(path)),
      list: (path) => tree.list(path),
    },
    after: tree,
    changed: files,
    partial: false,
    partialFunctions: [],
    offsets: new Map(),
    skipped: [],
  };
  const document = reviewSeries([state], rules, { ...options, suggestions: false });
  return {
    ...document,
    patches: document.patches.map((patch) => ({
      ...patch,
      files,
      findings: patch.findings.map((finding) => ({ ...finding, status: 'existing' as const })),
    })),
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
