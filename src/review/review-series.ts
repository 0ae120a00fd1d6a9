/**
 * The one place where the stages meet: trees before and after each patch in, a review document out. No IO of its own,
 * no clock but the one passed in.
 */

import type { FileIndex } from '#c/ir.js';
import type { MachineFile } from '#event/machine-facts.js';
import type { EventProgram } from '#event/program.js';
import type { Linked } from '#extract/extraction.js';
import { behaveAlike } from '#extract/finish-program.js';
import type { Resolver } from '#extract/resolve.js';
import { CallersInFile } from '#extract/roots.js';
import { ruleFor } from '#rules/load-rules.js';
import type { RuleSet } from '#rules/rule.js';
import type { PatchedState } from '#source/snapshot.js';
import { calleesFirst } from './callees-first.js';
import { type CallerView, helpersOf, type TreeCaller } from './callers-in-tree.js';
import { callsOf } from './calls-of.js';
import {
  type ChangedName,
  changedFunctions,
  isLiveChange,
  lowersAlike,
  touchedFunctions,
} from './changed-functions.js';
import { clientsFor, type Roots, rootsIn } from './clients.js';
import type { ReviewDocument, ReviewedPatch, ReviewOptions, Undecided } from './document.js';
import { DEPTH_LIMIT, NODE_LIMIT } from './extraction-limits.js';
import { type Candidate, findingsOf } from './findings.js';
import { handedOn } from './handed-on.js';
import { joinParts, type ReviewPart, skippedPart } from './join-parts.js';
import { type JudgeLimits, kindOf, type Verdict } from './judge.js';
import { mergeUndecided, type Open } from './merge-undecided.js';
import { keptOutByCallers, partiesFor } from './parties.js';
import { quotedPatch } from './quoted-patch.js';
import { inAnyOrder, inHalves, loadsThatMatter } from './read-in-halves.js';
import { type CallerAnswer, excused, type From, shownByCallers } from './search-callers.js';
import { Kept, LEAST_STATES, Session } from './session.js';
import { suggester } from './suggest.js';
import type { Task } from './task.js';
import { walkOf } from './walk-of.js';

export function reviewSeries(
  states: readonly PatchedState[],
  rules: RuleSet,
  options: ReviewOptions,
): ReviewDocument {
  const started = options.now();
  const kept = new Kept();
  const parts = states.map((_, index) => reviewPart(states, index, rules, options, kept));
  return joinParts(parts, options.now() - started);
}

/**
 * One patch of a series. Nothing is carried over from other patches but what depends on a file's text alone (`kept`),
 * so that a part is the same in whichever order and on whichever thread the parts are reviewed.
 */
export function reviewPart(
  states: readonly PatchedState[],
  index: number,
  rules: RuleSet,
  options: ReviewOptions,
  kept: Kept,
): ReviewPart {
  const state = states[index];
  if (state === undefined) throw new Error(`no patch ${index}: the caller counts them`);
  const session = new Session(rules, options, kept);
  options.onProgress({ kind: 'patch', subject: state.patch.subject, index, of: states.length });
  const patch = reviewPatch(state, machinesOf(rules, options), session);
  return { patch, functions: session.functions, programs: session.programs, states: session.states };
}

function machinesOf(rules: RuleSet, options: ReviewOptions): readonly MachineFile[] {
  if (options.machines.length === 0) return rules.machines;
  return rules.machines.filter((machine) => options.machines.includes(machine.name));
}

/** A patch that was not reviewed, which the report says with the reason. */
export function skippedState(states: readonly PatchedState[], index: number, reason: string): ReviewPart {
  const state = states[index];
  if (state === undefined) throw new Error(`no patch ${index}: the caller counts them`);
  const nothing = { analysed: [], findings: [], undecided: [] };
  return skippedPart(
    { ...headOf(state), ...nothing, ...quotedPatch(state.patch, []) },
    state.changed[0] ?? '',
    reason,
  );
}

function headOf({ patch, context }: PatchedState) {
  return {
    subject: patch.subject,
    messageId: patch.messageId,
    commit: patch.commit,
    files: patch.files.map((file) => file.newPath ?? file.oldPath ?? ''),
    context,
  };
}

function reviewPatch(state: PatchedState, machines: readonly MachineFile[], session: Session): ReviewedPatch {
  const searched = searchPatch(state, machines, session);
  const { analysed, undecided, candidates } = searched;
  const suggest = suggester(state, searched, machines, session, searchPatch);
  const findings = findingsOf(candidates, state, session.rules, session.options, suggest);
  return {
    ...headOf(state),
    analysed,
    findings,
    undecided,
    ...quotedPatch(state.patch, findings),
  };
}

interface Searched {
  readonly analysed: readonly { readonly function: string; readonly file: string }[];
  readonly undecided: readonly Undecided[];
  readonly candidates: readonly Candidate[];
}

