/** Names that a macro puts together become words of the same length; everything else stays. */
import { describe, expect, test } from 'vitest';
import { plainNames } from '#c/template-names.js';

const HEAD =
  '#if PTTYPE == 64\n\t#define FNAME(name) paging64_##name\n#else\n\t#define FNAME(name) ept_##name\n#endif\n';

describe('plainNames', () => {
  test('writes definitions and calls as words', () => {
    const text = `${HEAD}static int FNAME(walk)(int a)\n{\n\treturn FNAME(next)(a);\n}\n`;
    const plain = plainNames(text);
    expect(plain).toBe(`${HEAD}static int FNAME_walk (int a)\n{\n\treturn FNAME_next (a);\n}\n`);
    expect(plain).toHaveLength(text.length);
  });
  test('leaves macros that define no function', () => {
    const uses = '#define FLAG(name) PG_##name\nint f(int a)\n{\n\treturn a & FLAG(locked);\n}\n';
    expect(plainNames(uses)).toBe(uses);
    const types = '#define T(name) struct_##name\nint f(void)\n{\n\treturn ((T(one))(0));\n}\n';
    expect(plainNames(types)).toBe(types);
  });
  test('leaves text without such macros', () => {
    const text = 'static int READ(x)(int a)\n{\n}\n';
    expect(plainNames(text)).toBe(text);
  });
});
