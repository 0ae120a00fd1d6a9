/**
 * Finds the definition that a name has at a place in the tree, the way the compiler of one machine sees it: the same
 * file, then the headers it includes (the machine's own before asm-generic), `#if` arms chosen by its configuration.
 *
 * `extract/` does no IO: files come through the `read` that is passed in.
 */
import { indexFile } from '#c/index-file.js';
import type { CFunction, Configuration, Definition, FileIndex, Gap } from '#c/ir.js';
import { lowerFunction } from '#c/lower-function.js';
import { evaluateCondition } from '#c/preprocess.js';
import { plainNames } from '#c/template-names.js';
import type { FactName, MachineFile } from '#event/machine-facts.js';
import { ruleFor } from '#rules/load-rules.js';
import type { CallRule, MachineCondition, RuleSet } from '#rules/rule.js';
import { filesIn, foldersFor, type LinkView, mayDefine } from './linked-files.js';

export interface Found {
  readonly index: FileIndex;
  readonly definition: Definition;
}

/** Indexes by path; a text that did not change is scanned once, whichever tree it is read from. */
export class IndexCache {
  private readonly byPath = new Map<string, { readonly text: string; readonly index: FileIndex }[]>();
  private readonly heads = new Map<string, { readonly text: string; readonly names: Map<string, boolean> }>();
  private readonly lowered = new WeakMap<FileIndex, Map<number, Lowered[]>>();
  private readonly definers = new Map<string, Set<string>>();
  private readonly views = new WeakMap<object, Map<string, InView>>();

  index(path: string, text: string): FileIndex {
    const known = this.byPath.get(path) ?? [];
    for (const one of known) if (one.text === text) return one.index;
    const index = indexFile(path, plainNames(text));
    this.byPath.set(path, [...known, { text, index }]);
    for (const name of index.definitions.keys()) {
      const paths = this.definers.get(name);
      if (paths === undefined) this.definers.set(name, new Set([path]));
      else paths.add(path);
    }
    return index;
  }

  /** Files of which some text that was indexed defines the name; those that define it now are among them. */
  definersOf(name: string): Iterable<string> {
    return this.definers.get(name) ?? [];
  }

  /** Forgets the indexes of files that `keep` does not name. What `mayDefine` found is small, and stays. */
  forget(keep: (path: string) => boolean): void {
    for (const path of this.byPath.keys()) if (!keep(path)) this.byPath.delete(path);
  }

  /** What is in view of a file of the tree on any machine; made once. */
  inView(tree: object, file: string, make: () => InView): InView {
    const known = this.views.get(tree) ?? new Map<string, InView>();
    this.views.set(tree, known);
    let view = known.get(file);
    if (view === undefined) {
      view = make();
      known.set(file, view);
    }
    return view;
  }

  /** As `mayDefine`, once for each text of a file. */
  mayDefine(path: string, text: string, name: string): boolean {
    let known = this.heads.get(path);
    if (known === undefined || known.text !== text) {
      known = { text, names: new Map() };
      this.heads.set(path, known);
    }
    let answer = known.names.get(name);
    if (answer === undefined) {
      answer = mayDefine(text, name);
      known.names.set(name, answer);
    }
    return answer;
  }

  /** A body is lowered once for all configurations that answer what it asks alike. */
  lower(found: Found, configuration: Configuration): CFunction | Gap {
    let map = this.lowered.get(found.index);
    if (map === undefined) {
      map = new Map();
      this.lowered.set(found.index, map);
    }
    const known = map.get(found.definition.start) ?? [];
    for (const { asked, result } of known) {
      let same = true;
      for (const [symbol, answer] of asked) if (configuration(symbol) !== answer) same = false;
      if (same) return result;
    }
    const asked = new Map<string, string | undefined>();
    const result: CFunction | Gap = lowerFunction(found.index, found.definition, (symbol) => {
      const answer = configuration(symbol);
      asked.set(symbol, answer);
      return answer;
    });
    map.set(found.definition.start, [...known, { asked, result }]);
    return result;
  }
}

