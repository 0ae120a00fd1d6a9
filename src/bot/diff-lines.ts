/**
 * Which lines of a pull request's diff can carry a comment. GitHub refuses a whole review for one line that cannot,
 * so every place is checked against the hunks first.
 */

export interface DiffHunk {
  /** Line → text, of the new file: context and added lines. */
  readonly right: ReadonlyMap<number, string>;
  /** Line → text, of the old file: context and removed lines. */
  readonly left: ReadonlyMap<number, string>;
}

const HEADER = /^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@/;

/** Hunks of one file's patch as the API and `git diff` give it. What is not understood ends the reading: no comment there. */
export function readHunks(patch: string): readonly DiffHunk[] {
  const hunks: DiffHunk[] = [];
  let right = new Map<number, string>();
  let left = new Map<number, string>();
  let [oldLine, newLine, oldLeft, newLeft] = [0, 0, 0, 0];
  for (const line of patch.split('\n')) {
    const header = oldLeft <= 0 && newLeft <= 0 ? HEADER.exec(line) : null;
    if (header !== null) {
      right = new Map();
      left = new Map();
      hunks.push({ right, left });
      [oldLine, newLine] = [Number(header[1]), Number(header[3])];
      [oldLeft, newLeft] = [Number(header[2] ?? 1), Number(header[4] ?? 1)];
      continue;
    }
    if (oldLeft <= 0 && newLeft <= 0) continue;
    const text = line.slice(1);
    switch (line.charAt(0)) {
      case '+':
        right.set(newLine++, text);
        newLeft -= 1;
        break;
      case '-':
        left.set(oldLine++, text);
        oldLeft -= 1;
        break;
      case ' ':
      case '':
        right.set(newLine++, text);
        left.set(oldLine++, text);
        oldLeft -= 1;
        newLeft -= 1;
        break;
      case '\\':
        break;
      default:
        return hunks;
    }
  }
  return hunks;
}

export interface Edit {
  readonly file: string;
  readonly line: number;
  readonly remove: number;
  readonly insert: readonly string[];
}

/** Lines of the new file, and what takes their place. */
export interface Replacement {
  readonly first: number;
  readonly last: number;
  readonly lines: readonly string[];
}

/** A suggestion that restates more lines than this is read more easily as a diff. */
const MOST_REPLACED = 15;

/**
 * Edits of one file as one contiguous replacement of lines that the diff shows, or null where they are none: another
 * file, several hunks, lines off the diff, too far apart. Lines between two edits are restated.
 */
export function asReplacement(
  edits: readonly Edit[],
  file: string,
  hunks: readonly DiffHunk[],
): Replacement | null {
  const [first] = edits;
  if (first === undefined || edits.some((edit) => edit.file !== file)) return null;
  const order = [...edits].sort((a, b) => a.line - b.line);
  const hunk = hunks.find(({ right }) => right.has(first.line) || right.has(first.line - 1));
  if (hunk === undefined) return null;
  const start = Math.min(...order.map((edit) => edit.line));
  // An insertion replaces the line that it comes before with itself, since a suggestion replaces at least one.
  const end = Math.max(...order.map((edit) => edit.line + Math.max(1, edit.remove) - 1));
  if (end - start >= MOST_REPLACED) return null;
  const lines: string[] = [];
  for (let line = start; line <= end; ) {
    const text = hunk.right.get(line);
    if (text === undefined) return null;
    const here = order.filter((edit) => edit.line === line);
    for (const edit of here) lines.push(...edit.insert);
    const removed = Math.max(0, ...here.map((edit) => edit.remove));
    for (let gone = line; gone < line + removed; gone++) if (!hunk.right.has(gone)) return null;
    if (removed === 0) lines.push(text);
    line += Math.max(1, removed);
  }
  return { first: start, last: end, lines };
}
