/**
 * Expression text of rules, actors and scenarios → `Expression`. The grammar is described in docs/rules.md: C's
 * operators, `c ? a : b`, and calls named like the operators of src/event/expression.ts.
 */
import { constant, type Expression, integer, type Operator } from '#event/expression.js';
import { ANY, LEVELS, type Level, OPAQUE, type Value } from '#event/value.js';

/** What a name means where the text stands; null: nothing, which is an error. */
export type Scope = (name: string) => Expression | null;

/** `at` is the 0-based offset in the text. */
export class ExpressionError extends Error {
  constructor(
    readonly code: 'syntax' | 'unknown-variable' | 'unknown-operator' | 'wrong-arguments',
    reason: string,
    readonly at: number,
  ) {
    super(reason);
  }
}

interface Signature {
  readonly args: number;
  /** A level name stands before the arguments. */
  readonly level: boolean;
}

const plain = (args: number): Signature => ({ args, level: false });
const leveled = (args: number): Signature => ({ args, level: true });

/** Operators that are written as calls. Symbols such as `+` are in `BINARY`. */
export const CALLS: ReadonlyMap<string, Signature> = new Map(
  Object.entries({
    min: plain(2),
    max: plain(2),
    'align-down': plain(2),
    'align-up': plain(2),
    'addr-end': leveled(2),
    entry: leveled(2),
    'first-entry': leveled(1),
    step: plain(2),
    'numbered-entry': leveled(1),
    couple: plain(2),
    read: plain(1),
    'page-of': plain(1),
    'table-of': plain(1),
    'table-holding': plain(1),
    'is-present': plain(1),
    'is-none': plain(1),
    'is-leaf': plain(1),
    'is-table': plain(1),
    'is-soft': plain(1),
    'is-write': plain(1),
    'is-dirty': plain(1),
    'is-young': plain(1),
    'is-exec': plain(1),
    'is-cont': plain(1),
    same: plain(2),
    'make-leaf': leveled(1),
    'make-table': leveled(1),
    'make-soft': leveled(1),
    'none-value': leveled(0),
    'with-write': plain(2),
    'with-dirty': plain(2),
    'with-young': plain(2),
    'with-exec': plain(2),
    'with-cont': plain(2),
    'with-present': plain(2),
    'with-attributes': plain(2),
    'range-of': plain(1),
    'range-at': plain(1),
    longer: plain(3),
    'is-number': plain(1),
    'is-empty': plain(1),
    'next-node': plain(3),
    'level-of': plain(1),
    'address-of': plain(1),
    'address-in': plain(1),
    'entry-above': plain(1),
    'as-memory': plain(1),
    at: plain(1),
    'this-cpu': plain(0),
  } satisfies Partial<Record<Operator, Signature>>),
);

/** Binding strength, C's. */
const BINARY: readonly (readonly Operator[])[] = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<=', '>=', '<', '>'],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];

/** What a choice may offer besides integers. */
const OPTIONS: ReadonlyMap<string, Value> = new Map<string, Value>([
  ['any', ANY],
  ['ptr', OPAQUE],
  ['nonzero', { kind: 'some', is: 'nonzero' }],
  ['negative', { kind: 'some', is: 'negative' }],
  ['positive', { kind: 'some', is: 'positive' }],
  ['non-negative', { kind: 'some', is: 'non-negative' }],
  ['page', { kind: 'memory', what: 'page', level: 'pte', who: 'W' }],
  ['other-page', { kind: 'memory', what: 'page', level: 'pte', who: 'new' }],
]);

const DEFAULT_OPTIONS: readonly Value[] = [
  { kind: 'int', n: 0 },
  { kind: 'int', n: 1 },
];

const asLevel = (text: string): Level | null => LEVELS.find((level) => level === text) ?? null;

/** Parses all of `text`. Throws ExpressionError. */
export function parseExpression(text: string, scope: Scope): Expression {
  return new Parser(text, scope).whole();
}

class Parser {
  private at = 0;

  constructor(
    private readonly text: string,
    private readonly scope: Scope,
  ) {}

  whole(): Expression {
    const result = this.ternary();
    this.space();
    if (this.at < this.text.length)
      throw new ExpressionError('syntax', `unexpected \`${this.text.slice(this.at)}\``, this.at);
    return result;
  }

  private space(): void {
    while (/\s/.test(this.text[this.at] ?? '')) this.at += 1;
  }

  private take(symbol: string): boolean {
    this.space();
    if (!this.text.startsWith(symbol, this.at)) return false;
    this.at += symbol.length;
    return true;
  }

  private expect(symbol: string): void {
    if (!this.take(symbol)) throw new ExpressionError('syntax', `expected \`${symbol}\``, this.at);
  }