/** What code in a file may mean by names, whatever the machine. */
export interface InView {
  /** In the file itself and the headers that it or they include under any condition. */
  definitions(name: string): readonly Found[];
  /** By name: so many calls below a use of it there is no entry. Kept by leads-to-entries.ts. */
  readonly free: Map<string, number>;
}

interface Lowered {
  readonly asked: ReadonlyMap<string, string | undefined>;
  readonly result: CFunction | Gap;
}

/** Deepest chain of #include that is searched. Kernel headers that hold primitives are at most this far from mm/ files. */
const INCLUDE_DEPTH = 3;
const HEADER_LIMIT = 400;

/** What a resolver found: one object for each question. */
interface Answer<T = Found> {
  readonly found: T | null;
  /** Made when somebody watches. */
  asked: Asked | null;
}

/** A question to a resolver, and what it answered. */
export interface Asked {
  readonly ask: (resolver: Resolver) => unknown;
  readonly answer: unknown;
}

export class Resolver {
  /** Questions since `watch` began. */
  private asked: Set<Asked> | null = null;
  /** By their texts: questions of which no answer is kept. */
  private readonly questions = new Map<string, Asked>();
  private readonly watchedMachine: MachineFile;
  private readonly headers = new Map<string, ReadonlyMap<string, number>>();
  /** By file and name. */
  private readonly defined = new Map<string, Map<string, Answer>>();
  private readonly linkedTo = new Map<string, Answer>();
  /** By rule set and name: for any number of arguments, then for 0, 1 and so on. */
  private readonly ruled = new WeakMap<RuleSet, Map<string, Answer<CallRule>[]>>();
  private readonly symbols = new Map<string, string | undefined>();
  /** How many symbols are being found out: what is answered meanwhile is not final. */
  private settling = 0;
  private readonly conditions = new Map<string, boolean>();
  private readonly alive = new WeakMap<FileIndex, Map<string, Definition | null>>();
  /** By file: headers that it includes itself. */
  private readonly includes = new Map<string, readonly string[]>();
  private readonly includers = new Map<string, string | null>();
  /** By file: does the machine build it? */
  private readonly built = new Map<string, boolean>();
  private readonly settled = new Map<string, Answer>();
  /** Which bodies weigh: kept by relevance.ts. */
  readonly relevance = new Map<string, Map<Definition, boolean>>();
  /** Which bodies come to entries: kept by leads-to-entries.ts. */
  readonly entries = new Map<string, Map<Definition, boolean>>();
  readonly configuration: Configuration;

  constructor(
    private readonly read: (path: string) => string | null,
    private readonly ownMachine: MachineFile,
    private readonly cache: IndexCache,
    /** Value of a symbol that neither the machine nor its headers settle. */
    private readonly unstated: (symbol: string) => string | undefined = (symbol) =>
      symbol.startsWith('CONFIG_') ? 'y' : undefined,
    /** What other files hold; null: only headers are in view. */
    private readonly view: LinkView | null = null,
  ) {
    this.configuration = (symbol) =>
      this.note(`symbol ${symbol}`, (resolver) => resolver.symbol(symbol), this.symbol(symbol));
    const watched = <T extends object>(of: (resolver: Resolver) => T, name: string): T =>
      new Proxy(of(this), {
        get: (target, key) => {
          const read = (from: object): unknown => Reflect.get(from, key);
          return this.note(`${name} ${String(key)}`, (resolver) => read(of(resolver)), read(target));
        },
      });
    const facts = watched((resolver) => resolver.ownMachine.facts, 'fact');
    const config = watched((resolver) => resolver.ownMachine.config, 'config');
    const machine = watched((resolver) => resolver.ownMachine, 'machine');
    this.watchedMachine = new Proxy(machine, {
      get: (target, key) => (key === 'facts' ? facts : key === 'config' ? config : Reflect.get(target, key)),
    });
  }

  get machine(): MachineFile {
    return this.asked === null ? this.ownMachine : this.watchedMachine;
  }

