import { describe, expect, it } from 'vitest';
import { indexFile } from '#c/index-file.js';
import type { Definition } from '#c/ir.js';

function only(text: string, name: string): Definition {
  const found = indexFile('a.c', text).definitions.get(name) ?? [];
  expect(found).toHaveLength(1);
  const [definition] = found;
  if (!definition) throw new Error(`${name} was not found`);
  return definition;
}

const names = (text: string): string[] => [...indexFile('a.c', text).definitions.keys()];

describe('functions', () => {
  it('takes the return type on its own line, attributes and wrapped parameters', () => {
    const text =
      'int g;\n\nstatic unsigned long __init\nfirst(int a,\n      int b) __must_hold(x)\n{\n\treturn a;\n}\n';
    const f = only(text, 'first');
    expect(f).toMatchObject({
      kind: 'function',
      static: true,
      inline: false,
      weak: false,
      firstLine: 3,
      lastLine: 8,
    });
    expect(text.slice(f.start, f.start + 6)).toBe('static');
    expect(text[f.body]).toBe('{');
    expect(text.slice(f.end - 1)).toBe('}\n');
  });

  it.each([
    ['static inline void f(void) { }', { static: true, inline: true, weak: false }],
    ['static __always_inline pte_t f(pte_t x)\n{\n}', { static: true, inline: true, weak: false }],
    ['void __weak f(void)\n{\n}', { static: false, inline: false, weak: true }],
    ['noinline int f(void)\n{\n}', { static: false, inline: false, weak: false }],
    ['static __printf(1, 2) void f(const char *s, ...)\n{\n}', { static: true, inline: false, weak: false }],
    ['void __printf(1, 2) f(const char *s, ...)\n{\n}', { static: false, inline: false, weak: false }],
  ])('%s', (text, flags) => {
    expect(only(text, 'f')).toMatchObject(flags);
  });

  it('names a function with leading underscores, not the annotation behind it', () => {
    expect(names('void __f(int a) __releases(a)\n{\n}\n')).toEqual(['__f']);
  });

  it('takes the first argument of a header macro', () => {
    const text = 'SYSCALL_DEFINE2(unmap, unsigned long, a, size_t, n)\n{\n\treturn 0;\n}\n';
    expect(names(text)).toEqual(['unmap']);
    expect(only(text, 'unmap').start).toBe(0);
  });

  it('steps over macro calls without a semicolon', () => {
    const text = 'EXPORT_IT(x)\nsetup_call(y)\nint f(void)\n{\n}\n';
    expect(names(text)).toEqual(['f']);
    expect(only(text, 'f').firstLine).toBe(3);
  });

  it('is not misled by braces in text, comments and character literals', () => {
    expect(names('void f(void) { a("{"); /* { */ b(\'{\'); // {\n}\nvoid g(void) { }')).toEqual(['f', 'g']);
  });

  it('ends a body in column 0 whatever the arms of an #ifdef open', () => {
    const text =
      'int f(void)\n{\n#ifdef A\n\tif (a) {\n#else\n\tif (b) {\n#endif\n\t}\n}\nint g(void)\n{\n}\n';
    expect(names(text)).toEqual(['f', 'g']);
    expect(only(text, 'f').lastLine).toBe(9);
  });

  it('does not end a body at a local initialiser in column 0', () => {
    expect(only('int f(void)\n{\n\tint a[] = {\n\t1\n};\n\treturn 0;\n}\n', 'f').lastLine).toBe(7);
  });

  it('keeps prototypes out', () => {
    expect(names('int f(void);\nextern int g(int a);\nstruct s { int (*f)(int); };\n')).toEqual([]);
  });
});

