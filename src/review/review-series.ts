/**
 * The one place where the stages meet: trees before and after each patch in, a review document out. No IO of its own,
 * no clock but the one passed in.
 */
import type { FileIndex } from '#c/ir.js';
import type { MachineFile } from '#event/machine-facts.js';
import type { EventProgram } from '#event/program.js';
import { extractProgram } from '#extract/extract-program.js';
import type { Found, Resolver } from '#extract/resolve.js';
import { CallersInFile } from '#extract/roots.js';
import { factsOf } from '#machine/facts.js';
import type { RuleSet } from '#rules/rule.js';
import type { PatchedState } from '#source/snapshot.js';
import { isBuiltOn } from './built-on.js';
import { type ChangedName, changedFunctions, touchedFunctions } from './changed-functions.js';
import { clientsFor } from './clients.js';
import type { Finding, ReviewDocument, ReviewedPatch, ReviewOptions, Undecided } from './document.js';
import { DEPTH_LIMIT, NODE_LIMIT } from './extraction-limits.js';
import { type Candidate, findingsOf } from './findings.js';
import { judge, type Verdict } from './judge.js';
import { Session } from './session.js';
import type { Task } from './task.js';
import { VERSION } from './version.js';

export function reviewSeries(
  states: readonly PatchedState[],
  rules: RuleSet,
  options: ReviewOptions,
): ReviewDocument {
  const started = options.now();
  const session = new Session(rules, options);
  const machines =
    options.machines.length === 0
      ? rules.machines
      : rules.machines.filter((machine) => options.machines.includes(machine.name));
  const reviewed = states.map((state, index): ReviewedPatch => {
    options.onProgress({ kind: 'patch', subject: state.patch.subject, index, of: states.length });
    return reviewPatch(state, machines, session);
  });
  return {
    version: 1,
    tool: `shootdown ${VERSION}`,
    patches: closedLater(reviewed),
    stats: {
      functions: session.functions,
      programs: session.programs,
      states: session.states,
      milliseconds: Math.round(options.now() - started),
    },
  };
}

/** A hazard that a later patch of the series closes is said so on the patch that opens it. */
function closedLater(patches: readonly ReviewedPatch[]): ReviewedPatch[] {
  return patches.map((patch, at) => ({
    ...patch,
    findings: patch.findings.map((finding): Finding => {
      if (finding.status !== 'introduced') return finding;
      const later = patches
        .slice(at + 1)
        .find((next) =>
          next.findings.some(
            (other) =>
              other.status === 'fixed' &&
              other.hazard === finding.hazard &&
              other.function === finding.function,
          ),
        );
      return later === undefined ? finding : { ...finding, closedBy: later.subject };
    }),
  }));
}

function reviewPatch(state: PatchedState, machines: readonly MachineFile[], session: Session): ReviewedPatch {
  const sources = state.changed.filter((path) => /\.[ch]$/.test(path));
  const analysed: { function: string; file: string }[] = [];
  const undecided: Undecided[] = [];
  const candidates: Candidate[] = [];
  for (const part of state.partialFunctions) {
    if (part.side === 'old') continue;
    const lines = part.lines.map(([from, to]) => `${from}-${to}`).join(', ');
    undecided.push({
      function: part.name,
      file: part.file,
      kind: 'resolve',
      reason: `seen only in part: lines ${lines}`,
    });
  }
  for (const path of state.skipped)
    undecided.push({ function: '', file: path, kind: 'resolve', reason: 'no text to read' });
  for (const file of sources) {
    const before = session.index(state.before, file);
    const after = session.index(state.after, file);
    for (const name of touchedFunctions(before, after)) analysed.push({ function: name, file });
    const changed = changedFunctions(before, after);
    session.functions += changed.length;
    if (changed.length === 0) continue;
    const notBuilt: string[] = [];
    for (const machine of machines) {
      const old = session.resolver(state.before, machine);
      const now = session.resolver(state.after, machine);
      if (!isBuiltOn(file, machine, now.configuration, (path) => state.after.read(path))) {
        notBuilt.push(machine.name);
        continue;
      }
      for (const task of tasksFor(changed, file, before, after, old, now, session.rules)) {
        session.options.onProgress({ kind: 'function', function: task.root, file, machine: machine.name });
        const outcome = check(task, machine, old, now, state, session);
        for (const gap of outcome.undecided)
          if (!undecided.some((u) => u.function === gap.function && u.reason === gap.reason))
            undecided.push(gap);
        if (outcome.verdict !== null)
          candidates.push({
            task,
            machine: machine.name,
            verdict: outcome.verdict,
            before: outcome.before,
            after: outcome.after,
          });
      }
    }
    for (const candidate of candidates)
      if (candidate.task.changed.file === file) candidate.notBuiltOn = notBuilt;
  }
  return {
    subject: state.patch.subject,
    messageId: state.patch.messageId,
    commit: state.patch.commit,
    files: state.patch.files.map((file) => file.newPath ?? file.oldPath ?? ''),
    context: state.context,
    analysed,
    findings: findingsOf(candidates, state, session.rules, session.options),
    undecided: withoutDecided(undecided, analysed),
  };
}

