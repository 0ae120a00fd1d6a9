/** Which calls are followed: bodies that hold, themselves or through what they call in view, something that weighs. */
import { identifiersIn } from '#c/identifiers.js';
import type { Definition } from '#c/ir.js';
import type { EventKind } from '#event/event.js';
import type { CallRule, RuleSet } from '#rules/rule.js';
import type { Linked } from './extraction.js';
import type { Found, Resolver } from './resolve.js';

/** Small bodies of the same file are followed even without events, so that the flags they return are known. */
const SMALL_BODY_LINES = 40;
/** Longest chain of calls that is looked through. */
const DEPTH = 5;

export interface View {
  readonly rules: RuleSet;
  /** Functions whose bodies stand in for their rules. */
  readonly bodies: ReadonlySet<string>;
  /** The file that the root stands in: code in headers sees what it sees. */
  readonly rootFile: string;
  /** Is it one of several programs with shared memory? What they do to it shows in no event. */
  readonly together: boolean;
  readonly linked: Linked;
}

/** A name as the file sees it, or, for code in headers, as the file that the root stands in does. */
export const definitionOf = (resolver: Resolver, name: string, file: string, view: View): Found | null =>
  resolver.define(name, file) ??
  (view.rootFile === '' ? null : resolver.define(name, view.rootFile)) ??
  includedBeside(resolver, name, view.rootFile) ??
  (view.linked.has(name) ? resolver.linked(name, file, view.linked.get(name) ?? null) : null);

/** As a file sees it that includes the root's, where that is a header in its folder. */
function includedBeside(resolver: Resolver, name: string, rootFile: string): Found | null {
  const includer = rootFile.endsWith('.h') ? resolver.includer(rootFile) : null;
  return includer === null ? null : resolver.define(name, includer);
}

/**
 * The body that a call of `name` in `file` goes on into; null where it does not. One question to the resolver, whatever
 * it takes to answer it: machines on which the same body is followed, or none, do not differ by the way to know.
 */
export function followed(resolver: Resolver, name: string, file: string, view: View): Found | null {
  const key = `follow ${file} ${name} ${view.rootFile} ${view.together} ${keyOf(view)}`;
  return resolver.settle(key, (asked) => {
    const found = definitionOf(asked, name, file, view);
    if (found === null) return null;
    const { definition } = found;
    if (definition.kind !== 'function' && definition.kind !== 'macro') return null;
    if (definition.kind === 'macro' && definition.parameters === null) return null;
    const near = found.index.file === file;
    const small =
      definition.lastLine - definition.firstLine <= SMALL_BODY_LINES &&
      (near || view.together || definition.kind === 'macro');
    return small || view.bodies.has(name) || relevant(asked, found, view, 0) ? found : null;
  });
}

/** Does the body hold, itself or through what it calls in view, anything that a rule gives events to? */
export function isRelevant(resolver: Resolver, found: Found, view: View): boolean {
  const key = `relevant ${found.index.file}:${found.definition.start} ${view.rootFile} ${keyOf(view)}`;
  return resolver.settle(key, (asked) => (relevant(asked, found, view, 0) ? found : null)) !== null;
}

const keys = new WeakMap<object, string>();

/** What of the view differs between roots of one file. */
export const keyOf = ({ bodies, linked }: View): string => `${textOf(bodies)} / ${textOf(linked)}`;

function textOf(names: ReadonlySet<string> | Linked): string {
  let text = keys.get(names);
  if (text === undefined) {
    text = [...names].map(String).sort().join(' ');
    keys.set(names, text);
  }
  return text;
}

/** Which bodies weigh for who looks at them so many calls below the first. */
function knownOf(resolver: Resolver, view: View, depth: number): Map<Definition, boolean> {
  const key = `${depth} ${view.rootFile} ${keyOf(view)}`;
  let known = resolver.relevance.get(key);
  if (known === undefined) {
    known = new Map();
    resolver.relevance.set(key, known);
  }
  return known;
}

function relevant(
  resolver: Resolver,
  found: Found,
  view: View,
  depth: number,
  known = knownOf(resolver, view, depth),
): boolean {
  let result = known.get(found.definition);
  if (result === undefined) {
    known.set(found.definition, false);
    result = weighsIn(resolver, found, view, depth);
    known.set(found.definition, result);
  }
  return result;
}

const namesByDefinition = new WeakMap<Definition, ReadonlySet<string>>();

function namesOf({ index, definition }: Found): ReadonlySet<string> {
  let names = namesByDefinition.get(definition);
  if (names === undefined) {
    names = identifiersIn(index.text, definition.body, definition.end);
    namesByDefinition.set(definition, names);
  }
  return names;
}

function weighsIn(resolver: Resolver, found: Found, view: View, depth: number): boolean {
  const below = knownOf(resolver, view, depth + 1);
  for (const name of namesOf(found)) {
    if (!view.bodies.has(name)) {
      const rule = resolver.rule(view.rules, name);
      if (rule !== null) {
        if (isHeavy(rule)) return true;
        continue;
      }
    }
    if (depth >= DEPTH || name === found.definition.name) continue;
    const next = definitionOf(resolver, name, found.index.file, view);
    if (
      next !== null &&
      (next.definition.kind === 'function' ||
        (next.definition.kind === 'macro' && next.definition.parameters !== null)) &&
      relevant(resolver, next, view, depth + 1, below)
    )
      return true;
  }
  return false;
}

const heavy = new WeakMap<CallRule, boolean>();

/** Does the call run something on other CPUs, or do what makes a body worth following? */
function isHeavy(rule: CallRule): boolean {
  let known = heavy.get(rule);
  if (known === undefined) {
    known =
      rule.callbacks?.some((callback) => callback.cpus !== undefined) === true ||
      rule.steps.some((step) => step.kind === 'event' && !LIGHT.has(step.event.kind));
    heavy.set(rule, known);
  }
  return known;
}

/** Events that do not make a body worth following: taking a lock or a reference alone does not. */
const LIGHT: ReadonlySet<EventKind> = new Set<EventKind>([
  'lock',
  'unlock',
  'assert-held',
  'get',
  'rcu-read',
  'interrupts',
  'barrier',
  'visit',
  'container-add',
  'container-take',
  'container-init',
  'container-move',
  'node',
  'alloc',
]);
