/**
 * `RuleSet` ↔ JSON. Maps become objects; rules that differ only in their names are written once, because reading
 * the text is what takes the time at start.
 */
import type { EventProgram } from '#event/program.js';
import type { Value } from '#event/value.js';
import type { ActorFile, CallRule, ClientFile, ConstantRule, RuleSet } from './rule.js';

type Shared = Omit<CallRule, 'name' | 'at'>;

interface Encoded extends Omit<RuleSet, 'calls' | 'constants' | 'clients' | 'actors'> {
  readonly bodies: readonly Shared[];
  /** Name → for each of its rules: index into `bodies`, place in the YAML. */
  readonly calls: Readonly<Record<string, readonly (readonly [number, string])[]>>;
  readonly constants: Readonly<Record<string, readonly ConstantRule[]>>;
  readonly clients: Readonly<Record<string, ClientFile>>;
  readonly actors: readonly (Omit<ActorFile, 'program'> & {
    readonly program: Omit<EventProgram, 'initial'> & { readonly initial: Readonly<Record<string, Value>> };
  })[];
}

export function encodeRules(rules: RuleSet): string {
  const bodies: Shared[] = [];
  const positions = new Map<string, number>();
  const position = (body: Shared): number => {
    const text = JSON.stringify(body);
    const known = positions.get(text);
    if (known !== undefined) return known;
    positions.set(text, bodies.length);
    bodies.push(body);
    return bodies.length - 1;
  };
  const calls = [...rules.calls].map(
    ([name, list]) =>
      [
        name,
        list.map(({ name: _, at, ...body }): readonly [number, string] => [position(body), at]),
      ] as const,
  );
  const encoded: Encoded = {
    ...rules,
    bodies,
    calls: Object.fromEntries(calls),
    constants: Object.fromEntries(rules.constants),
    clients: Object.fromEntries(rules.clients),
    actors: rules.actors.map((actor) => ({
      ...actor,
      program: { ...actor.program, initial: Object.fromEntries(actor.program.initial) },
    })),
  };
  return JSON.stringify(encoded);
}

/** The inverse of `encodeRules`; the text must come from it. */
export function decodeRules(text: string): RuleSet {
  const { bodies, ...encoded } = JSON.parse(text) as Encoded;
  const calls = new Map<string, readonly CallRule[]>();
  for (const [name, list] of Object.entries(encoded.calls)) {
    calls.set(
      name,
      list.map(([position, at]) => {
        const body = bodies[position];
        if (body === undefined) throw new Error(`compiled rules are damaged: no body ${position}`);
        return { name, ...body, at };
      }),
    );
  }
  return {
    ...encoded,
    calls,
    constants: new Map(Object.entries(encoded.constants)),
    clients: new Map(Object.entries(encoded.clients)),
    actors: encoded.actors.map((actor) => ({
      ...actor,
      program: { ...actor.program, initial: new Map(Object.entries(actor.program.initial)) },
    })),
  };
}
