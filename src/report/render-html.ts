/**
 * A review as one page that needs nothing else: no network, no files. Every run can be stepped through by keyboard and
 * mouse; without scripts it reads as a list.
 */
import { createHash } from 'node:crypto';
import type { Finding, ReviewDocument, ReviewedPatch } from '#review/document.js';
import { cleanLine } from './clean-text.js';
import { codeFrame, type FrameFile } from './code-frame.js';
import { countFindings, coverageOf, shownFindings } from './coverage.js';
import { changeText } from './cpu-columns.js';
import type { HazardHelp } from './hazard-help.js';
import { escapeCode, escapeText, pageHtml, scriptJson } from './html-text.js';
import { laneName, lanes } from './lanes.js';
import { missingStep } from './missing-step.js';
import { PAGE_SCRIPT } from './page-script.js';
import { PAGE_STYLE } from './page-style.js';
import { runStates } from './run-states.js';
import { isBranch, shortStep } from './short-step.js';
import { suggestionClaim, suggestionDiff } from './suggestion-diff.js';

/** Renders a document. `pages` explain the hazards. The same input gives the same page. */
export function renderHtml(document: ReviewDocument, pages: readonly HazardHelp[]): string {
  const hash = createHash('sha256').update(PAGE_SCRIPT).digest('base64');
  // Whatever a patch may hold: nothing but this script runs, and nothing is loaded.
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  const body =
    document.patches.length === 0
      ? '<p>Nothing to review.</p>'
      : document.patches.map((patch, i) => renderPatch(patch, i, document.patches.length, pages)).join('\n');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeText(titleOf(document))}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<a class="skip" href="#review">Skip to the findings</a>
<header><h1>Review by ${escapeText(document.tool)}</h1>
<p class="dim">${searched(document)}</p></header>
${contents(document)}
<main id="review">
${body}
</main>
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`;
}

function searched({ stats }: ReviewDocument): string {
  const count = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`;
  return `${count(stats.functions, 'function')}, ${count(stats.programs, 'program')}, ${count(stats.states, 'state')} searched.`;
}

const upperFirst = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function titleOf({ patches, tool }: ReviewDocument): string {
  const subject = patches[0]?.subject ?? '';
  return subject === '' ? tool : `${subject} - ${tool}`;
}

/** A list of what is below, where there is more than one thing. */
function contents(document: ReviewDocument): string {
  const links = document.patches.flatMap((patch, p) =>
    shownFindings(patch).map(
      (f, i) =>
        `<li><a href="#${findingId(p, i)}">${escapeText(`${f.severity} ${f.hazard}`)}</a> ${escapeText(`${f.function} (${f.status})`)}</li>`,
    ),
  );
  return links.length < 2
    ? ''
    : `<nav aria-label="Findings"><h2>Findings</h2><ol>${links.join('')}</ol></nav>`;
}

const findingId = (patch: number, finding: number): string => `p${patch + 1}f${finding + 1}`;

function renderPatch(patch: ReviewedPatch, index: number, of: number, pages: readonly HazardHelp[]): string {
  const subject = patch.subject === '' ? patch.files.join(', ') : patch.subject;
  const { touched, decided, undecided } = coverageOf(patch);
  const counts = countFindings(patch);
  const open = undecided.map(
    (u) =>
      `<li><code>${escapeText(u.function === '' ? u.file : u.function)}</code>: ${escapeText(u.reason)}</li>`,
  );
  return [
    '<section>',
    `<h2>${of > 1 ? `${index + 1}/${of} ` : ''}${escapeText(subject)}</h2>`,
    `<p>${counts === '' ? 'No finding' : escapeText(counts)}; ${decided} of ${touched} touched functions analysed.`,
    patch.context === 'hunks' ? ' Only the hunks were seen.</p>' : '</p>',
    ...shownFindings(patch).map((finding, i) => renderFinding(finding, findingId(index, i), pages)),
    ...(open.length === 0 ? [] : [`<h3>Not decided</h3><ul>${open.join('')}</ul>`]),
    '</section>',
  ].join('\n');
}