/** Every name that a patch changes, and those of `also` whether it does or not, on every machine that builds it. */
function searchPatch(
  state: PatchedState,
  machines: readonly MachineFile[],
  session: Session,
  also: readonly ChangedName[] = [],
): Searched {
  const sources = state.changed.filter((path) => /\.[ch]$/.test(path));
  const analysed: { function: string; file: string }[] = [];
  const undecided: Open[] = [];
  const candidates: Candidate[] = [];
  for (const part of state.partialFunctions ?? []) {
    if (part.side === 'old') continue;
    const lines = part.lines.map(([from, to]) => `${from}-${to}`).join(', ');
    undecided.push({
      function: part.name,
      file: part.file,
      kind: 'resolve',
      reason: `seen only in part: lines ${lines}`,
    });
  }
  for (const path of state.skipped ?? [])
    undecided.push({ function: '', file: path, kind: 'resolve', reason: 'no text to read' });
  for (const file of sources) {
    const before = session.index(state.before, file);
    const after = session.index(state.after, file);
    for (const name of touchedFunctions(before, after)) analysed.push({ function: name, file });
    const changed = changedFunctions(before, after);
    for (const name of also)
      if (name.file === file && !changed.some((known) => known.name === name.name)) changed.push(name);
    session.functions += changed.length;
    if (changed.length === 0) continue;
    const near = changed.filter(({ name }) => session.mayLeadToEntries(name, after, state.after, machines));
    const notBuilt: string[] = [];
    const dead = new Map<string, string[]>();
    const sides = machines.flatMap((machine) => {
      const old = session.resolver(state.before, machine);
      const now = session.resolver(state.after, machine);
      if (now.isBuilt(file)) return [{ machine, old, now }];
      notBuilt.push(machine.name);
      return [];
    });
    // Where only comments, blanks or empty statements changed there is nothing to tell apart, and to search only what
    // was there before.
    const alike = (name: ChangedName): boolean =>
      !also.some((known) => known.name === name.name) &&
      sides.every(
        ({ old, now }) =>
          !isLiveChange(name.name, before, after, old, now) || lowersAlike(name, before, after, old, now),
      );
    const quiet = new Set(changed.filter(alike).map((change) => change.name));
    session.unchanged = sources.length === 1 && quiet.size === changed.length;
    if (session.unchanged && !session.options.existing) continue;
    const { unchangedMilliseconds } = session.options.limits;
    session.until =
      session.unchanged && unchangedMilliseconds !== undefined
        ? session.options.now() + unchangedMilliseconds * changed.length
        : Number.POSITIVE_INFINITY;
    const order =
      session.options.kindCallers === true && after !== null ? scanOrder(file, after, sides[0]?.now) : null;
    for (const { machine, old, now } of sides) {
      const live = near.filter((change) => {
        const isLive =
          also.some(({ name }) => name === change.name) || isLiveChange(change.name, before, after, old, now);
        if (!isLive) dead.set(change.name, [...(dead.get(change.name) ?? []), machine.name]);
        return isLive && (session.options.existing || !quiet.has(change.name));
      });
      const names = session.names(state.after);
      const view = names === null ? null : { index: names, resolver: now, rules: session.rules };
      const jobs =
        order === null || after === null
          ? jobsFor(live, file, before, after, old, now, session.rules)
          : jobsForScan(live, file, after, now, order);
      for (const job of jobs) {
        if (session.options.now() > session.until) {
          undecided.push({
            function: job.changed.name,
            file,
            kind: 'limit',
            reason: 'time-limit',
            limit: { what: 'time-limit', machine: machine.name, states: 0 },
          });
          continue;
        }
        session.options.onProgress({
          kind: 'function',
          function: job.changed.name,
          file,
          machine: machine.name,
        });
        const outcome = runJob(job, machine, old, now, session, view);
        undecided.push(...outcome.undecided);
        candidates.push(...outcome.candidates);
      }
    }
    for (const candidate of candidates)
      if (candidate.task.changed.file === file)
        candidate.notBuiltOn = [...notBuilt, ...(dead.get(candidate.task.changed.name) ?? [])];
  }
  settleUnchanged(candidates, machines, session);
  return { analysed, undecided: mergeUndecided(undecided), candidates };
}

/**
 * A machine on which both sides do the same is no machine on which the order is right: where another one shows
 * something for the same root, it is asked whether this one does so with and without the patch.
 */
function settleUnchanged(candidates: Candidate[], machines: readonly MachineFile[], session: Session): void {
  const about = ({ task }: Candidate): string => `${task.changed.name} ${task.file} ${task.root}`;
  const raised = new Set(
    candidates.filter(({ verdict }) => verdict.introduced.length + verdict.fixed.length > 0).map(about),
  );
  for (const [n, candidate] of candidates.entries()) {
    const machine = machines.find((known) => known.name === candidate.machine);
    if (machine === undefined || !candidate.verdict.same || !raised.has(about(candidate))) continue;
    const limits = { states: session.options.limits.states, expired: () => false };
    const verdict = session.judged(candidate.before, candidate.after, machine, limits, true);
    candidates[n] = { ...candidate, verdict };
  }
}

