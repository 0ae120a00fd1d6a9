/**
 * A way out, where one can be shown: edits of the patched source are tried in turn, and the first with which the whole
 * review of the patch finds nothing of the kind on any machine is suggested. What was not searched to its end counts
 * as no way out.
 */
import { statementsOf } from '#c/statements.js';
import type { EventKind } from '#event/event.js';
import type { MachineFile } from '#event/machine-facts.js';
import type { EventProgram, Site } from '#event/program.js';
import { ruleFor } from '#rules/load-rules.js';
import { overlay } from '#source/overlay-tree.js';
import type { PatchedState, Tree } from '#source/snapshot.js';
import { type CandidateEdit, candidateEdits } from './candidate-edits.js';
import type { ChangedName } from './changed-functions.js';
import type { Finding, Undecided } from './document.js';
import type { Candidate, Cause } from './findings.js';
import type { FunctionText } from './scene.js';
import type { Session } from './session.js';
import { quoted } from './source-edit.js';

/** Edits tried for one finding. */
const EDITS = 6;
/** Findings of a patch that edits are looked for. */
const FINDINGS = 3;
/** States that all replays of a patch may take together, in multiples of the limit for one search. */
const MOST = 8;

/** The stage of the review that is run again for each edit. */
export type SearchPatch = (
  state: PatchedState,
  machines: readonly MachineFile[],
  session: Session,
  also: readonly ChangedName[],
) => { readonly candidates: readonly Candidate[]; readonly undecided: readonly Undecided[] };

/**
 * Looks for edits for the findings of one patch.
 *
 * @param found  what the patch's own search gave
 * @param search the search, to replay the patch with an edit
 * @returns for each cause an edit that was replayed clean, or null
 */
export function suggester(
  state: PatchedState,
  found: { readonly candidates: readonly Candidate[]; readonly undecided: readonly Undecided[] },
  machines: readonly MachineFile[],
  session: Session,
  search: SearchPatch,
): (cause: Cause) => Finding['suggestion'] {
  let tried = 0;
  let states = 0;
  const started = session.options.now();
  const { limits } = session.options;
  // No more than the patch itself took, and one search.
  const budget = Math.min(session.states - session.patchStart + limits.states, MOST * limits.states);
  const isLate = (): boolean => session.options.now() - started > limits.milliseconds / 4;
  const raised = new Set(
    found.candidates.filter((c) => c.verdict.introduced.length > 0).map((c) => keyOf(c.task.changed)),
  );
  const open = new Set(found.undecided.map((gap) => `${gap.file} ${gap.function}`));

  const replay = (
    cause: Cause,
    file: string,
    edit: CandidateEdit,
  ): { readonly states: number; readonly machines: readonly string[] } | null => {
    const names = new Set(cause.changed.map(keyOf));
    const edited: PatchedState = {
      ...state,
      after: overlay(state.after, new Map([[file, edit.text]])),
      changed: [...new Set([...state.changed, file])],
    };
    // Where it went wrong it is looked at, even if it is what it was before the patch.
    const [looked, compared] = [session.fork(true), session.fork(false)];
    const clean = new Set<string>();
    // Where it went wrong it is most likely to go wrong again.
    const order = [...machines].sort(
      (a, b) => Number(b.name === cause.machine) - Number(a.name === cause.machine),
    );
    for (const machine of order) {
      const trial = machine.name === cause.machine ? looked : compared;
      const { candidates, undecided } = search(edited, [machine], trial, cause.changed);
      states += trial.states - trial.patchStart;
      trial.startOver();
      const own = candidates.filter((candidate) => names.has(keyOf(candidate.task.changed)));
      const isWrong = candidates.some(
        ({ task, verdict }) =>
          verdict.introduced.length > 0 &&
          (names.has(keyOf(task.changed)) || !raised.has(keyOf(task.changed))),
      );
      // What does as before does nothing new, whether or not all of it was seen: only more is not claimed of it.
      const differs = own.some(({ verdict }) => !verdict.same);
      const isOpen =
        own.some(({ verdict }) => verdict.cutOff !== null && !verdict.same) ||
        undecided.some((gap) => differs && !open.has(`${gap.file} ${gap.function}`));
      if (isWrong || isOpen || (own.length === 0 && cause.machines.includes(machine.name))) return null;
      if (own.length > 0 && own.every(({ verdict }) => verdict.cutOff === null)) clean.add(machine.name);
      else if (machine.name === cause.machine) return null;
      if (states > budget || isLate()) return null;
    }
    return {
      states: looked.states + compared.states,
      machines: machines.map(({ name }) => name).filter((name) => clean.has(name)),
    };
  };

  return (cause) => {
    // Without a tree, what is out of view may be what makes an edit wrong.
    if (session.options.suggestions === false || state.context === 'hunks' || tried >= FINDINGS) return null;
    tried += 1;
    let edits = 0;
    for (const { file, edit } of editsFor(cause, state, machines, session)) {
      if (edits >= EDITS || states > budget) return null;
      if (isLate()) return null;
      edits += 1;
      const proof = replay(cause, file, edit);
      if (proof !== null) return { edits: quoted(edit.edits, state.after.read(file) ?? ''), ...proof };
    }
    return null;
  };
}

