import type {
  Finding,
  ReviewDocument,
  ReviewedPatch,
  Severity,
  Status,
  TraceLine,
} from '#review/document.js';
import { cleanLine } from './clean-text.js';
import { changeText } from './cpu-columns.js';

/**
 * A review as SARIF 2.1.0: one run, one result a finding, the counterexample as a code flow with one thread a CPU,
 * what was not decided as notifications. Format: OASIS "Static Analysis Results Interchange Format", sections named
 * where they matter.
 */
export function renderSarif(document: ReviewDocument): string {
  const [name, version] = document.tool.split(' ');
  const hazards = [...new Set(document.patches.flatMap((p) => p.findings.map((f) => f.hazard)))].sort();
  const run = {
    tool: {
      driver: { name, ...(version === undefined ? {} : { version }), rules: hazards.map((id) => ({ id })) },
    },
    columnKind: 'utf16CodeUnits',
    invocations: [
      { executionSuccessful: true, toolExecutionNotifications: document.patches.flatMap(notifications) },
    ],
    results: document.patches.flatMap((patch) =>
      patch.findings.map((f) => result(f, patch, hazards.indexOf(f.hazard))),
    ),
  };
  const log = { $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [run] };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function result(finding: Finding, patch: ReviewedPatch, ruleIndex: number): object {
  return {
    ruleId: finding.hazard,
    ruleIndex,
    level: level(finding.severity),
    baselineState: baseline(finding.status),
    message: { text: `${cleanLine(finding.message)} ${cleanLine(finding.consequence)}`.trim() },
    locations: [
      {
        ...location(finding.file, finding.line),
        logicalLocations: [{ name: finding.function, kind: 'function' }],
      },
    ],
    // Lines of the old file have no place in the files that a viewer of the result can open.
    relatedLocations: finding.related
      .filter((r) => r.side === 'new')
      .map((r, id) => ({ id, ...location(r.file, r.line), message: { text: cleanLine(r.what) } })),
    codeFlows: finding.trace.length === 0 ? [] : [codeFlow(finding.trace)],
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
function codeFlow(trace: readonly TraceLine[]): object {
  const cpus = [...new Set(trace.map((s) => s.cpu))].sort((a, b) => a - b);
  const step = (s: TraceLine, order: number): object => {
    const text = [`${cleanLine(s.who)}: ${cleanLine(s.what)}`, ...s.changes.map(changeText)].join('; ');
    const place = s.file === null || s.line === null ? {} : location(s.file, s.line);
    return { executionOrder: order + 1, location: { ...place, message: { text } } };
  };
  return {
    threadFlows: cpus.map((cpu) => ({
      id: `CPU${cpu}`,
      locations: trace.flatMap((s, i) => (s.cpu === cpu ? [step(s, i)] : [])),
    })),
  };
}

/** A line-based edit as a replacement (3.57): from the start of its first line to the start of the line after its last. */
function fix(suggestion: NonNullable<Finding['suggestion']>): object {
  const files = [...new Set(suggestion.edits.map((e) => e.file))];
  return {
    description: {
      text: `Suggested order, replayed on ${suggestion.machines.join(', ')} without a violation`,
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

const location = (file: string, line: number): object => ({
  physicalLocation: { artifactLocation: artifact(file), region: { startLine: line } },
});

const artifact = (file: string): object => ({
  uri: file.split('/').map(encodeURIComponent).join('/'),
  uriBaseId: '%SRCROOT%',
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
