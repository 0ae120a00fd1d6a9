/** What a function of a file calls, by the names that its body uses. */
import { calledIn } from '#c/identifiers.js';
import type { Definition } from '#c/ir.js';
import type { Resolver } from '#extract/resolve.js';

/** A definition belongs to one text of its file. The same functions are asked about on every machine. */
const known = new WeakMap<Definition, ReadonlySet<string>>();

/** Null where the file does not define the function on this machine. */
export function callsOf(name: string, file: string, resolver: Resolver): ReadonlySet<string> | null {
  const found = resolver.define(name, file);
  if (found === null || found.index.file !== file) return null;
  const { index, definition } = found;
  let called = known.get(definition);
  if (called === undefined) {
    called = calledIn(index.text, definition.body, definition.end);
    known.set(definition, called);
  }
  return called;
}
