/** Violating runs to findings: one for each root cause, placed in the source, with the run that shows it. */
import { createHash } from 'node:crypto';
import type { EventProgram, Site } from '#event/program.js';
import { assumptionsOf, explainRun } from '#machine/explain-run.js';
import { factsOf } from '#machine/facts.js';
import type { TraceStep } from '#machine/run.js';
import type { Run } from '#machine/search-program.js';
import { NOTIFIER_AT_ENTRY } from '#machine/surroundings.js';
import { changedLines } from '#patch/line-map.js';
import type { RuleSet } from '#rules/rule.js';
import type { PatchedState } from '#source/snapshot.js';
import type { ChangedName } from './changed-functions.js';
import type { Finding, RelatedLine, ReviewOptions, Side, Status, TraceLine } from './document.js';
import { compareHazards } from './hazard-rank.js';
import type { Verdict } from './judge.js';
import type { Task } from './task.js';

export interface Candidate {
  readonly task: Task;
  readonly machine: string;
  readonly verdict: Verdict;
  readonly before: readonly EventProgram[] | null;
  readonly after: readonly EventProgram[] | null;
  notBuiltOn?: readonly string[];
  /** Beside another party it goes wrong with and without the patch. */
  readonly wrongBeside?: boolean;
}

/** One thing that the patch brings in, as far as a way out of it is to be found. */
export interface Cause {
  /** Through which of the changed names it goes wrong. */
  readonly changed: readonly ChangedName[];
  readonly place: { readonly file: string; readonly line: number; readonly function: string };
  /** Where the run that is shown happens, and all on which some run does. */
  readonly machine: string;
  readonly machines: readonly string[];
  readonly before: readonly EventProgram[] | null;
  readonly after: readonly EventProgram[] | null;
}

interface Hit {
  readonly candidate: Candidate;
  readonly run: Run;
  readonly programs: readonly EventProgram[];
  readonly site: Site | null;
}

