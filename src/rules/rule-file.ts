/**
 * The file shape of rules, as people write it. `compile-*.ts` turn it into the compiled shape of rule.ts.
 * rules/schema.json is generated from here.
 */
import { z } from 'zod';
import type { EventKind } from '#event/event.js';
import { LEVELS } from '#event/value.js';
import { EVENT_FIELDS, type Field } from './event-fields.js';

const expression = z
  .union([z.string(), z.int(), z.boolean()])
  .describe('expression text: C operators, cond ? a : b, operators such as entry(pte, pmd, addr)');
const name = z.string().regex(/^[A-Za-z_]\w*$/, 'a name');
const level = z.enum(LEVELS as [(typeof LEVELS)[number], ...(typeof LEVELS)[number][]]);
const names = z
  .union([z.string(), z.array(z.string())])
  .transform((one) => (typeof one === 'string' ? [one] : one));

const fact = z.union([z.string(), z.int(), z.boolean()]);

const condition = z
  .strictObject({
    arch: names.optional().describe('folders of arch/, any of'),
    'not-arch': names.optional(),
    facts: z
      .record(z.string(), fact)
      .optional()
      .describe('facts of rules/machines that must have these values'),
    config: z.record(z.string().regex(/^CONFIG_\w+$/), z.enum(['y', 'n'])).optional(),
  })
  .describe('machines to which this applies; all parts must hold');

function fieldSchema(field: Field): z.ZodType {
  const { type } = field;
  const base =
    type === 'expression'
      ? expression
      : type === 'name'
        ? name
        : type === 'boolean'
          ? z.boolean()
          : type === 'number'
            ? z.int().min(0)
            : type === 'level'
              ? level
              : type === 'pair'
                ? z.tuple([expression, expression])
                : z.enum(type as [string, ...string[]]);
  return field.optional ? base.optional() : base;
}

function eventSchema(kind: EventKind): z.ZodType {
  const fields = Object.entries(EVENT_FIELDS[kind]).map(([key, field]) => [key, fieldSchema(field)]);
  return z.strictObject({
    ...Object.fromEntries(fields),
    if: expression.optional().describe('guards the event'),
  });
}

const steps = Object.fromEntries(
  (Object.keys(EVENT_FIELDS) as EventKind[]).map((kind) => [kind, eventSchema(kind).optional()]),
);

const oneKey = { minProperties: 1, maxProperties: 1 };

const ruleStep = z
  .strictObject({
    let: z.record(name, expression).optional().describe('names for later steps'),
    ...steps,
  })
  .refine((step) => Object.keys(step).length === 1, 'a step is one event or one let')
  .meta(oneKey);

export const callRule = z
  .strictObject({
    call: names.optional().describe('C call with its formal parameters; a list: all behave alike'),
    iterate: names.optional().describe('loop macro with its formal parameters'),
    each: z
      .record(name, z.array(z.union([z.string(), z.int()])))
      .optional()
      .describe('writes the rule once for each position of the lists, with $NAME replaced'),
    when: condition.optional(),
    events: z.array(ruleStep).optional(),
    returns: expression.optional(),
    out: z.record(z.string(), expression).optional().describe('*parameter = value, parameter->field = value'),
    more: expression.optional().describe('is there another round?'),
    pure: z.literal(true).optional().describe('the answer depends on the arguments alone'),
    effect: z.literal('none').optional().describe('known to have no effect that matters here'),
    stops: z
      .union([z.literal(true), z.string()])
      .optional()
      .describe('does not return: never, or when the expression holds'),
    callbacks: z
      .array(
        z.strictObject({
          parameter: name,
          member: name.optional(),
          args: z.array(expression),
          fields: z.record(name, expression).optional(),
          cpus: z
            .enum(['all', 'others'])
            .optional()
            .describe('it runs in interrupts on other CPUs, with `all` also here'),
          mask: name.optional().describe('parameter: the CPUs that are asked'),
          condition: name.optional().describe('parameter: function that is asked for each CPU first'),
          wait: name.optional().describe('parameter: does the call return when all have run it?'),
          at: z.int().min(0).optional().describe('position of the struct of `fields`; the last if left out'),
          if: expression.optional(),
        }),
      )
      .optional()
      .describe('functions that it calls back after its own steps'),
    space: z.literal('guest').optional().describe("a guest's second-stage tables are meant"),
    walkers: z
      .enum(['rcu', 'rcu-shared', 'interrupts', 'none'])
      .optional()
      .describe('who walks those tables in software without their lock'),
    forwards: name.optional().describe('parameter that names the function which is called'),
    memory: z
      .array(z.strictObject({ pointer: name, old: name, value: expression }))
      .optional()
      .describe('reads and writes the memory behind a pointer at once'),
    runs: name.optional().describe('function whose body the call runs, where it is in view'),
    bodies: z.array(name).optional().describe('C functions whose bodies the rule stands for'),
    clients: z.array(z.string()).optional().describe('files of rules/clients that check those bodies'),
    source: z.string().optional().describe('kernel file:line'),
  })
  .refine(
    (rule) => (rule.call === undefined) !== (rule.iterate === undefined),
    'a rule has either call or iterate',
  );

