/**
 * Scenarios: litmus tests for the machine, each CPU's program written by hand in the event language of rules and
 * actors (docs/rules.md), with the verdict that each machine must give.
 *
 * A file names the mail thread and message that it comes from, and holds scenarios, called `good-…` or
 * `bad-<what is missing>`.
 */

import { z } from 'zod';
import { constant, type Expression } from '#event/expression.js';
import type { FactName, FactValue } from '#event/machine-facts.js';
import type { EventProgram } from '#event/program.js';
import { type EntryValue, LEVELS, type Level, type Value } from '#event/value.js';
import { compileSteps, levelsNamed } from '#rules/compile-actor.js';
import { HAZARD_IDS } from '#rules/compile-hazard.js';
import { Source } from '#rules/parse-yaml.js';
import type { ConstantRule, HazardId } from '#rules/rule.js';
import { actorFile } from '#rules/rule-file.js';
import { FACT_NAMES } from './fact-names.js';
import { noneValue } from './step.js';

export interface Scenario {
  readonly name: string;
  readonly file: string;
  readonly about: string;
  readonly thread: string;
  readonly message: string;
  /** One per CPU. */
  readonly programs: readonly EventProgram[];
  readonly names: readonly string[];
  /** What the witness's entries hold at the start. */
  readonly entries: ReadonlyMap<number, Value>;
  /** Is there one more CPU, which runs no program, and are there walkers nobody wrote down? */
  readonly ambient: boolean;
  /** CPUs whose tables never held the witness's. */
  readonly strangers: readonly number[];
  readonly answers: ReadonlyMap<string, readonly string[]>;
  /** Facts of the machine that differ in this scenario. */
  readonly facts: ReadonlyMap<FactName, FactValue>;
  /** Verdict by machine: `clean` or the hazard of the shortest violating run. Machines not named are not run. */
  readonly expect: ReadonlyMap<string, HazardId | 'clean'>;
  /** Situations that must occur: parts of a state, by name, and a text that each must contain, all in one state. */
  readonly sometimes: readonly (readonly (readonly [string, string])[])[];
}

const fact = z.union([z.string(), z.int(), z.boolean()]);

const scenarioFile = z.strictObject({
  thread: z.string(),
  message: z.string(),
  scenarios: z.array(
    z.strictObject({
      name: z.string().regex(/^(good|bad)-[a-z0-9-]+$/, 'a name that starts with good- or bad-'),
      about: z.string(),
      space: z.enum(['user', 'kernel', 'guest']),
      start: z.partialRecord(
        z.enum(LEVELS as [Level, ...Level[]]),
        z.enum(['page', 'page-ro', 'table', 'none', 'soft']),
      ),
      ambient: z.boolean().optional(),
      strangers: z.array(z.int()).optional(),
      answers: z.record(z.string(), z.string()).optional(),
      facts: z.partialRecord(z.enum(FACT_NAMES), fact).optional(),
      cpus: z
        .array(
          z.strictObject({
            name: z.string(),
            outermost: z.boolean().optional(),
            program: actorFile.shape.program,
          }),
        )
        .min(1)
        .max(6),
      expect: z.record(z.string(), z.enum(['clean', ...HAZARD_IDS])),
      sometimes: z.array(z.record(z.string(), z.string())).min(1),
    }),
  ),
});

const pointer = (level: Level, table: 'W' | 'A'): Expression =>
  constant({ kind: 'entry-pointer', level, table, gap: 'at' });
const memory = (what: 'page' | 'table' | 'range', level: Level, who: 'W' | 'new' | 'other'): Expression =>
  constant({ kind: 'memory', what, level, who });

/** Names that programs of scenarios may use. */
const NAMES: Readonly<Record<string, Expression>> = {
  ...Object.fromEntries(LEVELS.map((level) => [level, pointer(level, 'W')])),
  pte2: pointer('pte', 'A'),
  pmd2: pointer('pmd', 'A'),
  w: constant({ kind: 'address', gap: 'pte' }),
  end: constant({ kind: 'address', gap: 'past' }),
  page: memory('page', 'pte', 'W'),
  new_page: memory('page', 'pte', 'new'),
  other_page: memory('page', 'pte', 'other'),
  range: memory('range', 'pte', 'W'),
  pte_table: memory('table', 'pte', 'W'),
  pmd_table: memory('table', 'pmd', 'W'),
  new_table: memory('table', 'pte', 'new'),
};

const CONSTANTS: ReadonlyMap<string, readonly ConstantRule[]> = new Map(
  Object.entries(NAMES).map(([name, value]) => [name, [{ name, value, condition: {} }]]),
);

/** Questions that a scenario does not ask unless it says so. */
const DEFAULT_ANSWERS: readonly (readonly [string, string])[] = [
  ['mmu notifier section open at entry', 'yes'],
];

/**
 * Scenarios of one file. Throws RuleError, with file, line and column, for text that is not YAML, has another shape,
 * or names something that there is not.
 */
export function parseScenarios(file: string, text: string): readonly Scenario[] {
  const source = new Source(file, text);
  const data = source.as(scenarioFile);
  return data.scenarios.map((scenario, n): Scenario => {
    const programs = scenario.cpus.map((cpu, c): EventProgram => {
      const nodes = compileSteps(source, ['scenarios', n, 'cpus', c, 'program'], cpu.program, CONSTANTS);
      const named = new Set([...levelsNamed(nodes), ...(Object.keys(scenario.start) as Level[])]);
      return {
        name: cpu.name,
        nodes,
        initial: new Map(),
        levels: LEVELS.filter((level) => named.has(level)),
        space: scenario.space,
        outermost: cpu.outermost ?? false,
        assumptions: [],
      };
    });
    const answers = new Map<string, readonly string[]>(DEFAULT_ANSWERS.map(([key, value]) => [key, [value]]));
    for (const [key, value] of Object.entries(scenario.answers ?? {})) answers.set(key, [value]);
    return {
      name: scenario.name,
      file,
      about: scenario.about,
      thread: data.thread,
      message: data.message,
      programs,
      names: scenario.cpus.map((cpu) => cpu.name),
      entries: new Map(
        Object.entries(scenario.start).map(([level, holds]) => [
          LEVELS.indexOf(level as Level),
          startValue(level as Level, holds),
        ]),
      ),
      ambient: scenario.ambient ?? scenario.cpus.length === 1,
      strangers: scenario.strangers ?? [],
      answers,
      facts: new Map(Object.entries(scenario.facts ?? {}) as [FactName, FactValue][]),
      expect: new Map(Object.entries(scenario.expect)),
      sometimes: scenario.sometimes.map((parts) => Object.entries(parts)),
    };
  });
}

function startValue(level: Level, holds: 'page' | 'page-ro' | 'table' | 'none' | 'soft'): EntryValue {
  const none = noneValue(level);
  switch (holds) {
    case 'none':
      return none;
    case 'table':
      return { ...none, maps: 'table', of: 'W' };
    case 'soft':
      return { ...none, maps: 'soft', of: 'W' };
    case 'page':
      return { ...none, maps: 'page', of: 'W', write: true, dirty: true, young: true };
    case 'page-ro':
      return { ...none, maps: 'page', of: 'W', young: true };
  }
}