  /**
   * Runs `work` and gives its result with all that it asked of this resolver: for a resolver that answers the same the
   * result is the same.
   */
  watch<T>(work: () => T): { readonly result: T; readonly asked: readonly Asked[] } {
    const asked = new Set<Asked>();
    this.asked = asked;
    try {
      return { result: work(), asked: [...asked] };
    } finally {
      this.asked = null;
    }
  }

  /** Does this resolver answer all that was asked of another one alike? */
  answersAlike(asked: readonly Asked[]): boolean {
    return asked.every(({ ask, answer }) => ask(this) === answer);
  }

  /**
   * An answer that `work` finds by asking this resolver anything: for who watches it is one question, whatever it takes.
   * `work` is run on other resolvers too; it may not depend on anything but the one it is given and `text`.
   */
  settle(text: string, work: (resolver: Resolver) => Found | null): Found | null {
    let answer = this.settled.get(text);
    if (answer === undefined) {
      const watching = this.asked;
      this.asked = null;
      try {
        answer = { found: work(this), asked: null };
      } finally {
        this.asked = watching;
      }
      this.settled.set(text, answer);
    }
    if (this.asked !== null) this.noteSettled(answer, text, work);
    return answer.found;
  }

  /** Apart from what is asked all the time, as a closure costs room wherever it may be made. */
  private noteSettled(answer: Answer, text: string, work: (resolver: Resolver) => Found | null): void {
    answer.asked ??= alike(answer.found, (resolver) => resolver.settle(text, work));
    this.asked?.add(answer.asked);
  }

  /** The rule for the C name here; for who watches, machines with rules that do the same do not differ. */
  rule(rules: RuleSet, name: string, argumentCount?: number): CallRule | null {
    let known = this.ruled.get(rules);
    if (known === undefined) {
      known = new Map();
      this.ruled.set(rules, known);
    }
    let ofName = known.get(name);
    if (ofName === undefined) {
      ofName = [];
      known.set(name, ofName);
    }
    const at = argumentCount === undefined ? 0 : argumentCount + 1;
    let answer = ofName[at];
    if (answer === undefined) {
      answer = { found: ruleFor(rules, name, this.ownMachine, argumentCount), asked: null };
      ofName[at] = answer;
    }
    if (this.asked !== null) this.noteRule(answer, rules, name, argumentCount);
    return answer.found;
  }

  private noteRule(answer: Answer<CallRule>, rules: RuleSet, name: string, argumentCount?: number): void {
    answer.asked ??= {
      ask: (resolver) => effectOf(resolver.rule(rules, name, argumentCount)),
      answer: effectOf(answer.found),
    };
    this.asked?.add(answer.asked);
  }

  /** Does the condition hold here? */
  holds(condition: MachineCondition): boolean {
    const { arch, notArch, facts, config } = condition;
    if (arch === undefined && notArch === undefined && facts === undefined && config === undefined)
      return true;
    const ask = (resolver: Resolver): boolean => {
      if (arch !== undefined && !arch.includes(resolver.ownMachine.arch)) return false;
      if (notArch?.includes(resolver.ownMachine.arch)) return false;
      for (const [name, value] of Object.entries(facts ?? {}))
        if (resolver.ownMachine.facts[name as FactName] !== value) return false;
      for (const [symbol, value] of Object.entries(config ?? {}))
        if ((resolver.symbol(symbol) !== undefined) !== (value === 'y')) return false;
      return true;
    };
    return this.note(`holds ${JSON.stringify(condition)}`, ask, ask(this));
  }

  private note<T>(text: string, ask: (resolver: Resolver) => unknown, answer: T): T {
    if (this.asked === null) return answer;
    let asked = this.questions.get(text);
    // A symbol has another answer while it is being found out.
    if (asked === undefined || asked.answer !== answer) {
      asked = { ask, answer };
      this.questions.set(text, asked);
    }
    this.asked.add(asked);
    return answer;
  }

  index(path: string): FileIndex | null {
    return this.note(`index ${path}`, (resolver) => resolver.indexed(path), this.indexed(path));
  }