const typeRule = z.strictObject({
  type: z.string(),
  pointers: z.int().min(0).max(3),
  is: z.enum([
    'entry-pointer',
    'entry-value',
    'memory-page',
    'memory-table',
    'address',
    'mm',
    'vma',
    'gather',
    'range',
    'lock',
    'table-lock',
    'container',
    'guest',
  ]),
  level: level.optional(),
  named: names.optional().describe('only for parameters of these names'),
  levels: z.array(level).optional().describe('levels that it may have where the type does not say'),
  space: z.literal('guest').optional(),
});

const fieldRule = z.strictObject({
  struct: z.string(),
  field: names.describe('one field or several with the same meaning'),
  value: expression.describe('expression over `base`, the pointer to the struct'),
});

const constantRule = z.strictObject({ name: names, value: expression, when: condition.optional() });

const symbols = z.record(z.string().regex(/^CONFIG_\w+$/), z.union([z.string(), z.int()]));

export const machineFile = z.strictObject({
  name: z.string(),
  title: z.string(),
  rank: z
    .int()
    .optional()
    .describe('machines with lower ones are searched first; what a limit cuts off is last'),
  like: z.string().optional().describe('machine whose statements hold here too, unless they are restated'),
  arch: z.string().optional().describe('folder of arch/; needed where there is no `like`'),
  config: symbols.optional(),
  facts: z
    .record(z.string(), z.union([fact, z.strictObject({ value: fact, source: z.string() })]))
    .optional(),
  sources: z.record(z.string(), z.string()).optional(),
});

/** Configuration symbols as they are on every machine that does not state them. */
export const configFile = symbols;

const programStep: z.ZodType<ProgramStepFile> = z.lazy(() =>
  z
    .strictObject({
      let: z.record(name, expression).optional(),
      ...steps,
      if: expression.optional(),
      while: expression.optional(),
      then: z.array(programStep).optional(),
      else: z.array(programStep).optional(),
      do: z.array(programStep).optional(),
      return: expression.optional(),
      stop: z.strictObject({}).optional(),
    })
    .refine(
      (step) => Object.keys(step).filter((key) => !['then', 'else', 'do'].includes(key)).length === 1,
      'a step is one event, let, if, while, return or stop',
    ),
);

export interface ProgramStepFile {
  readonly [key: string]: unknown;
}

export const actorFile = z.strictObject({
  name: z.string(),
  title: z.string(),
  space: z.enum(['user', 'kernel']),
  when: condition.optional(),
  levels: z.array(level).optional(),
  /** Runs beside code that frees a kernel page table, that walks into one, or that reads an entry without its lock. */
  joins: z.enum(['table-free', 'table-walk', 'lockless-read']).optional(),
  /** Where the kernel's own code for this party stands; the program below is for trees without it. */
  code: z.string().optional(),
  program: z.array(programStep),
});

export const hazardHead = z.strictObject({
  id: z.string(),
  title: z.string(),
  severity: z.enum(['error', 'warning']),
});

const ruleFile = z.array(callRule);
export const typeFile = z.array(typeRule);
export const fieldFile = z.array(fieldRule);
export const constantFile = z.array(constantRule);
export const pathFile = z.array(z.string());

export type ConditionFile = z.output<typeof condition>;
export type CallRuleFile = z.output<typeof callRule>;

/** JSON Schema for editors: one definition for each kind of file. */
export function jsonSchema(): unknown {
  const kinds = {
    events: ruleFile,
    types: typeFile,
    fields: fieldFile,
    constants: constantFile,
    machine: machineFile,
    config: configFile,
    actor: actorFile,
  };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Files of rules/',
    $defs: Object.fromEntries(
      Object.entries(kinds).map(([kind, schema]) => {
        const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input' }) as Record<string, unknown>;
        return [kind, rest];
      }),
    ),
  };
}
