import { PatchError } from './series.js';

/** Two names of a file in a diff; null is /dev/null. */
export interface PathPair {
  readonly oldPath: string | null;
  readonly newPath: string | null;
}

/** Folders at the top of a kernel tree: a name that starts with one in both files carries no prefix. */
const topFolders = new Set(
  'Documentation LICENSES arch block certs crypto drivers fs include init io_uring ipc kernel lib mm net rust samples scripts security sound tools usr virt'.split(
    ' ',
  ),
);

/** A name as it stands after `--- ` or `+++ `: quotes undone, time stamp cut off. Null for /dev/null. */
export function fileName(text: string): string | null {
  const name = text.startsWith('"') ? unquote(text).name : withoutTime(text.trimEnd());
  return name === '/dev/null' ? null : name;
}

/** The epoch as time stamp is how diff -N says that the file is not there. */
export function isEpoch(text: string): boolean {
  return /\t(?:1970-01-01|1969-12-31) |\tThu Jan {1,2}1 .{0,20}1970/.test(text);
}

/**
 * The names on a `diff --git` line, still with prefixes; null where they cannot be told apart (spaces in a rename, whose
 * names the extended header gives).
 */
export function gitLineNames(text: string): { readonly left: string; readonly right: string } | null {
  const line = text.trimEnd();
  if (line.startsWith('"')) {
    const left = unquote(line);
    const rest = line.slice(left.end).trimStart();
    return { left: left.name, right: rest.startsWith('"') ? unquote(rest).name : rest };
  }
  const quote = line.indexOf(' "');
  if (quote > 0) return { left: line.slice(0, quote), right: unquote(line.slice(quote + 1)).name };
  const middle = (line.length - 1) / 2;
  if (Number.isInteger(middle) && line[middle] === ' ') {
    const [left, right] = [line.slice(0, middle), line.slice(middle + 1)];
    if (left === right || stripFirst(left) === stripFirst(right)) return { left, right };
  }
  const parts = line.split(' ');
  if (parts.length === 2) return { left: parts[0] ?? '', right: parts[1] ?? '' };
  const second = line.indexOf(' b/');
  return second < 0 ? null : { left: line.slice(0, second), right: line.slice(second + 1) };
}

/**
 * Takes prefixes off a pair of a git diff. Equal names mean that no prefix was written (`diff.noprefix`): with
 * prefixes they differ, `a/` against `b/`.
 */
export function gitPaths(
  left: string | null,
  right: string | null,
  lineNames: { left: string; right: string } | null,
): PathPair {
  const bare = lineNames !== null && lineNames.left === lineNames.right;
  const strip = (name: string | null): string | null =>
    name === null ? null : checkedPath(bare ? name : stripFirst(name), name);
  return { oldPath: strip(left), newPath: strip(right) };
}

/** Takes prefixes off a pair of a plain diff, and settles on one name, as patch(1) does (`x.c.orig` against `x.c`). */
export function plainPaths(left: string | null, right: string | null): PathPair {
  const bare = [left, right].every((name) => name === null || topFolders.has(name.split('/')[0] ?? ''));
  const strip = (name: string | null): string | null =>
    name === null ? null : checkedPath(bare ? name : stripFirst(name), name);
  const [oldPath, newPath] = [strip(left), strip(right)];
  if (oldPath === null || newPath === null) return { oldPath, newPath };
  const best = betterName(oldPath, newPath);
  return { oldPath: best, newPath: best };
}

/** A path that stays inside the tree, or PatchError `bad-path`. */
export function checkedPath(path: string, written: string = path): string {
  const parts = path.split('/');
  const isBad =
    path === '' ||
    written.startsWith('/') ||
    /[\p{Cc}\\]/u.test(path) ||
    /^[A-Za-z]:/.test(path) ||
    path.length > 4096 ||
    parts.some((part) => part === '' || part === '.' || part === '..' || part.toLowerCase() === '.git');
  if (isBad)
    throw new PatchError(
      'bad-path',
      `path ${JSON.stringify(written.slice(0, 200))} is not inside a kernel tree`,
    );
  return path;
}

function stripFirst(name: string): string {
  const slash = name.indexOf('/');
  return slash < 0 ? name : name.slice(slash + 1);
}

function betterName(left: string, right: string): string {
  const rank = (name: string): number[] => [
    name.split('/').length,
    (name.split('/').at(-1) ?? '').length,
    name.length,
  ];
  const [a, b] = [rank(left), rank(right)];
  for (const [index, value] of a.entries()) {
    const other = b[index] ?? 0;
    if (value !== other) return value < other ? left : right;
  }
  return right;
}

function withoutTime(text: string): string {
  const tab = text.indexOf('\t');
  if (tab >= 0) return text.slice(0, tab);
  // A mailer may have turned the tab into spaces.
  return text.replace(/ {1,8}\d{4}-\d\d-\d\d \d\d:.{0,40}$/, '');
}

const escapes: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  t: 9,
  n: 10,
  v: 11,
  f: 12,
  r: 13,
  '"': 34,
  '\\': 92,
};

/** Undoes git's C quoting: escapes and octal bytes of UTF-8. */
function unquote(text: string): { readonly name: string; readonly end: number } {
  const bytes: number[] = [];
  let at = 1;
  while (at < text.length && text[at] !== '"') {
    if (text[at] !== '\\') {
      const point = text.codePointAt(at) ?? 0;
      bytes.push(...Buffer.from(String.fromCodePoint(point)));
      at += point > 0xffff ? 2 : 1;
      continue;
    }
    const octal = /^[0-3][0-7]{2}/.exec(text.slice(at + 1, at + 4));
    bytes.push(octal === null ? (escapes[text[at + 1] ?? ''] ?? 63) : Number.parseInt(octal[0], 8));
    at += octal === null ? 2 : 4;
  }
  return { name: Buffer.from(bytes).toString('utf8'), end: at + 1 };
}
