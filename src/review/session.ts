/** What one review keeps while it runs: indexes and resolvers shared by its patches, and counters for the statistics. */
import type { FileIndex } from '#c/ir.js';
import type { FactName, FactValue, MachineFile } from '#event/machine-facts.js';
import type { EventProgram } from '#event/program.js';
import { behaveAlike } from '#extract/finish-program.js';
import { mayLeadToEntries } from '#extract/leads-to-entries.js';
import { IndexCache, Resolver } from '#extract/resolve.js';
import { SharedExtraction } from '#extract/shared-extraction.js';
import { factsOf } from '#machine/facts.js';
import { type Learnt, nothingLearnt } from '#machine/search-program.js';
import type { ActorFile, RuleSet } from '#rules/rule.js';
import type { Tree } from '#source/snapshot.js';
import { isBuiltOn } from './built-on.js';
import { callsOf } from './calls-of.js';
import { clientFile } from './clients.js';
import type { ReviewOptions } from './document.js';
import { DEPTH_LIMIT, NODE_LIMIT } from './extraction-limits.js';
import { type JudgeLimits, judge, type Verdict } from './judge.js';
import type { NameUse } from './name-pack.js';
import { walkersOf } from './parties.js';
import type { Task } from './task.js';
import { type TreeIndex, TreeIndexes } from './tree-index.js';

/** What depends on the texts of files alone and may be kept from one session to the next, on one thread. */
export class Kept {
  readonly cache = new IndexCache();
  readonly extraction = new SharedExtraction();
  resolvers = new WeakMap<Tree, Map<string, Resolver>>();
  /** Made when the first session says where they are kept. */
  indexes: TreeIndexes | null = null;
  /** Told of every answer that the index of a tree gives. */
  onNames: ((folder: string, name: string, uses: readonly NameUse[]) => void) | null = null;

  /** Forgets what is known of files that `keep` does not name. */
  forget(keep: (path: string) => boolean): void {
    this.cache.forget(keep);
    this.extraction.forget();
    this.resolvers = new WeakMap();
  }
}

/** What a search counts that came to its end: where machine after machine is decided, the rest shall be, too. */
const SETTLED_SHARE = 0.5;

const rootOf = ({ file, root, changed }: Task): string => `${file} ${root} ${changed.name}`;

/**
 * Nodes of a program for which the least number of states is too little. In the folders of page-table code none with
 * more than 424 showed anything in it.
 */
const LARGE = 600;

/** A root that was too much to search. */
interface LeftOpen {
  readonly root: string;
  readonly nodes: number;
  readonly followed: ReadonlySet<string>;
}

/** What is no smaller than a program that was too much, and has this part of its functions, is too much itself. */
const MOST_FUNCTIONS = 3 / 4;

function holdsMost(followed: ReadonlySet<string>, of: ReadonlySet<string>): boolean {
  let both = 0;
  for (const name of of) if (followed.has(name)) both += 1;
  return both > 0 && both >= MOST_FUNCTIONS * of.size;
}

/** What every search may take, whatever went before. */
export const LEAST_STATES = 2_000;
/** The same for a function of a scan that is not known to be too much: most come to their end within it. */
const LEAST_OF_FUNCTION = 4_000;
/** The same where something was found on another machine: by the choices that led to it, it is found here, too. */
const LEAST_OF_SHOWN = 500;

/** A fork's searches have this part of the time. */
const TRIAL_SHARE = 4;

export class Session {
  private readonly indexes: TreeIndexes;
  readonly cache: IndexCache;
  readonly extraction: SharedExtraction;
  functions = 0;
  programs = 0;
  states = 0;
  /** `states` when what is searched now was begun. */
  patchStart = 0;
  /** States since then of searches that came to their end. */
  private settled = 0;
  /** Do the functions of the current file do the same on both sides, and was nothing else changed? */
  unchanged = false;
  /** When what there is to say of the current file has to be said. */
  until = Number.POSITIVE_INFINITY;
  /** Callers of changed functions that were too much to search on some machine, and on how many; of the current patch. */
  readonly tooLarge = new Map<string, number>();
  private readonly statesOf = new Map<string, number>();

  /** Changed functions whose callers do not make up for what they raise, on some machine; of the current patch. */
  readonly unexcused = new Set<string>();

  constructor(
    readonly rules: RuleSet,
    readonly options: ReviewOptions,
    /** Indexes, resolvers and programs that are used on. */
    private readonly kept: Kept = new Kept(),
    /** Is what is gone of no interest? */
    private readonly newOnly = false,
  ) {
    this.cache = kept.cache;
    this.extraction = kept.extraction;
    kept.indexes ??= new TreeIndexes(options.cache ?? null);
    this.indexes = kept.indexes;
  }

