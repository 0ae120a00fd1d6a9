/**
 * Can code come to a page-table entry at all? Most functions of a file cannot: neither they nor what they call in view
 * have a C type, a field, a constant or a primitive that gives an entry. A search of what is wrong in them by themselves
 * has nothing to find, and need not read them.
 */
import { identifiersIn } from '#c/identifiers.js';
import type { Definition } from '#c/ir.js';
import type { Event } from '#event/event.js';
import type { Expression } from '#event/expression.js';
import { isApart } from '#event/leaves-entries-alone.js';
import type { Value } from '#event/value.js';
import { operandsOf } from '#event/walk-program.js';
import type { CallRule, RuleSet } from '#rules/rule.js';
import { definitionOf, keyOf, type View } from './relevance.js';
import type { Found, InView, Resolver } from './resolve.js';

/** Operators whose value is no entry, and that find out nothing about one. Every other one may be. */
const PLAIN: ReadonlySet<string> = new Set([
  'is-empty',
  'next-node',
  'select',
  'this-cpu',
  'at',
  '!',
  '&&',
  '||',
  '==',
  '!=',
  '<',
  '<=',
  '>',
  '>=',
  '+',
  '-',
  '*',
  '%',
  '^',
  '~',
  '/',
  '&',
  '|',
  '<<',
  '>>',
  'min',
  'max',
  'as-memory',
  'align-down',
  'align-up',
  'addr-end',
  'range-at',
  'range-of',
]);

/** Names that kernel code gives to entries and pointers to them, whatever struct they are members of. */
const ENTRY = '(?:\\w+_)?(?:pte|pmd|pud|p4d|pgd)p?';
const ENTRY_NAME = new RegExp(`^${ENTRY}$`);
const ENTRY_MEMBER = new RegExp(`(?:\\.|->)\\s*${ENTRY}\\b`);

/** `found` is a function; what it calls is looked up as `view` sees it. For who watches it is one question. */
export function leadsToEntries(resolver: Resolver, found: Found, view: View): boolean {
  const text = `entries ${found.index.file}:${found.definition.start} ${view.rootFile} ${keyOf(view)}`;
  return resolver.settle(text, (asked) => (comesToEntries(asked, found, view) ? found : null)) !== null;
}

function comesToEntries(resolver: Resolver, found: Found, view: View): boolean {
  const signs = signsOf(view.rules);
  const inView = resolver.inView(view.rootFile, archesOf(view.rules));
  const plain = view.bodies.size === 0 && view.linked.size === 0;
  /** Is it known that the name comes to none whatever the machine? */
  const isFree = (name: string): boolean => plain && inView?.free.get(name) === Number.POSITIVE_INFINITY;
  const seen = new Set<Definition>();
  const waiting: Found[] = [];
  const seenFrom = `${view.rootFile} ${keyOf(view)}`;
  const comes = resolver.entries.get(seenFrom) ?? new Map<Definition, boolean>();
  resolver.entries.set(seenFrom, comes);
  const reach = (next: Found): boolean => {
    const { definition } = next;
    const known = comes.get(definition);
    if (known === true) return true;
    if (known === undefined && !seen.has(definition)) {
      seen.add(definition);
      waiting.push(next);
    }
    return false;
  };
  const comesTo = (): boolean => {
    if (reach(found)) return true;
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      const names = namesOf(at, signs);
      if (names === null) return true;
      for (const name of names) {
        if (isFree(name)) continue;
        const rule = view.bodies.has(name) ? null : resolver.rule(view.rules, name);
        if (rule !== null && gives(rule)) return true;
        // A rule with callbacks runs functions that are named beside it.
        if (rule !== null) continue;
        const next = definitionOf(resolver, name, at.index.file, view);
        if (next !== null && reach(next)) return true;
      }
    }
    return false;
  };
  const result = comesTo();
  // What was gone through without meeting one meets none.
  if (!result) for (const definition of seen) comes.set(definition, false);
  else comes.set(found.definition, true);
  return result;
}

/**
 * Does one of the definitions, or anything of a name that they use, come to entries on some machine, `levels` calls
 * below at most? Where it does on none, the names that they use need not be looked up on each. True where names are not
 * all in view.
 */
export function mayLeadToEntries(
  founds: readonly Found[],
  resolver: Resolver,
  rules: RuleSet,
  rootFile: string,
  levels: number,
): boolean {
  const inView = resolver.inView(rootFile, archesOf(rules));
  if (inView === null) return true;
  const signs = signsOf(rules);
  /** By name: how many calls below the root it was met first. */
  const seen = new Map<string, number>();
  let whole = true;
  let layer = founds;
  for (let level = 0; layer.length > 0; level += 1) {
    if (level > levels) {
      whole = false;
      break;
    }
    const below: Found[] = [];
    const waiting = [...layer];
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      const names = namesOf(at, signs);
      let meets = names === null;
      for (const name of names ?? []) {
        if (seen.has(name)) continue;
        const free = inView.free.get(name) ?? -1;
        if (free >= levels - level) {
          if (free !== Number.POSITIVE_INFINITY) whole = false;
          continue;
        }
        const known = rules.calls.get(name) ?? [];
        meets ||= known.some(gives);
        if (meets) break;
        seen.set(name, level);
        if (known.some(({ condition }) => isEverywhere(condition))) continue;
        for (const next of inView.definitions(name))
          (next.definition.kind === 'function' ? below : waiting).push(next);
      }
      if (!meets) continue;
      for (const [name, first] of seen) noteFree(inView, name, level - 1 - first);
      return true;
    }
    layer = below;
  }
  for (const [name, first] of seen) noteFree(inView, name, whole ? Number.POSITIVE_INFINITY : levels - first);
  return false;
}

