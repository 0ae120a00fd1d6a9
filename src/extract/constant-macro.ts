/**
 * Numbers that object-like macros stand for: `#define MAX_PAGES __PAGES(31, 3)` and what it is made of. Only what is
 * plainly a number; everything else is null.
 */
import type { Resolver } from './resolve.js';

/** A name's number where something else than a macro gives it (rules' constants, enumerators). */
type Known = (name: string) => number | null;

const DEPTH = 10;
const TOKEN = /\s*(0[xX][\da-fA-F]+|\d+|[A-Za-z_]\w*|<<|>>|[-+*/%&|^~()?:,])/y;
const COMMENT = /\/\*[\s\S]*?\*\/|\/\/.*/g;
/** Casts and suffix macros change no number that is small enough to be kept. */
const CAST =
  /\(\s*(?:(?:unsigned|signed)(?:\s+(?:long|int|short|char))*(?:\s+long)?|(?:long|int)(?:\s+long)?|[us](?:8|16|32|64)|size_t|pteval_t|pmdval_t|pudval_t|phys_addr_t)\s*\)/g;

/** Value of the macro `name` as `file` sees it; null when it is no number. */
export function constantMacro(name: string, file: string, resolver: Resolver, known: Known): number | null {
  try {
    return new Evaluation(resolver, file, known).name(name, new Map(), 0);
  } catch (error) {
    if (error === NOT_CONSTANT) return null;
    throw error;
  }
}

/** Thrown where the text is no constant. One for all: to make an error takes long. */
const NOT_CONSTANT = new Error('not a constant');

class Evaluation {
  constructor(
    private readonly resolver: Resolver,
    private readonly file: string,
    private readonly known: Known,
  ) {}

  name(name: string, scope: ReadonlyMap<string, number>, depth: number): number {
    const bound = scope.get(name) ?? this.known(name);
    if (bound !== null && bound !== undefined) return bound;
    const found = depth > DEPTH ? null : this.resolver.define(name, this.file);
    if (found?.definition.kind !== 'macro' || found.definition.parameters !== null) throw NOT_CONSTANT;
    return this.text(
      found.index.text.slice(found.definition.body, found.definition.end),
      new Map(),
      depth + 1,
    );
  }

  private call(name: string, args: readonly number[], depth: number): number {
    const [a = 0, b = 0] = args;
    switch (name) {
      case 'GENMASK':
      case 'GENMASK_ULL':
        return 2 ** (a + 1) - 2 ** b;
      case 'BIT':
      case 'BIT_ULL':
      case '_BITUL':
      case '_BITULL':
        return 2 ** a;
      case 'UL':
      case 'ULL':
      case '_UL':
      case '_ULL':
      case '_AC':
      case '_AT':
        return name === '_AT' ? b : a;
      default: {
        const found = depth > DEPTH ? null : this.resolver.define(name, this.file);
        if (found?.definition.kind !== 'macro' || found.definition.parameters === null) throw NOT_CONSTANT;
        if (found.definition.parameters.length !== args.length) throw NOT_CONSTANT;
        const scope = new Map(found.definition.parameters.map((parameter, n) => [parameter, args[n] ?? 0]));
        return this.text(
          found.index.text.slice(found.definition.body, found.definition.end),
          scope,
          depth + 1,
        );
      }
    }
  }

  private text(source: string, scope: ReadonlyMap<string, number>, depth: number): number {
    const tokens = tokensOf(source.replace(/\\\n/g, ' ').replace(COMMENT, ' ').replace(CAST, ' '));
    let at = 0;
    const take = (token: string): void => {
      if (tokens[at] !== token) throw NOT_CONSTANT;
      at += 1;
    };
    const primary = (): number => {
      const token = tokens[at];
      at += 1;
      if (token === undefined) throw NOT_CONSTANT;
      if (/^\d/.test(token)) return Number(/^0\d/.test(token) ? `0o${token}` : token);
      if (token === '-') return -primary();
      if (token === '+') return primary();
      if (token === '~') return -primary() - 1;
      if (token === '(') {
        const value = binary(0);
        take(')');
        return value;
      }
      if (!/^\w/.test(token)) throw NOT_CONSTANT;
      if (tokens[at] !== '(' || scope.has(token)) return this.name(token, scope, depth);
      at += 1;
      const args: number[] = [];
      // `_AT(pteval_t, 1)`: neither is a type.
      if (token === '_AT') {
        while (tokens[at] !== ',' && at < tokens.length) at += 1;
        at += 1;
        args.push(0);
      }
      while (tokens[at] !== ')') {
        // `_AC(1, UL)`: a suffix is no number.
        if (/^[UL]+$/.test(tokens[at] ?? '') && args.length > 0) at += 1;
        else args.push(binary(0));
        if (tokens[at] === ',') at += 1;
        else if (tokens[at] !== ')') throw NOT_CONSTANT;
      }
      take(')');
      return this.call(token, args, depth);
    };
    const binary = (lowest: number): number => {
      let left = primary();
      for (;;) {
        const op = tokens[at] ?? '';
        const rank = RANKS[op];
        if (rank === undefined || rank < lowest) return left;
        at += 1;
        left = apply(op, left, binary(rank + 1));
      }
    };
    const value = binary(0);
    if (at !== tokens.length || !Number.isInteger(value)) throw NOT_CONSTANT;
    return value;
  }
}

const RANKS: Readonly<Record<string, number>> = {
  '|': 1,
  '^': 2,
  '&': 3,
  '<<': 4,
  '>>': 4,
  '+': 5,
  '-': 5,
  '*': 6,
  '/': 6,
  '%': 6,
};

function apply(op: string, a: number, b: number): number {
  switch (op) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return Math.trunc(a / b);
    case '%':
      return a % b;
    case '<<':
      return a * 2 ** b;
    case '>>':
      return Math.floor(a / 2 ** b);
    case '&':
      return Number(BigInt(a) & BigInt(b));
    case '|':
      return Number(BigInt(a) | BigInt(b));
    default:
      return Number(BigInt(a) ^ BigInt(b));
  }
}

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  const source = text.trim().replace(/\b(0[xX][\da-fA-F]+|\d+)[uUlL]+\b/g, '$1');
  while (TOKEN.lastIndex < source.length) {
    const match = TOKEN.exec(source);
    if (match === null) throw NOT_CONSTANT;
    tokens.push(match[1] ?? '');
  }
  return tokens;
}
