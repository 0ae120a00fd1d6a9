/** Which clients check a changed primitive, and which rules its body replaces in them (DESIGN.md rule 3). */
import type { MachineFile } from '#event/machine-facts.js';
import type { Found, Resolver } from '#extract/resolve.js';
import { ruleFor } from '#rules/load-rules.js';
import type { ClientFile, RuleSet } from '#rules/rule.js';

export interface Clients {
  readonly clients: readonly string[];
  readonly bodies: ReadonlySet<string>;
}

/** Null when no rule stands for the function's body on this machine. */
export function clientsFor(name: string, rules: RuleSet, machine: MachineFile): Clients | null {
  // What changed is followed, whatever a rule says of it by itself.
  const bodies = new Set<string>([name]);
  const clients = new Set<string>();
  const work: string[] = [];
  for (const call of rules.standing.get(name) ?? [name]) {
    const rule = ruleFor(rules, call, machine);
    if (rule === null || !(rule.name === name || rule.bodies.includes(name))) continue;
    bodies.add(call);
    for (const client of rule.clients) clients.add(client);
    work.push(...rule.bodies);
  }
  if (work.length === 0 && clients.size === 0) return null;
  // Bodies that call one another are one implementation: a rule for one part cannot stand beside the text of the rest.
  for (let body = work.pop(); body !== undefined; body = work.pop()) {
    if (bodies.has(body)) continue;
    const rule = ruleFor(rules, body, machine);
    // What no rule knows is followed for what it computes.
    if (rule === null) bodies.add(body);
    if (rule === null || rule.bodies.length === 0) continue;
    bodies.add(body);
    work.push(...rule.bodies);
  }
  return { clients: [...clients], bodies };
}

/** The programs of a root: one for a function, one for each CPU of a client, with what runs before they start. */
export interface Roots {
  readonly setup: Found | null;
  readonly cpus: readonly Found[];
}

/** What stands under these names in a file. */
export function rootsIn(file: string, root: string, client: boolean, resolver: Resolver): Roots {
  const index = resolver.index(file);
  const find = (name: string): Found[] => {
    const definition = index === null ? null : resolver.live(index, name);
    return index === null ||
      definition === null ||
      (definition.kind !== 'function' && definition.kind !== 'macro')
      ? []
      : [{ index, definition }];
  };
  if (!client) return { setup: null, cpus: find(root) };
  return { setup: find('setup')[0] ?? null, cpus: ['client', 'cpu0', 'cpu1'].flatMap(find) };
}

/** `client:NAME:CHANGED-FILE` as a C file that includes the changed file, so that the changed bodies are in view. */
export function clientFile(path: string, clients: ReadonlyMap<string, ClientFile>): string | undefined {
  const [, name, changed] = path.split(':');
  const client = clients.get(name ?? '');
  if (client === undefined) return undefined;
  const header = /^(?:include|arch\/[^/]+\/include)\/(.*)$/.exec(changed ?? '')?.[1];
  const own = header === undefined ? `#include "${changed}"` : `#include <${header}>`;
  return `${own}\n#include <linux/mm.h>\n#include <linux/pgtable.h>\n#include <asm/tlb.h>\n#include <asm/tlbflush.h>\n#include <asm/pgtable.h>\n${client.text}`;
}
