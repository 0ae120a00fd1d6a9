import { describe, expect, test } from 'vitest';
import { DECLARED, DEFINED, namesOfFile, USED } from '#c/file-names.js';

const names = (text: string): Record<string, number> => Object.fromEntries(namesOfFile(text));

describe('what a name is in a file', () => {
  test('functions are defined, what they call is used', () => {
    expect(names('int f(int a)\n{\n\tg(a);\n\treturn h (a);\n}\n')).toEqual({ f: DEFINED, g: USED, h: USED });
  });
  test('annotations behind a parameter list name nothing that is defined', () => {
    expect(names('static void f(void) __releases(lock)\n{\n}\n')).toEqual({ f: DEFINED });
  });
  test('prototypes are declared', () => {
    expect(names('extern void f(struct mm_struct *mm);\nint g(void);\n')).toEqual({
      f: DECLARED,
      g: DECLARED,
    });
  });
  test('callbacks are used: in tables, as arguments, by assignment', () => {
    const text =
      'static const struct ops o = { .entry = walk_it };\nvoid f(struct s *s)\n{\n\ts->end = finish;\n\trun(s, &each, last);\n}\n';
    expect(names(text)).toEqual({
      walk_it: USED,
      f: DEFINED,
      finish: USED,
      run: USED,
      each: USED,
      last: USED,
    });
  });
  test('locals and parameters that are handed on are no functions of other files', () => {
    expect(names('void f(unsigned long addr)\n{\n\tint *flag = 0;\n\n\tg(addr, flag);\n}\n')).toEqual({
      f: DEFINED,
      g: USED,
    });
  });
  test('members, comments, strings and numbers are no names', () => {
    expect(names('void f(struct s *s)\n{\n\ts->go(1); /* g(1) */\n\tprintk("h(%d)", s->n);\n}\n')).toEqual({
      f: DEFINED,
      printk: USED,
    });
  });
  test('macros are defined, and use what their bodies call', () => {
    expect(
      names('#define lock_it(mm) \\\n\ttake(mm, 1)\n#define old_name new_name\n#define LIMIT 4\n'),
    ).toEqual({
      lock_it: DEFINED,
      take: USED,
      old_name: DEFINED,
      new_name: USED,
    });
  });
  test('arms that open one brace twice do not hide what follows', () => {
    const text =
      'void f(int a, int b)\n{\n#ifdef A\n\tif (a) {\n#else\n\tif (b) {\n#endif\n\t\tg();\n\t}\n}\n\nvoid h(void)\n{\n\ti();\n}\n';
    expect(names(text)).toEqual({ f: DEFINED, g: USED, h: DEFINED, i: USED });
  });
  test('half a file gives what is there', () => {
    expect(names('void f(void)\n{\n\tg(')).toEqual({ f: DEFINED, g: USED });
    expect(names('/* not closed')).toEqual({});
  });
});