function renderFinding(finding: Finding, id: string, pages: readonly HazardHelp[]): string {
  const page = pages.find((p) => p.id === finding.hazard);
  const place = `${finding.file}:${finding.line}${finding.side === 'old' ? ' (before the patch)' : ''}`;
  const isShown = finding.trace.length > 0 && finding.status !== 'fixed';
  return [
    `<article class="finding ${finding.severity} ${finding.status}" id="${id}" aria-labelledby="${id}-head">`,
    `<h3 id="${id}-head"><span class="sev">${finding.severity}</span> <code>${finding.hazard}</code> in <code>${escapeText(finding.function)}</code> <span class="dim">(${finding.status})</span></h3>`,
    `<p class="dim">${escapeText(place)}</p>`,
    `<p class="message">${escapeText(upperFirst(finding.message))}</p>`,
    ...codeFrame(withStepLines(finding)).map((file) => renderFrame(file, id)),
    isShown ? renderRun(finding, id) : '',
    renderFacts(finding),
    renderSuggestion(finding),
    page === undefined
      ? ''
      : `<details><summary>About this hazard</summary>${pageHtml(page.page, 4)}</details>`,
    '</article>',
  ].join('\n');
}

/** Steps lead to their lines, so each line that a step names is in the frame. */
function withStepLines(finding: Finding): Finding {
  const steps = finding.trace.flatMap(({ file, line, text }) =>
    file === null || line === null || text === undefined
      ? []
      : [{ file, line, text, side: sideOf(finding), what: '' }],
  );
  return { ...finding, related: [...finding.related, ...steps] };
}

const sideOf = (finding: Finding): Finding['side'] => (finding.status === 'fixed' ? 'old' : 'new');

const lineId = (id: string, file: string, side: string, line: number): string =>
  `${id}-${side}-${file.replace(/[^A-Za-z0-9]+/g, '-')}-${line}`;

function renderFrame({ file, lines }: FrameFile, id: string): string {
  const items: string[] = [];
  let last: FrameFile['lines'][number] | null = null;
  for (const line of lines) {
    if (last !== null && (last.side !== line.side || line.line > last.line + 1))
      items.push('<li class="gap" aria-hidden="true">...</li>');
    last = line;
    const classes = [line.primary ? 'primary' : '', line.side].filter((c) => c !== '').join(' ');
    const label = line.label === '' && line.side === 'old' ? 'before the patch' : line.label;
    items.push(
      `<li class="${classes}" id="${lineId(id, file, line.side, line.line)}"><span class="n">${line.side === 'old' ? '-' : ''}${line.line}</span><span>${escapeCode(line.text ?? '')}</span>${label === '' ? '' : `<span class="label">${escapeText(label)}</span>`}</li>`,
    );
  }
  return `<div class="code" role="region" tabindex="0" aria-label="Lines of ${escapeText(file)}"><div class="name">${escapeText(file)}</div><ol>${items.join('')}</ol></div>`;
}