function noteFree({ free }: InView, name: string, levels: number): void {
  if (levels > (free.get(name) ?? -1)) free.set(name, levels);
}

const isEverywhere = ({ arch, notArch, facts, config }: CallRule['condition']): boolean =>
  arch === undefined && notArch === undefined && facts === undefined && config === undefined;

const archesByRules = new WeakMap<RuleSet, readonly string[]>();

function archesOf(rules: RuleSet): readonly string[] {
  let arches = archesByRules.get(rules);
  if (arches === undefined) {
    arches = [...new Set(rules.machines.map(({ arch }) => arch))];
    archesByRules.set(rules, arches);
  }
  return arches;
}

/** Names that a definition uses; null where one of them is a sign of entries, or where names are put together. */
const namesByDefinition = new WeakMap<Definition, readonly string[] | null>();

function namesOf({ index, definition }: Found, signs: Signs): readonly string[] | null {
  const known = namesByDefinition.get(definition);
  if (known !== undefined) return known;
  const names = readNames(index.text, definition, signs);
  namesByDefinition.set(definition, names);
  return names;
}

function readNames(text: string, definition: Definition, signs: Signs): readonly string[] | null {
  if (definition.kind === 'table') return Object.values(definition.members);
  if (definition.kind !== 'function' && definition.kind !== 'macro') return [];
  // `, ##args` puts no name together, and a size is no entry.
  const own = text.slice(definition.start, definition.end).replace(/,\s*##|\bsizeof\s*\([\w\s*]*\)/g, ' ');
  if (own.includes('##')) return null;
  const names = identifiersIn(own, 0, own.length);
  // What a macro without parameters calls so is a variable of its users, which they use by that name, too.
  const constant = definition.kind === 'macro' && definition.parameters === null;
  const named = !constant || ENTRY_MEMBER.test(own);
  for (const name of names) {
    if (signs.names.has(name) || (named && ENTRY_NAME.test(name))) return null;
    if (signs.members.get(name)?.some((struct) => names.has(struct)) === true) return null;
  }
  return [...names];
}

interface Signs {
  /** Types and constants. */
  readonly names: ReadonlySet<string>;
  /** By field or member function: the structs that it is one of. */
  readonly members: ReadonlyMap<string, readonly string[]>;
}

const signsByRules = new WeakMap<RuleSet, Signs>();

/** What gives entries but for functions and macros. */
function signsOf(rules: RuleSet): Signs {
  const known = signsByRules.get(rules);
  if (known !== undefined) return known;
  const signs = new Set<string>();
  const members = new Map<string, string[]>();
  const addMember = (struct: string, member: string): void => {
    members.set(member, [...(members.get(member) ?? []), struct.replace(/^struct /, '')]);
  };
  for (const { type, is, named } of rules.types)
    if (is === 'entry-pointer' || is === 'entry-value')
      for (const name of named ?? [type.replace(/^struct /, '')]) signs.add(name);
  for (const { struct, field, value } of rules.fields) if (tellsOfEntries(value)) addMember(struct, field);
  for (const [name, constants] of rules.constants)
    if (constants.some(({ value }) => tellsOfEntries(value))) signs.add(name);
  for (const name of rules.calls.keys()) {
    const [struct = '', member] = name.split('.');
    if (member !== undefined && rules.calls.get(name)?.some(gives)) addMember(struct, member);
  }
  const result = { names: signs, members };
  signsByRules.set(rules, result);
  return result;
}

const givesByRule = new WeakMap<CallRule, boolean>();

/** Does the primitive give an entry, or do something to one that no argument names? */
function gives(rule: CallRule): boolean {
  const known = givesByRule.get(rule);
  if (known !== undefined) return known;
  const values = [rule.returns, rule.more, rule.stopsIf, ...Object.values(rule.out)];
  const result =
    values.some((value) => value !== null && value !== undefined && tellsOfEntries(value)) ||
    rule.steps.some((step) =>
      step.kind === 'let'
        ? tellsOfEntries(step.value)
        : (step.when !== null && tellsOfEntries(step.when)) || touches(step.event),
    );
  givesByRule.set(rule, result);
  return result;
}

/** Is it about an entry, but for one that an argument points to: that comes from somewhere else? */
function touches(event: Event<Expression>): boolean {
  if (operandsOf(event).some((operand) => tellsOfEntries(operand))) return true;
  return !isApart(event) && !('entry' in event && event.entry.op === 'param');
}

/** @param placed is it only asked where an entry lies, so that naming one does not count? */
function tellsOfEntries(expression: Expression, placed = false): boolean {
  switch (expression.op) {
    case 'const':
      return !placed && isEntry(expression.value);
    case 'choice':
      return !placed && expression.of.some(isEntry);
    case 'var':
    case 'param':
      return false;
    case 'address-of':
    case 'address-in':
      return expression.args.some((part) => tellsOfEntries(part, true));
    case 'read':
      // What an argument points to is an entry only where the argument is one's address.
      return expression.args[0]?.op !== 'param';
    default:
      return !PLAIN.has(expression.op) || expression.args.some((part) => tellsOfEntries(part, placed));
  }
}

const isEntry = (value: Value): boolean => value.kind === 'entry-pointer' || value.kind === 'entry-value';
