import { describe, expect, it } from 'vitest';
import { parsePatches } from '#patch/parse-patches.js';
import { patchedStates } from '#source/patched-states.js';
import type { PatchedState } from '#source/snapshot.js';

async function states(...diffs: readonly string[]): Promise<readonly PatchedState[]> {
  const mails = diffs.map(
    (diff, index) =>
      `From ${'0'.repeat(40)} Mon Sep 17 00:00:00 2001\nSubject: [PATCH ${index + 1}/${diffs.length}] p${index + 1}\n\n---\n${diff}`,
  );
  return patchedStates((await parsePatches(Buffer.from(mails.join('\n')), 'x')).patches, null);
}

/** The lines of the new side that are not blank, with their numbers. */
async function shown(diff: string, side: 'before' | 'after' = 'after'): Promise<string[]> {
  const [state] = await states(`--- a/mm/f.c\n+++ b/mm/f.c\n${diff}`);
  const text = state?.[side].read('mm/f.c') ?? expect.fail();
  return text
    .split('\n')
    .flatMap((line, index) => (line === '' ? [] : [`${index + 1}:${line.replaceAll('\t', '>')}`]));
}

describe('a function cut by a hunk', () => {
  it('gets the heading as header and a brace after the hunk', async () => {
    const lines = await shown(
      '@@ -20,3 +20,4 @@ void zap(struct mm_struct *mm)\n \tfirst();\n+\tflush(mm);\n \tlast();\n \tmore();\n',
    );
    expect(lines).toEqual([
      '19:void zap(struct mm_struct *mm) {',
      '20:>first();',
      '21:>flush(mm);',
      '22:>last();',
      '23:>more();',
      '24:}',
    ]);
  });

  it('closes parameters that the heading cuts off, and gives a type where none is seen', async () => {
    expect(
      await shown('@@ -5,2 +5,3 @@ zap(struct mm_struct *mm, unsigned long start,\n \ta();\n+\tb();\n }\n'),
    ).toEqual(['4:int zap(struct mm_struct *mm, unsigned long start) {', '5:>a();', '6:>b();', '7:}']);
  });

  it('goes on with parameters that the hunk shows', async () => {
    expect(
      await shown(
        '@@ -5,4 +5,5 @@ static int zap(struct mm_struct *mm,\n \t\tunsigned long end)\n {\n \ta();\n+\tb();\n }\n',
      ),
    ).toEqual([
      '4:static int zap(struct mm_struct *mm,',
      '5:>>unsigned long end)',
      '6:{',
      '7:>a();',
      '8:>b();',
      '9:}',
    ]);
  });

  it('opens the blocks that its indentation tells, by what closes them', async () => {
    const diff =
      '@@ -9,9 +9,10 @@ int zap(void)\n \t\t\ta();\n+\t\t\tb();\n \t\t} else {\n \t\t\tc();\n \t\t}\n \t\tif (x)\n \t\t\tcontinue;\n \t} while (y);\n \treturn 0;\n }\n';
    const [header] = await shown(diff);
    expect(header).toMatch(/^8:int zap\(void\) \{ do \{ if \(unseen_\w+\) \{$/);
  });

  it('opens a switch around cases', async () => {
    const [header] = await shown(
      '@@ -9,4 +9,5 @@ int zap(void)\n \t\ta();\n+\t\tb();\n \t\tbreak;\n \tcase 2:\n \t\tc();\n',
    );
    expect(header).toMatch(/^8:int zap\(void\) \{ switch \(unseen_\w+\) \{$/);
  });

  it('begins a statement whose end is all that is seen', async () => {
    expect((await shown('@@ -9,2 +9,3 @@ int zap(void)\n \t\t\tb, c);\n+\td();\n \te();\n'))[0]).toMatch(
      /^8:int zap\(void\) \{ unseen_\w+_call\($/,
    );
    expect(
      (await shown('@@ -9,3 +9,4 @@ int zap(void)\n \t    b == c)\n \t\td();\n+\te();\n \tf();\n'))[0],
    ).toMatch(/^8:int zap\(void\) \{ if \($/);
    expect((await shown('@@ -9,3 +9,4 @@ int zap(void)\n \telse\n \t\td();\n+\te();\n \tf();\n'))[0]).toMatch(
      /^8:int zap\(void\) \{ if \(unseen_\w+\) ;$/,
    );
  });

  it('ends a statement whose start is all that is seen', async () => {
    expect((await shown('@@ -9,2 +9,3 @@ int zap(void)\n \ta();\n+\tb();\n \tif (c &&\n')).at(-1)).toBe(
      '12: 0);}',
    );
  });

  it('closes comments and conditions on both sides', async () => {
    expect(
      await shown(
        '@@ -9,5 +9,6 @@ int zap(void)\n \t * told.\n \t */\n+\tb();\n \tc();\n #ifdef CONFIG_X\n \t/* and so\n',
      ),
    ).toEqual([
      '8:int zap(void) { /*',
      '9:> * told.',
      '10:> */',
      '11:>b();',
      '12:>c();',
      '13:#ifdef CONFIG_X',
      '14:>/* and so',
      '15:*/',
      '16:#endif',
      '17:}',
    ]);
  });

  it('puts a condition that ends after the function before it', async () => {
    const lines = await shown('@@ -9,4 +9,5 @@ int zap(void)\n \ta();\n+\tb();\n }\n #endif\n int x;\n');
    expect(lines.slice(0, 3)).toEqual(['7:#ifdef CONFIG_UNSEEN', '8:int zap(void) {', '9:>a();']);
  });

  it('without a heading stands in a function without a name', async () => {
    expect((await shown('@@ -9,2 +9,3 @@\n \ta();\n+\tb();\n \tc();\n'))[0]).toMatch(
      /^8:void unseen_\w+\(void\) \{$/,
    );
  });
});

const twoHunks = `@@ -9,4 +9,5 @@ int before(void)
 
 static int zap(struct mm_struct *mm)
 {
+	lock(mm);
 	a();
@@ -30,3 +31,4 @@ static int zap(struct mm_struct *mm)
 		c();
 	}
+	unlock(mm);
 	return 0;
`;

describe('two hunks of one function', () => {
  it('make one body', async () => {
    const lines = await shown(twoHunks);
    expect(lines.filter((line) => line.includes('zap('))).toEqual([
      '10:static int zap(struct mm_struct *mm)',
    ]);
    expect(lines.find((line) => line.startsWith('30:'))).toMatch(/^30:if \(unseen_\w+\) \{$/);
    expect(lines.at(-1)).toBe('35:}');
  });

  it('also where the patch renames the function', async () => {
    const renamed = twoHunks.replace(
      ' static int zap(struct mm_struct *mm)\n {',
      '-static int zap(struct mm_struct *mm)\n+static int __zap(struct mm_struct *mm)\n {',
    );
    const lines = await shown(renamed);
    expect(lines.filter((line) => line.includes('zap('))).toEqual([
      '10:static int __zap(struct mm_struct *mm)',
    ]);
  });

  it('are told as one partly seen function on each side', async () => {
    const [state] = await states(`--- a/mm/f.c\n+++ b/mm/f.c\n${twoHunks}`);
    expect(state).toMatchObject({ context: 'hunks', partial: true, changed: ['mm/f.c'] });
    expect(state?.partialFunctions).toEqual([
      {
        file: 'mm/f.c',
        side: 'old',
        name: 'zap',
        lines: [
          [11, 12],
          [30, 32],
        ],
      },
      {
        file: 'mm/f.c',
        side: 'new',
        name: 'zap',
        lines: [
          [11, 13],
          [31, 34],
        ],
      },
    ]);
  });
});

describe('what the patch does not touch', () => {
  it('of a cut function keeps no body', async () => {
    const lines = await shown(
      '@@ -9,7 +9,8 @@ void other(void)\n \tx();\n }\n \n+int n;\n \n void next(void)\n {\n \ty();\n',
    );
    expect(lines).toEqual(['12:int n;', '14:void next(void)', '15:;']);
  });
});

describe('files', () => {
  it('that are added are whole', async () => {
    const [state] = await states(
      '--- /dev/null\n+++ b/mm/new.c\n@@ -0,0 +1,2 @@\n+int f(void)\n+{ return 1; }\n',
    );
    expect(state?.after.read('mm/new.c')).toBe('int f(void)\n{ return 1; }\n');
    expect([state?.before.read('mm/new.c'), state?.partial, state?.partialFunctions]).toEqual([
      null,
      false,
      [],
    ]);
  });

  it('that are no C are padded only', async () => {
    const [state] = await states(
      '--- a/mm/Kconfig\n+++ b/mm/Kconfig\n@@ -3,1 +3,2 @@ config A\n \tbool\n+\tdefault y\n',
    );
    expect(state?.after.read('mm/Kconfig')).toBe('\n\n\tbool\n\tdefault y\n');
  });

  it('keep what an earlier patch showed', async () => {
    const first =
      '--- a/mm/f.c\n+++ b/mm/f.c\n@@ -9,0 +10,4 @@ int x;\n+static void helper(void)\n+{\n+\tflush();\n+}\n';
    const second =
      '--- a/mm/f.c\n+++ b/mm/f.c\n@@ -40,2 +40,3 @@ int zap(void)\n \ta();\n+\thelper();\n \tb();\n';
    const [, state] = await states(first, second);
    expect(state?.before.read('mm/f.c')?.split('\n')[11]).toBe('\tflush();');
    expect(state?.after.read('mm/f.c')?.split('\n')[40]).toBe('\thelper();');
  });

  it('at absurd line numbers are left out', async () => {
    const [state] = await states('--- a/mm/f.c\n+++ b/mm/f.c\n@@ -999999990,1 +999999990,2 @@\n a\n+b\n');
    expect([state?.changed, state?.skipped]).toEqual([[], ['mm/f.c']]);
  });
});