export function findingsOf(
  candidates: readonly Candidate[],
  state: PatchedState,
  rules: RuleSet,
  options: ReviewOptions,
  suggest: (cause: Cause) => Finding['suggestion'],
): Finding[] {
  const whole = options.kindCallers === true;
  const introduced = whole
    ? byPlace(hits(candidates, 'introduced', true))
    : byCause(hits(candidates, 'introduced'));
  const findings = [
    ...introduced.map((cause) => finding(cause, 'introduced', candidates, state, rules, suggest, whole)),
    ...byCause(hits(candidates, 'fixed')).map((cause) => finding(cause, 'fixed', candidates, state, rules)),
    ...(options.existing
      ? byCause(hits(candidates, 'existing')).map((cause) =>
          finding(cause, 'existing', candidates, state, rules),
        )
      : []),
  ];
  return findings.sort((a, b) => order(a.file, b.file) || a.line - b.line || order(a.hazard, b.hazard));
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The run that shows most for each candidate; with `all`, every run. */
function hits(candidates: readonly Candidate[], status: Status, all = false): Hit[] {
  return candidates.flatMap((candidate): Hit[] => {
    const runs = [...candidate.verdict[status]].sort(byRank);
    const now = candidate.after ?? candidate.before;
    const programs =
      status === 'fixed' ? candidate.before : status === 'introduced' ? (candidate.verdict.ran ?? now) : now;
    if (programs === null) return [];
    return (all ? runs : runs.slice(0, 1)).map((run) => ({
      candidate,
      run,
      programs,
      site: all ? entrySite(programs, run) : siteOf(programs, run),
    }));
  });
}

const siteOf = (programs: readonly EventProgram[], { violation }: Run): Site | null =>
  programs[violation.cpu]?.nodes[violation.node]?.at ?? null;

const ENTRY_EVENTS: ReadonlySet<string> = new Set(['set', 'clear', 'change', 'read', 'walk', 'move']);

/**
 * Where it goes wrong as the innermost function has it that deals with entries itself: one that only gives memory back
 * does so for many, and each of them is a place of its own.
 */
function entrySite(programs: readonly EventProgram[], run: Run): Site | null {
  const site = siteOf(programs, run);
  if (site === null) return null;
  const deals = new Set(
    programs.flatMap(({ nodes }) =>
      nodes.flatMap((node) =>
        node.kind === 'event' && ENTRY_EVENTS.has(node.event.kind) && node.at !== null
          ? [node.at.function]
          : [],
      ),
    ),
  );
  const frames = [site, ...[...(site.via ?? [])].reverse()];
  return frames.find((frame) => deals.has(frame.function)) ?? site;
}

const placeText = (hit: Hit): string => `${hit.site?.file}:${hit.site?.line}`;

/** Without a patch, each place that goes wrong is a finding, whichever function it is reached through. */
function byPlace(all: readonly Hit[]): Hit[][] {
  const places = new Map<string, Hit[]>();
  for (const hit of all) {
    const place = hit.site === null ? hit.candidate.task.root : placeText(hit);
    places.set(place, [...(places.get(place) ?? []), hit]);
  }
  return [...places.values()];
}

/** Runs that go wrong through the same changed function, or at the same place, have one cause. */
function byCause(all: readonly Hit[]): Hit[][] {
  const causes: Hit[][] = [];
  for (const hit of all) {
    const cause = causes.find((known) =>
      known.some(
        (other) =>
          other.candidate.task.changed.name === hit.candidate.task.changed.name ||
          (other.site !== null && placeText(other) === placeText(hit)),
      ),
    );
    if (cause === undefined) causes.push([hit]);
    else cause.push(hit);
  }
  return causes;
}

function finding(
  cause: readonly Hit[],
  status: Status,
  candidates: readonly Candidate[],
  state: PatchedState,
  rules: RuleSet,
  suggest: (cause: Cause) => Finding['suggestion'] = () => null,
  /** Does it stand where it goes wrong, rather than in the function that was changed? */
  whole = false,
): Finding {
  const shown = representative(cause);
  const hazard = shown.run.violation.hazard;
  const side: Side = status === 'fixed' ? 'old' : 'new';
  const tree = side === 'old' ? state.before : state.after;
  const lineText = (file: string, line: number): string | undefined => tree.read(file)?.split('\n')[line - 1];
  const machine = rules.machines.find((known) => known.name === shown.candidate.machine);
  const steps =
    machine === undefined
      ? []
      : explainRun(
          {
            programs: shown.programs,
            facts: factsOf(machine),
            kind: whole,
            ...(shown.run.remembered === null ? {} : { remembered: shown.run.remembered }),
          },
          shown.run,
        );
  const trace = steps.map((step): TraceLine => traceLine(step, shown.programs, lineText));
  const place = placeOf(
    shown,
    steps,
    new Set([
      ...candidates.map((candidate) => candidate.task.changed.name),
      ...(whole && shown.site !== null ? [shown.site.function] : []),
    ]),
    state,
    side,
  );
  const machines = [...new Set(cause.map((hit) => hit.candidate.machine))];
  const about = candidates.filter((c) =>
    cause.some((hit) => hit.candidate.task.changed.name === c.task.changed.name),
  );
  const searched = about
    .filter((c) => c.verdict.cutOff === null && c.wrongBeside !== true)
    .map((c) => c.machine);
  // What goes wrong there with and without the patch is neither brought in nor clean.
  const wrongAnyway = about
    .filter((c) => c.verdict.existing.some((run) => run.violation.object === shown.run.violation.object))
    .map((c) => c.machine);
  const assumptions = [
    ...new Set([...shown.programs.flatMap((program) => program.assumptions), ...assumptionsOf(shown.run)]),
  ];
  const onEntry = shown.run.steps.some(({ action }) =>
    action.choices.some(({ key }) => key.startsWith('history ') || key.endsWith(' at entry')),
  );
  const page = rules.hazards.find((known) => known.id === hazard);
  const text = lineText(place.file, place.line);
  // A line that no step of the run stands at is shown all the same: what it changed decides the run.
  const own =
    text === undefined || trace.some((step) => step.file === place.file && step.line === place.line)
      ? []
      : [{ file: place.file, side, line: place.line, what: 'changes what the run does', text }];
  const related = [...own, ...relatedLines(trace, side, place)];
  const path = steps.map((step) => step.event?.kind ?? step.what).join(' ');
  return {
    fingerprint: createHash('sha256')
      .update(`${hazard}\n${place.function}\n${shown.run.violation.object}\n${path}`)
      .digest('hex')
      .slice(0, 16),
    hazard,
    status,
    severity: status === 'introduced' ? (page?.severity ?? 'error') : 'note',
    ...trustIn(shown, state, assumptions, onEntry),
    file: place.file,
    side,
    line: place.line,
    function: place.function,
    message: shown.run.violation.message,
    machines,
    safeOn: [...new Set(searched)].filter((name) => !machines.includes(name) && !wrongAnyway.includes(name)),
    notBuiltOn: [...(shown.candidate.notBuiltOn ?? [])],
    related,
    trace,
    consequence: consequenceOf(cause, shown),
    assumptions,
    closedBy: null,
    suggestion: suggest({
      changed: distinct(cause.map((hit) => hit.candidate.task.changed)),
      place,
      machine: shown.candidate.machine,
      machines,
      before: shown.candidate.before,
      after: shown.candidate.after,
    }),
  };
}

/** Machines named with a consequence before the others are only counted. */
const NAMED = 3;

/** What follows from it: where machines differ, what follows on which. */
function consequenceOf(cause: readonly Hit[], shown: Hit): string {
  const machines = new Map<string, Set<string>>();
  for (const { candidate, run } of [shown, ...cause]) {
    if (run.violation.hazard !== shown.run.violation.hazard) continue;
    const known = machines.get(run.violation.consequence) ?? new Set<string>();
    machines.set(run.violation.consequence, known.add(candidate.machine));
  }
  if (machines.size === 1) return shown.run.violation.consequence;
  const listed = (names: readonly string[]): string =>
    names.length > NAMED + 1
      ? `${names.slice(0, NAMED).join(', ')} and ${names.length - NAMED} more`
      : names.join(', ');
  return [...machines].map(([text, names]) => `${text} (${listed([...names])})`).join('; ');
}

const distinct = (names: readonly ChangedName[]): ChangedName[] =>
  names.filter((a, n) => names.findIndex((b) => a.name === b.name && a.file === b.file) === n);

/** How far a reader may go by the finding, and why. */
function trustIn(
  shown: Hit,
  state: PatchedState,
  assumptions: readonly string[],
  onEntry: boolean,
): Pick<Finding, 'confidence' | 'why'> {
  if (state.context === 'hunks')
    return { confidence: 'low', why: 'reviewed from the hunks alone: what they do not show is unknown' };
  const { client } = shown.candidate.task;
  if (client !== null) return { confidence: 'medium', why: `shown in a client of the primitive (${client})` };
  if (assumptions.length > 0) return { confidence: 'medium', why: 'rests on the assumptions listed' };
  if (onEntry) return { confidence: 'medium', why: 'rests on what callers out of view may have done before' };
  return { confidence: 'high', why: 'every call that matters was followed' };
}

function byRank(a: Run, b: Run): number {
  return (
    Number(blamesCaller(a)) - Number(blamesCaller(b)) ||
    compareHazards(a.violation.hazard, b.violation.hazard) ||
    a.steps.length - b.steps.length
  );
}

/**
 * Does the run go wrong only if the caller opened no notifier section? What goes wrong in a section too says more of
 * the change, since callers of code that unmaps open one.
 */
function blamesCaller(run: Run): boolean {
  return run.steps.some(({ action }) =>
    action.choices.some(({ key, value }) => key === NOTIFIER_AT_ENTRY && value === 'no'),
  );
}

function representative(cause: readonly Hit[]): Hit {
  const ranked = [...cause].sort((a, b) => byRank(a.run, b.run));
  const first = ranked[0];
  if (first === undefined)
    throw new Error('a cause has at least one run: byCause() never makes an empty one');
  return first;
}

function traceLine(
  step: TraceStep,
  programs: readonly EventProgram[],
  lineText: (file: string, line: number) => string | undefined,
): TraceLine {
  const site = step.node === null ? null : (programs[step.cpu]?.nodes[step.node]?.at ?? null);
  const inKernel = site !== null && !site.file.startsWith('client:');
  const text = inKernel ? lineText(site.file, site.line)?.trim() : undefined;
  return {
    cpu: step.cpu,
    who: step.who,
    what: step.what,
    file: inKernel ? site.file : null,
    line: inKernel ? site.line : null,
    ...(text === undefined ? {} : { text }),
    changes: step.changes,
  };
}

/**
 * Where the finding stands: the violating step as the changed function has it (its own line, or its call of what
 * does it); for a client the last step inside the changed body.
 */
function placeOf(
  hit: Hit,
  steps: readonly TraceStep[],
  changed: ReadonlySet<string>,
  state: PatchedState,
  side: Side,
): { readonly file: string; readonly line: number; readonly function: string } {
  const frames = (site: Site | null): Site[] =>
    site === null ? [] : [site, ...[...(site.via ?? [])].reverse()];
  const inChanged = (site: Site | null): Site | undefined =>
    frames(site).find((frame) => changed.has(frame.function) && !frame.file.startsWith('client:'));
  const own = inChanged(hit.site);
  if (own !== undefined) return own;
  // In a client, what goes wrong goes wrong in code that did not change: the changed primitive is what to look at.
  const inClient = hit.candidate.task.client !== null;
  if (!inClient && hit.site !== null && !hit.site.file.startsWith('client:')) return hit.site;
  for (const step of [...steps].reverse()) {
    const site = step.node === null ? null : (hit.programs[step.cpu]?.nodes[step.node]?.at ?? null);
    const frame = inChanged(site);
    if (frame !== undefined) return frame;
  }
  const { file, name } = hit.candidate.task.changed;
  return { file, line: changedLine(file, name, state, side), function: name };
}

/** The first line that the patch changes in the definition of `name`; where it changes none there, its first line. */
function changedLine(file: string, name: string, state: PatchedState, side: Side): number {
  const lines = ((side === 'old' ? state.before : state.after).read(file) ?? '').split('\n');
  // `#define name name` only says that a definition follows.
  const defines = new RegExp(`^(?:#\\s*define\\s+(?!${name}\\s+${name}\\s*$)|[A-Za-z_].*\\b)${name}\\b`);
  const found = lines.findIndex((line) => defines.test(line));
  const at = found >= 0 ? found : lines.findIndex((line) => line.includes(name));
  if (at < 0) return 1;
  const isEnd = lines[at]?.startsWith('#')
    ? (line: string) => !line.endsWith('\\')
    : (line: string) => line.startsWith('}');
  const end = lines.findIndex((line, n) => n >= at && isEnd(line));
  const patch = state.patch.files.find((one) => (side === 'old' ? one.oldPath : one.newPath) === file);
  if (patch === undefined) return at + 1;
  const { added, removed } = changedLines(patch, state.offsets?.get(patch.newPath ?? patch.oldPath ?? ''));
  const inside = (side === 'old' ? removed : added).find(
    (line) => line > at && line <= end + 1 && /^\s*(?!\/[*/]|\*)[^\s{}]/.test(lines[line - 1] ?? ''),
  );
  return inside ?? at + 1;
}

function relatedLines(
  trace: readonly TraceLine[],
  side: Side,
  place: { readonly file: string; readonly line: number },
): RelatedLine[] {
  const related: RelatedLine[] = [];
  for (const line of trace) {
    if (line.file === null || line.line === null || line.changes.length === 0) continue;
    if (line.file === place.file && line.line === place.line) continue;
    if (related.some((known) => known.file === line.file && known.line === line.line)) continue;
    related.push({
      file: line.file,
      side,
      line: line.line,
      what: line.what,
      ...(line.text === undefined ? {} : { text: line.text }),
    });
  }
  return related;
}
