/** The rules as the rest of the program uses them. */
import { existsSync, readFileSync } from 'node:fs';
import type { MachineFile } from '#event/machine-facts.js';
import { decodeRules } from './encode-rules.js';
import { conditionHolds } from './holds.js';
import type { CallRule, RuleSet } from './rule.js';

const compiled = new URL('../rules/compiled.jsonl', import.meta.url);

// Parsers of YAML and schemas are slow to load, so a built package never loads them.
const fromFolder: (() => RuleSet) | null = existsSync(compiled) ? null : await compiler();

async function compiler(): Promise<() => RuleSet> {
  const [{ compileRules }, { readTexts }] = await Promise.all([
    import('./compile-rules.js'),
    import('./read-texts.js'),
  ]);
  return () => compileRules(readTexts());
}

let loaded: RuleSet | null = null;

/** The rule set of this package, read once. Throws RuleError when it has to be compiled and is wrong. */
export function loadRules(): RuleSet {
  loaded ??= fromFolder === null ? decodeRules(readFileSync(compiled, 'utf8')) : fromFolder();
  return loaded;
}

/**
 * The first rule for the C name whose condition holds on the machine. Where a kernel version changed the parameters,
 * there is a rule for each number of them: `argumentCount`, when given, prefers the one that fits.
 */
export function ruleFor(
  rules: RuleSet,
  name: string,
  machine: MachineFile,
  argumentCount?: number,
): CallRule | null {
  let first: CallRule | null = null;
  for (const rule of rules.calls.get(name) ?? []) {
    if (!conditionHolds(rule.condition, machine)) continue;
    if (argumentCount === undefined || takes(rule, argumentCount)) return rule;
    first ??= rule;
  }
  return first;
}

function takes(rule: CallRule, argumentCount: number): boolean {
  const { parameters } = rule;
  return parameters.at(-1) === '...'
    ? argumentCount >= parameters.length - 1
    : argumentCount === parameters.length;
}
