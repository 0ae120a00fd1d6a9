/** Event programs of C that a test writes, in a tree that exists in memory alone. */
import type { EventProgram } from '#event/program.js';
import { extractProgram } from '#extract/extract-program.js';
import type { Extraction } from '#extract/extraction.js';
import { printProgram } from '#extract/print-program.js';
import { IndexCache, Resolver } from '#extract/resolve.js';
import { loadRules } from '#rules/load-rules.js';

const rules = loadRules();

export type Files = Readonly<Record<string, string>>;

/** Extracts `root` of `file` as the machine sees it. Throws where extraction gives the root up. */
export function extract(files: Files, file: string, root: string, machineName = 'x86-64'): Extraction {
  const machine = rules.machines.find((known) => known.name === machineName);
  if (machine === undefined) throw new Error(`no machine ${machineName}`);
  const resolver = new Resolver((path) => files[path] ?? null, machine, new IndexCache());
  const found = resolver.define(root, file);
  if (found === null) throw new Error(`${root} is not in ${file}`);
  const result = extractProgram(found, resolver, rules, {
    bodies: new Set(),
    outermost: true,
    linked: new Map(),
    nodeLimit: 1_000,
    depthLimit: 8,
  });
  if ('reason' in result) throw new Error(`line ${result.line}: ${result.reason}`);
  return result;
}

/** The program of `f` in a file with this text. */
export const programOf = (text: string, machine?: string): EventProgram =>
  extract({ 'mm/a.c': text }, 'mm/a.c', 'f', machine).program;

/** Its nodes in order, without places: `clear entry=…`, `if …`. */
export const linesOf = (program: EventProgram): string[] =>
  printProgram(program)
    .split('\n')
    .filter((line) => /^ *\d+ /.test(line))
    .map((line) => line.replace(/ {3}# .*$/, '').trim());

/** Kinds of its events, in the order of the nodes. */
export const kindsOf = (program: EventProgram): string[] =>
  program.nodes.flatMap((node) => (node.kind === 'event' ? [node.event.kind] : []));
