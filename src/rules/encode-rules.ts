/** `RuleSet` ↔ JSON: maps become objects. */
import type { EventProgram } from '#event/program.js';
import type { Value } from '#event/value.js';
import type { ActorFile, CallRule, ClientFile, ConstantRule, RuleSet } from './rule.js';

interface Encoded extends Omit<RuleSet, 'calls' | 'constants' | 'clients' | 'actors'> {
  readonly calls: Readonly<Record<string, readonly CallRule[]>>;
  readonly constants: Readonly<Record<string, readonly ConstantRule[]>>;
  readonly clients: Readonly<Record<string, ClientFile>>;
  readonly actors: readonly (Omit<ActorFile, 'program'> & {
    readonly program: Omit<EventProgram, 'initial'> & { readonly initial: Readonly<Record<string, Value>> };
  })[];
}

export function encodeRules(rules: RuleSet): string {
  const encoded: Encoded = {
    ...rules,
    calls: Object.fromEntries(rules.calls),
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
  const encoded = JSON.parse(text) as Encoded;
  return {
    ...encoded,
    calls: new Map(Object.entries(encoded.calls)),
    constants: new Map(Object.entries(encoded.constants)),
    clients: new Map(Object.entries(encoded.clients)),
    actors: encoded.actors.map((actor) => ({
      ...actor,
      program: { ...actor.program, initial: new Map(Object.entries(actor.program.initial)) },
    })),
  };
}
