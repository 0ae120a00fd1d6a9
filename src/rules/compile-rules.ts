/**
 * The texts of the top-level rules/ folder → `RuleSet`. Pure: files come in as texts. Used by the build and, where
 * nothing was built, at start.
 */
import type { FactName, FactValue, MachineFile } from '#event/machine-facts.js';
import { compileActor } from './compile-actor.js';
import { compileHazard } from './compile-hazard.js';
import {
  type Constants,
  compileCondition,
  compileRule,
  constantScope,
  expressionAt,
} from './compile-rule.js';
import { canHold, covers } from './holds.js';
import type { Path } from './parse-yaml.js';
import { Source } from './parse-yaml.js';
import type {
  ActorFile,
  CallRule,
  ClientFile,
  ConstantRule,
  FieldRule,
  HazardPage,
  MachineCondition,
  RuleSet,
  TypeRule,
} from './rule.js';
import { configFile, constantFile, fieldFile, machineFile, pathFile, typeFile } from './rule-file.js';

/** Path below rules/ (`events/frees.yaml`) → text. */
export type RuleTexts = ReadonlyMap<string, string>;

/** Throws RuleError. Order of files does not matter. */
export function compileRules(texts: RuleTexts): RuleSet {
  const files = [...texts.keys()].sort();
  const inFolder = (folder: string, extension: string): readonly Source[] =>
    files
      .filter((file) => file.startsWith(`${folder}/`) && file.endsWith(extension))
      .map((file) => new Source(`rules/${file}`, texts.get(file) ?? ''));
  const single = (file: string): Source => new Source(`rules/${file}`, texts.get(file) ?? '[]');
  const constants = compileConstants(single('constants.yaml'));
  const clients = new Map<string, ClientFile>();
  for (const file of files) {
    const name = /^clients\/(.*)\.c$/.exec(file)?.[1];
    if (name !== undefined) clients.set(name, { name, text: withParts(texts.get(file) ?? '', texts) });
  }
  const common = new Source('rules/config.yaml', texts.get('config.yaml') ?? '{}');
  const machines = compileMachines(inFolder('machines', '.yaml'), common);
  const calls = compileCalls(inFolder('events', '.yaml'), constants, clients);
  return {
    calls,
    standing: standingFor(calls),
    types: compileTypes(single('types.yaml')),
    fields: compileFields(single('fields.yaml'), constants),
    constants,
    machines,
    actors: inFolder('actors', '.yaml').flatMap((source): readonly ActorFile[] =>
      compileActor(source, constants),
    ),
    clients,
    hazards: files
      .filter((file) => file.startsWith('hazards/') && file.endsWith('.md'))
      .map((file): HazardPage => compileHazard(`rules/${file}`, texts.get(file) ?? '')),
    paths: (() => {
      const source = single('paths.yaml');
      return source.as(pathFile);
    })(),
  };
}

/** A client with the headers of its own folder put in place; other includes are the tree's. */
function withParts(text: string, texts: RuleTexts): string {
  return text.replace(
    /^#include "([\w.-]+\.h)"\n/gm,
    (line, header: string) => texts.get(`clients/${header}`) ?? line,
  );
}

function compileCalls(
  sources: readonly Source[],
  constants: Constants,
  clients: ReadonlyMap<string, ClientFile>,
): ReadonlyMap<string, readonly CallRule[]> {
  const all = sources.flatMap((source) => {
    const { data } = source;
    if (!Array.isArray(data)) throw source.error('shape', 'a rule file is a list of rules', []);
    return data.flatMap((raw: unknown, index) =>
      compileRule(source, index, raw, constants).map((rule) => ({ source, index, rule })),
    );
  });
  // What one architecture does stands before what is true elsewhere, whichever file it is written in.
  const ofArch = ({ rule }: { readonly rule: CallRule }): boolean => rule.condition.arch !== undefined;
  const ordered = [...all.filter(ofArch), ...all.filter((one) => !ofArch(one))];
  const calls = new Map<string, CallRule[]>();
  for (const { source, index, rule } of ordered) {
    if (!canHold(rule.condition))
      throw source.error('never-matches', `no machine meets the condition of \`${rule.name}\``, [
        index,
        'when',
      ]);
    const known = calls.get(rule.name) ?? [];
    const earlier = known.find(
      (other) =>
        other.parameters.length === rule.parameters.length && covers(other.condition, rule.condition),
    );
    if (earlier !== undefined) {
      const at: Path = [index];
      const same = sameCondition(earlier.condition, rule.condition);
      throw source.error(
        same ? 'duplicate' : 'never-matches',
        `\`${rule.name}\` ${same ? 'has the same condition as' : 'can never match behind'} ${earlier.at}`,
        at,
      );
    }
    rule.clients.forEach((client, n) => {
      if (!clients.has(client))
        throw source.error('unknown-client', `no client \`${client}\``, [index, 'clients', n]);
    });
    calls.set(rule.name, [...known, rule]);
  }
  return calls;
}

function standingFor(calls: ReadonlyMap<string, readonly CallRule[]>): RuleSet['standing'] {
  const standing = new Map<string, Set<string>>();
  for (const [call, rules] of calls)
    for (const body of rules.flatMap((rule) => [rule.name, ...rule.bodies]))
      standing.set(body, (standing.get(body) ?? new Set()).add(call));
  return new Map(
    [...standing].filter(([body, by]) => by.size > 1 || !by.has(body)).map(([body, by]) => [body, [...by]]),
  );
}

