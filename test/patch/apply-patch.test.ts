import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { type Applied, applyFile, type NotApplied, reverseFile } from '#patch/apply-patch.js';
import { changedLines, mapLines } from '#patch/line-map.js';
import { parsePatches } from '#patch/parse-patches.js';
import type { FilePatch } from '#patch/series.js';
import { formatDiff } from './format-diff.js';

async function parse(diff: string): Promise<readonly FilePatch[]> {
  return (await parsePatches(Buffer.from(diff), 'x')).patches.flatMap(({ files }) => files);
}

async function one(diff: string): Promise<FilePatch> {
  return (await parse(diff))[0] ?? expect.fail();
}

function applied(result: Applied | NotApplied): Applied {
  return 'failed' in result ? expect.fail(result.reason) : result;
}

const change = `--- a/f.c
+++ b/f.c
@@ -3,5 +3,5 @@ int f(void)
 three
 four
-five
+FIVE
 six
 seven
`;
const lines = (...names: string[]): string => names.map((name) => `${name}\n`).join('');
const numbers = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight'];

describe('applyFile', () => {
  it('applies at the stated place', async () => {
    const result = applied(applyFile(lines(...numbers), await one(change)));
    expect(result).toEqual({
      text: lines('one', 'two', 'three', 'four', 'FIVE', 'six', 'seven', 'eight'),
      offsets: [0],
      fuzz: [0],
    });
  });

  it('finds a hunk further down, and further up', async () => {
    expect(applied(applyFile(lines('a', 'b', ...numbers), await one(change))).offsets).toEqual([2]);
    expect(applied(applyFile(lines(...numbers.slice(2)), await one(change))).offsets).toEqual([-2]);
  });

  it('leaves out up to two context lines, and keeps the file’s', async () => {
    const result = applied(
      applyFile(lines('one', 'two', 'DREI', 'VIER', 'five', 'six', 'seven'), await one(change)),
    );
    expect(result).toMatchObject({
      text: lines('one', 'two', 'DREI', 'VIER', 'FIVE', 'six', 'seven'),
      fuzz: [2],
    });
  });

  it('never leaves out a changed line', async () => {
    const result = applyFile(
      lines('one', 'two', 'three', 'four', 'FIVE!', 'six', 'seven'),
      await one(change),
    );
    expect(result).toMatchObject({ number: 1, reason: 'its lines are not in the file, first of all "five"' });
  });

  it('says that a change is there already', async () => {
    const file = await one(change);
    const { text } = applied(applyFile(lines(...numbers), file));
    expect(applyFile(text, file)).toMatchObject({ number: 1, reason: 'the change is in the file already' });
  });

  it('keeps the line ends of the file', async () => {
    const dos = lines(...numbers).replaceAll('\n', '\r\n');
    expect(applied(applyFile(dos, await one(change))).text).toBe(dos.replace('five', 'FIVE'));
    const crlf = change.replace(/^([ +-](?![+-]).*)$/gm, '$1\r');
    expect(applied(applyFile(dos, await one(crlf))).text).toBe(dos.replace('five', 'FIVE'));
    expect(applied(applyFile(lines(...numbers), await one(crlf))).text).toBe(
      lines(...numbers).replace('five', 'FIVE'),
    );
  });

  it('adds and takes away the newline at the end', async () => {
    const add = await one('--- a/f.c\n+++ b/f.c\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n');
    expect(applied(applyFile('a', add)).text).toBe('a\n');
    expect(applied(applyFile('a\n', reverseFile(add))).text).toBe('a');
  });

  it('keeps a missing newline that the patch does not touch', async () => {
    const file = await one(
      '--- a/f.c\n+++ b/f.c\n@@ -1,2 +1,2 @@\n-a\n+A\n b\n\\ No newline at end of file\n',
    );
    expect(applied(applyFile('a\nb', file)).text).toBe('A\nb');
  });

  it('adds and deletes files', async () => {
    const add = await one('--- /dev/null\n+++ b/n.c\n@@ -0,0 +1 @@\n+int n;\n');
    expect(applied(applyFile(null, add)).text).toBe('int n;\n');
    expect(applyFile('int other;\n', add)).toMatchObject({ reason: 'the file exists already' });
    expect(applied(applyFile('int n;\n', reverseFile(add))).text).toBeNull();
    expect(applyFile('int n;\nint m;\n', reverseFile(add))).toMatchObject({
      reason: 'the file to delete has other lines too',
    });
    expect(applyFile(null, await one(change))).toMatchObject({ reason: 'no such file' });
  });
});