function renderRun(finding: Finding, id: string): string {
  const { trace } = finding;
  const missing = missingStep(finding);
  const rows = runStates(trace);
  const places = trace.map((s) =>
    s.file === null || s.line === null ? null : lineId(id, s.file, sideOf(finding), s.line),
  );
  const spoken = trace.map((s) => {
    const lane = laneName(finding, s.cpu);
    return `${lane}${lane.endsWith(` ${s.who}`) ? '' : `, ${s.who}`}: ${shortStep(s.what)}`;
  });
  const data = {
    steps: spoken,
    places,
    rows: rows.map(({ values, changedAt }) => ({ values, changedAt })),
  };
  const items = trace.map((step, i) => {
    const link =
      step.line === null || step.file === null
        ? ''
        : ` <a href="#${lineId(id, step.file, sideOf(finding), step.line)}">${step.file === finding.file ? 'line' : `${escapeText(step.file)}:`} ${step.line}</a>`;
    const short = shortStep(step.what);
    const said =
      short === cleanLine(step.what)
        ? escapeText(short)
        : `<span title="${escapeText(step.what)}">${escapeText(short)}</span>`;
    const changes = step.changes.map((c) => `<li>${escapeText(changeText(c))}</li>`).join('');
    const lack = missing.before === i ? `<div class="lack">missing: ${escapeText(missing.what)}</div>` : '';
    return `<li id="${id}-step-${i + 1}"${i === missing.wrong ? ' class="wrong"' : isBranch(step.what) ? ' class="branch"' : ''}>${lack}<b>${i + 1}</b> <span class="who">CPU${step.cpu} ${escapeText(step.who)}:</span> ${said}${link}${changes === '' ? '' : `<ul>${changes}</ul>`}</li>`;
  });
  return [
    `<section class="run" aria-labelledby="${id}-run">`,
    `<h4 id="${id}-run">How it goes wrong</h4>`,
    `<div class="player" role="group" tabindex="0" aria-label="Run of ${trace.length} steps; arrow keys move, Home and End jump" aria-describedby="${id}-now">`,
    `<div class="lanes">${lanes(finding, id)}</div>`,
    '<div class="controls"><button type="button" class="previous">Previous</button><button type="button" class="next">Next</button><span class="position"></span><span class="keys dim">or the arrow keys, Home, End</span></div>',
    `<p class="now" id="${id}-now" aria-live="polite"></p>`,
    '</div>',
    '<div class="columns">',
    `<ol class="steps">${items.join('\n')}</ol>`,
    stateTable(rows),
    '</div>',
    `<script type="application/json">${scriptJson(data)}</script>`,
    '</section>',
  ].join('\n');
}

function stateTable(rows: ReturnType<typeof runStates>): string {
  const out: string[] = [];
  let group = '';
  for (const row of rows) {
    if (row.group !== group) {
      group = row.group;
      out.push(`<tr><th colspan="2" scope="colgroup">${escapeText(group)}</th></tr>`);
    }
    out.push(`<tr data-row><th scope="row">${escapeText(row.what)}</th><td></td></tr>`);
  }
  return `<table class="state"><caption>State after this step</caption><tbody>${out.join('')}</tbody></table>`;
}

function renderFacts(finding: Finding): string {
  const rows: string[] = [];
  const row = (label: string, html: string): void => {
    if (html !== '') rows.push(`<dt>${label}</dt><dd>${html}</dd>`);
  };
  const names = (list: readonly string[]): string =>
    list.map((name) => `<code>${escapeText(name)}</code>`).join(', ');
  row(finding.status === 'fixed' ? 'Happened on' : 'Happens on', names(finding.machines));
  row('Clean on', names(finding.safeOn));
  row('Not built on', names(finding.notBuiltOn));
  row('Consequence', escapeText(upperFirst(finding.consequence)));
  const assumptions = finding.assumptions.map((text) => `<li>${escapeText(text)}</li>`).join('');
  row('Assumes', assumptions === '' ? '' : `<ul>${assumptions}</ul>`);
  row('Confidence', escapeText(`${finding.confidence}${finding.why === '' ? '' : `: ${finding.why}`}`));
  row('Closed by a later patch', finding.closedBy === null ? '' : escapeText(finding.closedBy));
  return `<dl>${rows.join('')}</dl>`;
}

function renderSuggestion(finding: Finding): string {
  if (finding.suggestion === null) return '';
  const lines = suggestionDiff(finding).map(({ kind, text }) => {
    const line = escapeCode(text);
    switch (kind) {
      case 'place':
        return `<span class="dim">${line}</span>`;
      case 'keep':
        return `<span>  ${line}</span>`;
      case 'remove':
        return `<span class="del">- ${line}</span>`;
      case 'insert':
        return `<span class="add">+ ${line}</span>`;
    }
  });
  return `<h4>Suggested edit</h4><p>${escapeText(upperFirst(suggestionClaim(finding.suggestion)))}.</p><pre class="diff" tabindex="0">${lines.join('')}</pre>`;
}