  private indexed(path: string): FileIndex | null {
    const text = this.read(path);
    return text === null ? null : this.cache.index(path, text);
  }

  /** Definitions of `name` that are live on this machine in one file. */
  live(index: FileIndex, name: string): Definition | null {
    const answer = this.findLive(index, name);
    return this.note(`live ${index.file} ${name}`, (resolver) => resolver.live(index, name), answer);
  }

  private findLive(index: FileIndex, name: string): Definition | null {
    const found = this.alive.get(index) ?? new Map<string, Definition | null>();
    this.alive.set(index, found);
    const known = found.get(name);
    if (known !== undefined) return known;
    const definition = this.searchLive(index, name);
    if (this.settling === 0) found.set(name, definition);
    return definition;
  }

  private searchLive(index: FileIndex, name: string): Definition | null {
    const definitions = index.definitions.get(name) ?? [];
    for (const definition of definitions) {
      if (marksItself(index, definition)) continue;
      // `#ifndef f`, `#define f f` and f: not defined where that is asked, unless another header says so.
      const guarded =
        definitions.length > 1 &&
        definitions.some(
          (marker) => marker !== definition && marksItself(index, marker) && asksFor(marker, name),
        );
      const own = guarded && asksFor(definition, name) && this.archMacro(name, true) === undefined;
      const symbols = (symbol: string): string | undefined =>
        symbol === name ? undefined : this.symbol(symbol);
      const isLive = (condition: string): boolean =>
        own ? evaluateCondition(condition, symbols) : this.isTrue(condition);
      if (definition.when.every(isLive)) return definition;
    }
    return null;
  }

  /** The function or macro that a call of `name` in `from` reaches, or null when it is not in view. */
  define(name: string, from: string): Found | null {
    let inFile = this.defined.get(from);
    if (inFile === undefined) {
      inFile = new Map();
      this.defined.set(from, inFile);
    }
    let answer = inFile.get(name);
    if (answer === undefined) {
      answer = { found: this.search(name, from), asked: null };
      inFile.set(name, answer);
    }
    if (this.asked !== null) this.noteDefined(answer, name, from);
    return answer.found;
  }

  private noteDefined(answer: Answer, name: string, from: string): void {
    answer.asked ??= alike(answer.found, (resolver) => resolver.define(name, from));
    this.asked?.add(answer.asked);
  }

  /**
   * The definition with external linkage that a call of `name` in `from` is linked to: a file of its own folder or of
   * those that hold page-table code, a strong definition before a weak one. Null when none of them has it. With `home`
   * it is the one in that file, if the machine builds it.
   */
  linked(name: string, from: string, home: string | null = null): Found | null {
    const key = `linked ${from} ${name} ${home ?? ''}`;
    let answer = this.linkedTo.get(key);
    if (answer === undefined) {
      let found: Found | null = null;
      if (this.view !== null && home === null) found = this.searchLinked(name, from, this.view);
      else if (this.view !== null && home !== null && this.isBuilt(home)) found = this.globalIn(home, name);
      answer = { found, asked: null };
      this.linkedTo.set(key, answer);
    }
    if (this.asked !== null) {
      answer.asked ??= alike(answer.found, (resolver) => resolver.linked(name, from, home));
      this.asked.add(answer.asked);
    }
    return answer.found;
  }

  private searchLinked(name: string, from: string, view: LinkView): Found | null {
    let weak: Found | null = null;
    for (const folder of foldersFor(from, this.ownMachine.arch)) {
      for (const path of filesIn(folder, view)) {
        const found = path === from ? null : this.globalIn(path, name);
        if (found === null || !this.isBuilt(path)) continue;
        const { index, definition } = found;
        if (!/\b__weak\b/.test(index.text.slice(definition.start, definition.body))) return found;
        weak ??= found;
      }
    }
    return weak;
  }

  /** A function of the file that other files can call. */
  private globalIn(path: string, name: string): Found | null {
    const text = this.read(path);
    if (text === null || !this.cache.mayDefine(path, text, name)) return null;
    const index = this.cache.index(path, text);
    const definition = this.findLive(index, name);
    if (definition === null || definition.kind !== 'function' || definition.static) return null;
    return { index, definition };
  }