/** What to search for one changed name: itself where it stands alone, the functions it is entered through, clients. */
interface Job {
  readonly changed: ChangedName;
  readonly own: Task | null;
  /** Does what it owes at its end show only in its callers? */
  readonly inner: boolean;
  /** Is it the only definition of the file that changed? */
  readonly alone: boolean;
  readonly callers: readonly Task[];
  /** Where it stands alone because its address is taken: what calls it back in the same file. */
  readonly handers: readonly Task[];
  readonly clients: readonly Task[];
  /** Where no client comes to the body of a primitive on this machine, it is judged like any other function. */
  readonly unreached: () => Job | null;
}

const NEVER_UNREACHED = (): null => null;

function jobsFor(
  changed: readonly ChangedName[],
  file: string,
  before: FileIndex | null,
  after: FileIndex | null,
  old: Resolver,
  now: Resolver,
  rules: RuleSet,
): Job[] {
  const jobs: Job[] = [];
  const seen = new Set<string>();
  const sides = [
    after === null ? null : { index: after, callers: new CallersInFile(after, now), resolver: now },
    before === null ? null : { index: before, callers: new CallersInFile(before, old), resolver: old },
  ];
  for (const name of changed) {
    if (name.kind === 'table' || name.kind === 'enumerator') continue;
    const primitive = clientsFor(name.name, rules, now.machine);
    // What a rule says of the others in its group holds: they are searched by themselves.
    const bodies = primitive?.bodies ?? new Set<string>();
    const task: TaskOf = (root, path, client) => ({
      label: root,
      root,
      file: path,
      changed: name,
      bodies,
      client,
      linked: NOWHERE,
    });
    const clients = (primitive?.clients ?? []).map((client) =>
      task('client', `client:${client}:${file}`, client),
    );
    const job = (): Job => ownJob(name, bodies, task);
    if (clients.length > 0) {
      const unreached = name.kind === 'function' ? job : NEVER_UNREACHED;
      jobs.push({
        changed: name,
        own: null,
        inner: false,
        alone: true,
        callers: [],
        handers: [],
        clients,
        unreached,
      });
    } else jobs.push(job());
  }
  return jobs;

  function ownJob(name: ChangedName, bodies: ReadonlySet<string>, task: TaskOf): Job {
    const roots = new Set<string>();
    const handers = new Set<string>();
    // A rule for a function on the way to the changed one would hide the change from its callers.
    const way = new Set(bodies);
    let both = true;
    for (const side of sides) {
      if (side === null || side.resolver.live(side.index, name.name) === null) {
        both = false;
        continue;
      }
      const reached = side.callers.reach(name.name);
      for (const root of reached.roots) roots.add(root.name);
      for (const taken of reached.roots)
        for (const hander of side.callers.handersOf(taken.name))
          for (const root of side.callers.rootsOf(hander.name)) handers.add(root.name);
      for (const passed of reached.passed)
        if (passed !== name.name && ruleFor(rules, passed, now.machine) !== null) way.add(passed);
    }
    const inner = !roots.has(name.name);
    roots.delete(name.name);
    const fresh = [...roots].filter((root) => !seen.has(root));
    for (const root of fresh) seen.add(root);
    return {
      changed: name,
      own: both || !inner ? task(name.name, file, null) : null,
      inner,
      alone: changed.length === 1,
      callers: (both ? [...roots] : fresh).map((root) => ({ ...task(root, file, null), bodies: way })),
      handers: [...handers]
        .filter((root) => root !== name.name && !roots.has(root))
        .map((root) => ({ ...task(root, file, null), bodies: way })),
      clients: [],
      unreached: NEVER_UNREACHED,
    };
  }
}

/** The file's functions, each behind those that it calls: what is too much is known then by its smallest part. */
const scanOrder = (file: string, index: FileIndex, resolver: Resolver | undefined): readonly string[] =>
  calleesFirst(new Set(index.definitions.keys()), (name) =>
    resolver === undefined ? [] : (callsOf(name, file, resolver) ?? []),
  );

/**
 * Without a patch: each function that is entered from outside, by itself. A primitive has no other side that its clients
 * could be compared with, and a macro is read where it is used.
 */
function jobsForScan(
  changed: readonly ChangedName[],
  file: string,
  index: FileIndex,
  now: Resolver,
  order: readonly string[],
): Job[] {
  const callers = new CallersInFile(index, now);
  const entered = new Set(changed.flatMap(({ name }) => callers.rootsOf(name).map((root) => root.name)));
  const names = new Map(changed.map((name) => [name.name, name]));
  return order.flatMap((root): Job[] => {
    const name = names.get(root);
    if (name?.kind !== 'function' || !entered.has(root)) return [];
    const own = { label: root, root, file, changed: name, bodies: NONE, client: null, linked: NOWHERE };
    const around = { callers: [], handers: [], clients: [], unreached: NEVER_UNREACHED };
    return [{ changed: name, own, inner: false, alone: false, ...around }];
  });
}

type TaskOf = (root: string, path: string, client: string | null) => Task;

/** A search that was made around a changed function. */
interface Asked {
  readonly task: Task;
  readonly outcome: Outcome;
}

/** What the search for one changed name gave on one machine. */
interface JobResult {
  readonly candidates: readonly Candidate[];
  readonly undecided: readonly Open[];
}

