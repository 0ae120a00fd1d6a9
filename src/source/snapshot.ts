/**
 * Where file texts come from. `source/` is an adapter: the file system and git live here and in the front doors only.
 */
import type { Patch } from '#patch/series.js';

/** Reads files of one state of a tree. Synchronous, bounded, cached. Paths are relative, `/`-separated, never leave the tree. */
export interface Tree {
  /** Text (UTF-8, invalid bytes replaced), or null where there is none, it is binary or too large. */
  read(path: string): string | null;
  /** Names in a folder, files and folders (folders end in `/`), sorted; empty when there is none. */
  list(path: string): readonly string[];
  /** What can be said of files without reading them; absent where even that costs much, as over a network. */
  readonly versions?: TreeVersions;
  /**
   * The tree that this one was made of, by giving some files another text (null: none), and which itself was made of none;
   * absent: of none.
   */
  readonly over?: { readonly base: Tree; readonly texts: ReadonlyMap<string, string | null> };
}

/** Names for what files hold: equal names, equal texts. Kept from one run to the next. */
export interface TreeVersions {
  /** The place that the names are good for, in every run. */
  readonly place: string;
  /** Stands for all that is below a folder; null where only its files can tell, or there is none. */
  folder(path: string): string | null;
  /** For each C file of a folder its version, empty where it cannot be told; names of folders end in `/`. */
  files(path: string): ReadonlyMap<string, string>;
}

/** One patch of a series with the trees on both sides of it. */
export interface PatchedState {
  readonly patch: Patch;
  readonly context: 'tree' | 'hunks';
  readonly before: Tree;
  readonly after: Tree;
  /** Paths that differ. */
  readonly changed: readonly string[];
  /** Functions seen only in part (context `hunks`): file and the lines that are known. */
  readonly partial: boolean;
  readonly partialFunctions?: readonly PartialFunction[];
  /** By new path (old path of a deleted file): how many lines below its stated place each hunk stood. */
  readonly offsets?: ReadonlyMap<string, readonly number[]>;
  /** Paths that the patch touches and that are no text to read: binary, links, too large. */
  readonly skipped?: readonly string[];
}

/** A function of which only the lines in hunks are known. */
export interface PartialFunction {
  readonly file: string;
  readonly side: 'old' | 'new';
  readonly name: string;
  /** Known stretches, first and last line, 1-based. */
  readonly lines: readonly (readonly [number, number])[];
}

export type SourceErrorCode =
  | 'no-tree'
  | 'not-a-kernel'
  | 'does-not-apply'
  | 'bad-path'
  | 'git'
  | 'unreadable';

export class SourceError extends Error {
  constructor(
    readonly code: SourceErrorCode,
    message: string,
  ) {
    // What a mail says may hold anything; a message is one line.
    super(message.replace(/[\p{Cc}\u2028\u2029]+/gu, ' '));
    this.name = 'SourceError';
  }
}
/*
 * The folder's functions:
 *   folder-tree.ts    openFolder(dir): Tree           a plain unpacked kernel; SourceError not-a-kernel
 *   git-tree.ts       openRevision(dir, revision): Tree   one revision, from git's objects, no checkout
 *   git-objects.ts    objects of a repository by id, through one git cat-file --batch that keeps running
 *   git-states.ts     rangeStates(dir, from, to), stagedStates(dir): GitStates   the real trees on both sides of each change
 *   series-states.ts  openTree(dir): Tree, statesOnTree(patches, tree, dir): SeriesStates   falls back to a series' base-commit
 *   overlay-tree.ts   overlay(base: Tree, texts: ReadonlyMap<string, string | null>): Tree
 *   patched-states.ts patchedStates(patches, base: Tree | null): PatchedState[]   applies in order; base null = hunks alone
 *   hunk-tree.ts      rebuilds functions from hunks and their headings; original line numbers are kept by padding with blank lines
 */
