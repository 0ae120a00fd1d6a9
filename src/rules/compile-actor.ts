/** Actors and other programs written in steps → event programs. */
import type { Expression } from '#event/expression.js';
import type { EventProgram, NodeId, ProgramNode } from '#event/program.js';
import { LEVELS } from '#event/value.js';
import {
  type Constants,
  compileCondition,
  compileStep,
  constantScope,
  expressionAt,
} from './compile-rule.js';
import type { Scope } from './parse-expression.js';
import type { Path, Source } from './parse-yaml.js';
import type { ActorFile } from './rule.js';
import { actorFile, type ProgramStepFile } from './rule-file.js';

/** A file holds one actor or a list of them. Throws RuleError. */
export function compileActor(source: Source, constants: Constants): readonly ActorFile[] {
  const { data } = source;
  const list: readonly unknown[] = Array.isArray(data) ? data : [data];
  return list.map((raw, index) => {
    const at: Path = Array.isArray(data) ? [index] : [];
    const file = source.as(actorFile, raw, at);
    const nodes = compileSteps(source, [...at, 'program'], file.program, constants);
    const program: EventProgram = {
      name: file.name,
      nodes,
      initial: new Map(),
      levels: file.levels ?? levelsNamed(nodes),
      space: file.space,
      outermost: false,
      assumptions: [besideIt(file.title)],
    };
    return {
      name: file.name,
      title: file.title,
      program,
      condition: compileCondition(file.when),
      space: file.space,
      joins: file.joins ?? null,
      code: file.code ?? null,
    };
  });
}

/** What a finding rests on when the actor was part of it. */
const besideIt = (title: string): string => `beside it runs: ${title}`;

/** Levels that the program's expressions name, leaf side first. */
export function levelsNamed(nodes: readonly ProgramNode[]): EventProgram['levels'] {
  const text = JSON.stringify(nodes);
  return LEVELS.filter((level) => text.includes(`"level":"${level}"`));
}

/**
 * Steps as in rules, and `if`/`then`/`else`, `while`/`do`, `return`, `stop` → nodes, node 0 first. Throws RuleError.
 */
export function compileSteps(
  source: Source,
  path: Path,
  steps: readonly ProgramStepFile[],
  constants: Constants,
): readonly ProgramNode[] {
  const nodes: ProgramNode[] = [];
  const locals = new Set<string>();
  const ofConstants = constantScope(constants);
  const scope: Scope = (name) => (locals.has(name) ? { op: 'var', name } : ofConstants(name));
  const place = (): NodeId => {
    nodes.push({ kind: 'assign', sets: [], next: 0, at: null });
    return nodes.length - 1;
  };
  const text = (at: Path, value: unknown): Expression =>
    expressionAt(source, at, value as string | number | boolean, scope);

  /** Writes the steps from node `entry` on, and goes on to `exit`. */
  const write = (list: readonly ProgramStepFile[], at: Path, entry: NodeId, exit: NodeId): void => {
    let current = entry;
    list.forEach((step, n) => {
      const here: Path = [...at, n];
      const next = n === list.length - 1 ? exit : place();
      if (step['if'] !== undefined) {
        const then = place();
        const otherwise = step['else'] === undefined ? next : place();
        nodes[current] = {
          kind: 'branch',
          on: text([...here, 'if'], step['if']),
          then,
          else: otherwise,
          at: null,
        };
        write((step['then'] ?? []) as ProgramStepFile[], [...here, 'then'], then, next);
        if (step['else'] !== undefined)
          write(step['else'] as ProgramStepFile[], [...here, 'else'], otherwise, next);
      } else if (step['while'] !== undefined) {
        const then = place();
        nodes[current] = {
          kind: 'branch',
          on: text([...here, 'while'], step['while']),
          then,
          else: next,
          at: null,
        };
        write((step['do'] ?? []) as ProgramStepFile[], [...here, 'do'], then, current);
      } else if (step['return'] !== undefined) {
        nodes[current] = { kind: 'return', value: text([...here, 'return'], step['return']), at: null };
      } else if (step['stop'] !== undefined) {
        nodes[current] = { kind: 'stop', at: null };
      } else {
        const compiled = compileStep(source, here, step, scope, locals);
        compiled.forEach((part, m) => {
          const after = m === compiled.length - 1 ? next : place();
          if (part.kind === 'let')
            nodes[current] = {
              kind: 'assign',
              sets: [{ name: part.name, value: part.value }],
              next: after,
              at: null,
            };
          else if (part.when === null)
            nodes[current] = { kind: 'event', event: part.event, next: after, at: null };
          else {
            const then = place();
            nodes[current] = { kind: 'branch', on: part.when, then, else: after, at: null };
            nodes[then] = { kind: 'event', event: part.event, next: after, at: null };
          }
          current = after;
        });
      }
      current = next;
    });
    if (list.length === 0) nodes[entry] = { kind: 'assign', sets: [], next: exit, at: null };
  };

  const entry = place();
  const exit = place();
  nodes[exit] = { kind: 'return', value: null, at: null };
  write(steps, path, entry, exit);
  return nodes;
}
