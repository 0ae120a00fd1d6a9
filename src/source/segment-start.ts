import type { CodeLines } from './code-lines.js';

/** Where in a file a stretch of lines begins, as its own lines tell. */
export type SegmentStart =
  /** Between definitions. */
  | 'top'
  /** In a declaration at the top, whose start is not seen. */
  | 'declaration'
  /** Between a function's name and its body. */
  | 'header'
  /** In the body of a function. */
  | 'body'
  /** In the braces of a struct, an enum or an initialiser. */
  | 'list'
  /** Indented lines only: whatever the heading says. */
  | 'inside';

/** Kernel style decides: what stands at column 0 is no statement, but a label, a brace or a definition. */
export function segmentStart({ code, startsInMacro }: CodeLines): SegmentStart {
  if (startsInMacro) return 'top';
  let isIndented = false;
  for (const line of code) {
    if (line.trim() === '') continue;
    if (/^[ \t]/.test(line)) isIndented = true;
    else if (/^[A-Za-z_]\w*\s*:(?!:)/.test(line)) return 'body';
    else if (line.startsWith('{') || line.startsWith(')')) return 'header';
    else if (line.startsWith('}')) return line.slice(1).trim() === '' ? 'body' : 'list';
    else return isIndented ? 'declaration' : 'top';
  }
  return isIndented ? 'inside' : 'top';
}

/**
 * How many braces are open where a stretch in a function begins: the least that its indentation allows, as a statement
 * without braces only ever adds to the indentation.
 */
export function startDepth({ code }: CodeLines): number {
  let least = Number.POSITIVE_INFINITY;
  let relative = 0;
  let parens = 0;
  let isNew = false;
  for (const [index, line] of code.entries()) {
    if (line.trim() === '') continue;
    const indent = indentOf(line);
    const text = line.trim();
    if (text.startsWith('}')) least = Math.min(least, indent - (relative - 1));
    else if (parens === 0 && !isLabel(text) && (isNew || index === 0) && !startsMidStatement(text))
      least = Math.min(least, indent - relative);
    for (const char of text) {
      if (char === '{') relative++;
      if (char === '}') relative--;
      if (char === '(') parens++;
      if (char === ')') parens = Math.max(0, parens - 1);
    }
    isNew = /[;{}:]$/.test(text);
    if (line.startsWith('}')) break;
  }
  return Number.isFinite(least) ? Math.min(Math.max(least, 1), 20) : 1;
}

/** A label, also one of a switch, stands further to the left than its depth. */
export function isLabel(text: string): boolean {
  return /^(?:case\b.*|default\s*|[A-Za-z_]\w*\s*):(?!:)/.test(text);
}

/** The text begins in the middle of an expression. */
export function startsMidStatement(text: string): boolean {
  return /^(?:[|&+/?:=<>%^,.\])]|-[^-]|!=)/.test(text.trim());
}

/** Statements that enclose the start: for each unseen brace, from the outermost on, the words that open it. */
export function unseenBlocks({ code }: CodeLines, count: number, name: string): string[] {
  const levels = levelsOf(code, count);
  let needsLoop = false;
  const inward = levels.map((level, index) => {
    needsLoop ||= level.jumps;
    const condition = `${name}_${count - index}`;
    if (level.end === 'else') return `if (${condition}) {`;
    if (level.end === 'while') {
      needsLoop = false;
      return 'do {';
    }
    if (level.cases) {
      needsLoop = false;
      return `switch (${condition}) {`;
    }
    if (!needsLoop) return `if (${condition}) {`;
    needsLoop = false;
    return `while (${condition}) {`;
  });
  return inward.reverse();
}

interface Level {
  end: 'else' | 'while' | null;
  cases: boolean;
  /** A break or continue that no loop in view takes. */
  jumps: boolean;
}

/** The unseen levels, from the innermost on, by what the lines in each say. */
function levelsOf(code: readonly string[], count: number): Level[] {
  const levels: Level[] = Array.from({ length: count }, () => ({ end: null, cases: false, jumps: false }));
  const seen: boolean[] = [];
  let level = 0;
  let statement = '';
  for (const match of code.join('\n').matchAll(/\b(?:case|default|break|continue)\b|[{};]|\w+/g)) {
    const current = levels[level];
    if (current === undefined) break;
    const word = match[0];
    if (word === '{') {
      seen.push(/\b(?:for|while|do|switch|\w*for_each\w*)\b/.test(statement));
      statement = '';
    } else if (word === '}') {
      if (seen.length > 0) seen.pop();
      else {
        const rest = code.join('\n').slice(match.index + 1, match.index + 40);
        current.end = /^\s*else\b/.test(rest) ? 'else' : /^\s*while\b/.test(rest) ? 'while' : null;
        level++;
      }
      statement = '';
    } else if (word === ';') statement = '';
    else if (word === 'case' || word === 'default') current.cases ||= seen.length === 0;
    else if (word === 'break' || word === 'continue') current.jumps ||= !seen.includes(true);
    else statement += ` ${word}`;
  }
  return levels;
}

/** Tabs at the start of a line, or what they are in spaces. */
export function indentOf(line: string): number {
  let columns = 0;
  for (const char of line) {
    if (char === '\t') columns = (Math.floor(columns / 8) + 1) * 8;
    else if (char === ' ') columns++;
    else break;
  }
  return Math.floor(columns / 8);
}
