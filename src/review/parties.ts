/**
 * Other parties that run beside checked code (DESIGN.md rule 10): walkers beside code that frees kernel page tables,
 * who frees them beside code that walks. Locks of the model exclude them from one another, nothing else does.
 */
import { identifiersIn } from '#c/identifiers.js';
import type { Expression } from '#event/expression.js';
import type { MachineFile } from '#event/machine-facts.js';
import type { EventProgram } from '#event/program.js';
import { LEVELS } from '#event/value.js';
import { expressionsOf } from '#event/walk-program.js';
import type { Resolver } from '#extract/resolve.js';
import { CallersInFile } from '#extract/roots.js';
import { levelsGiven } from '#machine/create-model.js';
import { conditionHolds } from '#rules/holds.js';
import { ruleFor } from '#rules/load-rules.js';
import type { ActorFile, RuleSet } from '#rules/rule.js';
import { loadsThatMatter } from './read-in-halves.js';

/** Functions of an actor's file that are run in place of its program, at most. */
const MOST_FUNCTIONS = 2;

/**
 * The actors whose stated condition the code meets. Code that walks is met by who frees tables only where it walked
 * before, too: which lock keeps the two apart is what the code showed then.
 */
export function partiesFor(
  before: EventProgram | null,
  after: EventProgram | null,
  machine: MachineFile,
  rules: RuleSet,
): readonly ActorFile[] {
  const sides = [before, after].filter((side) => side !== null);
  return rules.actors.filter((actor) => {
    if (actor.joins === null || !conditionHolds(actor.condition, machine)) return false;
    // A side that does little may not say whose addresses it is about.
    const spaces = sides.map((side) => side.space).filter((space) => space !== 'unknown');
    if (actor.joins === 'lockless-read') {
      const [was, is] = [before, after].map((side) => (side === null ? null : loadsThatMatter(side)));
      if (was === null || is === null || was === undefined || is === undefined) return false;
      const isOther = spaces.some((space) => space !== actor.space);
      return !isOther && was.whole !== is.whole && was.plain !== is.plain;
    }
    if (spaces.length === 0 || spaces.some((space) => space !== actor.space)) return false;
    return actor.joins === 'table-free'
      ? sides.some(freesTable)
      : sides.length === 2 && sides.every((side) => walks(side));
  });
}

const walks = (program: EventProgram): boolean =>
  program.nodes.some(
    (node) => node.kind === 'event' && (node.event.kind === 'walk' || node.event.kind === 'visit'),
  );

function freesTable(program: EventProgram): boolean {
  const frees = program.nodes.some((node) => node.kind === 'event' && node.event.kind === 'free');
  // The lowest entries never point to a table, whatever the code that reads them is written for.
  const pointed = program.levels.some((level) => level !== 'pte');
  return frees && program.nodes.some((node) => expressionsOf(node).some((one) => namesTable(one, pointed)));
}

/** Does the expression give a page table as memory? `pointed`: can an entry point to one? */
function namesTable(expression: Expression, pointed: boolean): boolean {
  switch (expression.op) {
    case 'const':
      return expression.value.kind === 'memory' && expression.value.what === 'table';
    case 'choice':
    case 'var':
    case 'param':
      return false;
    default:
      return (
        (pointed && expression.op === 'table-of') || expression.args.some((one) => namesTable(one, pointed))
      );
  }
}

/** A pointer to an entry of a higher level is what walks from the top begin with. */
const HIGHEST_HANDED = LEVELS.indexOf('pud');

/**
 * May callers hold a lock that the actor takes, if they do everything right? So may those who hand over pointers into
 * tables that they walked to; where the code itself begins at the top, nobody is above it.
 */
export function keptOutByCallers(actor: ActorFile, sides: readonly (EventProgram | null)[]): boolean {
  const locks = actor.program.nodes.some((node) => node.kind === 'event' && node.event.kind === 'lock');
  const handed = (side: EventProgram | null): boolean =>
    side !== null && levelsGiven(side).some((level) => level <= HIGHEST_HANDED);
  return locks && sides.some(handed);
}

/** Names of the functions in the actor's file through which kernel tables are walked; none where it has no file here. */
export function walkersOf(actor: ActorFile, resolver: Resolver, rules: RuleSet): readonly string[] {
  const index = actor.code === null ? null : resolver.index(actor.code);
  if (index === null) return [];
  const walking = [...index.definitions.values()]
    .flat()
    .filter(
      (definition) =>
        definition.kind === 'function' &&
        [...identifiersIn(index.text, definition.body, definition.end)].some((name) =>
          ruleFor(rules, name, resolver.machine)?.steps.some(
            (step) => step.kind === 'event' && step.event.kind === 'walk',
          ),
        ),
    );
  const callers = new CallersInFile(index, resolver);
  const roots = new Set(
    walking.flatMap((definition) => callers.rootsOf(definition.name).map((root) => root.name)),
  );
  return [...roots].slice(0, MOST_FUNCTIONS);
}
