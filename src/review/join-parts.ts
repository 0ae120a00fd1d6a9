/** Parts of a review, each made on its own, put together into one document. */
import type { Finding, ReviewDocument, ReviewedPatch, Undecided } from './document.js';
import { compareHazards } from './hazard-rank.js';
import { VERSION } from './version.js';

/** What one patch of a series, or one file of a scan, gave. */
export interface ReviewPart {
  readonly patch: ReviewedPatch;
  readonly functions: number;
  readonly programs: number;
  readonly states: number;
}

/** The parts of a series in its order. */
export function joinParts(parts: readonly ReviewPart[], milliseconds: number): ReviewDocument {
  return {
    version: 1,
    tool: `shootdown ${VERSION}`,
    patches: closedLater(parts.map(({ patch }) => patch)),
    stats: {
      functions: sum(parts.map(({ functions }) => functions)),
      programs: sum(parts.map(({ programs }) => programs)),
      states: sum(parts.map(({ states }) => states)),
      milliseconds: Math.round(milliseconds),
    },
  };
}

/**
 * The parts of a scan, in the order of `files`, as one patch. What several files show at one place (in a header that
 * they share) is one finding.
 */
export function joinScan(
  paths: readonly string[],
  files: readonly string[],
  parts: readonly ReviewPart[],
  milliseconds: number,
): ReviewDocument {
  const { stats, ...document } = joinParts(parts, milliseconds);
  const patches = parts.map(({ patch }) => patch);
  const findings = onePerPlace(patches.flatMap((patch) => patch.findings)).sort(
    (a, b) => compare(a.file, b.file) || a.line - b.line || compare(a.hazard, b.hazard),
  );
  const whole: ReviewedPatch = {
    subject: paths.join(' '),
    messageId: null,
    commit: null,
    files,
    context: 'tree',
    analysed: patches.flatMap((patch) => patch.analysed),
    findings,
    undecided: onePerReason(patches.flatMap((patch) => patch.undecided)),
  };
  return { ...document, patches: [whole], stats };
}

/** A part that was not reviewed, which the report says with the reason. */
export function skippedPart(patch: ReviewedPatch, file: string, reason: string): ReviewPart {
  const undecided: Undecided = { function: '', file, kind: 'limit', reason };
  return { patch: { ...patch, undecided: [undecided] }, functions: 0, programs: 0, states: 0 };
}

function onePerPlace(all: readonly Finding[]): Finding[] {
  const places = new Map<string, Finding>();
  for (const finding of all) {
    const place = `${finding.file}:${finding.line}`;
    const known = places.get(place);
    if (known === undefined) {
      places.set(place, finding);
      continue;
    }
    const shown = compareHazards(finding.hazard, known.hazard) < 0 ? finding : known;
    const machines = [...new Set([...known.machines, ...finding.machines])];
    const safeOn = [...new Set([...known.safeOn, ...finding.safeOn])];
    places.set(place, { ...shown, machines, safeOn: safeOn.filter((name) => !machines.includes(name)) });
  }
  return [...places.values()];
}

function onePerReason(all: readonly Undecided[]): Undecided[] {
  const seen = new Map<string, Undecided>();
  for (const one of all) {
    const key = [one.function, one.file, one.kind, one.reason].join('\n');
    if (!seen.has(key)) seen.set(key, one);
  }
  return [...seen.values()];
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

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