const keyOf = (changed: ChangedName): string => `${changed.file} ${changed.name}`;

/** Edits of the changed functions that the cause goes through, the cheapest first. */
function editsFor(
  cause: Cause,
  state: PatchedState,
  machines: readonly MachineFile[],
  session: Session,
): { readonly file: string; readonly edit: CandidateEdit }[] {
  const machine = machines.find(({ name }) => name === cause.machine);
  if (machine === undefined) return [];
  const functions = cause.changed.map(({ file, name }) => ({ file, name }));
  const { place } = cause;
  if (
    state.changed.includes(place.file) &&
    !functions.some(({ file, name }) => file === place.file && name === place.function)
  )
    functions.push({ file: place.file, name: place.function });
  const edits = functions.flatMap(({ file, name }) => {
    const read = (tree: Tree, programs: readonly EventProgram[] | null): FunctionText | null =>
      functionText(tree, file, name, machine, programs ?? [], session);
    const after = read(state.after, cause.after);
    if (after === null) return [];
    const here = file === place.file && name === place.function;
    return candidateEdits(read(state.before, cause.before), after, here ? place.line : null).map((edit) => ({
      file,
      edit,
    }));
  });
  return edits.sort((a, b) => a.edit.cost - b.edit.cost);
}

function functionText(
  tree: Tree,
  file: string,
  name: string,
  machine: MachineFile,
  programs: readonly EventProgram[],
  session: Session,
): FunctionText | null {
  const index = session.index(tree, file);
  const resolver = session.resolver(tree, machine);
  const definition = index === null ? null : resolver.live(index, name);
  if (index === null || definition === null) return null;
  const body = statementsOf(index, definition, resolver.configuration);
  if (body === null) return null;
  return {
    file,
    text: index.text,
    parameters: index.text.slice(definition.start, definition.body),
    body,
    events: eventsIn(programs, file, name),
    primitive: (called) =>
      new Set(
        (ruleFor(session.rules, called, machine)?.steps ?? []).flatMap((step) =>
          step.kind === 'event' ? [step.event.kind] : [],
        ),
      ),
  };
}

/** What programs do in a function, or in what it calls, by the line of the function. */
function eventsIn(programs: readonly EventProgram[], file: string, name: string): FunctionText['events'] {
  const byLine = new Map<number, Set<EventKind>>();
  for (const program of programs)
    for (const node of program.nodes) {
      if (node.kind !== 'event' || node.at === null) continue;
      for (const frame of framesOf(node.at)) {
        if (frame.file !== file || frame.function !== name) continue;
        const kinds = byLine.get(frame.line) ?? new Set<EventKind>();
        kinds.add(node.event.kind);
        byLine.set(frame.line, kinds);
      }
    }
  return byLine;
}

const framesOf = (site: Site): readonly Pick<Site, 'file' | 'line' | 'function'>[] => [
  site,
  ...(site.via ?? []),
];
