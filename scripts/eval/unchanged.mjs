/** Changes that one kernel made to a function after another without changing the order of what it does. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { functionSpan } from './harmless.mjs';
import { diffOf, mailOf } from './mail.mjs';

/** The trees that are compared, older first. */
export const VERSIONS = ['6.1', '6.12'];

/**
 * Two patches for each `{ file, function, what }` of the list, written to `out`: one takes the function of the newer
 * tree back to its older text, the other brings the newer text. Both are made for the newer tree, so that the second
 * ends in the kernel as it is. Functions that are not in both trees, or do not differ, are named in `skipped`.
 */
export function makeUnchangedPatches(list, trees, out) {
  const patches = [];
  const skipped = [];
  for (const entry of list) {
    const texts = VERSIONS.map((version) => linesOf(trees, version, entry.file));
    const spans = texts.map((lines) => (lines === null ? null : functionSpan(lines, entry.function)));
    const [oldLines, newLines] = texts;
    const [oldSpan, newSpan] = spans;
    if (oldSpan === null || newSpan === null) {
      skipped.push(`${entry.file}: ${entry.function} is not in both trees`);
      continue;
    }
    const older = [
      ...newLines.slice(0, newSpan.first),
      ...oldLines.slice(oldSpan.first, oldSpan.last + 1),
      ...newLines.slice(newSpan.last + 1),
    ].join('\n');
    const newer = newLines.join('\n');
    if (older === newer) {
      skipped.push(`${entry.file}: ${entry.function} is the same in both trees`);
      continue;
    }
    const id = `${entry.file.replace(/\.c$/, '').replaceAll('/', '-')}.${entry.function}`;
    const files = [`${id}.back.patch`, `${id}.patch`].map((name) => path.join(out, name));
    writeFileSync(files[0], mail(`${id}.back`, entry, newer, older));
    writeFileSync(files[1], mail(id, entry, older, newer));
    patches.push({ id, file: entry.file, function: entry.function, files });
  }
  return { patches, skipped };
}

/**
 * `silent`, `undecided`, `alarm` (an error that the second patch is said to bring in), or `failed`. What the first
 * one raises is of no interest: it undoes what the kernel did.
 */
export function judgeUnchanged(patch, run) {
  const base = { id: patch.id, wall: run.wall, raised: [], why: null };
  if (run.kind === 'timeout') return { ...base, outcome: 'undecided', why: 'time limit of the evaluation' };
  if (run.kind === 'failed') return { ...base, outcome: 'failed', why: run.why };
  const reviewed = run.document.patches[1];
  const raised = reviewed.findings
    .filter((finding) => finding.status === 'introduced' && finding.severity === 'error')
    .map((finding) => ({ hazard: finding.hazard, function: finding.function, line: finding.line }));
  if (raised.length > 0) return { ...base, outcome: 'alarm', raised };
  const open = reviewed.undecided.filter((entry) => entry.function === patch.function);
  const why = open.map((entry) => `${entry.kind}: ${entry.reason}`).join('; ') || null;
  return { ...base, outcome: open.length > 0 ? 'undecided' : 'silent', why };
}

/** Figures in words, then a line for each patch. */
export function renderUnchanged(results) {
  const count = (outcome) => results.filter((result) => result.outcome === outcome).length;
  const lines = [
    `${results.length} changes from ${VERSIONS.join(' to ')} that keep the order: ${count('alarm')} raised an error, ${count('undecided')} undecided, ${count('failed')} failed`,
    '',
  ];
  for (const { outcome, id, raised, why, wall } of results) {
    const said = raised.map((one) => `${one.hazard} in ${one.function}:${one.line}`).join(', ') || why;
    lines.push(`${outcome.padEnd(10)} ${id} (${wall} ms)${said === null ? '' : `: ${said}`}`);
  }
  return `${lines.join('\n')}\n`;
}

function linesOf(trees, version, file) {
  try {
    return readFileSync(path.join(trees, `linux-source-${version}`, file), 'utf8').split('\n');
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}

const mail = (id, entry, before, after) =>
  mailOf({ id, subject: `${entry.function}(): ${entry.what}`, lines: [] }, diffOf(entry.file, before, after));