describe('conditions', () => {
  it('keeps several definitions of one name in order, with negated arms', () => {
    const text = [
      '#if A > 1 /* why */',
      'void f(void) { }',
      '#elif defined(B)',
      'void f(void) { }',
      '#else',
      'void f(void) { }',
      '#endif',
      '#ifndef C',
      'void g(void) { }',
      '#endif',
    ].join('\n');
    const index = indexFile('a.c', text);
    expect(index.definitions.get('f')?.map((f) => f.when)).toEqual([
      ['A > 1'],
      ['!(A > 1) && (defined(B))'],
      ['!(A > 1) && !(defined(B))'],
    ]);
    expect(index.definitions.get('g')?.map((g) => g.when)).toEqual([['!defined(C)']]);
  });

  it('gives both headers the body behind the #endif', () => {
    const text = '#ifdef A\nint f(int a)\n#else\nint f(void)\n#endif\n{\n\treturn 0;\n}\n';
    const found = indexFile('a.c', text).definitions.get('f') ?? [];
    expect(found.map((f) => [f.firstLine, f.lastLine, f.when])).toEqual([
      [2, 8, ['defined(A)']],
      [4, 8, ['!(defined(A))']],
    ]);
  });
});

describe('macros', () => {
  it('keeps parameters, continuation lines and the place of the replacement', () => {
    const text = '#define add(a, b) \\\n\t((a) + \\\n\t (b))\n#define ONE 1\n#define EMPTY\n';
    const add = only(text, 'add');
    expect(add).toMatchObject({ kind: 'macro', parameters: ['a', 'b'], firstLine: 1, lastLine: 3 });
    expect(text.slice(add.body, add.end)).toBe('((a) + \\\n\t (b))');
    expect(only(text, 'ONE')).toMatchObject({ parameters: null });
    expect(only(text, 'EMPTY')).toMatchObject({ parameters: null });
  });
});

describe('tables, enumerators, includes', () => {
  it('keeps members that are plain names, inner braces dotted', () => {
    const text =
      'static const struct ops table = {\n\t.a = first,\n\t.n = 3,\n\t.in = { .b = second },\n\t.c\t= third /* x */,\n};\n';
    expect(only(text, 'table')).toMatchObject({
      kind: 'table',
      type: 'struct ops',
      const: true,
      members: { a: 'first', 'in.b': 'second', c: 'third' },
    });
  });

  it('finds constants that are named inside of a type', () => {
    const text = `struct walk {
	int first;
/* what a walk may leave out */
#define WALK_NO_FLUSH	BIT(1)
	#define WALK_DEEP	BIT(2)
	unsigned long flags;
};

#define AFTER 1
struct other {
#ifdef CONFIG_X
#define UNKNOWN 3
#endif
	int x;
};
`;
    const { definitions } = indexFile('mm/walk.c', text);
    expect([...definitions.keys()]).toEqual(['WALK_NO_FLUSH', 'WALK_DEEP', 'AFTER']);
    const [found] = definitions.get('WALK_NO_FLUSH') ?? [];
    expect([found?.kind, found?.firstLine, text.slice(found?.start, found?.end)]).toEqual([
      'macro',
      4,
      '#define WALK_NO_FLUSH	BIT(1)',
    ]);
  });
  it('counts enumerators as far as that is plain', () => {
    const index = indexFile('a.h', 'enum e {\n\tA,\n\tB = 5, /* b */\n\tC,\n\tD = X,\n\tE\n};\n');
    expect(
      [...index.definitions].map(([name, [d]]) => [name, d?.kind === 'enumerator' ? d.value : 'no']),
    ).toEqual([
      ['A', 0],
      ['B', 5],
      ['C', 6],
      ['D', null],
      ['E', null],
    ]);
  });

  it('lists includes in order', () => {
    expect(indexFile('a.c', '#include <x/y.h>\n#ifdef A\n# include "z.h"\n#endif\n').includes).toEqual([
      { path: 'x/y.h', system: true, when: [] },
      { path: 'z.h', system: false, when: ['defined(A)'] },
    ]);
  });
});

describe('half a file', () => {
  it.each([
    '}',
    '{',
    'int f(',
    '#if',
    '#define',
    'int f(void)\n{\n\t"',
    "'",
    '/*',
    'enum {',
    'struct s x = {',
    '#else\n',
  ])('takes %j without an exception', (text) => {
    expect(() => indexFile('a.c', text)).not.toThrow();
  });
});