  private match(pattern: RegExp): string | null {
    this.space();
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found === undefined) return null;
    this.at += found.length;
    return found;
  }

  private ternary(): Expression {
    const condition = this.binary(0);
    if (!this.take('?')) return condition;
    const then = this.ternary();
    this.expect(':');
    return { op: 'select', args: [condition, then, this.ternary()] };
  }

  private binary(level: number): Expression {
    const operators = BINARY[level];
    if (operators === undefined) return this.unary();
    let left = this.binary(level + 1);
    for (;;) {
      const op = operators.find((symbol) => this.sees(symbol));
      if (op === undefined) return left;
      this.take(op);
      left = { op, args: [left, this.binary(level + 1)] };
    }
  }

  /** Is the symbol next, and not the start of a longer one? */
  private sees(symbol: string): boolean {
    this.space();
    if (!this.text.startsWith(symbol, this.at)) return false;
    const next = this.text[this.at + symbol.length] ?? '';
    if (symbol === '|' || symbol === '&') return next !== symbol;
    if (symbol === '<' || symbol === '>') return next !== symbol && next !== '=';
    return true;
  }

  private unary(): Expression {
    if (this.take('!')) return { op: '!', args: [this.unary()] };
    if (this.take('~')) return { op: '~', args: [this.unary()] };
    if (this.take('-')) {
      const value = this.unary();
      if (value.op === 'const' && value.value.kind === 'int') return integer(-value.value.n);
      return { op: '-', args: [integer(0), value] };
    }
    return this.primary();
  }

  private primary(): Expression {
    this.space();
    const start = this.at;
    if (this.take('(')) {
      const inner = this.ternary();
      this.expect(')');
      return inner;
    }
    const number = this.match(/0x[0-9a-fA-F]+|\d+/y);
    if (number !== null) return integer(Number(number));
    const symbol = this.match(/\$@?[A-Za-z_][\w.:]*/y);
    if (symbol !== null) return constant({ kind: 'symbol', name: symbol.slice(1) });
    const called = this.match(/[A-Za-z_]\w*(?:-[A-Za-z_]\w*)*(?=\()/y);
    if (called !== null) return this.call(called, start);
    const name = this.match(/[A-Za-z_]\w*/y);
    if (name === null) throw new ExpressionError('syntax', 'expected a value', this.at);
    const meaning = this.scope(name);
    if (meaning === null)
      throw new ExpressionError('unknown-variable', `unknown variable \`${name}\``, start);
    // `walker->flags`: what the struct that a parameter points to holds.
    const field = meaning.op === 'param' ? this.match(/->[A-Za-z_]\w*/y) : null;
    return field === null ? meaning : { op: 'param', name: `${name}${field}` };
  }

  private call(name: string, start: number): Expression {
    if (name === 'choice' || name === 'stable') return this.choice(name === 'stable');
    if (name === 'witness-entry' || name === 'witness-table' || name === 'witness-value')
      return this.witness(name, start);
    const signature = CALLS.get(name);
    if (signature === undefined)
      throw new ExpressionError('unknown-operator', `unknown operator \`${name}\``, start);
    this.expect('(');
    let level: Level | null = null;
    if (signature.level) {
      level = this.level();
      if (signature.args > 0) this.expect(',');
    }
    const args: Expression[] = [];
    while (!this.take(')')) {
      if (args.length > 0) this.expect(',');
      args.push(this.ternary());
    }
    if (args.length !== signature.args)
      throw new ExpressionError(
        'wrong-arguments',
        `\`${name}\` takes ${signature.args} argument(s)${signature.level ? ' after the level' : ''}, not ${args.length}`,
        start,
      );
    return { op: name as Operator, args, ...(level === null ? {} : { level }) };
  }

  private level(): Level {
    const at = this.at;
    const word = this.match(/\w+/y);
    const level = asLevel(word ?? '');
    if (level === null)
      throw new ExpressionError('wrong-arguments', `expected a level (${LEVELS.join(', ')})`, at);
    return level;
  }

  /** The witness's own entry, the table that holds it, or what it held at the start: for primitives that find entries by themselves. */
  private witness(name: 'witness-entry' | 'witness-table' | 'witness-value', start: number): Expression {
    this.expect('(');
    const level = this.level();
    if (!this.take(')')) throw new ExpressionError('wrong-arguments', `\`${name}\` takes a level`, start);
    if (name === 'witness-value')
      return constant({
        kind: 'entry-value',
        level,
        maps: '?',
        of: 'W',
        write: '?',
        dirty: '?',
        young: '?',
        exec: '?',
        cont: '?',
      });
    return name === 'witness-entry'
      ? constant({ kind: 'entry-pointer', level, table: 'W', gap: 'at' })
      : constant({ kind: 'memory', what: 'table', level, who: 'W' });
  }

  /** `choice(free text; option, option)`. The text may hold balanced parentheses. */
  private choice(stable: boolean): Expression {
    this.expect('(');
    const start = this.at;
    let depth = 1;
    while (this.at < this.text.length && depth > 0) {
      const c = this.text[this.at];
      if (c === '(') depth += 1;
      if (c === ')') depth -= 1;
      this.at += 1;
    }
    if (depth > 0) throw new ExpressionError('syntax', 'expected `)`', this.at);
    const [key = '', options] = this.text.slice(start, this.at - 1).split(';');
    const of =
      options === undefined ? DEFAULT_OPTIONS : options.split(',').map((o) => this.option(o.trim(), start));
    return { op: 'choice', key: key.trim(), of, ...(stable ? { stable: true } : {}) };
  }

  private option(text: string, at: number): Value {
    if (/^-?\d+$/.test(text)) return { kind: 'int', n: Number(text) };
    const known = OPTIONS.get(text);
    if (known === undefined)
      throw new ExpressionError(
        'syntax',
        `\`${text}\` is no option: an integer or ${[...OPTIONS.keys()].join(', ')}`,
        at,
      );
    return known;
  }
}
