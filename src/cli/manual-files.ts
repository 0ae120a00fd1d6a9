import type { Command } from 'commander';
import { loadRules } from '#rules/load-rules.js';
import { completionScript, type KnownNames, type Shell } from './completions.js';
import { manPage } from './man-page.js';
import { programTree } from './program-tree.js';

/** The completion script for one shell. */
export function shellCompletion(shell: Shell, program: Command): string {
  return completionScript(shell, programTree(program), knownNames());
}

/** The files that a build makes of the definitions of the commands, by name. */
export function manualFiles(program: Command, version: string): ReadonlyMap<string, string> {
  const tree = programTree(program);
  const known = knownNames();
  return new Map([
    ['shootdown.1', manPage(tree, version)],
    ['shootdown.bash', completionScript('bash', tree, known)],
    ['_shootdown', completionScript('zsh', tree, known)],
    ['shootdown.fish', completionScript('fish', tree, known)],
  ]);
}

function knownNames(): KnownNames {
  const rules = loadRules();
  return { machines: rules.machines.map((m) => m.name), hazards: rules.hazards.map((h) => h.id) };
}
