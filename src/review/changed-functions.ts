/** Which definitions of a file a patch changes: by meaning (comments and white space aside), not by lines. */
import type { Definition, FileIndex } from '#c/ir.js';
import type { Resolver } from '#extract/resolve.js';

export interface ChangedName {
  readonly name: string;
  readonly file: string;
  readonly kind: Definition['kind'];
}

/** C text with comments gone and white space folded: equal texts compile alike. Strings are kept as they are. */
function folded(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g, (token) =>
      token.startsWith('/') ? ' ' : token,
    )
    .replace(/\\\n/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

/** A definition belongs to one text of its file. The same ones are asked about on every machine. */
const known = new WeakMap<Definition, string>();

function textOf(index: FileIndex, definition: Definition): string {
  let text = known.get(definition);
  if (text === undefined) {
    text = folded(index.text.slice(definition.start, definition.end));
    known.set(definition, text);
  }
  return text;
}

function textsOf(
  index: FileIndex | null,
): Map<string, { readonly text: string; readonly definition: Definition }> {
  const result = new Map<string, { text: string; definition: Definition }>();
  if (index === null) return result;
  for (const [name, definitions] of index.definitions) {
    const first = definitions[0];
    if (first === undefined) continue;
    result.set(name, {
      text: definitions.map((d) => `${d.when.join('&&')}: ${textOf(index, d)}`).join('\n'),
      definition: first,
    });
  }
  return result;
}

export function changedFunctions(before: FileIndex | null, after: FileIndex | null): ChangedName[] {
  const old = textsOf(before);
  const now = textsOf(after);
  const names: ChangedName[] = [];
  for (const name of new Set([...now.keys(), ...old.keys()])) {
    const [a, b] = [old.get(name), now.get(name)];
    if (a?.text === b?.text) continue;
    const definition = b?.definition ?? a?.definition;
    if (definition !== undefined) names.push({ name, file: definition.file, kind: definition.kind });
  }
  return names;
}

/** Does the change touch the definition that one machine builds? `#if` arms of other machines do not count. */
export function isLiveChange(
  name: string,
  before: FileIndex | null,
  after: FileIndex | null,
  old: Resolver,
  now: Resolver,
): boolean {
  const text = (index: FileIndex | null, resolver: Resolver): string | null => {
    const live = index === null ? null : resolver.live(index, name);
    return index === null || live === null ? null : textOf(index, live);
  };
  return text(before, old) !== text(after, now);
}

/**
 * Is the function on both sides of the patch, with bodies of which one machine's compiler makes the same? Places in
 * the source do not count. What could not be read whole is never alike.
 */
export function lowersAlike(
  change: ChangedName,
  before: FileIndex | null,
  after: FileIndex | null,
  old: Resolver,
  now: Resolver,
): boolean {
  const body = (index: FileIndex | null, resolver: Resolver): string | null => {
    const live = index === null ? null : resolver.live(index, change.name);
    if (index === null || live?.kind !== 'function') return null;
    const lowered = resolver.lower({ index, definition: live });
    if (!('blocks' in lowered) || lowered.gaps.length > 0) return null;
    return JSON.stringify(lowered, (key, value: unknown) => {
      // What a string says may be the operand of an instruction.
      if (isString(value)) return `"${value.text}`;
      return PLACES.has(key) ? undefined : typeof value === 'bigint' ? `${value}n` : value;
    });
  };
  const text = change.kind === 'function' ? body(before, old) : null;
  return text !== null && text === body(after, now);
}

const isString = (value: unknown): value is { readonly kind: 'string'; readonly text: string } =>
  typeof value === 'object' &&
  value !== null &&
  'kind' in value &&
  value.kind === 'string' &&
  'text' in value;

const PLACES: ReadonlySet<string> = new Set(['line', 'text', 'firstLine', 'lastLine']);

/** Text changed, though its meaning for the compiler may not have: what a reader would call a touched function. */
export function touchedFunctions(before: FileIndex | null, after: FileIndex | null): string[] {
  const raw = (index: FileIndex | null): Map<string, string> => {
    const result = new Map<string, string>();
    for (const [name, definitions] of index?.definitions ?? []) {
      if (definitions.some((d) => d.kind === 'function'))
        result.set(name, definitions.map((d) => index?.text.slice(d.start, d.end) ?? '').join('\n'));
    }
    return result;
  };
  const [old, now] = [raw(before), raw(after)];
  return [...now.keys()].filter((name) => old.get(name) !== now.get(name));
}
