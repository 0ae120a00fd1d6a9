/** Who calls a function, wherever in the tree it stands, and how the call comes to it. */
import type { Definition, FileIndex } from '#c/ir.js';
import type { Linked } from '#extract/extraction.js';
import type { Found, Resolver } from '#extract/resolve.js';
import { CallersInFile } from '#extract/roots.js';
import { ruleFor } from '#rules/load-rules.js';
import type { RuleSet } from '#rules/rule.js';
import { SourceError } from '#source/snapshot.js';
import { callsOf } from './calls-of.js';
import { filesThatDefine, filesThatUse, type Reach, type TreeIndex } from './tree-index.js';

/** A function that calls the one asked for, itself or through macros and functions in headers. */
export interface TreeCaller {
  readonly root: string;
  readonly file: string;
  /** Functions on the way whose bodies are to be followed. */
  readonly bodies: ReadonlySet<string>;
  /** Those of them that other files define. */
  readonly linked: Linked;
}

export interface TreeCallers {
  /** Those in the function's own file first, then those of its folder. */
  readonly callers: readonly TreeCaller[];
  /** Those that were not taken up because there are too many. */
  readonly cut: readonly string[];
  /** Are these all that can call it, as far as the tree's index goes? */
  readonly all: boolean;
}

export interface CallerView {
  readonly index: TreeIndex;
  readonly resolver: Resolver;
  readonly rules: RuleSet;
}

/** Callers of one function that are taken up. */
const MOST_CALLERS = 6;
/** Files that use its name and are read. */
const MOST_FILES = 24;
/** Macros and functions in headers that hand a call on to one another. */
const MOST_STEPS = 2;

/** No callers, and nobody says that there are none. */
const NOBODY: TreeCallers = { callers: [], cut: [], all: false };

/**
 * `from` is how the function asked for leads to what its callers are searched for. Those that are near are among those of
 * the whole tree: where not all of them are seen, not all callers are.
 */
export function callersInTree(
  from: Omit<TreeCaller, 'bodies' | 'linked'> & Partial<TreeCaller>,
  view: CallerView,
  reach: Reach = 'tree',
): TreeCallers {
  const found = view.resolver.define(from.root, from.file);
  if (found === null || found.index.file !== from.file) return NOBODY;
  try {
    return new Search(view, reach).run(found, new Set(from.bodies), new Map(from.linked), 0);
  } catch (error) {
    // A clone without some of its objects can be reviewed, but nobody can say who calls what in it.
    if (error instanceof SourceError) return NOBODY;
    throw error;
  }
}

/** Functions of other files that a caller calls, with the files where they stand: what it does itself is often done there. */
export function helpersOf({ root, file }: Pick<TreeCaller, 'root' | 'file'>, view: CallerView): Linked {
  const { resolver, rules, index } = view;
  const homes = new Map<string, string>();
  for (const name of callsOf(root, file, resolver) ?? []) {
    if (ruleFor(rules, name, resolver.machine) !== null || resolver.define(name, file) !== null) continue;
    // Of several definitions, one that the machine builds; which of two is linked is not said by their names.
    const built = filesThatDefine(index, name, file, resolver.machine.arch).filter(
      (path) => resolver.linked(name, file, path) !== null,
    );
    if (built.length === 1 && built[0] !== undefined) homes.set(name, built[0]);
  }
  return homes;
}

class Search {
  private readonly seen = new Set<Definition>();

  constructor(
    private readonly view: CallerView,
    private readonly reach: Reach,
  ) {}

  run(target: Found, from: ReadonlySet<string>, linkedFrom: Linked, depth: number): TreeCallers {
    const { index, resolver, rules } = this.view;
    const { name } = target.definition;
    const home = target.index.file;
    this.seen.add(target.definition);
    // A rule for a function on the way would hide what is behind it, and nobody may take it for too small to follow.
    const bodies = new Set(from);
    if (depth === 0 || ruleFor(rules, name, resolver.machine) !== null) bodies.add(name);
    const isHeader = home.endsWith('.h');
    const isLocal = target.definition.kind !== 'function' || target.definition.static;
    const linked =
      isHeader || isLocal ? linkedFrom : new Map<string, string | null>([...linkedFrom, [name, home]]);
    const others =
      !isHeader && isLocal ? [] : filesThatUse(index, name, home, resolver.machine.arch, this.reach);
    const callers: TreeCaller[] = [];
    let all = others.length < MOST_FILES && !isExported(target);
    const cut: string[] = [];
    for (const path of [home, ...others.slice(0, MOST_FILES)]) {
      if (path !== home && !resolver.isBuilt(path)) continue;
      const own = resolver.index(path);
      if (own === null || (path !== home && !this.means(target, path))) continue;
      const uses = new CallersInFile(own, resolver).usesOf(name);
      // Its name in a file and no call that is seen: something else may come to it.
      if (uses.addressTaken || (uses.by.length === 0 && path !== home)) all = false;
      for (const caller of uses.by) {
        if (resolver.live(own, caller.name) !== caller || this.seen.has(caller)) continue;
        const more = this.through(own, caller, bodies, linked, depth);
        if (!more.all) all = false;
        cut.push(...more.cut);
        for (const one of more.callers) {
          if (callers.length < MOST_CALLERS) callers.push(one);
          else cut.push(one.root);
        }
      }
    }
    return { callers, cut, all: all && cut.length === 0 };
  }

  /** A function of a C file is a caller; what a header or a macro holds stands for whoever uses it. */
  private through(
    index: FileIndex,
    definition: Definition,
    bodies: ReadonlySet<string>,
    linked: Linked,
    depth: number,
  ): TreeCallers {
    this.seen.add(definition);
    if (definition.kind === 'function' && index.file.endsWith('.c'))
      return {
        callers: [{ root: definition.name, file: index.file, bodies, linked }],
        cut: [],
        all: true,
      };
    if (depth >= MOST_STEPS) return NOBODY;
    return this.run({ index, definition }, bodies, linked, depth + 1);
  }

  /** Is it this definition that the name stands for in the file? */
  private means(target: Found, path: string): boolean {
    const seen = this.view.resolver.define(target.definition.name, path);
    return seen === null
      ? target.index.file.endsWith('.c')
      : seen.index.file === target.index.file && seen.definition.start === target.definition.start;
  }
}

/** Modules that nobody sees may call what is exported. */
function isExported({ index, definition }: Found): boolean {
  return new RegExp(`\\bEXPORT_SYMBOL\\w*\\(\\s*${definition.name}\\b`).test(index.text);
}
