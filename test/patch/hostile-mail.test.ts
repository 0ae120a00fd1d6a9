/**
 * Mail is hostile input: whatever comes, the answer is a series or one PatchError, in bounded time, and what comes out
 * can be applied to anything without another error than "does not apply".
 */
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyFile, reverseFile } from '#patch/apply-patch.js';
import { mapLines } from '#patch/line-map.js';
import { parsePatches } from '#patch/parse-patches.js';
import { type FilePatch, PatchError, type PatchSeries } from '#patch/series.js';
import { patchedStates } from '#source/patched-states.js';

const folder = new URL('../../fixtures/mail/', import.meta.url);
const fixtures = readdirSync(folder).map((name) => readFileSync(new URL(name, folder)));
const milliseconds = 8_000;

/** The series, or the error; anything else that is thrown fails the test. */
async function parse(input: Uint8Array | string): Promise<PatchSeries | PatchError> {
  const start = performance.now();
  try {
    return await parsePatches(Buffer.from(input), 'input');
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    expect(error.message).toMatch(/^\S.{0,2000}$/);
    return error;
  } finally {
    expect(performance.now() - start).toBeLessThan(milliseconds);
  }
}

const pieces = [
  '@@ -1 +1 @@\n',
  '@@ -99999999,1 +0,0 @@\n',
  '--- a/../x\n+++ b/y\n',
  'diff --git a/x b/y\n',
  'rename from x\n',
  'copy from a\ncopy to b\n',
  'new file mode 100644\n',
  'deleted file mode 100644\n',
  'GIT binary patch\n',
  '\\ No newline at end of file\n',
  '\n\n',
  'From a Mon Jan 1 00:00:00 2024\nSubject: x\n',
  '=?utf-8?q?',
  '--b1\n',
  'Content-Type: multipart/mixed; boundary=""\n',
  'Content-Type: message/rfc822\n\n',
  'Content-Transfer-Encoding: base64\n',
  'Content-Type: text/plain; format=flowed; delsp=yes\n',
  '-----BEGIN PGP SIGNED MESSAGE-----\n\n',
  '-- >8 --\n',
  '=',
  '\0',
  '\r',
  '\u001f\u008b',
  '"\\777',
];

type Edit = {
  readonly kind: 'cut' | 'end' | 'byte' | 'insert' | 'splice';
  readonly at: number;
  readonly seed: number;
};
const edit: fc.Arbitrary<Edit> = fc.record({
  kind: fc.constantFrom('cut', 'end', 'byte', 'insert', 'splice'),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  seed: fc.nat(),
});

function edited(input: Buffer, { kind, at, seed }: Edit): Buffer {
  const place = Math.floor(at * input.length);
  const [head, tail] = [input.subarray(0, place), input.subarray(place)];
  switch (kind) {
    case 'cut':
      return Buffer.concat([head, tail.subarray(seed % 60)]);
    case 'end':
      return Buffer.concat([head]);
    case 'byte':
      return Buffer.concat([head, Buffer.from([seed % 256]), tail.subarray(1)]);
    case 'insert':
      return Buffer.concat([head, Buffer.from(pieces[seed % pieces.length] ?? '', 'latin1'), tail]);
    case 'splice': {
      const other = fixtures[seed % fixtures.length] ?? Buffer.alloc(0);
      return Buffer.concat([
        head,
        other.subarray(seed % (other.length + 1), (seed % (other.length + 1)) + 400),
        tail,
      ]);
    }
  }
}

describe('mails with anything changed in them', () => {
  it('give a series that can be applied, reversed and mapped, or a PatchError', async () => {
    let [read, refused] = [0, 0];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...fixtures),
        fc.array(edit, { minLength: 1, maxLength: 6 }),
        async (base, edits) => {
          const series = await parse(edits.reduce(edited, base));
          if (series instanceof PatchError) {
            refused++;
            return;
          }
          read++;
          for (const file of series.patches.flatMap(({ files }) => files)) {
            for (const text of ['a\nb\nc\n', '', null]) {
              const result = applyFile(text, file);
              if ('failed' in result) expect(result.reason).toMatch(/^.{1,300}$/);
            }
            expect(reverseFile(reverseFile(file)).hunks).toEqual(file.hunks);
            mapLines(file).toOld(5);
          }
          for (const state of patchedStates(series.patches, null))
            for (const path of state.changed) expect(path).toMatch(/^(?!\/)(?!.*(?:^|\/)\.\.(?:\/|$)).+$/);
        },
      ),
      { numRuns: 400, seed: 3 },
    );
    expect([read > 50, refused > 50]).toEqual([true, true]);
  });
});

