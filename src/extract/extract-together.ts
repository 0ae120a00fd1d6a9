/**
 * Roots that run together on several CPUs: what one of them stores, the others read. Memory that is no local's is a
 * variable of all programs, filled by what runs before they start.
 */
import type { CFunction } from '#c/ir.js';
import { UNSET } from '#event/value.js';
import { successorsOf } from '#event/walk-program.js';
import type { RuleSet } from '#rules/rule.js';
import { type Built, buildTogether } from './extract-program.js';
import type { Extraction, ExtractOptions } from './extraction.js';
import { readBy, readsOf } from './finish-program.js';
import type { StartCell } from './memory.js';
import type { Found, Resolver } from './resolve.js';
import type { Kind } from './value.js';

/** Rounds after which the kinds of shared memory no longer change: a store that is reached through another one takes one more. */
const ROUNDS = 4;

/** One extraction for each root, in order; a reason where one of them could not be read. */
export function extractTogether(
  roots: readonly Found[],
  setup: Found | null,
  resolver: Resolver,
  rules: RuleSet,
  options: ExtractOptions,
): readonly Extraction[] | { readonly reason: string; readonly line: number } {
  const lowered: CFunction[] = [];
  for (const root of setup === null ? roots : [setup, ...roots]) {
    const fn = resolver.lower(root);
    if (!('blocks' in fn)) return { reason: fn.reason, line: fn.line };
    lowered.push(fn);
  }
  const before = setup === null ? null : (lowered.shift() ?? null);
  let cells: ReadonlyMap<string, Kind> = new Map();
  let early: readonly ReadonlyMap<string, StartCell>[] = lowered.map(() => new Map());
  let built: Built[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    built = lowered.map((fn, cpu) =>
      buildTogether(
        fn,
        cpu === 0 ? before : null,
        resolver,
        rules,
        { ...options, together: { cpu, of: lowered.length, cells } },
        early[cpu] ?? new Map(),
      ),
    );
    const next = joined([cells, ...built.map((one) => one.stored)]);
    const own = built.map((one, cpu) => new Map([...(early[cpu] ?? []), ...one.early]));
    const settled = same(cells, next) && own.every((one, cpu) => one.size === early[cpu]?.size);
    cells = next;
    early = own;
    if (settled) break;
  }
  // A variable that nobody reads in the end is none: who reads what is found out from the programs themselves.
  let reads: readonly ReadonlySet<string>[] = lowered.map(() => new Set<string>());
  for (;;) {
    const programs = built.map((one, cpu) =>
      one.finish(new Set(reads.flatMap((names, other) => (other === cpu ? [] : [...names])))),
    );
    const now = programs.map(({ program }) => sharedReads(program));
    if (now.every((names, cpu) => names.size === reads[cpu]?.size)) return divided(programs);
    reads = now;
  }
}

/** Memory that only one program uses is its own; of the rest, what somebody writes while others run is contended. */
function divided(extracted: readonly Extraction[]): readonly Extraction[] {
  const uses = extracted.map(({ program }, cpu) => usesOf(program, cpu));
  const users = (name: string, of: 'used' | 'running' | 'written'): number =>
    uses.filter((use) => use[of].has(name)).length;
  return extracted.map((one, cpu): Extraction => {
    const own = uses[cpu]?.used ?? new Set<string>();
    const mine = (name: string): boolean => own.has(name) && users(name, 'used') === 1;
    const all = one.program.shared ?? [];
    const shared = all.filter((name) => users(name, 'used') > 1);
    const contended = shared.filter((name) => users(name, 'running') > 1 && users(name, 'written') > 0);
    const initial = new Map(all.filter(mine).map((name) => [name, UNSET] as const));
    return { ...one, program: { ...one.program, initial, shared, contended } };
  });
}

/** Shared names that a program uses at all, that it uses while others run, and that it then writes. */
function usesOf(
  program: Extraction['program'],
  cpu: number,
): Record<'used' | 'running' | 'written', ReadonlySet<string>> {
  const shared = new Set(program.shared ?? []);
  const before = cpu === 0 ? setupNodes(program) : new Set<number>();
  const used = new Set<string>();
  const running = new Set<string>();
  const written = new Set<string>();
  program.nodes.forEach((node, id) => {
    const writes = node.kind === 'assign' ? node.sets.map((set) => set.name) : [];
    for (const name of [...readsOf(node), ...writes]) {
      if (!shared.has(name)) continue;
      used.add(name);
      if (!before.has(id)) running.add(name);
    }
    for (const name of writes) if (shared.has(name) && !before.has(id)) written.add(name);
  });
  return { used, running, written };
}

/** Nodes that come before the other CPUs start. */
function setupNodes(program: Extraction['program']): ReadonlySet<number> {
  const starts = program.nodes.some((node) => node.kind === 'event' && node.event.kind === 'start');
  const seen = new Set<number>();
  const work = starts ? [0] : [];
  for (let id = work.pop(); id !== undefined; id = work.pop()) {
    const node = program.nodes[id];
    if (node === undefined || seen.has(id)) continue;
    seen.add(id);
    if (node.kind === 'event' && node.event.kind === 'start') continue;
    work.push(...successorsOf(node));
  }
  return seen;
}

function sharedReads(program: Extraction['program']): ReadonlySet<string> {
  const shared = new Set(program.shared ?? []);
  return new Set([...readBy(program)].filter((name) => shared.has(name)));
}

/** The more telling kind wins: an answer that nobody knows says nothing of what else is stored there. */
function joined(maps: readonly ReadonlyMap<string, Kind>[]): ReadonlyMap<string, Kind> {
  const result = new Map<string, Kind>();
  for (const map of maps)
    for (const [cell, kind] of map) {
      const known = result.get(cell);
      if (known === undefined || known === 'untracked' || (known === 'int' && kind !== 'untracked'))
        result.set(cell, kind);
    }
  return new Map([...result].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function same(a: ReadonlyMap<string, Kind>, b: ReadonlyMap<string, Kind>): boolean {
  return a.size === b.size && [...a].every(([cell, kind]) => b.get(cell) === kind);
}
