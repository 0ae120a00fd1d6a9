/** A run as an SVG: one lane a CPU, time from left to right, one numbered mark a step. */
import type { Finding } from '#review/document.js';
import { escapeText } from './html-text.js';
import { missingStep } from './missing-step.js';

const STEP = 44;
const LANE = 52;
const TOP = 26;
const LEFT = 20;
const RADIUS = 13;

/**
 * The drawing. Marks carry `data-step`, so that the page's script can light them; without the script the numbers lead to
 * the list of steps below. Colours come from classes.
 */
export function lanes(finding: Finding, id: string): string {
  const { trace } = finding;
  const cpus = [...new Set(trace.map((s) => s.cpu))].sort((a, b) => a - b);
  const missing = missingStep(finding);
  const width = LEFT * 2 + trace.length * STEP;
  const height = TOP + cpus.length * LANE;
  const x = (step: number): number => LEFT + step * STEP + STEP / 2;
  const y = (cpu: number): number => TOP + cpus.indexOf(cpu) * LANE + LANE / 2;
  const out: string[] = [];
  for (const cpu of cpus) {
    out.push(
      `<line class="lane" x1="0" x2="${width}" y1="${y(cpu)}" y2="${y(cpu)}"/>`,
      `<text class="cpu" x="4" y="${y(cpu) - 20}">${escapeText(laneName(finding, cpu))}</text>`,
    );
  }
  const path = trace.map((s, i) => `${i === 0 ? 'M' : 'L'}${x(i)} ${y(s.cpu)}`).join('');
  out.push(`<path class="order" d="${path}"/>`);
  if (missing.before !== null && finding.status !== 'fixed') {
    const at = x(missing.before) - STEP / 2;
    out.push(
      `<g class="missing"><title>missing: ${escapeText(missing.what)}</title>`,
      `<line x1="${at}" x2="${at}" y1="${TOP - 8}" y2="${height}"/>`,
      `<text x="${at}" y="${TOP - 12}">missing</text></g>`,
    );
  }
  trace.forEach((step, i) => {
    const kind = i === missing.wrong ? 'wrong' : step.who === 'hardware' ? 'hardware' : 'program';
    const [cx, cy] = [x(i), y(step.cpu)];
    const shape =
      kind === 'wrong'
        ? `<rect x="${cx - RADIUS}" y="${cy - RADIUS}" width="${2 * RADIUS}" height="${2 * RADIUS}" rx="3"/>`
        : `<circle cx="${cx}" cy="${cy}" r="${RADIUS}"/>`;
    out.push(
      `<a class="mark ${kind}" href="#${id}-step-${i + 1}" data-step="${i}" tabindex="-1">`,
      `<title>${i + 1}. ${escapeText(`CPU${step.cpu} ${step.who}: ${step.what}`)}</title>`,
      `${shape}<text x="${cx}" y="${cy + 5}">${i + 1}</text></a>`,
    );
  });
  return [
    `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" aria-hidden="true" focusable="false">`,
    ...out,
    '</svg>',
  ].join('');
}

/** A CPU with the program that runs on it. */
export function laneName({ trace }: Finding, cpu: number): string {
  const owner = trace.find((s) => s.cpu === cpu && s.who !== 'hardware' && s.who !== 'program')?.who;
  return `CPU${cpu}${owner === undefined ? '' : ` ${owner}`}`;
}