describe('mails made to be slow', () => {
  const diff = (name: string): string => `--- a/mm/${name}.c\n+++ b/mm/${name}.c\n@@ -1 +1 @@\n-a\n+b\n`;
  const mail = (number: number, subject: string, body = 'Why.\n---\n'): string =>
    `From mboxrd@z Thu Jan  1 00:00:00 1970\nFrom: a@example.org\nSubject: ${subject}\nMessage-ID: <m${number}@x>\n\n${body}${diff(`a${number}`)}\n`;
  const many = (count: number, of: (index: number) => string): string =>
    Array.from({ length: count }, (_, index) => of(index)).join('');
  const head = 'From: a\nSubject: [PATCH] x\n';

  it.each([
    ['patches', many(1000, (n) => mail(n, `[PATCH] t ${n}`)), 1000],
    ['parts of one series', many(1000, (n) => mail(n, `[PATCH ${n + 1}/1000] t ${n}`)), 1000],
    ['versions', many(1000, (n) => mail(n, `[PATCH v${n + 1}] t`)), 1],
    ['needs', many(3000, (n) => mail(n, `[PATCH] t ${n}`, `Why.\n\nDepends-on: <m${n + 1}@x>\n---\n`)), 3000],
  ])('reads many %s', async (_, input, patches) => {
    const series = await parse(input);
    expect(series instanceof PatchError ? series.message : series.patches.length).toBe(patches);
  });

  it.each([
    [
      'nested parts',
      many(1000, (n) => `${n === 0 ? head : ''}Content-Type: multipart/mixed; boundary=b${n}\n\n--b${n}\n`),
    ],
    ['nested mails', many(500, (n) => `Content-Type: message/rfc822\n\n${head}${n}`)],
    [
      'parts',
      `${head}Content-Type: multipart/mixed; boundary=b\n\n${many(4_000, (n) => `--b\nContent-Type: text/x-patch\n\n${n}\n`)}--b--\n`,
    ],
    ['headers', `${head}${many(100_000, (n) => `X-${n}: y\n`)}\nx\n`],
    ['folds', `${head}${' y\n'.repeat(100_000)}\nx\n`],
    ['encoded words', `${head}${' =?utf-8?q?a?=\n'.repeat(100_000)}\nx\n`],
    ['flowed lines', `${head}Content-Type: text/plain; format=flowed\n\n@@ -1\n${'  x \n'.repeat(200_000)}`],
    ['hunk headers', `${head}\n${'@@ -\n'.repeat(200_000)}`],
    ['file headers', `${head}\n${'--- a\n+++ b\n'.repeat(100_000)}`],
    [
      'dashes in a signed text',
      `${head}\n-----BEGIN PGP SIGNED MESSAGE-----\n\n${'- - -\n'.repeat(200_000)}`,
    ],
  ])('refuses many %s', async (_, input) => {
    expect(await parse(input)).toMatchObject({ code: 'not-a-patch' });
  });

  it('bounds lines, of whatever they are', async () => {
    expect(await parse(`${head}\n${'\n'.repeat(2_000_000)}`)).toMatchObject({ code: 'too-large' });
  });

  it('looks for a place in bounded time', async () => {
    const lines = '\n'.repeat(200_000);
    const blank = (count: number) =>
      Array.from({ length: count }, () => ({ kind: 'context' as const, text: '' }));
    const file = (start: number, count: number): FilePatch => ({
      oldPath: 'a',
      newPath: 'a',
      change: 'modify',
      hunks: [
        {
          oldStart: start,
          oldLines: 2 * count + 1,
          newStart: 1,
          newLines: 2 * count + 1,
          heading: '',
          lines: [
            ...blank(count),
            { kind: 'remove', text: 'x' },
            { kind: 'add', text: 'y' },
            ...blank(count),
          ],
        },
      ],
    });
    const start = performance.now();
    expect(applyFile(lines, file(1, 5_000))).toMatchObject({
      reason: 'its place is not found in bounded time',
    });
    expect(applyFile(lines, file(999_999_999, 3))).toMatchObject({ number: 1 });
    expect(performance.now() - start).toBeLessThan(milliseconds);
  });
});
