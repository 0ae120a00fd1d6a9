/** Mutation specs → kernel patches: the edits of a spec, in the functions that they name, as a mail and its undo. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { mailOf } from './mail.mjs';

/** An edit that does not fit the text that it is for. */
export class EditError extends Error {}

/**
 * Writes `<id>.patch` and `<id>.fix.patch` (its reverse) to `out`.
 * @throws EditError when an edit does not apply, or git cannot compare the texts
 */
export function writePatches(spec, tree, out) {
  const before = readSource(path.join(tree, spec.file));
  const after = applyEdits(before, spec);
  if (after === before) throw new EditError('the edits change nothing');
  writeFileSync(path.join(out, `${spec.id}.patch`), mailOfSpec(spec, before, after), 'latin1');
  writeFileSync(path.join(out, `${spec.id}.fix.patch`), mailOfSpec(spec, after, before, '.undo'), 'latin1');
}

/**
 * The text with the edits of `spec` made, in order. Each works inside of one function: `function` of the edit, or else
 * of the spec; `*` is the whole text. Patterns are tried line by line; `nth` counts the lines that match.
 * @throws EditError
 */
export function applyEdits(text, spec) {
  const lines = text.split('\n');
  for (const edit of spec.edits) {
    const within = edit.function ?? spec.function;
    if (edit.op === 'insert') {
      lines.splice(placeOf(lines, within, edit, edit.nth), 0, ...edit.text.replace(/\n+$/, '').split('\n'));
      continue;
    }
    const at = matchingLine(lines, within, edit.match, edit.nth);
    switch (edit.op) {
      case 'delete':
        lines.splice(at, edit.lines ?? 1);
        break;
      case 'replace': {
        const line = lines[at].replace(new RegExp(edit.match), (...found) => expand(edit.with, found));
        lines.splice(at, edit.lines ?? 1, ...line.replace(/\n+$/, '').split('\n'));
        break;
      }
      case 'move': {
        const block = lines.splice(at, edit.lines ?? 1);
        lines.splice(placeOf(lines, within, edit, edit.target_nth), 0, ...block);
        break;
      }
      default:
        throw new EditError(`no edit is called ${edit.op}`);
    }
  }
  return lines.join('\n');
}

/** Index at which lines that go `after` or `before` a line come to stand. */
function placeOf(lines, within, edit, nth) {
  return edit.after === undefined
    ? matchingLine(lines, within, edit.before, nth)
    : matchingLine(lines, within, edit.after, nth) + 1;
}

function matchingLine(lines, within, pattern, nth = 1) {
  const [first, end] = bodyOf(lines, within);
  const matches = new RegExp(pattern);
  let left = nth;
  for (let at = first; at < end; at++) if (matches.test(lines[at]) && --left === 0) return at;
  throw new EditError(`${within}: ${pattern} matches ${nth - left} lines, not ${nth}`);
}

/** First line and the one behind the last of a function as the kernel writes it: braces in column 0. */
function bodyOf(lines, name) {
  if (name === '*') return [0, lines.length];
  const head = new RegExp(`^(?:[A-Za-z_].*[\\s*])?${name}\\s*\\(`);
  for (let first = 0; first < lines.length; first++) {
    if (!head.test(lines[first])) continue;
    // A declaration ends with ';' before any brace opens.
    const open = lines.findIndex((line, at) => at >= first && /^\{|[{;]\s*$/.test(line));
    if (open < 0 || lines[open].trimEnd().endsWith(';')) continue;
    const close = lines.findIndex((line, at) => at > open && line.startsWith('}'));
    if (close >= 0) return [first, close + 1];
  }
  throw new EditError(`no definition of ${name}`);
}

/** The mail of a spec. Its hunks are git's, with the headings that the kernel's attributes give. */
const mailOfSpec = ({ id, subject, file }, before, after, mark = '') =>
  mailOf(
    { id: `${id}${mark}`, subject, lines: ['Signed-off-by: Patch Author <author@example.org>'] },
    compare(file, before, after),
  );

function compare(file, before, after) {
  const folder = mkdtempSync(path.join(tmpdir(), 'shootdown-mutate-'));
  try {
    const attributes = path.join(folder, 'attributes');
    writeFileSync(attributes, '*.c diff=cpp\n*.h diff=cpp\n');
    for (const [side, text] of [
      ['a', before],
      ['b', after],
    ]) {
      mkdirSync(path.join(folder, side, path.dirname(file)), { recursive: true });
      writeFileSync(path.join(folder, side, file), text, 'latin1');
    }
    const settings = ['-c', `core.attributesFile=${attributes}`, '-c', 'core.quotePath=false'];
    const options = ['--no-index', '--no-prefix', '--no-color', '--no-ext-diff', `a/${file}`, `b/${file}`];
    const run = spawnSync('git', [...settings, 'diff', ...options], { cwd: folder, encoding: 'latin1' });
    if (run.error) throw run.error;
    if (run.status !== 1) throw new EditError(`git diff: ${run.stderr.trim() || `exit ${run.status}`}`);
    return run.stdout;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Kernel sources are not all UTF-8; as latin1 every byte is kept. */
function readSource(file) {
  try {
    return readFileSync(file, 'latin1');
  } catch (error) {
    throw new EditError(error.message);
  }
}

const ESCAPES = new Map([
  ['n', '\n'],
  ['t', '\t'],
  ['\\', '\\'],
]);

/** What stands for a match, as Python's `re.sub` reads it: `\\1` and `\\g<1>` are groups, `\\\\` is one backslash. */
function expand(text, found) {
  return text.replace(/\\(?:(\d{1,2})|g<(\d{1,2})>|([nt\\]))/g, (_, group, named, escaped) =>
    escaped === undefined ? (found[Number(group ?? named)] ?? '') : ESCAPES.get(escaped),
  );
}