  /**
   * A session with counters and verdicts of its own that tells nobody of its progress, to see whether anything is
   * brought in.
   *
   * @param existing are programs that are the same on both sides searched too?
   */
  fork(existing: boolean): Session {
    const { states, milliseconds } = this.options.limits;
    const limits = { states, milliseconds: milliseconds / TRIAL_SHARE };
    const options = { ...this.options, existing, limits, onProgress: () => {} };
    return new Session(this.rules, options, this.kept, true);
  }

  /** What a search for a changed name took, and whether it was gone through to its end. */
  spend(name: string, states: number, isSettled: boolean): void {
    this.statesOf.set(name, (this.statesOf.get(name) ?? 0) + states);
    if (isSettled) this.settled += states;
  }

  /** What comes now has an allowance of its own. */
  startOver(): void {
    this.patchStart = this.states;
    this.settled = 0;
  }

  /** Roots of which the search was cut off on some machine with nothing found. */
  private readonly open = new Map<string, LeftOpen>();

  /** A search of this root, with a program of so many nodes and these functions in it, was cut off on one machine. */
  leaveOpen(task: Task, nodes: number, followed: ReadonlySet<string>): void {
    this.open.set(rootOf(task), { root: task.root, nodes, followed });
  }

  /**
   * Is the program of so many nodes, with a function in it that was too much, itself so large that the few states left
   * for it say nothing?
   */
  isTooLarge(task: Task, followed: ReadonlySet<string>, nodes: number): boolean {
    return nodes > LARGE && this.isOpen(task, followed, nodes);
  }

  /** Does the root call one that was left open with a large program? Then its own is larger still. */
  callsLarge(task: Task, resolver: Resolver): boolean {
    if (!this.ofMany) return false;
    const large = [...this.open.values()].filter(({ nodes, root }) => nodes > LARGE && root !== task.root);
    if (large.length === 0) return false;
    const called = callsOf(task.root, task.file, resolver);
    return large.some(({ root }) => called?.has(root) === true);
  }

  /**
   * Was one of the functions that are followed in the root's program too much, or, where nothing was found in it yet, a
   * program that has no more nodes and most of its functions in common with it? And is there so much to search that this
   * one shall not take as long?
   */
  isOpen(task: Task, followed: ReadonlySet<string>, nodes: number): boolean {
    if (!this.ofMany) return false;
    const isShown = this.isShown(task);
    return [...this.open.values()].some(
      (one) =>
        followed.has(one.root) || (!isShown && nodes >= one.nodes && holdsMost(followed, one.followed)),
    );
  }

  /** Was it, so that other machines, on which it seldom is less, are not tried any more? */
  isHopeless(task: Task): boolean {
    return this.ofMany && this.open.has(rootOf(task)) && !this.isShown(task);
  }

  private readonly shown = new Set<string>();

  /** Something was found in this root on one machine. */
  noteShown(task: Task): void {
    this.shown.add(rootOf(task));
  }

  /** Was it, where each function has an allowance of its own? */
  private isShown(task: Task): boolean {
    return this.ofMany && this.shown.has(rootOf(task));
  }

  /** The states that a search may take whatever went before. `isOpen`: was a part of it too much to search? */
  leastStates(task: Task, isOpen: boolean): number {
    if (this.isShown(task)) return LEAST_OF_SHOWN;
    return this.ofMany && !isOpen ? LEAST_OF_FUNCTION : LEAST_STATES;
  }

  /** Has each function an allowance of its own? */
  private get ofMany(): boolean {
    return this.options.allowance === 'function';
  }

  /** States that searches took so far: for the whole session, or for one function where each has its allowance. */
  spent(name: string): number {
    return this.ofMany
      ? (this.statesOf.get(name) ?? 0)
      : this.states - this.patchStart - this.settled * (1 - SETTLED_SHARE);
  }

  /** Is it only asked whether anything is brought in? */
  get isFork(): boolean {
    return this.newOnly;
  }

  /** The names in a tree's files; null where they cannot be had, as from hunks alone. */
  names(tree: Tree): TreeIndex | null {
    const index = this.indexes.of(tree);
    const { onNames } = this.kept;
    if (index === null || onNames === null) return index;
    return {
      inFolder: (folder, name) => {
        const uses = index.inFolder(folder, name);
        onNames(folder, name, uses);
        return uses;
      },
    };
  }

  resolver(tree: Tree, machine: MachineFile): Resolver {
    let map = this.kept.resolvers.get(tree);
    if (map === undefined) {
      map = new Map();
      this.kept.resolvers.set(tree, map);
    }
    let resolver = map.get(machine.name);
    if (resolver === undefined) {
      const clients = this.rules.clients;
      resolver = new Resolver(
        (path) => (path.startsWith('client:') ? (clientFile(path, clients) ?? null) : tree.read(path)),
        machine,
        this.cache,
        undefined,
        {
          tree,
          list: (folder) => tree.list(folder),
          built: (path, configuration) => isBuiltOn(path, machine, configuration, (file) => tree.read(file)),
        },
      );
      map.set(machine.name, resolver);
    }
    return resolver;
  }

