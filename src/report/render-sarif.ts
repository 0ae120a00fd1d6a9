import type {
  Finding,
  IdleSuppression,
  QuotedFile,
  ReviewDocument,
  ReviewedPatch,
  Severity,
  Status,
} from '#review/document.js';
import { cleanLine } from './clean-text.js';
import { changeText } from './cpu-columns.js';
import type { HazardHelp } from './hazard-help.js';
import { missingStep } from './missing-step.js';
import { suggestionClaim } from './suggestion-diff.js';

const ROOT = '%SRCROOT%';
/** Viewers show a part of a longer flow only. */
const MOST_STEPS = 200;

/**
 * A review as SARIF 2.1.0: one run, one result a finding, the counterexample as a code flow with one thread a CPU,
 * what was not decided as notifications. `pages` explain the hazards. Format: OASIS "Static Analysis Results
 * Interchange Format", sections named where they matter; places and sizes keep to what GitHub's code scanning takes.
 */
export function renderSarif(document: ReviewDocument, pages: readonly HazardHelp[]): string {
  const [name, version] = document.tool.split(' ');
  const hazards = [...new Set(document.patches.flatMap((p) => p.findings.map((f) => f.hazard)))].sort();
  const run = {
    tool: {
      driver: {
        name,
        ...(version === undefined ? {} : { version }),
        rules: hazards.map((id) =>
          rule(
            id,
            pages.find((page) => page.id === id),
          ),
        ),
      },
    },
    // Code scanning keeps the results of tools and categories apart by this.
    automationDetails: { id: 'shootdown/' },
    columnKind: 'utf16CodeUnits',
    originalUriBaseIds: { [ROOT]: { description: { text: 'The top folder of the kernel source' } } },
    invocations: [
      {
        executionSuccessful: true,
        toolExecutionNotifications: document.patches.flatMap(notifications),
        toolConfigurationNotifications: (document.idleSuppressions ?? []).map(idleNotification),
        properties: { ...document.stats },
      },
    ],
    results: numberFingerprints(
      document.patches.flatMap((patch) =>
        patch.findings.map((f) => result(f, patch, hazards.indexOf(f.hazard))),
      ),
    ),
  };
  const log = { $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [run] };
  return `${JSON.stringify(log, null, 2)}\n`;
}

/** 3.49: what a viewer shows beside a result. */
function rule(id: string, page: HazardHelp | undefined): object {
  if (page === undefined) return { id };
  const what = /^## What it is\n+([\s\S]*?)\n*^## /m.exec(page.page)?.[1] ?? page.title;
  return {
    id,
    name: id.replace(/(?:^|-)(.)/g, (_, letter: string) => letter.toUpperCase()),
    shortDescription: { text: page.title },
    fullDescription: { text: what.replace(/\s+/g, ' ').trim() },
    help: { text: page.page, markdown: page.page },
    defaultConfiguration: { level: page.severity },
    properties: { tags: ['concurrency', 'page-tables'], precision: 'high' },
  };
}

interface Result extends Readonly<Record<string, unknown>> {
  readonly partialFingerprints: Readonly<Record<string, string>>;
}

/**
 * GitHub knows an alert again by `primaryLocationLineHash`, a hash and the number of its occurrence. Ours does not
 * depend on the line, so that an alert survives when code above it moves.
 */
function numberFingerprints(results: readonly Result[]): readonly object[] {
  const seen = new Map<string, number>();
  return results.map((found) => {
    const own = found.partialFingerprints['shootdown/v1'] ?? '';
    const occurrence = (seen.get(own) ?? 0) + 1;
    seen.set(own, occurrence);
    return {
      ...found,
      partialFingerprints: {
        ...found.partialFingerprints,
        primaryLocationLineHash: `${own}:${occurrence}`,
      },
    };
  });
}

function result(finding: Finding, patch: ReviewedPatch, ruleIndex: number): Result {
  const line = lineInDiff(finding, patch.diff ?? []);
  const moved = line === finding.line ? [] : [{ ...finding, what: 'the line where it goes wrong' }];
  return {
    ruleId: finding.hazard,
    ruleIndex,
    level: level(finding.severity),
    baselineState: baseline(finding.status),
    message: { text: `${cleanLine(finding.message)} ${cleanLine(finding.consequence)}`.trim() },
    locations: [
      {
        ...location(finding.file, line),
        logicalLocations: [{ name: finding.function, kind: 'function' }],
      },
    ],
    // Lines of the old file have no place in the files that a viewer of the result can open.
    relatedLocations: [...moved, ...finding.related]
      .filter((r) => r.side === 'new')
      .map((r, id) => ({ id, ...location(r.file, r.line), message: { text: cleanLine(r.what) } })),
    codeFlows: finding.trace.length === 0 ? [] : [codeFlow(finding)],
    partialFingerprints: { 'shootdown/v1': finding.fingerprint },
    ...(finding.suggestion === null ? {} : { fixes: [fix(finding.suggestion)] }),
    ...(finding.suppressed === undefined ? {} : { suppressions: [suppression(finding.suppressed)] }),
    properties: {
      status: finding.status,
      side: finding.side,
      confidence: finding.confidence,
      why: finding.why,
      machines: finding.machines,
      safeOn: finding.safeOn,
      notBuiltOn: finding.notBuiltOn,
      assumptions: finding.assumptions,
      closedBy: finding.closedBy,
      subject: patch.subject,
    },
  };
}

