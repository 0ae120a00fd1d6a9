/** One spec and the run of its series of two → what came of it. */

/**
 * `outcome` of a bug: `found` (an introduced finding with an accepted id), `other` (introduced, none accepted),
 * `undecided` (nothing introduced, and the changed function or file is listed as undecided, or the run hit its time
 * limit), `missed`, or `failed` (no document). Of a harmless change: `silent`, `alarm`, `undecided`, `failed`.
 */
export function judgeSpec(spec, run) {
  const base = {
    id: spec.id,
    kind: spec.kind,
    difficulty: spec.difficulty ?? 'local',
    group: groupOf(spec.file),
    wall: run.wall,
  };
  if (run.kind !== 'done') {
    const outcome = run.kind === 'timeout' ? 'undecided' : 'failed';
    const why = run.kind === 'timeout' ? 'time limit of the evaluation' : run.why;
    return {
      ...base,
      outcome,
      why,
      expect: spec.expect ?? [],
      raised: [],
      fixed: false,
      reverseRaised: [],
      engine: null,
    };
  }
  const [forward, reverse] = run.document.patches;
  const raised = introduced(forward);
  const expect = spec.expect ?? [];
  const undecided = forward.undecided.filter((entry) => concerns(entry, spec));
  return {
    ...base,
    outcome: spec.kind === 'bug' ? bugOutcome(raised, expect, undecided) : benignOutcome(raised, undecided),
    why: undecided.map((entry) => `${entry.kind}: ${entry.reason}`).join('; ') || null,
    expect,
    raised: raised.map(brief),
    fixed: isFixed(raised, expect, reverse),
    reverseRaised: introduced(reverse).map(brief),
    engine: Math.round(run.document.stats.milliseconds / run.document.patches.length),
  };
}

function bugOutcome(raised, expect, undecided) {
  if (raised.some((finding) => expect.includes(finding.hazard))) return 'found';
  if (raised.length > 0) return 'other';
  return undecided.length > 0 ? 'undecided' : 'missed';
}

function benignOutcome(raised, undecided) {
  if (raised.length > 0) return 'alarm';
  return undecided.length > 0 ? 'undecided' : 'silent';
}

/** The undo must take back what the forward patch was blamed for: the same finding, or an accepted id. */
function isFixed(raised, expect, reverse) {
  const fingerprints = new Set(raised.map((finding) => finding.fingerprint));
  return reverse.findings.some(
    (finding) =>
      finding.status === 'fixed' &&
      (fingerprints.has(finding.fingerprint) || expect.includes(finding.hazard)),
  );
}

function introduced(patch) {
  return patch.findings.filter((finding) => finding.status === 'introduced');
}

function brief(finding) {
  return { hazard: finding.hazard, function: finding.function, machines: finding.machines };
}

/** Specs with function `*` edit a file at large. */
function concerns(entry, spec) {
  return (
    entry.function === spec.function ||
    (spec.function === '*' && entry.file === spec.file) ||
    (entry.function === '' && entry.file === spec.file)
  );
}

/** The area that a file's figures go to: the maintained trees' borders, with KVM on its own. */
function groupOf(file) {
  if (/(^|\/)kvm(\/|[^/]*$)/.test(file)) return 'kvm';
  if (file.startsWith('arch/x86/')) return 'x86';
  if (file.startsWith('arch/arm64/')) return 'arm64';
  if (/^(mm|kernel|fs|include)\//.test(file)) return 'mm';
  return 'other';
}

/** Is the forward patch judged alike in the series and alone? `closedBy` is what a later patch may add. */
export function sameVerdict(series, alone) {
  if (series.kind !== 'done' || alone.kind !== 'done') return series.kind === alone.kind;
  return verdictKey(series.document.patches[0]) === verdictKey(alone.document.patches[0]);
}

function verdictKey(patch) {
  const findings = patch.findings.map(({ fingerprint, hazard, status, machines }) => ({
    fingerprint,
    hazard,
    status,
    machines,
  }));
  return JSON.stringify({ findings, undecided: patch.undecided });
}
