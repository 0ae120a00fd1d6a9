/** What a stage makes of one function on both sides of a patch, as text: debugging starts at the first wrong dump. */
import { printFunction } from '#c/print-cfg.js';
import { printProgram } from '#extract/print-program.js';
import type { RuleSet } from '#rules/rule.js';
import type { PatchedState } from '#source/snapshot.js';
import { clientsFor, rootsIn } from './clients.js';
import type { ReviewOptions } from './document.js';
import { DEPTH_LIMIT, NODE_LIMIT } from './extraction-limits.js';
import { Session } from './session.js';

export type Stage = 'cfg' | 'events';

/** `name` is a function of a changed file, or of any file of the tree as `path:function`, or a client as
 *  `client:NAME@CHANGED`, with the bodies that a change of CHANGED puts in place of rules. */
export function dumpStage(
  stage: Stage,
  name: string,
  states: readonly PatchedState[],
  rules: RuleSet,
  options: ReviewOptions,
): string {
  const session = new Session(rules, options);
  const machines =
    options.machines.length === 0
      ? rules.machines
      : rules.machines.filter((machine) => options.machines.includes(machine.name));
  const parts: string[] = [];
  for (const state of states) {
    for (const machine of machines) {
      for (const [side, tree] of [
        ['before', state.before],
        ['after', state.after],
      ] as const) {
        const resolver = session.resolver(tree, machine);
        const [path, own] =
          name.includes(':') && !name.startsWith('client:')
            ? (name.split(':') as [string, string])
            : [null, name];
        const [client, changedName] = name.startsWith('client:')
          ? (name.slice('client:'.length).split('@') as [string, string | undefined])
          : [null, undefined];
        for (const changed of path === null ? state.changed : [path]) {
          const file = client === null ? changed : `client:${client}:${changed}`;
          const { setup, cpus } = rootsIn(file, own, client !== null, resolver);
          if (cpus.length === 0) continue;
          const place = `${side} on ${machine.name}, ${file}`;
          if (stage === 'cfg') {
            for (const found of setup === null ? cpus : [setup, ...cpus]) {
              const lowered = resolver.lower(found);
              parts.push(
                `== ${place}`,
                'blocks' in lowered
                  ? printFunction(lowered)
                  : `not lowered, line ${lowered.line}: ${lowered.reason}`,
              );
            }
            continue;
          }
          const bodies =
            (changedName === undefined ? undefined : clientsFor(changedName, rules, machine)?.bodies) ??
            new Set<string>();
          const extracted = session.extraction.extract(cpus, setup, resolver, rules, {
            bodies,
            outermost: true,
            linked: new Map(),
            nodeLimit: NODE_LIMIT,
            depthLimit: DEPTH_LIMIT,
          });
          if ('reason' in extracted) {
            parts.push(`== ${place}`, `not extracted, line ${extracted.line}: ${extracted.reason}`);
            continue;
          }
          for (const { program, gaps } of extracted) {
            parts.push(`== ${place}`, printProgram(program));
            for (const gap of gaps)
              parts.push(`gap: ${gap.function} (${gap.file}): ${gap.kind}: ${gap.reason}`);
          }
        }
      }
    }
  }
  return `${parts.join('\n')}\n`;
}