  index(tree: Tree, path: string): FileIndex | null {
    const text = tree.read(path);
    return text === null ? null : this.cache.index(path, text);
  }

  /**
   * Can what a scan asks of a function of the file show in it at all? Not where it does not come to an entry on any
   * machine.
   */
  mayLeadToEntries(
    name: string,
    index: FileIndex | null,
    tree: Tree,
    machines: readonly MachineFile[],
  ): boolean {
    const [machine] = machines;
    if (this.options.kindCallers !== true || index === null || machine === undefined) return true;
    const founds = (index.definitions.get(name) ?? []).map((definition) => ({ index, definition }));
    return mayLeadToEntries(founds, this.resolver(tree, machine), this.rules, index.file, DEPTH_LIMIT);
  }

  private readonly parties = new WeakMap<Resolver, Map<string, readonly EventProgram[]>>();

  /** The programs that an actor runs in the resolver's tree: its own code there, else what its rule file says. */
  party(actor: ActorFile, resolver: Resolver): readonly EventProgram[] {
    const known = this.parties.get(resolver) ?? new Map<string, readonly EventProgram[]>();
    this.parties.set(resolver, known);
    let programs = known.get(actor.name);
    if (programs === undefined) {
      const index = actor.code === null ? null : resolver.index(actor.code);
      const extracted = walkersOf(actor, resolver, this.rules).flatMap((name): EventProgram[] => {
        const definition = index === null ? null : resolver.live(index, name);
        if (index === null || definition === null) return [];
        const extraction = this.extraction.extract([{ index, definition }], null, resolver, this.rules, {
          bodies: new Set(),
          outermost: false,
          linked: new Map(),
          nodeLimit: NODE_LIMIT,
          depthLimit: DEPTH_LIMIT,
        });
        return 'reason' in extraction
          ? []
          : extraction.map(({ program }) => ({
              ...program,
              space: actor.space,
              assumptions: actor.program.assumptions,
            }));
      });
      programs = extracted.length > 0 ? extracted : [actor.program];
      known.set(actor.name, programs);
    }
    return programs;
  }

  /** By the sizes of the programs, and what was asked. */
  private readonly verdicts = new Map<
    string,
    {
      readonly before: readonly EventProgram[] | null;
      readonly after: readonly EventProgram[] | null;
      readonly facts: readonly (readonly [FactName, FactValue])[];
      readonly states: number;
      readonly verdict: Verdict;
    }[]
  >();

  private readonly learnt = new Map<string, Learnt>();

  /** What is known of searches of these programs, as they were on other machines. */
  private learntOf(programs: readonly EventProgram[] | null): Learnt {
    const name = (programs ?? []).map((program) => program.name).join(' ');
    let learnt = this.learnt.get(name);
    if (learnt === undefined) {
      learnt = nothingLearnt();
      this.learnt.set(name, learnt);
    }
    return learnt;
  }

  /** A verdict holds for every machine on which the same programs read the same facts (DESIGN.md rule 9). */
  judged(
    before: readonly EventProgram[] | null,
    after: readonly EventProgram[] | null,
    machine: MachineFile,
    limits: JudgeLimits,
    /** Is it asked what goes wrong on both sides, too? */
    existing: boolean = this.options.existing,
  ): Verdict {
    const fixedWithin = this.newOnly ? 0 : limits.fixedWithin;
    const key = [
      ...[before, after].map((side) => side?.map(({ nodes }) => nodes.length).join(' ') ?? '-'),
      ...(limits.settled ?? []),
      fixedWithin ?? null,
      limits.anything ?? false,
      existing,
    ].join('\n\n');
    const known = this.verdicts.get(key) ?? [];
    for (const { facts, states, verdict, ...of } of known) {
      // One that was cut off says nothing about a search that may go further.
      if (verdict.cutOff !== null && states < limits.states) continue;
      if (!facts.every(([name, value]) => machine.facts[name] === value)) continue;
      if (behaveAlike(of.before, before) && behaveAlike(of.after, after)) return verdict;
    }
    const facts = factsOf(machine);
    const kind = this.options.kindCallers === true;
    const verdict = judge(
      before,
      after,
      facts,
      {
        ...limits,
        ...(fixedWithin === undefined ? {} : { fixedWithin }),
        kind,
        learnt: this.learntOf(after ?? before),
      },
      existing,
    );
    this.states += verdict.states;
    known.push({
      before,
      after,
      facts: [...facts.read].map((name) => [name, machine.facts[name]] as const),
      states: limits.states,
      verdict,
    });
    this.verdicts.set(key, known);
    return verdict;
  }
}
