/**
 * Where global functions of other files stand, the way the kernel links: in the folders that page-table code is linked
 * with, in files that the machine builds, a strong definition before a weak one.
 */

import type { Configuration } from '#c/ir.js';

/** What is known of a tree beyond its texts. */
export interface LinkView {
  /** One object for all machines' views of one tree. */
  readonly tree: object;
  /** Names in a folder; empty when there is none. */
  readonly list: (folder: string) => readonly string[];
  /** Does the machine of this configuration build the file? */
  readonly built: (path: string, configuration: Configuration) => boolean;
}

/** Files looked at in one folder: more than any of the kernel's has. */
const FILES_IN_FOLDER = 400;

/** Does a line of the text begin like a definition of the name with external linkage? Asked before a file is indexed. */
export function mayDefine(text: string, name: string): boolean {
  if (!text.includes(`${name}(`)) return false;
  return new RegExp(`^(?!static\\b|extern\\b|#)(?:[A-Za-z_][^\\n;={}()]*[\\s*])?${name}\\(`, 'm').test(text);
}

/** Folders that are searched for what a file calls, nearest first. */
export function foldersFor(file: string, arch: string): readonly string[] {
  const own = file.slice(0, Math.max(0, file.lastIndexOf('/')));
  const kvm = /(^|\/)kvm(\/|$)/.test(own) ? [`arch/${arch}/kvm`, 'virt/kvm'] : [];
  return [...new Set([own, ...kvm, `arch/${arch}/mm`, 'mm'])];
}

/** The C files of a folder, whoever builds them. */
export function filesIn(folder: string, view: LinkView): readonly string[] {
  return view
    .list(folder)
    .filter((name) => name.endsWith('.c'))
    .slice(0, FILES_IN_FOLDER)
    .map((name) => `${folder}/${name}`);
}
