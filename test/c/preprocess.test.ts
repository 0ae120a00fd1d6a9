import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Configuration } from '#c/ir.js';
import { evaluateCondition, plainC } from '#c/preprocess.js';

const configuration: Configuration = (symbol) =>
  ({ CONFIG_Y: 'y', CONFIG_M: 'm', CONFIG_N: 'n', CONFIG_LEVELS: '4', PTRS: '512', HAVE: '' })[symbol];

describe('evaluateCondition', () => {
  it.each([
    ['defined(CONFIG_Y)', true],
    ['defined CONFIG_M', true],
    ['defined(CONFIG_N)', false],
    ['!defined(CONFIG_Z)', true],
    ['defined(HAVE)', true],
    ['CONFIG_LEVELS > 3', true],
    ['CONFIG_LEVELS > 4 || PTRS == 512', true],
    ['IS_ENABLED(CONFIG_M)', true],
    ['IS_BUILTIN(CONFIG_M)', false],
    ['IS_MODULE(CONFIG_M) && IS_BUILTIN(CONFIG_Y)', true],
    ['(1 + 2 * 3) == 7 && 10 - 4 - 3 == 3', true],
    ['UNKNOWN', false],
    ['UNKNOWN(1, 2) > 0', false],
    ['0x10UL == 16 ? 1 : 0', true],
    ['1 /* c */ && \\\n 1', true],
    ['', false],
    ['((', false],
  ])('%s', (condition, expected) => {
    expect(evaluateCondition(condition, configuration)).toBe(expected);
  });
});

describe('plainC', () => {
  const body = (text: string): string =>
    plainC(`void f(void) {${text}}`, configuration).slice('void f(void) {'.length, -1);

  it('chooses arms', () => {
    const text =
      'int f(void)\n{\n#ifdef CONFIG_Y\n\ta();\n#else\n\tb();\n#endif\n#if CONFIG_LEVELS == 3\n\tc();\n#elif 1\n\td();\n#endif\n}';
    const plain = plainC(text, configuration);
    expect(plain.replace(/\s+/g, ' ')).toBe('int f(void) { a(); d(); }');
    expect(plain.split('\n')).toHaveLength(text.split('\n').length);
  });

  it('ends the arm that the slice began in', () => {
    const text = 'int f(int a)\n#else\nint f(void)\n#endif\n{ }';
    expect(plainC(text, configuration).replace(/\s+/g, ' ')).toBe('int f(int a) { }');
  });

  it.each([
    [
      'static __always_inline noinline pte_t __must_check f(int a) __must_hold(a) {}',
      'static pte_t f(int a) {}',
    ],
    [
      'asmlinkage __visible void __init f(void __user *p, int x __maybe_unused) {}',
      'void f(void *p, int x ) {}',
    ],
    ['SYSCALL_DEFINE2(f, unsigned long, a, size_t, n) {}', 'long f( unsigned long a, size_t n) {}'],
    ['SYSCALL_DEFINE0(fork) {}', 'long fork( ) {}'],
  ])('header %s', (text, expected) => {
    const squeeze = (value: string): string =>
      value
        .replace(/\s+/g, ' ')
        .replace(/\s*([(){}*,])\s*/g, '$1')
        .trim();
    expect(squeeze(plainC(text, configuration))).toBe(squeeze(expected));
  });

  it.each([
    ['int x __maybe_unused;', 'int x               ;'],
    ['unsigned long __x = 1;', 'unsigned long __x = 1;'],
    ['struct s *p __free(kfree) = g();', 'struct s *p               = g();'],
    ['x = (__force pte_t)y;', 'x = (        pte_t)y;'],
    ['__u32 a; __free_page(p);', '__u32 a; __free_page(p);'],
    ['p = list_entry(q, struct page, lru);', 'p = list_entry(q, Struct_page, lru);'],
    ['for_each_thing(p, head) g(p);', 'while         (p, head) g(p);'],
    ['x = sizeof(struct s) * y;', 'x = Sizeof_struct_s_ * y;'],
    ['typeof(*p) q = *p;', 'Typeof__p_ q = *p;'],
    ['case A ... B: g();', 'case A  |  B: g();'],
    ['x = (a) - b * c;', 'x =  a  - b * c;'],
    ['x = (pteval_t)(a);', 'x = (int     )(a);'],
    ['g("a" STR(x) "b");', 'g("a" sTR_x_ "b");'],
  ])('body %s', (text, expected) => {
    expect(body(text).toLowerCase()).toBe(expected.toLowerCase());
  });

  const piece = fc.constantFrom(
    'static ',
    'int ',
    '__init ',
    'f(',
    ')',
    '{',
    '}',
    ';',
    '\n',
    '\r\n',
    '#ifdef CONFIG_Y\n',
    '#else\n',
    '#endif\n',
    '/* c\n */',
    '// d\n',
    '"s\\"',
    "'c'",
    '"',
    "'",
    'asm volatile("x" : "=r"(a) : "r"(b) : "memory");',
    'for_each_x(p, q) ',
    'list_entry(p, struct page, lru)',
    'typeof(x) ',
    'case A ... B:',
    '##',
    '#',
    '\\\n',
    'SYSCALL_DEFINE1(f, int, a)\n{',
    '__must_hold(x)',
    '__free(x)',
    '(a) - b',
    'sizeof(x',
    'do {',
    '} each(x);',
    'é',
    '\u2028',
    '(void (*)(int))x',
    ', ,',
    '#define a(b) \\\n b\n',
    '[',
    ']',
    '48_47',
    'guard(m)(&l);',
    '&&',
    '->',
    '*',
  );

  it('keeps every offset and line break of any text', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string({ maxLength: 5 })), { maxLength: 40 }), (pieces) => {
        const text = pieces.join('');
        const plain = plainC(text, configuration);
        expect(plain).toHaveLength(text.length);
        const breaks = (value: string): string => value.replace(/[^\n\r]/g, '.');
        expect(breaks(plain)).toBe(breaks(text));
      }),
      { numRuns: 500 },
    );
  });

  it('leaves plain words where they were', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a = b;', 'g(a, b);', 'if (a) b();', '/* x */', '\n#if 0\nz\n#endif\n'), {
          maxLength: 20,
        }),
        (parts) => {
          const text = `void f(void)\n{\n${parts.join('')}}\n`;
          const plain = plainC(text, configuration);
          for (let i = 0; i < text.length; i++) if (plain[i] !== ' ') expect(plain[i]).toBe(text[i]);
        },
      ),
    );
  });
});