/** Both ways to silence a finding live outside the source (3.35.2), and somebody has decided on them already. */
function suppression({ by, reason }: NonNullable<Finding['suppressed']>): object {
  return { kind: 'external', status: 'accepted', justification: reason, properties: { by } };
}

/** One thread flow a CPU; `executionOrder` (3.38.11) says how they interleave. A step without a place has a message only. */
function codeFlow(finding: Finding): object {
  const { trace } = finding;
  const cpus = [...new Set(trace.map((s) => s.cpu))].sort((a, b) => a - b);
  const left = Math.max(0, trace.length - MOST_STEPS);
  // What hardware does has no line; GitHub drops a flow with such a step, so it stands at the step before it.
  let at: { readonly file: string; readonly line: number } = finding;
  const steps = trace.map((s, order) => {
    const isPlaced = s.file !== null && s.line !== null;
    if (s.file !== null && s.line !== null) at = { file: s.file, line: s.line };
    const text = [`${cleanLine(s.who)}: ${cleanLine(s.what)}`, ...s.changes.map(changeText)].join('; ');
    return {
      executionOrder: order + 1,
      importance: order === missingStep(finding).wrong ? 'essential' : 'important',
      location: { ...location(at.file, at.line), message: { text } },
      ...(isPlaced ? {} : { properties: { place: 'of the step before' } }),
    };
  });
  return {
    message: {
      text: left === 0 ? 'How it goes wrong' : `How it goes wrong; the first ${left} steps are left out`,
    },
    threadFlows: cpus
      .map((cpu) => ({
        id: `CPU${cpu}`,
        locations: steps.filter((_, i) => i >= left && trace[i]?.cpu === cpu),
      }))
      .filter((flow) => flow.locations.length > 0),
  };
}

/**
 * A line of a pull request's diff where there is one, since an alert outside of it is not shown: the finding's own if a
 * hunk holds it, else the nearest added line of the file.
 */
function lineInDiff(finding: Finding, diff: readonly QuotedFile[]): number {
  const hunks = diff.find((file) => file.newPath === finding.file)?.hunks ?? [];
  const isInside = hunks.some((h) => finding.line >= h.newStart && finding.line < h.newStart + h.newLines);
  if (finding.side === 'old' || isInside) return finding.line;
  const added = hunks.flatMap((h) => {
    let next = h.newStart;
    return h.lines.flatMap((text) => {
      if (text.startsWith('-')) return [];
      next += 1;
      return text.startsWith('+') ? [next - 1] : [];
    });
  });
  const away = (line: number): number => Math.abs(line - finding.line);
  return added.reduce(
    (best, line) => (best === finding.line || away(line) < away(best) ? line : best),
    finding.line,
  );
}

/** A line-based edit as a replacement (3.57): from the start of its first line to the start of the line after its last. */
function fix(suggestion: NonNullable<Finding['suggestion']>): object {
  const files = [...new Set(suggestion.edits.map((e) => e.file))];
  return {
    description: {
      text: `Suggested edit: ${suggestionClaim(suggestion)}`,
    },
    artifactChanges: files.map((file) => ({
      artifactLocation: artifact(file),
      replacements: suggestion.edits
        .filter((e) => e.file === file)
        .map((e) => ({
          deletedRegion: { startLine: e.line, startColumn: 1, endLine: e.line + e.remove, endColumn: 1 },
          ...(e.insert.length === 0
            ? {}
            : { insertedContent: { text: e.insert.map((l) => `${l}\n`).join('') } }),
        })),
    })),
  };
}

function notifications(patch: ReviewedPatch): readonly object[] {
  return patch.undecided.map((u) => ({
    level: 'note',
    message: {
      text: `${cleanLine(u.function === '' ? u.file : u.function)} was not decided (${u.kind}): ${cleanLine(u.reason)}`,
    },
    locations: [{ physicalLocation: { artifactLocation: artifact(u.file) } }],
  }));
}

function idleNotification(idle: IdleSuppression): object {
  const state = idle.state === 'expired' ? `has ended on ${idle.expires}` : 'silences nothing';
  return {
    level: 'warning',
    message: { text: `The suppression of ${idle.hazard} at ${idle.file}:${idle.line} ${state}` },
  };
}

const location = (file: string, line: number): object => ({
  physicalLocation: { artifactLocation: artifact(file), region: { startLine: line } },
});

const artifact = (file: string): object => ({
  uri: file.split('/').map(encodeURIComponent).join('/'),
  uriBaseId: ROOT,
});

function level(severity: Severity): string {
  switch (severity) {
    case 'error':
      return 'error';
    case 'warning':
      return 'warning';
    case 'note':
      return 'note';
  }
}

function baseline(status: Status): string {
  switch (status) {
    case 'introduced':
      return 'new';
    case 'existing':
      return 'unchanged';
    case 'fixed':
      return 'absent';
  }
}
