/** What a macro does with its parameters, from its text alone. */
import type { Definition } from './ir.js';
import { MARK, scanTokens, WORD } from './tokens.js';

const known = new WeakMap<Definition, readonly boolean[]>();

const ASSIGNS = new Set(['=', '+=', '-=', '*=', '/=', '%=', '&=', '|=', '^=', '<<=', '>>=', '++', '--']);

/**
 * For each parameter of a function-like macro whether the body assigns to it or takes its address, so that it stands
 * for the caller's variable and not for a value. Empty for everything that is no such macro.
 */
export function byNameParameters(definition: Definition, text: string): readonly boolean[] {
  if (definition.kind !== 'macro' || !definition.parameters) return [];
  let answer = known.get(definition);
  if (!answer) {
    answer = scan(definition.parameters, text, definition.body, definition.end);
    known.set(definition, answer);
  }
  return answer;
}

function scan(parameters: readonly string[], text: string, start: number, end: number): readonly boolean[] {
  const result = parameters.map(() => false);
  const tokens = scanTokens(text, start, end);
  const word = (i: number): string => text.slice(tokens.starts[i], tokens.ends[i]);
  for (let i = 0; i < tokens.kinds.length; i++) {
    if (tokens.kinds[i] !== WORD) continue;
    const parameter = parameters.indexOf(word(i));
    if (parameter < 0) continue;
    let before = i - 1;
    let after = i + 1;
    while (word(before) === '(' && word(after) === ')') {
      before--;
      after++;
    }
    const previous = word(before);
    // A member, or a variable that the body declares under the parameter's name.
    if (previous === '.' || previous === '->' || previous === '*' || tokens.kinds[before] === WORD) continue;
    const takesAddress = previous === '&' && isPrefix(tokens.kinds[before - 1], word(before - 1));
    const steps = (previous === '++' || previous === '--') && word(after) !== '->';
    if (ASSIGNS.has(word(after)) || takesAddress || steps) {
      if (word(after) !== '->' && word(after) !== '[') result[parameter] = true;
    }
  }
  return result;
}

function isPrefix(kind: number | undefined, word: string): boolean {
  return kind === undefined || (kind === MARK && word !== ')' && word !== ']') || word === 'return';
}