/** What could not be followed counts for the functions that the patch touches or reaches from them. */
function withoutDecided(
  undecided: readonly Undecided[],
  analysed: readonly { function: string; file: string }[],
): Undecided[] {
  return analysed.length === 0 ? [] : [...undecided];
}

function tasksFor(
  changed: readonly ChangedName[],
  file: string,
  before: FileIndex | null,
  after: FileIndex | null,
  old: Resolver,
  now: Resolver,
  rules: RuleSet,
): Task[] {
  const tasks = new Map<string, Task>();
  const index = after ?? before;
  if (index === null) return [];
  const callersNow = after === null ? null : new CallersInFile(after, now);
  const callersOld = before === null ? null : new CallersInFile(before, old);
  for (const name of changed) {
    const clients = clientsFor(name.name, rules, now.machine);
    if (clients !== null) {
      for (const client of clients.clients) {
        tasks.set(`client ${client}`, {
          label: client,
          root: 'client',
          file: `client:${client}:${file}`,
          changed: name,
          bodies: clients.bodies,
          client,
        });
      }
      if (clients.clients.length > 0) continue;
    }
    if (name.kind === 'table' || name.kind === 'enumerator') continue;
    const bodies = clients?.bodies ?? new Set<string>();
    for (const [callers, side] of [
      [callersNow, after],
      [callersOld, before],
    ] as const) {
      if (callers === null || side === null) continue;
      for (const root of callers.rootsOf(name.name)) {
        const known = tasks.get(root.name);
        if (known === undefined)
          tasks.set(root.name, {
            label: root.name,
            root: root.name,
            file,
            changed: name,
            bodies,
            client: null,
          });
      }
    }
  }
  return [...tasks.values()];
}

interface Outcome {
  readonly verdict: Verdict | null;
  readonly undecided: readonly Undecided[];
  readonly before: readonly EventProgram[] | null;
  readonly after: readonly EventProgram[] | null;
}

function check(
  task: Task,
  machine: MachineFile,
  old: Resolver,
  now: Resolver,
  state: PatchedState,
  session: Session,
): Outcome {
  const undecided: Undecided[] = [];
  const started = session.options.now();
  const limits = {
    states: session.options.limits.states,
    expired: () => session.options.now() - started > session.options.limits.milliseconds,
  };
  const program = (resolver: Resolver, outermost: boolean): readonly EventProgram[] | null => {
    const roots = programsOf(task, resolver);
    if (roots.length === 0) return null;
    const programs: EventProgram[] = [];
    for (const root of roots) {
      session.programs += 1;
      const extraction = extractProgram(root, resolver, session.rules, {
        bodies: task.bodies,
        outermost,
        nodeLimit: NODE_LIMIT,
        depthLimit: DEPTH_LIMIT,
      });
      if ('reason' in extraction) {
        undecided.push({
          function: task.root,
          file: task.file,
          kind: 'parse',
          reason: `line ${extraction.line}: ${extraction.reason}`,
        });
        return null;
      }
      for (const gap of extraction.gaps)
        undecided.push({ function: gap.function, file: gap.file, kind: gap.kind, reason: gap.reason });
      programs.push(extraction.program);
    }
    return programs;
  };
  const existedBefore = programsOf(task, old).length > 0;
  const after = program(now, existedBefore || task.client !== null);
  const before = program(old, true);
  if (after === null && before === null) return { verdict: null, undecided, before, after };
  if (undecided.some((gap) => gap.kind === 'parse' && gap.function === task.root))
    return { verdict: null, undecided, before, after };
  const verdict = judge(
    before,
    after,
    factsOf(machine),
    limits,
    session.options.existing && state.patch !== null,
  );
  session.states += verdict.states;
  if (verdict.cutOff !== null && verdict.introduced.length === 0)
    undecided.push({
      function: task.root,
      file: task.client === null ? task.file : task.changed.file,
      kind: 'limit',
      reason: `${verdict.cutOff} on ${machine.name} after ${verdict.states} states`,
    });
  return { verdict, undecided, before, after };
}

/** The root's definitions: one for a function, one per CPU for a client. */
function programsOf(task: Task, resolver: Resolver): Found[] {
  const index = resolver.index(task.file);
  if (index === null) return [];
  const names = task.client === null ? [task.root] : ['client', 'cpu0', 'cpu1'];
  const found: Found[] = [];
  for (const name of names) {
    const definition = resolver.live(index, name);
    if (definition !== null && (definition.kind === 'function' || definition.kind === 'macro'))
      found.push({ index, definition });
  }
  return found;
}
