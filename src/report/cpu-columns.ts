import type { Finding, TraceLine } from '#review/document.js';
import { cleanLine, cleanSource } from './clean-text.js';
import { missingStep } from './missing-step.js';
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
 * that is missing stands, marked, before the one that goes wrong. `paint` gets text that is already padded.
 */
export function cpuColumns(
  finding: Finding,
  width: number,
  paint: (text: string, tone: Tone) => string,
): readonly string[] {
  if (finding.trace.length === 0) return [];
  const cpus = [...new Set(finding.trace.map((s) => s.cpu))].sort((a, b) => a - b);
  const separator = ' | ';
  const room = Math.floor((width - separator.length * (cpus.length - 1)) / cpus.length);
  const inColumns = room >= NARROWEST;
  const columns = inColumns ? cpus.length : 1;
  const size = inColumns ? room : width;
  const missing = missingStep(finding);
  const framed = new Set(finding.related.filter((r) => r.text).map((r) => `${r.file}\0${r.line}`));
  framed.add(`${finding.file}\0${finding.line}`);

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
    out.push(
      cpus
        .map((cpu, i) => paint(i === columns - 1 ? `CPU${cpu}` : `CPU${cpu}`.padEnd(size), 'head'))
        .join(separator),
    );
    out.push(cpus.map(() => '-'.repeat(size)).join('-+-'));
  }
  finding.trace.forEach((step, i) => {
    const column = inColumns ? cpus.indexOf(step.cpu) : 0;
    const cells = [
      ...(missing.before === i && finding.status !== 'fixed' ? missingCells(missing.what, size) : []),
      ...stepCells(step, i, finding, size, missing.wrong === i, inColumns, framed),
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

function stepCells(
  step: TraceLine,
  index: number,
  finding: Finding,
  size: number,
  wrong: boolean,
  inColumns: boolean,
  framed: ReadonlySet<string>,
): readonly Cell[] {
  const mark = `${wrong ? '>' : ' '}${String(index + 1).padStart(2)} `;
  const indent = ' '.repeat(mark.length);
  const own = step.who === 'program' || step.who === finding.function || step.who === '';
  const who = own ? '' : `${cleanLine(step.who)}: `;
  const cpu = inColumns ? '' : `CPU${step.cpu}: `;
  const cells: Cell[] = [];
  wrapText(`${cpu}${who}${cleanLine(step.what)}${placeOf(step, finding)}`, size - mark.length).forEach(
    (text, i) => {
      cells.push({ text: (i === 0 ? mark : indent) + text, tone: wrong ? 'wrong' : 'step' });
    },
  );
  if (step.text && !framed.has(`${step.file}\0${step.line}`)) {
    cells.push({ text: cutText(`${indent}${cleanSource(step.text).trim()}`, size), tone: 'source' });
  }
  for (const change of step.changes) {
    const text = `${cleanLine(change.what)}: ${cleanLine(change.from)} -> ${cleanLine(change.to)}`;
    wrapText(text, size - indent.length - 2).forEach((line, i) => {
      cells.push({ text: `${indent}${i === 0 ? '~ ' : '  '}${line}`, tone: 'change' });
    });
  }
  return cells;
}

/** The finding's own file need not be named again; of others the last part is enough beside the code frame. */
function placeOf(step: TraceLine, finding: Finding): string {
  if (step.file === null || step.line === null) return '';
  if (step.file === finding.file) return ` (line ${step.line})`;
  return ` (${step.file.slice(step.file.lastIndexOf('/') + 1)}:${step.line})`;
}
