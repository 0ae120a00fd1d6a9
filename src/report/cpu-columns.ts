import type { Finding, TraceLine } from '#review/document.js';
import { cleanLine, cleanSource } from './clean-text.js';
import { missingStep } from './missing-step.js';
import { shortStep } from './short-step.js';
import { cutText, wrapText } from './wrap-text.js';

/** How a piece of the trace is to be painted. */
export type Tone = 'head' | 'step' | 'change' | 'source' | 'missing' | 'wrong';

interface Cell {
  readonly text: string;
  readonly tone: Tone;
}

/** Below this a column is unreadable, and steps are listed under one another instead. */
const NARROWEST = 24;

/**
 * The run of a finding, one column a CPU, one row a step: what it does and where, then what it changes. The step
 * that is missing stands, marked, before the one that goes wrong. `paint` gets text that is already padded. Where `places` is
 * `code`, steps say what stands in the source instead of its line numbers.
 */
export function cpuColumns(
  finding: Finding,
  width: number,
  paint: (text: string, tone: Tone) => string,
  places: 'lines' | 'code' = 'lines',
): readonly string[] {
  if (finding.trace.length === 0) return [];
  const cpus = [...new Set(finding.trace.map((s) => s.cpu))].sort((a, b) => a - b);
  const separator = ' | ';
  const room = Math.floor((width - separator.length * (cpus.length - 1)) / cpus.length);
  const inColumns = room >= NARROWEST;
  const columns = inColumns ? cpus.length : 1;
  const size = inColumns ? room : width;
  const owners = new Map(cpus.map((cpu) => [cpu, ownerOf(cpu, finding.trace)]));
  const missing = missingStep(finding);
  // The code frame shows these lines already, by their numbers.
  const framed = new Set<string>();
  if (places === 'lines') {
    for (const r of finding.related) if (r.text) framed.add(`${r.file}\0${r.line}`);
    framed.add(`${finding.file}\0${finding.line}`);
  }

  const row = (column: number, cell: Cell): string => {
    const cells = Array.from({ length: columns }, (_, i) =>
      i === column
        ? paint(i === columns - 1 ? cell.text : cell.text.padEnd(size), cell.tone)
        : ' '.repeat(size),
    );
    return cells.join(separator).trimEnd();
  };

  const out: string[] = [];
  if (inColumns) {
    const titles = cpus.map((cpu) => cutText(`CPU${cpu}${titleOf(owners.get(cpu))}`, size));
    out.push(
      titles.map((t, i) => paint(i === columns - 1 ? t : t.padEnd(size), 'head')).join(separator),
      cpus.map(() => '-'.repeat(size)).join('-+-'),
    );
  }
  finding.trace.forEach((step, i) => {
    const column = inColumns ? cpus.indexOf(step.cpu) : 0;
    const cells = [
      ...(missing.before === i && finding.status !== 'fixed' ? missingCells(missing.what, size) : []),
      ...stepCells(step, i, finding, {
        size,
        wrong: missing.wrong === i,
        prefix: prefixOf(step, inColumns, owners),
        framed,
        places,
      }),
    ];
    for (const cell of cells) out.push(row(column, cell));
  });
  return out;
}

function missingCells(what: string, size: number): readonly Cell[] {
  return wrapText(`missing: ${what}`, size - 4).map((text, i) => ({
    text: (i === 0 ? '  ! ' : '    ') + text,
    tone: 'missing',
  }));
}

interface StepLayout {
  readonly size: number;
  readonly wrong: boolean;
  /** Who does it, where the column does not say so. */
  readonly prefix: string;
  /** Places whose source the code frame shows already. */
  readonly framed: ReadonlySet<string>;
  readonly places: 'lines' | 'code';
}

function stepCells(step: TraceLine, index: number, finding: Finding, layout: StepLayout): readonly Cell[] {
  const { size, wrong, prefix, framed, places } = layout;
  const mark = `${wrong ? '>' : ' '}${String(index + 1).padStart(2)} `;
  const indent = ' '.repeat(mark.length);
  const cells: Cell[] = [];
  wrapText(
    `${prefix}${shortStep(step.what)}${places === 'lines' ? placeOf(step, finding) : ''}`,
    size - mark.length,
  ).forEach((text, i) => {
    cells.push({ text: (i === 0 ? mark : indent) + text, tone: wrong ? 'wrong' : 'step' });
  });
  if (step.text && !framed.has(`${step.file}\0${step.line}`)) {
    cells.push({ text: cutText(`${indent}${cleanSource(step.text).trim()}`, size), tone: 'source' });
  }
  // What hardware may hold is said by its step already; a mail has no room to say it twice.
  const changes = places === 'code' && step.who === 'hardware' ? [] : step.changes;
  for (const change of changes) {
    const text = changeText(change);
    wrapText(text, size - indent.length - 2).forEach((line, i) => {
      cells.push({ text: `${indent}${i === 0 ? '~ ' : '  '}${line}`, tone: 'change' });
    });
  }
  return cells;
}

/** Without a former value the new one alone is said; a value that ends has none after it. */
export function changeText({ what, from, to }: TraceLine['changes'][number]): string {
  const values = [from, to].map(cleanLine).filter((v) => v !== '');
  return `${cleanLine(what)}: ${values.join(' -> ')}${to === '' ? ' -> nothing' : ''}`;
}

/** The program that runs on a CPU: who does the most steps there besides hardware. */
function ownerOf(cpu: number, trace: readonly TraceLine[]): string {
  const counts = new Map<string, number>();
  for (const step of trace) {
    if (step.cpu === cpu && step.who !== 'hardware') counts.set(step.who, (counts.get(step.who) ?? 0) + 1);
  }
  return [...counts].reduce((best, next) => (next[1] > best[1] ? next : best), ['', 0] as [
    string,
    number,
  ])[0];
}

const titleOf = (owner: string | undefined): string =>
  owner === undefined || owner === '' || owner === 'program' ? '' : ` ${cleanLine(owner)}`;

function prefixOf(step: TraceLine, inColumns: boolean, owners: ReadonlyMap<number, string>): string {
  const who = cleanLine(step.who);
  if (!inColumns) return `CPU${step.cpu}${titleOf(step.who)}: `;
  return who === '' || step.who === owners.get(step.cpu) ? '' : `${who}: `;
}

/** The finding's own file need not be named again; of others the last part is enough beside the code frame. */
function placeOf(step: TraceLine, finding: Finding): string {
  if (step.file === null || step.line === null) return '';
  if (step.file === finding.file) return ` (line ${step.line})`;
  return ` (${step.file.slice(step.file.lastIndexOf('/') + 1)}:${step.line})`;
}
