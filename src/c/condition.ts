/** Evaluates the condition of an `#if` for one configuration. */
import type { Configuration } from './ir.js';
import { MARK, NUMBER, STRING, scanTokens, WORD } from './tokens.js';

/**
 * Value of an integer constant as C writes it (`0x10UL`, `1U`, `'a'` is not one); null when the text is no number.
 */
export function parseInteger(text: string): number | bigint | null {
  const digits = text.replace(/[uUlL]+$/, '');
  if (!/^(0[xX][\da-fA-F]+|0[bB][01]+|\d+)$/.test(digits)) return null;
  const plain = /^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits;
  if (plain.length < 14) {
    const value = Number(plain);
    return Number.isNaN(value) ? null : value;
  }
  try {
    const big = BigInt(plain);
    return big <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(big) : big;
  } catch {
    return null;
  }
}

/** Number that a symbol stands for: `y` and `m` are 1, nothing and `n` are 0, text that is no number is 1. */
function symbolValue(value: string | undefined): number {
  if (value === undefined || value === 'n') return 0;
  const number = parseInteger(value.trim().replace(/^-/, ''));
  if (number === null) return 1;
  return value.trim().startsWith('-') ? -Number(number) : Number(number);
}

const isSet = (value: string | undefined): boolean => value !== undefined && value !== 'n';

/** Answer of `IS_ENABLED` and its kin for a symbol, or null when `name` is none of them. */
export function enabledMacro(name: string, symbol: string, configuration: Configuration): boolean | null {
  switch (name) {
    case 'IS_ENABLED':
    case 'IS_REACHABLE': {
      const value = configuration(symbol);
      return value === 'y' || value === 'm' || value === '1';
    }
    case 'IS_BUILTIN': {
      const value = configuration(symbol);
      return value === 'y' || value === '1';
    }
    case 'IS_MODULE':
      return configuration(symbol) === 'm';
    default:
      return null;
  }
}

/**
 * True when the condition (the text behind `#if`) holds. Every symbol is asked of `configuration`;
 * what is not set counts as undefined and 0, unknown function-like macros as 0. Malformed conditions are false.
 */
export function evaluateCondition(condition: string, configuration: Configuration): boolean {
  return new Condition(condition, configuration).run() !== 0;
}

const PRECEDENCE: Readonly<Record<string, number>> = {
  '||': 1,
  '&&': 2,
  '|': 3,
  '^': 4,
  '&': 5,
  '==': 6,
  '!=': 6,
  '<': 7,
  '>': 7,
  '<=': 7,
  '>=': 7,
  '<<': 8,
  '>>': 8,
  '+': 9,
  '-': 9,
  '*': 10,
  '/': 10,
  '%': 10,
};

class Condition {
  private readonly words: string[] = [];
  private readonly kinds: number[];
  private at = 0;

  constructor(
    text: string,
    private readonly configuration: Configuration,
  ) {
    const tokens = scanTokens(text, 0, text.length);
    this.kinds = tokens.kinds;
    for (let i = 0; i < tokens.kinds.length; i++)
      this.words.push(text.slice(tokens.starts[i], tokens.ends[i]));
  }

  run(): number {
    return this.ternary();
  }

  private take(word: string): boolean {
    if (this.words[this.at] !== word) return false;
    this.at++;
    return true;
  }

  private ternary(): number {
    const test = this.binary(1);
    if (!this.take('?')) return test;
    const yes = this.ternary();
    this.take(':');
    const no = this.ternary();
    return test ? yes : no;
  }

  private binary(lowest: number): number {
    let left = this.unary();
    for (;;) {
      const operator = this.words[this.at];
      const level = operator === undefined || this.kinds[this.at] !== MARK ? undefined : PRECEDENCE[operator];
      if (operator === undefined || level === undefined || level < lowest) return left;
      this.at++;
      left = apply(operator, left, this.binary(level + 1));
    }
  }

  private unary(): number {
    if (this.take('!')) return this.unary() ? 0 : 1;
    if (this.take('-')) return -this.unary();
    if (this.take('+')) return this.unary();
    if (this.take('~')) return ~this.unary();
    if (this.take('(')) {
      const value = this.ternary();
      this.take(')');
      return value;
    }
    const kind = this.kinds[this.at];
    const word = this.words[this.at];
    if (word === undefined || kind === MARK) return 0;
    this.at++;
    if (kind === NUMBER) return Number(parseInteger(word) ?? 0);
    if (kind === STRING) return word.length === 3 ? word.charCodeAt(1) : 0;
    return kind === WORD ? this.symbol(word) : 0;
  }

  private symbol(word: string): number {
    if (word === 'defined') {
      const parenthesised = this.take('(');
      const name = this.words[this.at];
      if (name !== undefined) this.at++;
      if (parenthesised) this.take(')');
      return name !== undefined && isSet(this.configuration(name)) ? 1 : 0;
    }
    if (this.words[this.at] === '(') {
      const argument = this.words[this.at + 1] ?? '';
      this.skipArguments();
      const answer = enabledMacro(word, argument, this.configuration);
      return answer === null ? symbolValue(this.configuration(word)) : Number(answer);
    }
    return symbolValue(this.configuration(word));
  }

  private skipArguments(): void {
    let depth = 0;
    while (this.at < this.words.length) {
      const word = this.words[this.at++];
      if (word === '(') depth++;
      else if (word === ')' && --depth === 0) return;
    }
  }
}

function apply(operator: string, left: number, right: number): number {
  switch (operator) {
    case '||':
      return left || right ? 1 : 0;
    case '&&':
      return left && right ? 1 : 0;
    case '|':
      return left | right;
    case '^':
      return left ^ right;
    case '&':
      return left & right;
    case '==':
      return left === right ? 1 : 0;
    case '!=':
      return left !== right ? 1 : 0;
    case '<':
      return left < right ? 1 : 0;
    case '>':
      return left > right ? 1 : 0;
    case '<=':
      return left <= right ? 1 : 0;
    case '>=':
      return left >= right ? 1 : 0;
    case '<<':
      return left * 2 ** right;
    case '>>':
      return Math.floor(left / 2 ** right);
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return right === 0 ? 0 : Math.trunc(left / right);
    case '%':
      return right === 0 ? 0 : left % right;
    default:
      return 0;
  }
}
