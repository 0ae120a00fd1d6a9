/** C text line by line with what is no code taken out, for the rebuilding of functions cut by hunks. No parser. */
export interface CodeLines {
  /** Each line with comments and strings blanked; empty for preprocessor lines. */
  readonly code: readonly string[];
  /** Name of the directive (`if`, `define`, …) on lines that start one. */
  readonly directives: readonly (string | null)[];
  readonly startsInComment: boolean;
  readonly endsInComment: boolean;
  /** The first lines are the rest of a macro whose `#define` is not seen. */
  readonly startsInMacro: boolean;
}

/** Reads a stretch of a C file that may begin and end anywhere. */
export function readCodeLines(lines: readonly string[]): CodeLines {
  const startsInComment = beginsInComment(lines);
  const startsInMacro = !startsInComment && /\\\s*$/.test(lines[0] ?? '') && !/^\s*#/.test(lines[0] ?? '');
  const code: string[] = [];
  const directives: (string | null)[] = [];
  let inComment = startsInComment;
  let inDirective = startsInMacro;
  for (const line of lines) {
    const isDirective = inDirective || (!inComment && /^\s*#/.test(line));
    directives.push(isDirective && !inDirective ? (/^\s*#\s*(\w*)/.exec(line)?.[1] ?? '') : null);
    const stripped = stripLine(line, inComment);
    inComment = stripped.inComment;
    inDirective = isDirective && /\\\s*$/.test(line);
    code.push(isDirective ? '' : stripped.code);
  }
  return { code, directives, startsInComment, endsInComment: inComment, startsInMacro };
}

function stripLine(
  line: string,
  startsInComment: boolean,
): { readonly code: string; readonly inComment: boolean } {
  let code = '';
  let at = 0;
  let inComment = startsInComment;
  while (at < line.length) {
    if (inComment) {
      const end = line.indexOf('*/', at);
      const stop = end < 0 ? line.length : end + 2;
      code += ' '.repeat(stop - at);
      at = stop;
      inComment = end < 0;
      continue;
    }
    const char = line[at] ?? '';
    if (line.startsWith('//', at)) break;
    if (line.startsWith('/*', at)) {
      inComment = true;
      code += '  ';
      at += 2;
    } else if (char === '"' || char === "'") {
      const end = literalEnd(line, at);
      code += `0${' '.repeat(end - at - 1)}`;
      at = end;
    } else {
      code += char;
      at++;
    }
  }
  return { code: code.trimEnd(), inComment };
}

function literalEnd(line: string, start: number): number {
  const quote = line[start];
  let at = start + 1;
  while (at < line.length && line[at] !== quote) at += line[at] === '\\' ? 2 : 1;
  return Math.min(at + 1, line.length);
}

/** A comment's end comes before any start, or every line looks like the middle of one. */
function beginsInComment(lines: readonly string[]): boolean {
  for (const line of lines) {
    const [start, end] = [line.indexOf('/*'), line.indexOf('*/')];
    if (end >= 0 && (start < 0 || end < start)) return true;
    if (start >= 0) return false;
  }
  const filled = lines.filter((line) => line.trim() !== '');
  return filled.length > 0 && filled.every((line) => /^\s*\*(?:\s|$)/.test(line));
}
