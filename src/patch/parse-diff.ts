import {
  checkedPath,
  fileName,
  gitLineNames,
  gitPaths,
  isEpoch,
  type PathPair,
  plainPaths,
} from './diff-path.js';
import type { Budget } from './limits.js';
import { limits } from './limits.js';
import { type FilePatch, type Hunk, type HunkLine, PatchError } from './series.js';

export interface ParsedDiff {
  readonly files: readonly FilePatch[];
  /** Index of the first line that belongs to a file's diff; the number of lines when there is none. */
  readonly start: number;
  /** Lines after the last hunk: signatures, base-commit, the tail of a saved page. */
  readonly rest: readonly string[];
  readonly notes: readonly string[];
}

const hunkHeader = /^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@(.*)$/;

/**
 * Finds and reads the diffs in a text. A hunk ends where its counts say, so prose before, between and after is no
 * trouble, and neither is a signature. Throws PatchError `truncated`, `bad-path`, `too-large`.
 */
export function parseDiff(text: string, budget: Budget): ParsedDiff {
  return new DiffReader(text, budget).read();
}

/** Lines of a diff, one position in them, and what was read so far. */
class DiffReader {
  readonly #lines: readonly string[];
  readonly #endsInNewline: boolean;
  readonly #budget: Budget;
  readonly #files: FilePatch[] = [];
  readonly #notes: string[] = [];
  #at = 0;
  #start: number | null = null;
  #end = 0;

