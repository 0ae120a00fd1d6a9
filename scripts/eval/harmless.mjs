/** Edits that change no behaviour: comments inside a body, and a local variable renamed throughout it. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { diffOf, mailOf } from './mail.mjs';

/**
 * Two patches for each `{ tree, file, function }` of the list, written to `out`. Functions that cannot be edited are
 * named in `skipped`.
 */
export function makeHarmlessPatches(list, trees, out) {
  const patches = [];
  const skipped = [];
  for (const entry of list) {
    const text = readFileSync(path.join(trees, `linux-source-${entry.tree}`, entry.file), 'utf8');
    const lines = text.split('\n');
    const span = functionSpan(lines, entry.function);
    if (span === null) {
      skipped.push(`${entry.file}: no definition of ${entry.function}`);
      continue;
    }
    for (const [edit, change] of [
      ['comment', insertComments],
      ['rename', renameLocal],
    ]) {
      const edited = change(lines, span);
      if (edited === null) {
        skipped.push(`${entry.file}: ${entry.function}: no place for a ${edit}`);
        continue;
      }
      const id = `${entry.function}.${edit}`;
      const file = path.join(out, `${id}.patch`);
      writeFileSync(file, mail(id, entry, text, edited.join('\n'), edit));
      patches.push({ id, edit, tree: entry.tree, file: entry.file, function: entry.function, path: file });
    }
  }
  return { patches, skipped };
}

/** First and last line (0-based) of a definition in kernel style, and the line of its opening brace. */
export function functionSpan(lines, name) {
  const head = new RegExp(`^(?:[A-Za-z_].*\\b)?${name}\\s*\\(`);
  for (let first = 0; first < lines.length; first++) {
    if (!head.test(lines[first])) continue;
    for (let open = first; open < Math.min(first + 14, lines.length); open++) {
      if (lines[open].startsWith('{')) {
        const last = lines.findIndex((line, index) => index > open && line.startsWith('}'));
        return last < 0 ? null : { first, open, last };
      }
      if (lines[open].trimEnd().endsWith(';')) break;
    }
  }
  return null;
}

/** Three comments, spread over the statements of the body. */
function insertComments(lines, { open, last }) {
  const code = blankCommentsAndStrings(lines.slice(open, last + 1).join('\n')).split('\n');
  const places = [];
  for (let index = 1; index < code.length - 1; index++) {
    const here = code[index].trimEnd();
    const continued = lines[open + index].endsWith('\\') || lines[open + index + 1].endsWith('\\');
    if (/[;{}]$/.test(here) && !continued && code[index + 1].trim() !== '') places.push(open + index);
  }
  if (places.length < 3) return null;
  const chosen = [1, 2, 3].map((quarter) => places[Math.floor((places.length * quarter) / 4)]);
  const result = [...lines];
  for (const place of [...new Set(chosen)].reverse()) {
    const indent = /^\s*/.exec(lines[place + 1])[0];
    result.splice(place + 1, 0, `${indent}/* The order of what follows matters to readers of this entry. */`);
  }
  return result;
}

/** Renames the first local whose name is nothing else in the body: no member, no label, no macro argument trick. */
function renameLocal(lines, { first, open, last }) {
  const whole = lines.slice(first, last + 1).join('\n');
  const blank = blankCommentsAndStrings(whole);
  for (const name of localNames(lines.slice(open + 1, last))) {
    const fresh = `${name}_here`;
    const isMember = new RegExp(`(\\.|->)\\s*${name}\\b`).test(blank);
    const isTag = new RegExp(`\\b(struct|union|enum|goto)\\s+${name}\\b|^\\s*${name}\\s*:`, 'm').test(blank);
    if (isMember || isTag || new RegExp(`\\b${fresh}\\b`).test(blank)) continue;
    const uses = [...blank.matchAll(new RegExp(`\\b${name}\\b`, 'g'))].map((match) => match.index);
    if (uses.length < 3) continue;
    let text = whole;
    for (const at of uses.reverse()) text = text.slice(0, at) + fresh + text.slice(at + name.length);
    return [...lines.slice(0, first), ...text.split('\n'), ...lines.slice(last + 1)];
  }
  return null;
}

/** Names declared one tab deep at the top of the body, in order. */
function localNames(body) {
  const names = [];
  for (const line of body) {
    if (line.trim() === '') break;
    const match = /^\t(?:const |unsigned |struct |enum )*\w+ \**(\w+)(?: =|;|,|\[)/.exec(line);
    if (match !== null) names.push(match[1]);
  }
  return names;
}

/** The same text with comments and literals as blanks, so that offsets stay. */
function blankCommentsAndStrings(text) {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g, (found) =>
    found.replace(/[^\n]/g, ' '),
  );
}

function mail(id, entry, before, after, edit) {
  const what = edit === 'comment' ? 'comment on ordering in' : 'rename a local variable of';
  const subject = `${entry.file.split('/')[0]}: ${what} ${entry.function}()`;
  const lines = ['No functional change.', '', 'Signed-off-by: Patch Author <author@example.org>'];
  return mailOf({ id, subject, lines }, diffOf(entry.file, before, after));
}

/** `silent` and followed to the end, `undecided`, `alarm`, or `failed`. A finding called fixed is an alarm too. */
export function judgeHarmless(patch, run) {
  const base = { id: patch.id, edit: patch.edit, wall: run.wall, timedOut: run.kind === 'timeout' };
  if (run.kind === 'timeout')
    return { ...base, outcome: 'undecided', raised: [], why: 'time limit of the evaluation' };
  if (run.kind === 'failed') return { ...base, outcome: 'failed', raised: [], why: run.why };
  const [reviewed] = run.document.patches;
  const raised = reviewed.findings
    .filter((finding) => finding.status !== 'existing')
    .map((finding) => ({ hazard: finding.hazard, function: finding.function }));
  if (raised.length > 0) return { ...base, outcome: 'alarm', raised, why: null };
  const undecided = reviewed.undecided.filter(
    (entry) => entry.function === patch.function || entry.file === patch.file,
  );
  const why =
    undecided.map((entry) => `${entry.function}: ${entry.kind}: ${entry.reason}`).join('; ') || null;
  return { ...base, outcome: undecided.length > 0 ? 'undecided' : 'silent', raised, why };
}

export function harmlessFigures(results) {
  const walls = results.map((result) => result.wall).sort((a, b) => a - b);
  const at = (share) => walls[Math.max(0, Math.ceil(share * walls.length) - 1)] ?? 0;
  const count = (outcome) => results.filter((result) => result.outcome === outcome).length;
  return {
    patches: results.length,
    byEdit: {
      comment: results.filter((result) => result.edit === 'comment').length,
      rename: results.filter((result) => result.edit === 'rename').length,
    },
    raising: count('alarm'),
    followed: count('silent'),
    undecided: count('undecided'),
    timedOut: results.filter((result) => result.timedOut).length,
    failed: count('failed'),
    time: { median: at(0.5), p95: at(0.95), max: walls.at(-1) ?? 0 },
  };
}
