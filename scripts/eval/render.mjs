/** Figures → text for a terminal, and the table of docs/evaluation.md. Pure. */

const COLUMNS = ['bugs', 'found', 'other', 'undecided', 'missed', 'failed'];
const END = '<!-- end of figures -->';

export function renderFigures(figures, results) {
  const lines = [];
  const width = Math.max(24, ...Object.keys(figures.byHazard).map((id) => id.length + 2));
  const row = (name, values) =>
    `${name.padEnd(width)}${values.map((value) => String(value).padStart(11)).join('')}`;
  lines.push(row('', COLUMNS));
  for (const [title, tallies] of sections(figures)) {
    lines.push(title);
    for (const [name, tally] of tallies)
      lines.push(
        row(
          `  ${name}`,
          COLUMNS.map((column) => tally[column]),
        ),
      );
  }
  lines.push('', ...summary(figures), '');
  for (const result of results.filter((entry) => !['found', 'silent'].includes(entry.outcome))) {
    lines.push(
      `${result.outcome.padEnd(10)} ${result.id} (${result.group}, ${result.difficulty})${detail(result)}`,
    );
  }
  for (const result of results.filter((entry) => entry.reverseRaised.length > 0)) {
    lines.push(`reverse    ${result.id}: ${ids(result.reverseRaised)}`);
  }
  for (const result of results.filter((entry) => entry.outcome === 'found' && !entry.fixed)) {
    lines.push(`not fixed  ${result.id}`);
  }
  return `${lines.join('\n')}\n`;
}

function detail(result) {
  const parts = [];
  if (result.raised.length > 0) parts.push(`got ${ids(result.raised)}`);
  if (result.expect.length > 0) parts.push(`wanted ${result.expect.join(' | ')}`);
  if (result.why !== null) parts.push(result.why);
  return parts.length === 0 ? '' : `: ${parts.join('; ')}`;
}

function ids(findings) {
  return [...new Set(findings.map((finding) => `${finding.hazard} in ${finding.function}`))].join(', ');
}

function sections(figures) {
  return [
    [
      '',
      [
        ['mm, x86, arm64; local, path', figures.headline],
        ['all', figures.all],
      ],
    ],
    ['difficulty', Object.entries(figures.byDifficulty)],
    ['area', Object.entries(figures.byGroup)],
    ['accepted id', Object.entries(figures.byHazard)],
  ];
}

function summary(figures) {
  const { harmless, reverse, time } = figures;
  return [
    `headline: ${percent(figures.headline.found, figures.headline.bugs)} of the local and path bugs in mm, x86 and arm64 (without kvm) found`,
    `harmless: ${harmless.alarms} of ${harmless.patches} raised something, ${harmless.undecided} undecided, ${harmless.failed} failed; ${harmless.reverseAlarms} of their reverses raised something`,
    `reverse:  ${reverse.fixed} of ${reverse.ofFound} found bugs reported fixed by the reverse patch; ${reverse.introducing} reverses raised something`,
    `findings: ${figures.findingsPerBug} introduced per bug patch`,
    `time:     a run of two patches ${spread(time.run)}; in the engine for each patch ${spread(time.patch)}`,
  ];
}

function spread({ median, p95, max }) {
  return `median ${median} ms, p95 ${p95} ms, max ${max} ms`;
}

function percent(part, whole) {
  return whole === 0 ? 'none' : `${((100 * part) / whole).toFixed(1)} % (${part} of ${whole})`;
}

/** The part of docs/evaluation.md between markers. */
export function renderMarkdown(figures, results) {
  const lines = ['', ...summary(figures).map((line) => `- ${line.replace(/:\s+/, ': ')}`), ''];
  lines.push(`| | ${COLUMNS.join(' | ')} |`, `| --- |${' ---: |'.repeat(COLUMNS.length)}`);
  for (const [title, tallies] of sections(figures)) {
    if (title !== '') lines.push(`| **${title}** |${' |'.repeat(COLUMNS.length)}`);
    for (const [name, tally] of tallies)
      lines.push(`| ${name} | ${COLUMNS.map((column) => tally[column]).join(' | ')} |`);
  }
  const open = results.filter((result) => !['found', 'silent'].includes(result.outcome));
  if (open.length > 0) {
    lines.push('', '| spec | area | difficulty | outcome | reported |', '| --- | --- | --- | --- | --- |');
    for (const result of open) {
      lines.push(
        `| ${result.id} | ${result.group} | ${result.difficulty} | ${result.outcome} | ${ids(result.raised) || '-'} |`,
      );
    }
  }
  return `${lines.join('\n')}\n\n`;
}

/** Does the page have a table, of `section` (a file of figures) where it is not null? */
export function hasTable(page, section) {
  return page.includes(startOf(section));
}

/** The page with what stands between the markers of `section` replaced. */
export function replaceTable(page, section, table) {
  const start = page.indexOf(startOf(section));
  const end = page.indexOf(END, start);
  if (start < 0 || end < 0) throw new Error(`docs page has no '${startOf(section)}' … '${END}'`);
  return `${page.slice(0, start + startOf(section).length)}\n${table}${page.slice(end)}`;
}

function startOf(section) {
  return `<!-- figures${section === null ? '' : ` of ${section}`}: written by scripts/eval.mjs -->`;
}

export function renderHarmless(figures, results) {
  const lines = [
    `${figures.patches} harmless patches (${figures.byEdit.comment} comments, ${figures.byEdit.rename} renames): ${figures.raising} raised something`,
    `followed to the end: ${figures.followed}; undecided: ${figures.undecided}; timed out: ${figures.timedOut}; failed: ${figures.failed}`,
    `time: ${spread(figures.time)}`,
    '',
  ];
  for (const result of results) {
    const what =
      result.raised.length > 0 ? `: ${ids(result.raised)}` : result.why === null ? '' : `: ${result.why}`;
    lines.push(`${result.outcome.padEnd(10)} ${result.id}${what}`);
  }
  return `${lines.join('\n')}\n`;
}