  constructor(text: string, budget: Budget) {
    const lines = text.split('\n');
    this.#endsInNewline = lines.at(-1) === '';
    if (this.#endsInNewline) lines.pop();
    this.#lines = isSentWithCr(lines)
      ? lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line))
      : lines;
    this.#budget = budget;
  }

  read(): ParsedDiff {
    while (this.#at < this.#lines.length) {
      const begin = this.#at;
      const file = this.#file();
      if (file === null) {
        this.#at = begin + 1;
        continue;
      }
      this.#start ??= begin;
      this.#end = this.#at;
      this.#files.push(file);
      if (--this.#budget.files < 0) {
        throw new PatchError('too-large', `more than ${limits.files} files in the patches`);
      }
    }
    return {
      files: this.#files,
      start: this.#start ?? this.#lines.length,
      rest: this.#lines.slice(this.#end),
      notes: this.#notes,
    };
  }

  #line(offset = 0): string {
    return this.#lines[this.#at + offset] ?? '';
  }

  /** The file's diff that starts at this line, or null when none does. */
  #file(): FilePatch | null {
    const line = this.#line();
    if (line.startsWith('diff --git ')) return this.#gitFile();
    if (line.startsWith('diff --cc ') || line.startsWith('diff --combined ')) {
      this.#notes.push(`the combined diff of a merge is not read: ${line.slice(0, 200)}`);
      return null;
    }
    if (line.startsWith('*** ') && this.#line(1).startsWith('--- ') && /^\*{15}/.test(this.#line(2))) {
      this.#notes.push(`a context diff is not read (diff -u makes one that is): ${line.slice(4, 200)}`);
      return null;
    }
    return this.#hasNames() && this.#line(2).startsWith('@@ -') ? this.#plainFile() : null;
  }

  #hasNames(): boolean {
    return this.#line().startsWith('--- ') && this.#line(1).startsWith('+++ ');
  }

  #plainFile(): FilePatch {
    const [oldText, newText] = [this.#line().slice(4), this.#line(1).slice(4)];
    this.#at += 2;
    const names = plainPaths(fileName(oldText), fileName(newText));
    if (names.oldPath === null && names.newPath === null)
      throw new PatchError('bad-path', 'a diff of /dev/null with itself');
    const hunks = this.#hunks(names.newPath ?? names.oldPath ?? '');
    const [first] = hunks;
    const isAlone = first !== undefined && hunks.length === 1;
    const isAdd = names.oldPath === null || (isAlone && first.oldStart === 0 && first.oldLines === 0);
    const isDelete =
      names.newPath === null || (isAlone && first.newLines === 0 && first.newStart === 0 && isEpoch(newText));
    return asFile(names, hunks, isAdd ? 'add' : isDelete ? 'delete' : 'modify');
  }

  #gitFile(): FilePatch | null {
    const lineNames = gitLineNames(this.#line().slice('diff --git '.length));
    this.#at++;
    const header = this.#extendedHeader();
    let names: PathPair;
    if (this.#hasNames()) {
      names = gitPaths(fileName(this.#line().slice(4)), fileName(this.#line(1).slice(4)), lineNames);
      this.#at += 2;
    } else if (!header.any) {
      return null;
    } else {
      names =
        lineNames === null
          ? { oldPath: null, newPath: null }
          : gitPaths(lineNames.left, lineNames.right, lineNames);
    }
    if (header.from !== null && header.to !== null) names = { oldPath: header.from, newPath: header.to };
    const path = names.newPath ?? names.oldPath;
    if (path === null) return null;
    const isBinary = this.#skipBinary() || header.isLink;
    const hunks = this.#hunks(path);
    if (isBinary) return asFile(names, [], 'binary');
    if (header.change !== null) return asFile(names, hunks, header.change);
    if (names.oldPath === null) return asFile(names, hunks, 'add');
    if (names.newPath === null) return asFile(names, hunks, 'delete');
    return asFile(names, hunks, hunks.length === 0 ? 'mode' : 'modify');
  }

  #extendedHeader(): ExtendedHeader {
    const header: ExtendedHeader = { any: false, change: null, from: null, to: null, isLink: false };
    for (; this.#at < this.#lines.length; this.#at++) {
      const line = this.#line();
      const found = extendedLine.exec(line);
      if (found === null) break;
      header.any = true;
      const value = line.slice(found[0].length);
      const key = found[0].trim();
      if (/^(?:120000|160000)/.test(key === 'index' ? (value.split(' ')[1] ?? '') : value))
        header.isLink = true;
      if (key === 'new file mode') header.change = 'add';
      if (key === 'deleted file mode') header.change = 'delete';
      if (key === 'rename from' || key === 'copy from') header.from = plainName(value);
      if (key === 'rename to' || key === 'copy to') {
        header.to = plainName(value);
        header.change = key === 'copy to' ? 'copy' : 'rename';
      }
    }
    return header;
  }

  /** Skips a binary diff; its lines start with a letter, so they cannot be taken for another file's. */
  #skipBinary(): boolean {
    if (this.#line().startsWith('Binary files ')) {
      this.#at++;
      return true;
    }
    if (!this.#line().startsWith('GIT binary patch')) return false;
    this.#at++;
    while (
      this.#at < this.#lines.length &&
      (this.#line() === '' || /^[A-Za-z]\S*(?: \d{1,12})?$/.test(this.#line()))
    )
      this.#at++;
    return true;
  }

  #hunks(path: string): Hunk[] {
    const hunks: Hunk[] = [];
    for (;;) {
      const gap = this.#blankLines();
      if (!this.#line(gap).startsWith('@@ -')) return hunks;
      this.#at += gap;
      hunks.push(this.#hunk(path, hunks.length + 1));
      if (--this.#budget.hunks < 0) {
        throw new PatchError('too-large', `more than ${limits.hunks} hunks in the patches`);
      }
    }
  }

  /** Mailers and pages put empty lines between hunks; they belong to neither. */
  #blankLines(): number {
    let count = 0;
    while (
      this.#at + count < this.#lines.length &&
      this.#line(count).trim() === '' &&
      !this.#line(count).startsWith(' ')
    )
      count++;
    return count;
  }

  #hunk(path: string, number: number): Hunk {
    const header = this.#line();
    const found = hunkHeader.exec(header.trimEnd());
    const place = `${path}: hunk ${number} (${header.trimEnd().slice(0, 120)})`;
    if (found === null) throw new PatchError('truncated', `${place} has a broken header`);
    this.#at++;
    const [oldStart, newStart] = [Number(found[1]), Number(found[3])];
    let [oldLines, newLines] = [Number(found[2] ?? 1), Number(found[4] ?? 1)];
    let [oldLeft, newLeft] = [oldLines, newLines];
    const lines: HunkLine[] = [];
    while (oldLeft > 0 || newLeft > 0) {
      const text = this.#lines[this.#at];
      if (text === undefined && oldLeft === 1 && newLeft === 1 && !this.#endsInNewline) {
        // Text that was trimmed as a whole loses an empty context line at its very end, and its line end with it.
        [oldLines, newLines, oldLeft, newLeft] = [oldLines - 1, newLines - 1, 0, 0];
        break;
      }
      const line = text === undefined ? null : asHunkLine(text);
      if (line === null || !fits(line, oldLeft, newLeft)) {
        const reason = text === undefined ? 'the text ends' : `there is ${JSON.stringify(text.slice(0, 60))}`;
        throw new PatchError(
          'truncated',
          `${place} lacks ${oldLeft} old and ${newLeft} new lines: ${reason}`,
        );
      }
      if (line.kind !== 'add') oldLeft--;
      if (line.kind !== 'remove') newLeft--;
      this.#at++;
      lines.push(this.#line().startsWith('\\ ') ? { ...line, noNewline: true } : line);
      if (this.#line().startsWith('\\ ')) this.#at++;
    }
    this.#rejectExcess(place);
    return { oldStart, oldLines, newStart, newLines, heading: (found[5] ?? '').trim(), lines };
  }

  /** Changed lines beyond the counts would be lost in silence: a hunk edited by hand. */
  #rejectExcess(place: string): void {
    let ahead = 0;
    while (this.#line(ahead).startsWith(' ')) ahead++;
    const line = this.#line(ahead);
    if (/^\+(?:[^+\d]|$)|^-[^- \d]/.test(line) || (/^- /.test(line) && ahead === 0 && /;\s*$/.test(line))) {
      throw new PatchError(
        'truncated',
        `${place} has more lines than its header says: ${JSON.stringify(line.slice(0, 60))}`,
      );
    }
  }
}

interface ExtendedHeader {
  any: boolean;
  change: FilePatch['change'] | null;
  from: string | null;
  to: string | null;
  /** A symbolic link or a submodule: its lines are no source text. */
  isLink: boolean;
}

const extendedLine =
  /^(?:old mode|new mode|deleted file mode|new file mode|copy from|copy to|rename from|rename to|rename old|rename new|similarity index|dissimilarity index|index) /;

function plainName(value: string): string {
  return checkedPath(fileName(value) ?? '');
}

function asFile(names: PathPair, hunks: readonly Hunk[], change: FilePatch['change']): FilePatch {
  return {
    oldPath: change === 'add' ? null : names.oldPath,
    newPath: change === 'delete' ? null : (names.newPath ?? names.oldPath),
    change,
    hunks,
  };
}

function asHunkLine(text: string): HunkLine | null {
  const content = text.endsWith('\r') ? text.slice(1, -1) : text.slice(1);
  const end = text.endsWith('\r') ? ({ crlf: true } as const) : {};
  switch (text[0]) {
    case '+':
      return { kind: 'add', text: content, ...end };
    case '-':
      return { kind: 'remove', text: content, ...end };
    case ' ':
      return { kind: 'context', text: content, ...end };
    case '\r':
    case undefined:
      // Mailers cut white space at line ends, so an empty line is an empty context line.
      return { kind: 'context', text: '', ...end };
    default:
      return null;
  }
}

function fits(line: HunkLine, oldLeft: number, newLeft: number): boolean {
  return (line.kind === 'add' || oldLeft > 0) && (line.kind === 'remove' || newLeft > 0);
}

/** The carriage returns are the mail's when the diff's own header lines have them, else the file's. */
function isSentWithCr(lines: readonly string[]): boolean {
  const header = lines.find((line) => line.startsWith('diff --git ') || line.startsWith('+++ '));
  return header?.endsWith('\r') ?? lines[0]?.endsWith('\r') ?? false;
}