/**
 * The function itself comes first, with every history open to it. Its callers in view decide where it raises
 * something (they may do what it leaves) and are searched, within a smaller limit, where it does not.
 */
function runJob(
  job: Job,
  machine: MachineFile,
  old: Resolver,
  now: Resolver,
  session: Session,
  view: CallerView | null,
): JobResult {
  const { limits } = session.options;
  const least = { states: Math.ceil(limits.states / 16), milliseconds: Math.ceil(limits.milliseconds / 8) };
  const small = { states: Math.ceil(limits.states / 8), milliseconds: Math.ceil(limits.milliseconds / 8) };
  const run = (task: Task, within: ReviewOptions['limits']): Outcome =>
    check(task, machine, old, now, session, within);
  const size = (task: Task): number => session.tooLarge.get(`${task.file} ${task.root}`) ?? 0;
  /** What shows in a caller counts first; what no longer does is asked where that is little to search. */
  const runCaller = (task: Task, within: ReviewOptions['limits'], fixedWithin = 0): Outcome => {
    const few = size(task) >= MACHINES_TRIED;
    const limit = few ? { ...within, states: Math.min(within.states, LEAST_STATES) } : within;
    const outcome = check(task, machine, old, now, session, limit, fixedWithin);
    if (outcome.verdict?.cutOff !== null && outcome.verdict?.introduced.length === 0)
      session.tooLarge.set(`${task.file} ${task.root}`, size(task) + 1);
    return outcome;
  };
  const candidate = (task: Task, outcome: Outcome): Candidate[] =>
    outcome.verdict === null
      ? []
      : [
          {
            task,
            machine: machine.name,
            verdict: outcome.verdict,
            before: outcome.before,
            after: outcome.after,
            ...(outcome.wrongBeside === true ? { wrongBeside: true } : {}),
          },
        ];
  if (job.own === null) {
    const outcomes = [...job.clients, ...job.callers].map((task) => ({ task, outcome: run(task, limits) }));
    const isReached = outcomes.some(
      ({ outcome }) => outcome.followed.has(job.changed.name) || outcome.undecided.length > 0,
    );
    const instead = isReached ? null : job.unreached();
    if (instead !== null) return runJob(instead, machine, old, now, session, view);
    return {
      candidates: outcomes.flatMap(({ task, outcome }) => candidate(task, outcome)),
      undecided: outcomes.flatMap(({ outcome }) => outcome.undecided),
    };
  }
  const of = job.own;
  const own = run(of, limits);
  const mine = candidate(job.own, own);
  const alone = { candidates: mine, undecided: own.undecided };
  if (own.verdict === null) return alone;
  const raised = new Set(own.verdict.introduced.map((run) => kindOfObject(run.violation.object)));
  // What is too much to search on one machine is not tried on the next.
  const ask = (caller: TreeCaller, around: CallerView, alone: boolean): Outcome | null => {
    const tried = `${alone ? 'alone' : 'tree'} ${caller.file} ${caller.root}`;
    if (session.tooLarge.has(tried)) return null;
    const linked = new Map([...helpersOf(caller, around), ...caller.linked]);
    const task = { ...of, ...caller, linked, label: caller.root };
    const outcome = alone
      ? checkAlone(task, machine, now, session, least, own.after?.some(({ reclaimed }) => reclaimed) === true)
      : run(task, small);
    if (outcome.verdict === null || outcome.verdict.cutOff !== null) session.tooLarge.set(tried, 1);
    return outcome;
  };
  /** What stands on one machine stands: the others are not asked then. A suggested edit needs no excuse. */
  const isExcused = (at: From): boolean => {
    const what = `${of.changed.file} ${of.changed.name}`;
    // What goes wrong beside another party is not settled by a caller that is searched by itself.
    if (view === null || session.isFork || own.after?.length !== 1 || session.unexcused.has(what))
      return false;
    const isDone = excused(at, view, (caller) => answerOf(ask(caller, view, true), of.changed.name));
    if (!isDone) session.unexcused.add(what);
    return isDone;
  };
  const shownAround = (at: Task): JobResult => {
    // Without a patch nothing that is handed on changed, and callers are searched where they stand.
    if (view === null || session.options.kindCallers === true) return { candidates: [], undecided: [] };
    const { shown, left } = shownByCallers<readonly Candidate[]>(at, view, (caller) => {
      const outcome = ask(caller, view, false);
      const verdict = outcome?.verdict ?? null;
      if (outcome === null || verdict === null) return null;
      const { introduced, fixed } = verdict;
      if (introduced.length + fixed.length === 0)
        return verdict.cutOff === null ? { shown: null, on: !verdict.same && !handsTheSame(outcome) } : null;
      if (introduced.length > 0 && isExcused(caller)) return { shown: null, on: false };
      return { shown: candidate({ ...at, ...caller, label: caller.root }, outcome), on: false };
    });
    const { root, file } = at;
    const names = `${left.slice(0, 3).join(', ')}${left.length > 3 ? ` and ${left.length - 3} more` : ''}`;
    const reason = `what it tells its callers changed, and these were not searched to the end: ${names}`;
    const open: Open = { function: root, file, kind: 'resolve', reason };
    return { candidates: shown.flat(), undecided: left.length === 0 || shown.length > 0 ? [] : [open] };
  };
  const skimmed = (tasks: readonly Task[], fixedWithin: number): Asked[] =>
    tasks
      .filter((task) => size(task) < MACHINES_SKIMMED)
      .map((task) => ({ task, outcome: runCaller(task, small, fixedWithin) }));
  /** What is brought in counts first; where nothing is, what no longer goes wrong. */
  const showing = (around: readonly Asked[]): readonly Asked[] => {
    const has = (what: 'introduced' | 'fixed') =>
      around.filter(({ outcome }) => (outcome.verdict?.[what].length ?? 0) > 0);
    const introduced = has('introduced');
    return introduced.length > 0 ? introduced : has('fixed');
  };
  const mineAnd = (found: readonly Asked[]): JobResult => ({
    candidates: [...mine, ...found.flatMap(({ task, outcome }) => candidate(task, outcome))],
    undecided: own.undecided,
  });
  // What it owes at its end is done, or not, by what it is called back from.
  const calledBack = (): JobResult | null => {
    const found = showing(
      skimmed(job.handers, LITTLE).filter(({ outcome }) => outcome.followed.has(job.changed.name)),
    );
    return found.length === 0 ? null : mineAnd(found);
  };
  // Without a patch every caller in view is searched by itself, too.
  if (session.options.kindCallers === true && raised.size === 0) return alone;
  if (!job.inner && raised.size === 0 && (!own.verdict.same || answersUnseen(of, now))) {
    const back = calledBack();
    if (back !== null) return back;
  }
  if (!job.inner) {
    if (view === null || (own.verdict.same && !answersUnseen(of, now))) return alone;
    if (raised.size > 0) return isExcused(job.own) ? { candidates: [], undecided: own.undecided } : alone;
    if (own.verdict.fixed.length > 0 || (!own.verdict.same && handsTheSame(own))) return alone;
    const around = shownAround(job.own);
    return {
      candidates: [...mine, ...around.candidates],
      undecided: [...own.undecided, ...around.undecided],
    };
  }
  if (own.verdict.same) return { candidates: mine, undecided: [] };
  if (own.verdict.introduced.length === 0) {
    const found = showing(skimmed(job.callers, own.verdict.fixed.length === 0 ? LITTLE : 0));
    const back = found.length === 0 && own.verdict.fixed.length === 0 ? calledBack() : null;
    return back ?? mineAnd(found);
  }
  // Raised: unless every caller in view was searched to the end and raises nothing, it stands.
  for (const task of job.callers) {
    // One that is too much to search on one machine is on the others: there, too, nothing shows that it makes up for it.
    if (size(task) > 0) return { candidates: mine, undecided: own.undecided };
    // Where nothing else changed, a caller that makes up for it did so before: a small search tells.
    const outcome = runCaller(task, job.alone ? small : limits);
    const clean =
      outcome.verdict !== null &&
      outcome.verdict.cutOff === null &&
      // What shows beside another party is made up for only by a caller that was searched beside it.
      (own.beside ?? []).slice(-1).every((party) => outcome.beside?.includes(party) === true) &&
      !showsAny(outcome.verdict, raised);
    if (!clean && (outcome.verdict === null || !showsAny(outcome.verdict, raised) || !isExcused(task)))
      return { candidates: mine, undecided: own.undecided };
  }
  if (job.callers.length === 0) return { candidates: mine, undecided: own.undecided };
  return { candidates: [], undecided: own.undecided };
}

