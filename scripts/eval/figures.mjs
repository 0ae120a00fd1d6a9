/** Per-spec results → figures, and the comparison with figures recorded before. Pure. */

const GROUPS = ['mm', 'x86', 'arm64', 'kvm', 'other'];
const DIFFICULTIES = ['local', 'path', 'inter', 'config'];

/** The groups and difficulties of the headline figure. */
const CORE_GROUPS = ['mm', 'x86', 'arm64'];
const CORE_DIFFICULTIES = ['local', 'path'];

export function figuresOf(results) {
  const bugs = results.filter((result) => result.kind === 'bug');
  const benign = results.filter((result) => result.kind !== 'bug');
  const core = bugs.filter(
    (result) => CORE_GROUPS.includes(result.group) && CORE_DIFFICULTIES.includes(result.difficulty),
  );
  const found = bugs.filter((result) => result.outcome === 'found');
  return {
    headline: tally(core),
    all: tally(bugs),
    byDifficulty: Object.fromEntries(
      DIFFICULTIES.map((name) => [name, tally(bugs.filter((bug) => bug.difficulty === name))]),
    ),
    byGroup: Object.fromEntries(
      GROUPS.map((name) => [name, tally(bugs.filter((bug) => bug.group === name))]),
    ),
    byHazard: byHazard(bugs),
    harmless: {
      patches: benign.length,
      alarms: count(benign, 'alarm'),
      undecided: count(benign, 'undecided'),
      failed: count(benign, 'failed'),
      reverseAlarms: benign.filter((result) => result.reverseRaised.length > 0).length,
    },
    reverse: {
      ofFound: found.length,
      fixed: found.filter((result) => result.fixed).length,
      introducing: bugs.filter((result) => result.reverseRaised.length > 0).length,
    },
    findingsPerBug: ratio(
      bugs.reduce((sum, bug) => sum + bug.raised.length, 0),
      bugs.length,
    ),
    time: {
      run: spread(results.map((result) => result.wall)),
      patch: spread(results.map((result) => result.engine).filter((value) => value !== null)),
    },
  };
}

function tally(bugs) {
  return {
    bugs: bugs.length,
    found: count(bugs, 'found'),
    other: count(bugs, 'other'),
    undecided: count(bugs, 'undecided'),
    missed: count(bugs, 'missed'),
    failed: count(bugs, 'failed'),
  };
}

/** A bug counts under every id that it accepts, so the rows add up to more than all bugs. */
function byHazard(bugs) {
  const ids = [...new Set(bugs.flatMap((bug) => bug.expect))].sort();
  return Object.fromEntries(ids.map((id) => [id, tally(bugs.filter((bug) => bug.expect.includes(id)))]));
}

function count(results, outcome) {
  return results.filter((result) => result.outcome === outcome).length;
}

function ratio(part, whole) {
  return whole === 0 ? 0 : Math.round((part / whole) * 1000) / 1000;
}

/** Nearest-rank percentiles, in milliseconds. */
function spread(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { median: at(0.5), p95: at(0.95), max: sorted.at(-1) ?? 0 };
}

/**
 * Lines for what got worse than `baseline` (per-spec results of an earlier run). Both sides are counted over the specs
 * that they have in common, so that `--only` and a grown corpus compare like with like.
 */
export function compareFigures(baseline, results) {
  const known = new Set(baseline.map((result) => result.id));
  const now = results.filter((result) => known.has(result.id));
  const ids = new Set(now.map((result) => result.id));
  const before = figuresOf(baseline.filter((result) => ids.has(result.id)));
  const after = figuresOf(now);
  return [...recorded(before)].flatMap(([name, [value, better]]) => {
    const [current] = recorded(after).get(name) ?? [value];
    const worse = better === 'high' ? current < value : current > value;
    return worse ? [`${name}: ${value} before, ${current} now`] : [];
  });
}

/** Name → value and which way is better. Sums over a fixed set of specs, so counts compare as rates do. */
function recorded(figures) {
  const rows = new Map([
    ['headline found', [figures.headline.found, 'high']],
    ['found', [figures.all.found, 'high']],
    ['undecided', [figures.all.undecided, 'low']],
    ['failed', [figures.all.failed + figures.harmless.failed, 'low']],
    ['alarms on harmless patches', [figures.harmless.alarms, 'low']],
    ['alarms on reverses of harmless patches', [figures.harmless.reverseAlarms, 'low']],
    ['harmless patches undecided', [figures.harmless.undecided, 'low']],
    ['reverse patches reported fixed', [figures.reverse.fixed, 'high']],
    ['reverse patches that raise something', [figures.reverse.introducing, 'low']],
    ['findings per bug patch', [figures.findingsPerBug, 'low']],
  ]);
  for (const [name, row] of Object.entries(figures.byDifficulty))
    rows.set(`${name} found`, [row.found, 'high']);
  for (const [name, row] of Object.entries(figures.byGroup)) rows.set(`${name} found`, [row.found, 'high']);
  return rows;
}
