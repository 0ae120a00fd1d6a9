/** What one review keeps while it runs: indexes and resolvers shared by its patches, and counters for the statistics. */
import type { FileIndex } from '#c/ir.js';
import type { MachineFile } from '#event/machine-facts.js';
import { IndexCache, Resolver } from '#extract/resolve.js';
import type { RuleSet } from '#rules/rule.js';
import type { Tree } from '#source/snapshot.js';
import { clientFile } from './clients.js';
import type { ReviewOptions } from './document.js';

export class Session {
  readonly cache = new IndexCache();
  private readonly resolvers = new WeakMap<Tree, Map<string, Resolver>>();
  functions = 0;
  programs = 0;
  states = 0;

  constructor(
    readonly rules: RuleSet,
    readonly options: ReviewOptions,
  ) {}

  resolver(tree: Tree, machine: MachineFile): Resolver {
    let map = this.resolvers.get(tree);
    if (map === undefined) {
      map = new Map();
      this.resolvers.set(tree, map);
    }
    let resolver = map.get(machine.name);
    if (resolver === undefined) {
      const clients = this.rules.clients;
      resolver = new Resolver(
        (path) => (path.startsWith('client:') ? (clientFile(path, clients) ?? null) : tree.read(path)),
        machine,
        this.cache,
      );
      map.set(machine.name, resolver);
    }
    return resolver;
  }

  index(tree: Tree, path: string): FileIndex | null {
    const text = tree.read(path);
    return text === null ? null : this.cache.index(path, text);
  }
}
