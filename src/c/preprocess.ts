/**
 * Makes kernel C plain: comments, preprocessor lines and arms not taken become blanks, and idioms that the grammar
 * cannot take are overwritten in place. Every offset and every line break stays where it was.
 */
import { evaluateCondition } from './condition.js';
import type { Configuration } from './ir.js';
import { rewriteIdioms } from './rewrite-idioms.js';
import { isSpace, skipComment, skipDirective, skipLiteral } from './tokens.js';

export { evaluateCondition } from './condition.js';

/**
 * Text of the same length and with the same line breaks, without comments, preprocessor lines, arms that
 * `configuration` does not take, and annotations.
 * A slice may start inside an arm: an `#else` or `#elif` without its `#if` ends that arm, which counts as taken.
 */
export function plainC(text: string, configuration: Configuration): string {
  const units = new Uint16Array(text.length);
  for (let i = 0; i < text.length; i++) units[i] = text.charCodeAt(i);
  blankPreprocessor(text, units, configuration);
  rewriteIdioms(decode(units), units);
  return decode(units);
}

function decode(units: Uint16Array): string {
  let result = '';
  // As an array of arguments: spread, each unit would be taken from an iterator.
  for (let i = 0; i < units.length; i += 8192)
    result += Reflect.apply(String.fromCharCode, null, units.subarray(i, i + 8192));
  return result;
}

interface OpenIf {
  active: boolean;
  done: boolean;
  readonly outer: boolean;
}

function blank(units: Uint16Array, from: number, to: number): void {
  for (let i = from; i < to; i++) {
    const code = units[i];
    if (code !== 10 && code !== 13) units[i] = 32;
  }
}

function blankPreprocessor(text: string, units: Uint16Array, configuration: Configuration): void {
  const open: OpenIf[] = [];
  let active = true;
  let lineStart = true;
  let i = 0;
  while (i < text.length) {
    const code = text.charCodeAt(i);
    if (code === 10) {
      lineStart = true;
      i++;
      continue;
    }
    if (isSpace(code)) {
      i++;
      continue;
    }
    if (code === 47) {
      const behind = skipComment(text, i);
      if (behind !== i) {
        blank(units, i, behind);
        i = behind;
        continue;
      }
    }
    if (code === 35 && lineStart) {
      const behind = skipDirective(text, i);
      active = takeDirective(text.slice(i, behind), open, active, configuration);
      blank(units, i, behind);
      i = behind;
      continue;
    }
    lineStart = false;
    if (!active) {
      if (code === 34 || code === 39) {
        const behind = skipLiteral(text, i);
        blank(units, i, behind);
        i = behind;
      } else {
        units[i] = 32;
        i++;
      }
      continue;
    }
    if (code === 34 || code === 39) {
      i = skipLiteral(text, i);
      continue;
    }
    // The backslash of a continued macro body.
    if (code === 92) units[i] = 32;
    i++;
  }
}

/** Follows one preprocessor line; the result says whether the lines behind it are taken. */
function takeDirective(line: string, open: OpenIf[], active: boolean, configuration: Configuration): boolean {
  const match = /^#\s*([a-z]+)/.exec(line);
  const name = match?.[1];
  if (match === null || name === undefined) return active;
  const condition = (): string =>
    line.slice(match[0].length).replace(/\\\r?\n|\/\*[\s\S]*?\*\/|\/\/.*/g, ' ');
  switch (name) {
    case 'if':
    case 'ifdef':
    case 'ifndef': {
      let taken = false;
      if (active) {
        if (name === 'if') taken = evaluateCondition(condition(), configuration);
        else
          taken = evaluateCondition(`defined(${condition().trim()})`, configuration) === (name === 'ifdef');
      }
      open.push({ active: taken, done: taken, outer: active });
      return taken;
    }
    case 'elif':
    case 'else': {
      let top = open[open.length - 1];
      if (!top) {
        top = { active, done: true, outer: active };
        open.push(top);
      }
      top.active =
        top.outer && !top.done && (name === 'else' || evaluateCondition(condition(), configuration));
      top.done ||= top.active;
      return top.active;
    }
    case 'endif': {
      const top = open.pop();
      return top ? top.outer : active;
    }
    default:
      return active;
  }
}