/** Does anything go wrong that the patch brings in, or, with and without it, at an object of these kinds? */
const showsAny = ({ introduced, existing }: Verdict, kinds: ReadonlySet<string>): boolean =>
  introduced.length > 0 || existing.some((run) => kinds.has(kindOfObject(run.violation.object)));

/** What the search of a caller as it is now says. One that does not come to the changed function says nothing. */
function answerOf(outcome: Outcome | null, changed: string): CallerAnswer {
  const verdict = outcome?.verdict ?? null;
  if (outcome === null || verdict === null || !outcome.followed.has(changed)) return 'open';
  if (verdict.existing.length > 0) return 'wrong';
  return verdict.cutOff === null ? 'clean' : 'open';
}

/** Lines of a helper that is asked for something. */
const HELPER_LINES = 40;

/**
 * Is it a small function that tells its callers something that its own program does not keep: a number, or what it puts
 * where they point it to? Whether that changed shows in their programs only.
 */
function answersUnseen({ root, file }: Task, resolver: Resolver): boolean {
  const found = resolver.define(root, file);
  const definition = found?.definition;
  if (found === null || definition === undefined || definition.kind !== 'function') return false;
  if (definition.lastLine - definition.firstLine > HELPER_LINES) return false;
  const { text } = found.index;
  const head = text.slice(definition.start, definition.body);
  const body = text.slice(definition.body, definition.end);
  return /^(?!.*\b(?:void|bool)\s+\w+\s*\()/s.test(head) || /[;{}]\s*\*\w+\s*[|&]?=[^=]/.test(body);
}

/** Does the function leave to its callers what it left before? */
const handsTheSame = ({ before, after }: Outcome): boolean =>
  handedOn(before ?? []) === handedOn(after ?? []);

/** What goes wrong in a caller may lie at another level: code that is one for all levels is seen at one of them. */
const kindOfObject = (object: string): string => object.split(':', 1)[0] ?? object;

/** States that all searches for one patch may take together, in multiples of the limit for one search. */
const PATCH_ALLOWANCE = 8;
/** The same for one function of a scan, and where nothing changed: it is only asked what was there before. */
const EXISTING_ALLOWANCE = 1;

/** States of a caller up to which it is asked, too, what no longer goes wrong in it. */
const LITTLE = 8_000;

/** Machines on which a caller that is too much to search gets its whole share of states. */
const MACHINES_TRIED = 2;
/** Machines on which such a caller is searched at all. */
const MACHINES_SKIMMED = 6;

interface Outcome {
  readonly verdict: Verdict | null;
  readonly undecided: readonly Open[];
  readonly before: readonly EventProgram[] | null;
  readonly after: readonly EventProgram[] | null;
  /** Functions whose bodies are in `before` and `after`. */
  readonly followed: ReadonlySet<string>;
  /** The other parties that it was searched beside; the last one is part of the verdict where that shows anything. */
  readonly beside?: readonly string[];
  /** Beside one of them it goes wrong with and without the patch. */
  readonly wrongBeside?: boolean;
}

function check(task: Task, ...rest: Rest<Parameters<typeof searchTask>>): Outcome {
  const [machine, , now, session] = rest;
  if (session.callsLarge(task, now)) session.leaveOpen(task, Number.POSITIVE_INFINITY, NONE);
  if (session.isHopeless(task)) {
    const undecided = [leftOpen(task, machine, 'state-limit', 0)];
    return { verdict: null, undecided, before: null, after: null, followed: NONE };
  }
  const from = session.states;
  const outcome = searchTask(task, ...rest);
  session.spend(task.changed.name, session.states - from, outcome.verdict?.cutOff === null);
  return outcome;
}

/** A search that was cut off, or was not begun for that reason. */
const leftOpen = (task: Task, machine: MachineFile, what: string, states: number): Open => ({
  function: task.root,
  file: task.client === null ? task.file : task.changed.file,
  kind: 'limit',
  reason: what,
  limit: { what, machine: machine.name, states },
});

type Rest<T extends readonly unknown[]> = T extends readonly [unknown, ...infer R] ? R : never;

function searchTask(
  task: Task,
  machine: MachineFile,
  old: Resolver,
  now: Resolver,
  session: Session,
  within: ReviewOptions['limits'],
  fixedWithin?: number,
): Outcome {
  const undecided: Open[] = [];
  /** Why runs end at calls: what those do with an entry is not known. */
  const cut = new Set<string>();
  const followed = new Set<string>();
  let nodes = 0;
  const started = session.options.now();
  // One patch may not take for ever: what is left of its allowance bounds each further search. A scan takes as long as
  // its files are large: there each function has an allowance of its own.
  const isExisting = session.unchanged || session.options.allowance === 'function';
  const allowance = isExisting ? EXISTING_ALLOWANCE : PATCH_ALLOWANCE;
  const left = allowance * session.options.limits.states - session.spent(task.changed.name);
  const limits = {
    // Asked for when what is followed is known.
    get states(): number {
      const isOpen = session.isOpen(task, followed, nodes);
      return Math.max(Math.min(within.states, isOpen ? 0 : left), session.leastStates(task, isOpen));
    },
    expired: () => {
      const now = session.options.now();
      return now - started > within.milliseconds || now > session.until;
    },
    ...(fixedWithin === undefined ? {} : { fixedWithin }),
  };
  const program = (
    resolver: Resolver,
    outermost: boolean,
    linked: Linked,
  ): readonly EventProgram[] | null => {
    const roots = rootsOf(task, resolver);
    if (roots.cpus.length === 0) return null;
    session.programs += roots.cpus.length;
    const extracted = session.extraction.extract(roots.cpus, roots.setup, resolver, session.rules, {
      bodies: task.bodies,
      outermost,
      linked,
      nodeLimit: NODE_LIMIT,
      depthLimit: DEPTH_LIMIT,
      kindCallers: session.options.kindCallers === true,
    });
    const unread = (kind: Undecided['kind'], reason: string): null => {
      undecided.push({ function: task.root, file: task.file, kind, reason });
      return null;
    };
    if ('reason' in extracted) return unread('parse', `line ${extracted.line}: ${extracted.reason}`);
    // A primitive that is to be followed and cannot be found would be a call that does nothing.
    for (const { gaps, followed: names } of extracted) {
      for (const name of names) followed.add(name);
      for (const gap of gaps) {
        if (gap.kind === 'resolve') return unread('resolve', gap.reason);
        if (gap.ends) cut.add(gap.reason);
      }
    }
    return extracted.map((extraction) => extraction.program);
  };
  // What a function that only one side has leaves to its callers is not known from the other.
  const [existedBefore, existsNow] = [old, now].map((side) => rootsOf(task, side).cpus.length > 0);
  const both = (links: Linked): Sides => {
    const is = program(now, existedBefore === true || task.client !== null, links);
    const was = session.unchanged ? is : program(old, existsNow === true || task.client !== null, links);
    const sides = [was, is] as const;
    return task.client === null ? besideReclaim(sides) : sidesInHalves(sides, machine);
  };
  const [before, after] = both(task.linked);
  if (after === null && before === null) return { verdict: null, undecided, before, after, followed };
  if (undecided.length > 0) return { verdict: null, undecided, before, after, followed };
  nodes = Math.max(0, ...[...(before ?? []), ...(after ?? [])].map((one) => one.nodes.length));
  if (session.isTooLarge(task, followed, nodes)) {
    session.leaveOpen(task, nodes, followed);
    undecided.push(leftOpen(task, machine, 'state-limit', 0));
    return { verdict: null, undecided, before, after, followed };
  }
  const alone = session.judged(before, after, machine, limits);
  // A call that the patch brings in or takes away, and, where something is raised, every call, is followed into the
  // file that the kernel links it from: what stands there decides, unless that makes too much to search.
  const links =
    task.client === null ? callsToLink(task, old, now, session.rules, alone.introduced.length > 0) : NOWHERE;
  if (links.size > 0) {
    const wide = both(new Map([...links, ...task.linked]));
    if (undecided.length === 0 && !(behaveAlike(before, wide[0]) && behaveAlike(after, wide[1]))) {
      const verdict = session.judged(...wide, machine, { ...limits, states: Math.ceil(limits.states / 4) });
      if (verdict.introduced.length > 0 || verdict.cutOff === null)
        return { verdict, undecided, before: wide[0], after: wide[1], followed };
    }
    undecided.length = 0;
  }
  const beside =
    task.client === null && !alone.same && alone.introduced.length === 0
      ? checkBeside(before, after, machine, old, now, session, limits, alone)
      : null;
  if (beside !== null && beside.verdict !== null) return { ...beside, undecided, followed };
  const verdict = alone;
  if (verdict.introduced.length > 0) session.noteShown(task);
  else if (verdict.cutOff !== null) {
    session.leaveOpen(task, nodes, followed);
    undecided.push(leftOpen(task, machine, verdict.cutOff, verdict.states));
  }
  for (const what of cut) undecided.push(leftOpen(task, machine, what, verdict.states));
  return { ...(beside ?? {}), verdict, undecided, before, after, followed };
}

/** A caller as it is after the patch, by itself: everything that goes wrong in it is in `existing`. */
function checkAlone(
  task: Task,
  machine: MachineFile,
  now: Resolver,
  session: Session,
  within: ReviewOptions['limits'],
  /** May reclaim have emptied entries that it finds empty? */
  reclaimed: boolean,
): Outcome {
  const started = session.options.now();
  const expired = (): boolean => session.options.now() - started > within.milliseconds;
  const nothing = { verdict: null, undecided: [], before: null, after: null, followed: NONE };
  const { cpus } = rootsOf(task, now);
  if (cpus.length === 0) return nothing;
  session.programs += cpus.length;
  const extracted = session.extraction.extract(cpus, null, now, session.rules, {
    bodies: task.bodies,
    outermost: true,
    linked: task.linked,
    nodeLimit: NODE_LIMIT,
    depthLimit: DEPTH_LIMIT,
  });
  if ('reason' in extracted || extracted.some(({ gaps }) => gaps.length > 0)) return nothing;
  const after = extracted.map(({ program }) => (reclaimed ? { ...program, reclaimed } : program));
  const followed = new Set(extracted.flatMap((one) => one.followed));
  const verdict = session.judged(
    after,
    after,
    machine,
    { states: within.states, expired, anything: true },
    true,
  );
  return { verdict, undecided: [], before: after, after, followed };
}

const NONE: ReadonlySet<string> = new Set();
const NOWHERE: Linked = new Map();

const isLinked = (name: string, file: string, resolver: Resolver, rules: RuleSet): boolean =>
  ruleFor(rules, name, resolver.machine) === null &&
  resolver.define(name, file) === null &&
  resolver.linked(name, file) !== null;

/** Names that the changed function uses, that are defined in no file it sees and in one that it is linked with. */
function callsToLink(task: Task, old: Resolver, now: Resolver, rules: RuleSet, all: boolean): Linked {
  const used = [old, now].map((resolver) => callsOf(task.changed.name, task.file, resolver));
  // Of a function that only one side has, no call moved.
  if (!all && used.includes(null)) return NOWHERE;
  const [was, is] = [used[0] ?? NONE, used[1] ?? NONE];
  const names = [...new Set([...was, ...is])].filter((name) => all || was.has(name) !== is.has(name));
  const found = names.filter((name) =>
    [old, now].some((resolver) => isLinked(name, task.file, resolver, rules)),
  );
  return new Map(found.map((name) => [name, null]));
}

const kindsShown = (verdict: Verdict): ReadonlySet<string> =>
  new Set([...verdict.existing, ...verdict.fixed].map((run) => kindOf(run.violation)));

/**
 * Where the code alone brings in nothing: does it beside another party? The verdict is null when no party joins or none
 * changes the answer; `beside` then names those beside which the search came to an end. What stays open here is not counted as undecided: the code by itself was searched.
 */
function checkBeside(
  before: readonly EventProgram[] | null,
  after: readonly EventProgram[] | null,
  machine: MachineFile,
  old: Resolver,
  now: Resolver,
  session: Session,
  limits: JudgeLimits,
  alone: Verdict,
): Omit<Outcome, 'undecided' | 'followed'> {
  const [was, is] = [before?.[0] ?? null, after?.[0] ?? null];
  const some = is ?? was;
  if (some === null) return { verdict: null, before, after };
  const met: string[] = [];
  let wrongBeside = false;
  for (const actor of partiesFor(was, is, machine, session.rules)) {
    const user = actor.space === 'user';
    // Whoever hands over entries may hold the lock that the party takes.
    if (session.options.kindCallers === true && keptOutByCallers(actor, [was, is])) continue;
    const cut = (own: EventProgram): EventProgram =>
      !user ? own : walkOf(actor.joins === 'lockless-read' ? inHalves(own) : own);
    // Of a walk of user tables little is left to search, and nothing of what the code by itself shows.
    if (!user && alone.cutOff !== null) continue;
    let settled = true;
    const known = user ? NONE : kindsShown(alone);
    const end = session.options.now() + session.options.limits.milliseconds;
    const within = user ? { ...limits, expired: () => session.options.now() > end } : limits;
    const [oldParties, newParties] = [old, now].map((resolver) => session.party(actor, resolver));
    for (const [n, party] of (newParties ?? []).entries()) {
      // Where the code does not exist yet, what the party does alone is what was there before.
      const pair = (own: EventProgram | null, other: EventProgram): readonly EventProgram[] => [
        own === null ? idle(some) : cut(own),
        other,
      ];
      const sides = [pair(was, oldParties?.[n] ?? party), pair(is, party)] as const;
      // Where the two together are too much on one machine, they are on the next: what is left is for the code itself.
      const tried = `${some.name} beside ${actor.name}`;
      const states = session.tooLarge.has(tried)
        ? Math.min(within.states, Math.ceil(session.options.limits.states / 16))
        : within.states;
      const verdict = session.judged(...sides, machine, { ...within, states, settled: known });
      if (verdict.cutOff !== null && verdict.introduced.length === 0) session.tooLarge.set(tried, 1);
      settled &&= verdict.cutOff === null;
      wrongBeside ||= verdict.existing.length > 0;
      // What no longer goes wrong in the code by itself is said by that: a party says it once more in other words.
      const said = alone.fixed.length > 0 ? 0 : verdict.fixed.length;
      if (verdict.introduced.length + said > 0)
        return { verdict, before: sides[0], after: sides[1], beside: [...met, actor.name] };
    }
    if (settled) met.push(actor.name);
  }
  return { verdict: null, before, after, beside: met, wrongBeside };
}

/** A program in place of `other` that does nothing. */
const idle = (other: EventProgram): EventProgram => ({
  ...other,
  nodes: [{ kind: 'return', value: null, at: null }],
  outermost: false,
  assumptions: [],
});

/** What stands before and after the patch. */
type Sides = readonly [readonly EventProgram[] | null, readonly EventProgram[] | null];

/**
 * Code that flushes what reclaim has batched for the mm, on either side, says that what it finds empty may have been
 * emptied by reclaim: so it is for both.
 */
function besideReclaim(sides: Sides): Sides {
  const flushes = sides.some((side) =>
    side?.some((program) =>
      program.nodes.some(
        (node) => node.kind === 'event' && node.event.kind === 'batch-flush' && node.event.others === true,
      ),
    ),
  );
  if (!flushes) return sides;
  const [before, after] = sides.map((side) => side?.map((one) => ({ ...one, reclaimed: true })) ?? null);
  return [before ?? null, after ?? null];
}

/**
 * A client on several CPUs in which one side loads an entry like any other variable where the other does not: where
 * entries are two words, that is two loads. Only barriers keep loads of halves in their order.
 */
function sidesInHalves(sides: Sides, machine: MachineFile): Sides {
  if (machine.facts['entry-halves'] !== true || sides.some((side) => (side ?? []).length < 2)) return sides;
  const [was, is] = sides.map((side) => side?.map((one) => loadsThatMatter(one).plain) ?? []);
  const split = was?.some((count, n) => count !== is?.[n]) === true;
  const [before, after] = sides.map(
    (side) => side?.map((one) => inAnyOrder(split ? inHalves(one) : one)) ?? null,
  );
  return [before ?? null, after ?? null];
}

const rootsOf = (task: Task, resolver: Resolver): Roots =>
  rootsIn(task.file, task.root, task.client !== null, resolver);
