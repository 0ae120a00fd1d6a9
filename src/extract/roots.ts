/**
 * Which functions of a file are entered from outside what is seen, and through which of them a changed one is reached.
 */
import { identifiersIn } from '#c/identifiers.js';
import type { Definition, FileIndex } from '#c/ir.js';
import type { Resolver } from './resolve.js';

const ROOT_LIMIT = 8;
const DEPTH_LIMIT = 6;

interface Uses {
  /** Definitions whose text names the function. */
  readonly by: readonly Definition[];
  /** Named outside a call: stored in a table, passed as a callback. */
  readonly addressTaken: boolean;
}

export class CallersInFile {
  constructor(
    private readonly index: FileIndex,
    private readonly resolver: Resolver,
  ) {}

  /** The roots to check when `name` changed: itself when it is entered from outside, else its callers', nearest first. */
  rootsOf(name: string): readonly Definition[] {
    return this.reach(name).roots;
  }

  /** As `rootsOf`, with the names of all functions through which they reach `name`, the roots and itself among them. */
  reach(name: string): { readonly roots: readonly Definition[]; readonly passed: ReadonlySet<string> } {
    const roots: Definition[] = [];
    const seen = new Set<string>();
    let wave = [name];
    for (let depth = 0; depth <= DEPTH_LIMIT && wave.length > 0; depth += 1) {
      const next: string[] = [];
      for (const at of wave) {
        if (seen.has(at)) continue;
        seen.add(at);
        const definition = this.resolver.live(this.index, at);
        if (definition === null) continue;
        const uses = this.usesOf(definition.name);
        const enteredFromOutside =
          (definition.kind === 'function' && !definition.static) ||
          uses.addressTaken ||
          uses.by.length === 0 ||
          depth === DEPTH_LIMIT;
        if (enteredFromOutside) {
          if (definition.kind === 'function' || definition.kind === 'macro') roots.push(definition);
        } else next.push(...uses.by.map((caller) => caller.name));
        if (roots.length >= ROOT_LIMIT) return { roots, passed: seen };
      }
      wave = next;
    }
    return { roots, passed: seen };
  }

  /**
   * Functions of the file through which one is called back: they hand it, or a table that names it, to something that
   * they call.
   */
  handersOf(name: string): readonly Definition[] {
    const users = usersIn(this.index);
    const handed = [name];
    for (const candidates of this.index.definitions.values())
      for (const table of candidates)
        if (table.kind === 'table' && Object.values(table.members).includes(name)) handed.push(table.name);
    // An argument, or what a struct or a pointer holds that is handed on.
    const argument = new RegExp(`(?:[(,]|[^=!<>]=)\\s*&?(?:${handed.join('|')})\\s*[,);}]`);
    const named = new Set(handed.flatMap((one) => users.named.get(one) ?? []));
    return [...named].filter(
      (candidate) =>
        candidate.kind === 'function' &&
        candidate.name !== name &&
        argument.test(this.index.text.slice(candidate.body, candidate.end)),
    );
  }

  /** Has the function callers in this file? */
  hasCallers(name: string): boolean {
    const definition = this.resolver.live(this.index, name);
    return definition !== null && this.usesOf(name).by.length > 0;
  }

  /** What of the file uses a name, its own or another file's. */
  usesOf(name: string): Uses {
    const users = usersIn(this.index);
    const by: Definition[] = [];
    let addressTaken = users.tables.has(name);
    for (const candidate of users.named.get(name) ?? []) {
      if (candidate.name === name) continue;
      const body = this.index.text.slice(candidate.body, candidate.end);
      if (new RegExp(`\\b${name}\\s*\\(`).test(body)) by.push(candidate);
      else addressTaken = true;
    }
    return { by, addressTaken };
  }
}

/** By name: functions and macros of a file whose text has it, and the names that its tables hold. */
interface Users {
  readonly named: ReadonlyMap<string, readonly Definition[]>;
  readonly tables: ReadonlySet<string>;
}

const usersOf = new WeakMap<FileIndex, Users>();

function usersIn(index: FileIndex): Users {
  const known = usersOf.get(index);
  if (known !== undefined) return known;
  const named = new Map<string, Definition[]>();
  const tables = new Set<string>();
  for (const candidates of index.definitions.values())
    for (const candidate of candidates) {
      if (candidate.kind === 'table') {
        for (const member of Object.values(candidate.members))
          if (member !== candidate.name) tables.add(member);
        continue;
      }
      if (candidate.kind !== 'function' && candidate.kind !== 'macro') continue;
      for (const name of identifiersIn(index.text, candidate.body, candidate.end)) {
        const users = named.get(name);
        if (users === undefined) named.set(name, [candidate]);
        else users.push(candidate);
      }
    }
  const users = { named, tables };
  usersOf.set(index, users);
  return users;
}