  /** Does the machine build the file? Not known where only headers are in view: then nothing speaks against it. */
  isBuilt(path: string): boolean {
    let answer = this.built.get(path);
    if (answer === undefined) {
      answer = this.view?.built(path, (symbol) => this.symbol(symbol)) ?? true;
      this.built.set(path, answer);
    }
    return answer;
  }

  lower(found: Found): CFunction | Gap {
    const answer = this.cache.lower(found, (symbol) => this.symbol(symbol));
    return this.note(
      `lowered ${found.index.file} ${found.definition.start}`,
      (resolver) => resolver.lower(found),
      answer,
    );
  }

  private search(name: string, from: string): Found | null {
    const own = this.indexed(from);
    if (own === null) return null;
    // What stands in the file itself is found without reading headers.
    const here = own.definitions.has(name) ? this.findLive(own, name) : null;
    if (here !== null) return { index: own, definition: here };
    const headers = this.headersOf(from);
    const places: [number, string][] = [];
    for (const path of this.cache.definersOf(name)) {
      const place = headers.get(path);
      if (place !== undefined) places.push([place, path]);
    }
    for (const [, path] of places.sort(([a], [b]) => a - b)) {
      const index = this.indexed(path);
      const definition = index === null ? null : this.findLive(index, name);
      if (index !== null && definition !== null) return { index, definition };
    }
    return null;
  }

  /**
   * What is in view of a file on any machine of these architectures, of a header with what is in view of the file beside
   * it that includes it; null where only hunks are in view.
   */
  inView(file: string, arches: readonly string[]): InView | null {
    if (this.view === null) return null;
    return this.cache.inView(this.view.tree, file, () => {
      const includer = this.includer(file);
      const files = this.everyHeaderOf(includer === null ? [file] : [file, includer], arches);
      const known = new Map<string, readonly Found[]>();
      return {
        free: new Map(),
        definitions: (name) => {
          const made = known.get(name);
          if (made !== undefined) return made;
          const found: Found[] = [];
          for (const path of this.cache.definersOf(name)) {
            const index = files.has(path) ? this.indexed(path) : null;
            for (const definition of index?.definitions.get(name) ?? [])
              if (index !== null) found.push({ index, definition });
          }
          known.set(name, found);
          return found;
        },
      };
    });
  }

  /** The files, and every header that is included from them. */
  private everyHeaderOf(files: readonly string[], arches: readonly string[]): ReadonlySet<string> {
    const seen = new Set(files);
    for (const path of seen) {
      const index = this.indexed(path);
      if (index === null) continue;
      for (const { target, asm } of includedIn(index, path)) {
        if (!asm) {
          seen.add(target);
          continue;
        }
        for (const arch of arches) seen.add(ownHeader(arch, target));
        seen.add(genericHeader(target));
      }
    }
    return seen;
  }

