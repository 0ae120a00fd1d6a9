/**
 * A run made readable. The run is taken again, step by step, so that nothing is shown that does not happen; what
 * hardware and walkers without a program do in between is put in where it makes a difference.
 */
import type { Event } from '#event/event.js';
import { LEVELS, type Value } from '#event/value.js';
import type { Path } from '#explore/model.js';
import { replay } from '#explore/search.js';
import { createModel, type MachineModel, type ModelOptions, sameAction } from './create-model.js';
import { describeEvent } from './describe-event.js';
import { describeState, isWalker, walkerName } from './describe-state.js';
import type { Action, Choice, StateChange, TraceStep, Violation } from './run.js';
import { LEAF, type State, WALK, WALKERS } from './state.js';
import { levelAt } from './step.js';

export type Run = Path<State, Action, Violation>;

/**
 * The steps of `path` on a fresh model of `options`. Throws when the path does not replay, or does not end in the
 * violation that it claims: then the search is wrong, and the run must not be shown.
 */
export function explainRun(options: ModelOptions, path: Run): TraceStep[] {
  const model = createModel(options);
  const fresh = freshPath(model, path);
  replay(model, fresh, sameAction);
  const steps: TraceStep[] = [];
  const told = new Set<string>();
  let before = fresh.start;
  for (const { action, state } of fresh.steps) {
    const heard: { node: number; event: Event<Value> }[] = [];
    const changed: number[] = [];
    model.take(before, action, {
      event: (node, event) => heard.push({ node, event }),
      changed: (node) => changed.push(node),
    });
    const changes = changesBetween(model, before, state);
    const who = model.machine.names[action.cpu] ?? 'program';
    const note = action.choices
      .filter(({ key, stable }) => {
        if (stable !== true) return true;
        // Asked again, it has the answer that was told before.
        if (told.has(key)) return false;
        told.add(key);
        return true;
      })
      .map(found)
      .filter((text) => text !== '')
      .join('; ');
    for (const { node, event } of heard)
      steps.push({
        cpu: action.cpu,
        who,
        what: describeEvent(event),
        event,
        node,
        changes: ownChanges(changes),
      });
    if (heard.length === 0 && (note !== '' || changes.length > 0))
      steps.push({
        cpu: action.cpu,
        who,
        what: note === '' ? 'goes on' : `finds: ${note}`,
        event: null,
        // What it finds, it finds where it asks; what it only comes by is seen where it comes by it.
        node: note === '' ? (changed[0] ?? action.node) : action.node,
        changes: ownChanges(changes),
      });
    for (const step of hardwareSteps(model, before, state)) steps.push(step);
    before = state;
  }
  const last = before.violation;
  if (last === null || last.hazard !== path.violation.hazard)
    throw new Error('the run does not end in the violation that it claims');
  return steps;
}

/** A choice in words. Where the witness lies is the reader's business only through what happens to it. */
function found({ key, value }: Choice): string {
  if (value.startsWith('addr@')) return '';
  // Which of the entries an argument names, and what it holds, shows in what is done with it.
  if (/^arg\d+ (?:is|lies)\b/.test(key) && /[{:]/.test(value)) return '';
  if (/^(?:[<>]=?|[=!]=)\(.*\)$/.test(key))
    return `the comparison ${value === 'no' ? 'does not hold' : 'holds'}`;
  const what = key
    .replace(/\b(?:G|L\d+)\.(\w+)/g, '$1')
    .replace(/\bloop\(uninitialised\)/g, '_')
    .replace(/\bloop\((\w+)\)/g, '$1');
  if (value === 'some:nonzero') return `${what} is not 0`;
  if (value === '0') return `${what} is 0`;
  return `${what}: ${value}`;
}

/** What the run took for granted, over all of its steps. */
export function assumptionsOf(path: Run): readonly string[] {
  const found = new Set<string>();
  for (const { action } of path.steps) for (const text of action.assumes ?? []) found.add(text);
  return [...found];
}

/** The same actions from the fresh model's own start: numbers of values differ between models, texts do not. */
function freshPath(model: MachineModel, path: Run): Run {
  const start = model.initial()[0]?.state;
  if (start === undefined) throw new Error('the model has no initial state');
  const steps: { action: Action; state: State }[] = [];
  let here = start;
  path.steps.forEach(({ action }, n) => {
    const next = model.take(here, action, { event: () => undefined });
    if (next === null) throw new Error(`the run does not replay: step ${n + 1} is not enabled`);
    steps.push({ action, state: next });
    here = next;
  });
  return { start, steps, violation: path.violation };
}

function changesBetween(model: MachineModel, before: State, after: State): StateChange[] {
  const [a, b] = [describeState(model.machine, before), describeState(model.machine, after)];
  const names = new Set([...a.keys(), ...b.keys()]);
  const changes: StateChange[] = [];
  for (const what of names) {
    const [from, to] = [a.get(what) ?? '', b.get(what) ?? ''];
    if (from !== to && !from.startsWith('not looked')) changes.push({ what, from, to });
    else if (from !== to && to !== '') changes.push({ what, from: '', to });
  }
  return changes;
}

/** What the acting CPU's program did: stale translations are hardware's steps. */
const ownChanges = (changes: readonly StateChange[]): StateChange[] =>
  changes.filter(({ what, to }) => !(to !== '' && / (TLB|walk cache)$/.test(what)) && !isWalker(what));

function hardwareSteps(model: MachineModel, before: State, after: State): TraceStep[] {
  const { machine } = model;
  const found: TraceStep[] = [];
  const at = (state: State, cls: number, byte: number): number =>
    state.bytes[machine.layout.perClass + cls * 21 + byte] ?? 0;
  for (let cls = machine.layout.classes - 1; cls >= 0; cls -= 1) {
    for (let level = 0; level < LEVELS.length; level += 1) {
      const name = levelAt(level);
      if (at(before, cls, LEAF + level) === 0 && at(after, cls, LEAF + level) !== 0)
        found.push(
          hardware(
            cls,
            `may have loaded the ${name} entry before: its TLB can still hold the old translation`,
            { what: `CPU${cls} TLB`, from: '', to: `old ${name} translation` },
          ),
        );
      if (at(before, cls, WALK + level) === 0 && at(after, cls, WALK + level) !== 0)
        found.push(
          hardware(
            cls,
            `may have walked through the ${name} table before: its walk cache can still lead there`,
            { what: `CPU${cls} walk cache`, from: '', to: `old ${name} table` },
          ),
        );
    }
  }
  for (let level = 0; level < LEVELS.length; level += 1) {
    if (before.bytes[WALKERS + level] !== 0 || after.bytes[WALKERS + level] === 0) continue;
    const name = levelAt(level);
    const cpu = machine.layout.classes - 1;
    const who = walkerName(machine.space);
    const kept = machine.space === 'guest' && machine.walkers !== 'interrupts';
    found.push({
      cpu,
      who,
      what: `inside the ${name} table since before it was unlinked, ${kept ? 'in an RCU section' : 'interrupts off'}`,
      event: null,
      node: null,
      changes: [{ what: who, from: '', to: `inside the ${name} table` }],
    });
  }
  return found;
}

const hardware = (cpu: number, what: string, change: StateChange): TraceStep => ({
  cpu,
  who: 'hardware',
  what,
  event: null,
  node: null,
  changes: [change],
});