const sameCondition = (a: MachineCondition, b: MachineCondition): boolean => covers(a, b) && covers(b, a);

function compileConstants(source: Source): Constants {
  const constants = new Map<string, ConstantRule[]>();
  source.as(constantFile).forEach((file, index) => {
    const value = expressionAt(source, [index, 'value'], file.value, constantScope(constants));
    for (const name of file.name) {
      const known = constants.get(name) ?? [];
      const condition = compileCondition(file.when);
      if (known.some((other) => covers(other.condition, condition)))
        throw source.error('duplicate', `constant \`${name}\` again`, [index, 'name']);
      constants.set(name, [...known, { name, value, condition }]);
    }
  });
  return constants;
}

function compileTypes(source: Source): readonly TypeRule[] {
  const seen = new Set<string>();
  return source.as(typeFile).map((file, index) => {
    const key = `${file.type} ${'*'.repeat(file.pointers)} ${(file.named ?? []).join(' ')}`.trim();
    if (seen.has(key)) throw source.error('duplicate', `type \`${key}\` again`, [index]);
    seen.add(key);
    return {
      type: file.type,
      pointers: file.pointers,
      is: file.is,
      level: file.level ?? null,
      ...(file.named === undefined ? {} : { named: file.named }),
      ...(file.levels === undefined ? {} : { levels: file.levels }),
      ...(file.space === undefined ? {} : { space: file.space }),
    };
  });
}

function compileFields(source: Source, constants: Constants): readonly FieldRule[] {
  const seen = new Set<string>();
  const ofConstants = constantScope(constants);
  return source.as(fieldFile).flatMap((file, index) => {
    const value = expressionAt(source, [index, 'value'], file.value, (name) =>
      name === 'base' ? { op: 'param', name } : ofConstants(name),
    );
    return file.field.map((field) => {
      const key = `${file.struct}.${field}`;
      if (seen.has(key)) throw source.error('duplicate', `field \`${key}\` again`, [index]);
      seen.add(key);
      return { struct: file.struct, field, value };
    });
  });
}

const UNRANKED = 100;

/** What one machine file states itself, before `like` and the common configuration are filled in. */
interface StatedMachine {
  readonly source: Source;
  readonly like: string | null;
  readonly rank: number;
  readonly machine: Omit<MachineFile, 'arch'> & { readonly arch: string | null };
}

/** What few machines do is not denied by every other one. */
const RARE_FACTS: Readonly<Record<string, FactValue>> = {
  'top-links-in-registers': false,
  'table-in-sections': false,
  'kernel-clear-purges': false,
};
const RARE_SOURCES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.keys(RARE_FACTS).map((name) => [name, 'stated where it does']),
);

function compileMachines(sources: readonly Source[], common: Source): readonly MachineFile[] {
  const stated = new Map<string, StatedMachine>();
  for (const source of sources) {
    const one = statedMachine(source);
    if (stated.has(one.machine.name))
      throw source.error('duplicate', `two machines are called ${one.machine.name}`, ['name']);
    stated.set(one.machine.name, one);
  }
  const defaults = textsOf(common.as(configFile));
  const whole = (one: StatedMachine, below: readonly string[]): MachineFile => {
    const { source, like, machine } = one;
    const base = like === null ? null : stated.get(like);
    if (base === undefined || (like !== null && below.includes(like)))
      throw source.error('shape', `\`like: ${like}\` names no machine that does not build on this one`, [
        'like',
      ]);
    const from = base === null ? null : whole(base, [...below, machine.name]);
    const arch = machine.arch ?? from?.arch;
    if (arch === undefined) throw source.error('shape', 'neither `arch` nor `like`', ['name']);
    // A fact that is stated anew needs a source of its own: the other machine's says why it is otherwise there.
    const inherited = Object.entries(from?.sources ?? {}).filter(([name]) => !(name in machine.facts));
    return {
      name: machine.name,
      title: machine.title,
      arch,
      config: { ...(from?.config ?? defaults), ...machine.config },
      facts: { ...(from?.facts ?? RARE_FACTS), ...machine.facts },
      sources: {
        ...(from === null ? RARE_SOURCES : {}),
        ...Object.fromEntries(inherited),
        ...machine.sources,
      },
    };
  };
  return [...stated.values()].sort((a, b) => a.rank - b.rank).map((one) => whole(one, []));
}

const textsOf = (config: Readonly<Record<string, string | number>>): Record<string, string> =>
  Object.fromEntries(Object.entries(config).map(([symbol, value]) => [symbol, String(value)]));

function statedMachine(source: Source): StatedMachine {
  const file = source.as(machineFile);
  const facts: Record<string, FactValue> = {};
  const sources: Record<string, string> = { ...file.sources };
  for (const [name, fact] of Object.entries(file.facts ?? {})) {
    if (typeof fact === 'object') {
      facts[name] = fact.value;
      sources[name] = fact.source;
    } else facts[name] = fact;
  }
  return {
    source,
    like: file.like ?? null,
    rank: file.rank ?? UNRANKED,
    machine: {
      name: file.name,
      title: file.title,
      arch: file.arch ?? null,
      config: textsOf(file.config ?? {}),
      facts: facts as Record<FactName, FactValue>,
      sources,
    },
  };
}
