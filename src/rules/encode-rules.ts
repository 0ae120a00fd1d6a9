/**
 * `RuleSet` ↔ lines of JSON: everything but what calls do, then that, a line for each. Rules that differ only in their
 * names are written once, and what a call does is read when it is first asked for, because reading the text is what takes
 * the time at start, and a review asks for few of them.
 */
import type { EventProgram } from '#event/program.js';
import type { Value } from '#event/value.js';
import type { ActorFile, CallRule, CallRules, ClientFile, ConstantRule, RuleSet } from './rule.js';

type Shared = Omit<CallRule, 'name' | 'at'>;

/** A rule: which of the lines, place in the YAML. */
type Position = readonly [number, string];

interface Encoded extends Omit<RuleSet, 'calls' | 'standing' | 'constants' | 'clients' | 'actors'> {
  readonly calls: readonly (readonly [string, readonly Position[]])[];
  readonly standing: readonly (readonly [string, readonly string[]])[];
  readonly constants: Readonly<Record<string, readonly ConstantRule[]>>;
  readonly clients: Readonly<Record<string, ClientFile>>;
  readonly actors: readonly (Omit<ActorFile, 'program'> & {
    readonly program: Omit<EventProgram, 'initial'> & { readonly initial: Readonly<Record<string, Value>> };
  })[];
}

export function encodeRules(rules: RuleSet): string {
  const lines: string[] = [];
  const known = new Map<string, number>();
  const position = (body: Shared): number => {
    const text = JSON.stringify(body);
    const at = known.get(text) ?? lines.push(text) - 1;
    known.set(text, at);
    return at;
  };
  const encoded: Encoded = {
    ...rules,
    calls: [...rules.calls.keys()].map((name) => [
      name,
      (rules.calls.get(name) ?? []).map(({ name: _, at, ...body }): Position => [position(body), at]),
    ]),
    standing: [...rules.standing],
    constants: Object.fromEntries(rules.constants),
    clients: Object.fromEntries(rules.clients),
    actors: rules.actors.map((actor) => ({
      ...actor,
      program: { ...actor.program, initial: Object.fromEntries(actor.program.initial) },
    })),
  };
  return [JSON.stringify(encoded), ...lines].join('\n');
}

/** The inverse of `encodeRules`; the text must come from it. */
export function decodeRules(text: string): RuleSet {
  const [first = '', ...lines] = text.split('\n');
  const encoded = JSON.parse(first) as Encoded;
  return {
    ...encoded,
    calls: decodeCalls(new Map(encoded.calls), lines),
    standing: new Map(encoded.standing),
    constants: new Map(Object.entries(encoded.constants)),
    clients: new Map(Object.entries(encoded.clients)),
    actors: encoded.actors.map((actor) => ({
      ...actor,
      program: { ...actor.program, initial: new Map(Object.entries(actor.program.initial)) },
    })),
  };
}

function decodeCalls(
  positions: ReadonlyMap<string, readonly Position[]>,
  lines: readonly string[],
): CallRules {
  const bodies = new Map<number, Shared>();
  const bodyAt = (position: number): Shared => {
    const line = lines[position];
    if (line === undefined) throw new Error(`compiled rules are damaged: no line ${position}`);
    const body = bodies.get(position) ?? (JSON.parse(line) as Shared);
    bodies.set(position, body);
    return body;
  };
  const calls = new Map<string, readonly CallRule[]>();
  return {
    has: (name) => positions.has(name),
    keys: () => positions.keys(),
    get(name) {
      const found = positions.get(name);
      if (found === undefined) return undefined;
      const rules = calls.get(name) ?? found.map(([position, at]) => ({ name, ...bodyAt(position), at }));
      calls.set(name, rules);
      return rules;
    },
  };
}