  /** A file beside a header that includes it: what such a header uses may stand there. */
  includer(header: string): string | null {
    if (this.view === null || !header.endsWith('.h') || /(^|\/)include\//.test(header)) return null;
    const known = this.includers.get(header);
    if (known !== undefined) return known;
    const slash = header.lastIndexOf('/');
    const [folder, base] = [header.slice(0, slash), header.slice(slash + 1)];
    const found = this.view.list(folder).find((file) => {
      if (!file.endsWith('.c')) return false;
      const index = this.indexed(`${folder}/${file}`);
      return index?.includes.some((include) => !include.system && include.path === base) === true;
    });
    const answer = found === undefined ? null : `${folder}/${found}`;
    this.includers.set(header, answer);
    return answer;
  }

  /** Headers in view of a file, with their places, nearest first: what it includes, and what those include. */
  private headersOf(file: string): ReadonlyMap<string, number> {
    const known = this.headers.get(file);
    if (known !== undefined) return known;
    const seen = new Set<string>();
    let wave: string[] = [file];
    for (let depth = 0; depth < INCLUDE_DEPTH && seen.size < HEADER_LIMIT; depth += 1) {
      const next: string[] = [];
      for (const path of wave) {
        const index = this.indexed(path);
        if (index === null) continue;
        for (const target of this.includedBy(path, index)) {
          if (seen.has(target) || target === file) continue;
          seen.add(target);
          next.push(target);
        }
      }
      wave = next;
    }
    // The machine's own header stands before the generic one of the same name.
    const order = (path: string): number =>
      path.startsWith('arch/') ? 0 : path.startsWith('include/asm-generic/') ? 2 : 1;
    const sorted = [...seen].sort((a, b) => order(a) - order(b));
    // Names are looked up in what was indexed: those at the end of the chain of includes were not yet.
    for (const path of sorted) this.indexed(path);
    const result = new Map(sorted.map((path, place) => [path, place]));
    this.headers.set(file, result);
    return result;
  }

  /** What a file includes on this machine and is worth reading. */
  private includedBy(path: string, index: FileIndex): readonly string[] {
    const known = this.includes.get(path);
    if (known !== undefined) return known;
    const found: string[] = [];
    for (const { target, asm, when } of includedIn(index, path)) {
      // pgtable_64.h is not in view of a 32-bit kernel.
      if (!when.every((condition) => this.isTrue(condition))) continue;
      found.push(asm ? this.asmHeader(target) : target);
    }
    if (this.settling === 0) this.includes.set(path, found);
    return found;
  }

  private isTrue(condition: string): boolean {
    const known = this.conditions.get(condition);
    if (known !== undefined) return known;
    const result = evaluateCondition(condition, (symbol) => this.symbol(symbol));
    if (this.settling === 0) this.conditions.set(condition, result);
    return result;
  }

  /** The machine's own, or else the generic one. */
  private asmHeader(name: string): string {
    const own = ownHeader(this.ownMachine.arch, name);
    return this.read(own) === null ? genericHeader(name) : own;
  }

  private symbol(symbol: string): string | undefined {
    const stated = this.ownMachine.config[symbol];
    if (stated !== undefined) return stated === 'n' ? undefined : stated;
    if (symbol === '__KERNEL__' || symbol === '__GNUC__') return '1';
    if (symbol === 'BITS_PER_LONG') return this.symbol('CONFIG_64BIT') === undefined ? '32' : '64';
    if (this.symbols.has(symbol)) return this.symbols.get(symbol);
    this.symbols.set(symbol, undefined);
    // A header's own guard is not defined while it is read.
    if (/_H_*$/.test(symbol)) return undefined;
    this.settling += 1;
    const value = symbol.startsWith('CONFIG_')
      ? this.unstated(symbol)
      : (this.archMacro(symbol) ?? this.unstated(symbol));
    this.settling -= 1;
    this.symbols.set(symbol, value);
    return value;
  }

  /**
   * `#define __HAVE_ARCH_X` and `#define name name` in the machine's headers settle `#ifndef` in generic ones. With
   * `anyway`, only where they are defined whether or not somebody did so before.
   */
  private archMacro(symbol: string, anyway = false): string | undefined {
    for (const header of ARCH_HEADERS) {
      const path = ownHeader(this.ownMachine.arch, header);
      const text = this.read(path);
      if (text === null || !text.includes(symbol)) continue;
      const index = this.cache.index(path, text);
      const definition = (index.definitions.get(symbol) ?? []).find(
        (candidate) =>
          !(anyway && asksFor(candidate, symbol)) &&
          candidate.when.every((condition) => evaluateCondition(condition, this.configuration)),
      );
      if (definition !== undefined && definition.kind === 'macro') {
        const body = index.text.slice(definition.body, definition.end).trim();
        return /^-?\d+$/.test(body) ? body : '1';
      }
    }
    return undefined;
  }
}

const ARCH_HEADERS = [
  'pgtable.h',
  'pgtable_types.h',
  'pgtable-types.h',
  'pgtable-2level.h',
  'pgtable-3level.h',
  'pgtable-3level_types.h',
  'pgtable_64.h',
  'pgtable_32.h',
  'pgtable_64_types.h',
  'pgtable-hwdef.h',
  'tlb.h',
  'tlbflush.h',
  'hugetlb.h',
  'pgalloc.h',
  'page.h',
  'vmalloc.h',
];

/** What a file includes and is worth reading, the same on all machines. */
interface Included {
  /** Its path; of one from `asm/`, which each architecture may have its own of, what stands behind that. */
  readonly target: string;
  readonly asm: boolean;
  readonly when: readonly string[];
}

/** Where `<asm/name>` may stand. */
const ownHeader = (arch: string, name: string): string => `arch/${arch}/include/asm/${name}`;
const genericHeader = (name: string): string => `include/asm-generic/${name}`;

const includedByIndex = new WeakMap<FileIndex, readonly Included[]>();

function includedIn(index: FileIndex, from: string): readonly Included[] {
  let known = includedByIndex.get(index);
  if (known === undefined) {
    known = index.includes.flatMap(({ path, system, when }): readonly Included[] => {
      const asm = system && path.startsWith('asm/');
      const target = asm ? path.slice('asm/'.length) : system ? `include/${path}` : beside(path, from);
      return worthReading(asm ? genericHeader(target) : target) ? [{ target, asm, when }] : [];
    });
    includedByIndex.set(index, known);
  }
  return known;
}

/** The path that `#include "path"` means in a file. */
function beside(path: string, from: string): string {
  // Clients name the changed file by its path in the tree.
  if (from.startsWith('client:')) return path;
  const parts: string[] = [];
  for (const part of `${from.slice(0, from.lastIndexOf('/') + 1)}${path}`.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/');
}

/** Headers that can hold page-table, TLB or lifetime primitives; the rest of the include graph is not searched. */
function worthReading(path: string): boolean {
  if (/^arch\/[^/]+\/include\/|^include\/asm-generic\//.test(path)) return HARDWARE_HEADERS.test(path);
  if (path.startsWith('include/')) return GENERIC_HEADERS.test(path);
  return true;
}

const HARDWARE_HEADERS =
  /\/(pgtable|pgalloc|tlb|hugetlb|mmu|page|vmalloc|fixmap|set_memory|kvm|paravirt|special_insns|barrier|stage2|highmem)[^/]*\.h$/;
const GENERIC_HEADERS =
  /^include\/linux\/(mm|pgtable|pgalloc|huge|hugetlb|rmap|swap|mmu|vmalloc|migrate|highmem|memory_hotplug|userfaultfd|kvm_host|ksm|khugepaged|pagewalk|pagemap|smp|tlb)[^/]*\.h$/;

/** Does it depend on whether something of this name is defined? */
const asksFor = (definition: Definition, name: string): boolean =>
  definition.when.some((condition) => new RegExp(`\\b${name}\\b`).test(condition));

/** `#define f f` only says that f is there. */
function marksItself(index: FileIndex, definition: Definition): boolean {
  if (definition.kind !== 'macro' || definition.parameters !== null) return false;
  return index.text.slice(definition.body, definition.end).trim() === definition.name;
}

/** What to ask for who found this: its parts are shared by all resolvers of a session, their pair is not. */
function alike(found: Found | null, find: (resolver: Resolver) => Found | null): Asked {
  const ask = (resolver: Resolver): boolean => {
    const other = find(resolver);
    return other?.index === found?.index && other?.definition === found?.definition;
  };
  return { ask, answer: true };
}

const effects = new WeakMap<CallRule, string>();

/** What a rule does, as a text: rules of different machines that do the same are one. */
function effectOf(rule: CallRule | null): string | null {
  if (rule === null) return null;
  let effect = effects.get(rule);
  if (effect === undefined) {
    const { name: _, condition: _c, bodies: _b, clients: _l, source: _s, at: _a, ...does } = rule;
    effect = JSON.stringify(does);
    effects.set(rule, effect);
  }
  return effect;
}
