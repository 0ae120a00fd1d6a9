import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Expression } from '#event/expression.js';
import { CALLS, ExpressionError, parseExpression } from '#rules/parse-expression.js';

const scope = (name: string): Expression | null =>
  ['a', 'b', 'addr', 'pmd'].includes(name) ? { op: 'param', name } : null;
const parse = (text: string): Expression => parseExpression(text, scope);
const param = (name: string): Expression => ({ op: 'param', name });

/** The text again, every operation in parentheses. */
function print(e: Expression): string {
  switch (e.op) {
    case 'const':
      return e.value.kind === 'int' ? String(e.value.n) : '?';
    case 'var':
    case 'param':
      return e.name;
    case 'choice':
      return `choice(${e.key})`;
    case 'select':
      return `(${e.args.map((arg, n) => `${['', '? ', ': '][n]}${print(arg)}`).join(' ')})`;
    default: {
      const args = [...(e.level === undefined ? [] : [e.level]), ...e.args.map(print)];
      if (CALLS.has(e.op)) return `${e.op}(${args.join(', ')})`;
      return args.length === 1 ? `(${e.op}${args[0]})` : `(${args[0]} ${e.op} ${args[1]})`;
    }
  }
}

describe('expression text', () => {
  test('multiplication binds closer than addition, comparison weaker', () => {
    expect(print(parse('a + b * 2 < addr'))).toBe('((a + (b * 2)) < addr)');
  });

  test('subtraction groups to the left', () => {
    expect(print(parse('a - b - 1'))).toBe('((a - b) - 1)');
  });

  test('the conditional groups to the right', () => {
    expect(print(parse('a ? 1 : b ? 2 : 3'))).toBe('(a ? 1 : (b ? 2 : 3))');
  });

  test('hyphenated names are operators only when called', () => {
    expect(parse('page-of(read(a))')).toEqual({ op: 'page-of', args: [{ op: 'read', args: [param('a')] }] });
    expect(parse('a-b')).toEqual({ op: '-', args: [param('a'), param('b')] });
  });

  test('an operator with a level', () => {
    expect(parse('entry(pte, pmd, addr)')).toEqual({
      op: 'entry',
      args: [param('pmd'), param('addr')],
      level: 'pte',
    });
    expect(parse('none-value(pud)')).toEqual({ op: 'none-value', args: [], level: 'pud' });
  });

  test('&& is not & twice, << is not < twice', () => {
    expect(print(parse('a && b & 1'))).toBe('(a && (b & 1))');
    expect(print(parse('a << 2 <= b'))).toBe('((a << 2) <= b)');
  });

  test('choices: default options, own options, parentheses in the text, stable ones', () => {
    expect(parse('choice(a lock (any) was free)')).toEqual({
      op: 'choice',
      key: 'a lock (any) was free',
      of: [
        { kind: 'int', n: 0 },
        { kind: 'int', n: 1 },
      ],
    });
    expect(parse('choice(level; 1, any)')).toMatchObject({
      key: 'level',
      of: [
        { kind: 'int', n: 1 },
        { kind: 'some', is: 'any' },
      ],
    });
    expect(parse('stable(x)')).toMatchObject({ stable: true });
  });

  test('symbols and the witness', () => {
    expect(parse('$kernel')).toEqual({ op: 'const', value: { kind: 'symbol', name: 'kernel' } });
    expect(parse('witness-entry(pmd)')).toEqual({
      op: 'const',
      value: { kind: 'entry-pointer', level: 'pmd', table: 'W', gap: 'at' },
    });
  });

  test.each([
    ['nobody', 'unknown-variable', 0],
    ['a + frob(b)', 'unknown-operator', 4],
    ['entry(pmd, addr)', 'wrong-arguments', 0],
    ['entry(a, b)', 'wrong-arguments', 6],
    ['a +', 'syntax', 3],
    ['a b', 'syntax', 2],
    ['choice(x; maybe)', 'syntax', 7],
    ['(a', 'syntax', 2],
  ])('%s is an error', (text, code, at) => {
    try {
      parse(text);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ExpressionError);
      expect(error).toMatchObject({ code, at });
    }
  });

  test('printing and parsing again gives the same expression', () => {
    const tree = fc.letrec<{ e: Expression }>((tie) => ({
      e: fc.oneof(
        { maxDepth: 4, depthIdentifier: 'e' },
        fc.constantFrom(param('a'), param('b'), param('addr')),
        fc
          .integer({ min: 0, max: 4096 })
          .map((n): Expression => ({ op: 'const', value: { kind: 'int', n } })),
        fc
          .tuple(
            fc.constantFrom('+', '-', '*', '&', '|', '^', '<<', '>>', '==', '!=', '<', '<=', '&&', '||'),
            tie('e'),
            tie('e'),
          )
          .map(([op, x, y]) => ({ op, args: [x, y] }) as Expression),
        tie('e').map((x): Expression => ({ op: '!', args: [x] })),
        fc.tuple(tie('e'), tie('e'), tie('e')).map((args): Expression => ({ op: 'select', args })),
        fc.tuple(tie('e'), tie('e')).map((args): Expression => ({ op: 'entry', args, level: 'pte' })),
        tie('e').map((x): Expression => ({ op: 'is-present', args: [x] })),
      ),
    })).e;
    fc.assert(
      fc.property(tree, (e) => {
        expect(parse(print(e))).toEqual(e);
      }),
    );
  });
});