describe('line numbers', () => {
  it('maps lines before, in, between and after hunks', async () => {
    const map = mapLines(await one(change.replace('+FIVE', '+FIVE\n+more').replace('+3,5', '+3,6')));
    expect([1, 3, 4, 5, 6, 100].map((line) => map.toNew(line))).toEqual([1, 3, 4, null, 7, 101]);
    expect([1, 4, 5, 6, 7, 101].map((line) => map.toOld(line))).toEqual([1, 4, null, null, 6, 100]);
  });

  it('lists what changed, at the places where the hunks stood', async () => {
    expect(changedLines(await one(change))).toEqual({ removed: [5], added: [5] });
    expect(changedLines(await one(change), [2])).toEqual({ removed: [7], added: [7] });
  });
});

describe('laws, with git as the judge', () => {
  const folder = mkdtempSync(join(tmpdir(), 'shootdown-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Files before and after, as lines of which most are unlike, so that there is one place for each hunk. */
  const edited = fc
    .array(fc.tuple(fc.constantFrom('keep', 'keep', 'keep', 'drop', 'add', 'both'), fc.nat(30)), {
      maxLength: 40,
    })
    .chain((steps) => fc.tuple(fc.constant(steps), fc.boolean(), fc.boolean()))
    .map(([steps, oldEnds, newEnds]) => {
      const old: string[] = [];
      const now: string[] = [];
      for (const [index, [kind, seed]] of steps.entries()) {
        const line =
          seed < 4 ? ['', '\t}', '-- ', '+++ x'][seed] : `line ${index} ${'\t'.repeat(seed % 3)}@@ -1 +1 @@`;
        if (kind === 'keep' || kind === 'drop' || kind === 'both') old.push(line ?? '');
        if (kind === 'keep' || kind === 'add') now.push(line ?? '');
        if (kind === 'both') now.push(`${line} changed`);
      }
      return [asText(old, oldEnds), asText(now, newEnds)] as const;
    });

  function asText(all: readonly string[], ends: boolean): string {
    if (all.length === 0) return '';
    return all.join('\n') + (ends || all.at(-1) === '' ? '\n' : '');
  }

  function gitDiff(pairs: readonly (readonly [string, string])[], context: number): string {
    for (const side of ['a', 'b']) rmSync(join(folder, side), { recursive: true, force: true });
    for (const [index, pair] of pairs.entries()) {
      for (const [side, text] of [
        ['a', pair[0]],
        ['b', pair[1]],
      ] as const) {
        mkdirSync(join(folder, side), { recursive: true });
        writeFileSync(join(folder, side, `${index}.c`), text);
      }
    }
    try {
      return execFileSync(
        'git',
        ['diff', '--no-index', '--no-renames', '--no-prefix', `-U${context}`, 'a', 'b'],
        {
          cwd: folder,
          encoding: 'utf8',
        },
      );
    } catch (error) {
      // Status 1 says that there are differences.
      if (
        error instanceof Error &&
        'stdout' in error &&
        typeof error.stdout === 'string' &&
        error.stdout !== ''
      )
        return error.stdout;
      throw error;
    }
  }

  it.each([[0], [1], [3]])(
    'what git diff -U%i writes applies, reverses, maps and comes back from text',
    async (context) => {
      const pairs = fc
        .sample(edited, { numRuns: 150, seed: 40 + context })
        .filter(([old, now]) => old !== now);
      const files = await parse(gitDiff(pairs, context));
      expect(files).toHaveLength(pairs.length);
      for (const file of files) {
        const [old, now] = pairs[Number.parseInt(file.newPath ?? '', 10)] ?? expect.fail();
        expect(applied(applyFile(old, file)).text).toBe(now);
        expect(applied(applyFile(now, reverseFile(file))).text).toBe(old);
        expect(await parse(formatDiff(file))).toEqual([file]);
        const [oldLines, newLines] = [old.split('\n'), now.split('\n')];
        const map = mapLines(file);
        const { removed, added } = changedLines(file);
        for (const [index, line] of oldLines.slice(0, -1).entries()) {
          const to = map.toNew(index + 1);
          expect(to === null).toBe(removed.includes(index + 1));
          if (to === null) continue;
          expect(newLines[to - 1]).toBe(line);
          expect(map.toOld(to)).toBe(index + 1);
        }
        for (const line of added) expect(map.toOld(line)).toBeNull();
      }
    },
  );

  it('finds the same places as git apply in files that have moved on', async () => {
    // A hunk at the start or end of a file is tied to it; lines around the change let it move.
    const around = (text: string): string =>
      `${edge('top')}${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${edge('end')}`;
    const edge = (name: string): string =>
      Array.from({ length: 4 }, (_, line) => `${name} ${line}\n`).join('');
    const pairs = fc
      .sample(edited, { numRuns: 80, seed: 7 })
      .map(([old, now]) => [around(old), around(now)] as const)
      .filter(([old, now]) => old !== now);
    const diff = gitDiff(pairs, 3);
    const files = await parse(diff);
    const moved = join(folder, 'moved');
    let compared = 0;
    for (const file of files) {
      const [old] = pairs[Number.parseInt(file.newPath ?? '', 10)] ?? expect.fail();
      const text = `${edge('new')}${old}${edge('new')}`;
      mkdirSync(moved, { recursive: true });
      writeFileSync(join(moved, file.newPath ?? ''), text);
      let expected: string | null = null;
      try {
        execFileSync('git', ['apply', '-'], {
          cwd: moved,
          input: formatDiff(file),
          stdio: ['pipe', 'ignore', 'ignore'],
        });
        expected = readFileSync(join(moved, file.newPath ?? ''), 'utf8');
      } catch {
        // git apply takes no fuzz; what it refuses is no case to compare.
      }
      if (expected === null) continue;
      compared++;
      expect(applied(applyFile(text, file)).text).toBe(expected);
    }
    expect(compared).toBeGreaterThan(10);
  });

  it('keeps a missing newline at the end where it is, or says that it is not there', async () => {
    const last = await one(
      '--- a/f.c\n+++ b/f.c\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+B\n\\ No newline at end of file\n',
    );
    expect(applied(applyFile('a\nb', last)).text).toBe('a\nB');
    for (const text of ['a\nb\n', 'a\nb\nc'])
      expect(applyFile(text, last)).toMatchObject({
        number: 1,
        reason: 'its line "b" ends with a line feed on one side only',
      });
  });

  it('round trips any patch that the types allow', async () => {
    const text = fc.constantFrom(
      '',
      'a',
      '\tb;',
      '- c',
      '+d',
      '@@ -1 +1 @@',
      'diff --git a/x b/x',
      '--- a/y',
      '\\ no',
      ' e',
    );
    const line = fc.record({
      kind: fc.constantFrom('context' as const, 'add' as const, 'remove' as const),
      text,
    });
    const hunk = fc
      .tuple(fc.array(line, { minLength: 1, maxLength: 12 }), fc.constantFrom('', 'int f(void)'))
      .map(([all, heading]) => ({
        oldStart: 5,
        newStart: 5,
        heading,
        oldLines: all.filter(({ kind }) => kind !== 'add').length,
        newLines: all.filter(({ kind }) => kind !== 'remove').length,
        lines: all,
      }));
    await fc.assert(
      fc.asyncProperty(fc.array(hunk, { minLength: 1, maxLength: 4 }), async (hunks) => {
        const file: FilePatch = { oldPath: 'mm/f.c', newPath: 'mm/f.c', change: 'modify', hunks };
        expect(await parse(`Some text.\n---\n${formatDiff(file)}-- \n2.43.0\n`)).toEqual([file]);
      }),
      { numRuns: 200 },
    );
  });
});
