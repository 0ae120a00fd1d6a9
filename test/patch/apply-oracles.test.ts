/**
 * A hunk stands where git apply and patch(1) would put it: both are asked, on files with few different lines, where one
 * hunk has many places.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { type Applied, applyFile, type NotApplied } from '#patch/apply-patch.js';
import { parsePatches } from '#patch/parse-patches.js';
import type { FilePatch } from '#patch/series.js';

async function one(diff: string): Promise<FilePatch> {
  return (await parsePatches(Buffer.from(diff), 'x')).patches[0]?.files[0] ?? expect.fail();
}

function applied(result: Applied | NotApplied): Applied {
  return 'failed' in result ? expect.fail(result.reason) : result;
}

function judgeStatus(command: string, args: readonly string[], cwd?: string): number | null {
  return spawnSync(command, args, { cwd }).status;
}

describe('files that were changed since, with git apply and patch as the judges', () => {
  const folder = mkdtempSync(join(tmpdir(), 'shootdown-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const hasPatch = judgeStatus('patch', ['--version']) === 0;

  /** Few different lines, so that a hunk often has several places to stand at. */
  const line = fc.nat(7).map((number) => `l${number}`);
  const step = fc.tuple(
    fc.constantFrom('insert', 'remove', 'replace', 'several'),
    fc.nat(),
    fc.array(line, { maxLength: 4 }),
  );
  const steps = (most: number) => fc.array(step, { maxLength: most });
  type Step = readonly [string, number, readonly string[]];

  function edited(lines: readonly string[], changes: readonly Step[]): string[] {
    const result = [...lines];
    for (const [kind, at, more] of changes) {
      const place = at % (result.length + 1);
      if (kind === 'insert') result.splice(place, 0, more[0] ?? 'l0');
      if (kind === 'remove') result.splice(place, 1);
      if (kind === 'replace') result.splice(place, 1, more[0] ?? 'l0');
      if (kind === 'several') result.splice(place, 0, ...more);
    }
    return result;
  }

  const asText = (all: readonly string[]): string => all.map((one) => `${one}\n`).join('');
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  /** What a tool makes of a file; null when it refuses the patch. */
  function judged(command: string, args: readonly string[], text: string): string | null {
    write('mm/f.c', text);
    const status = judgeStatus(command, args, folder);
    const path = join(folder, 'mm', 'f.c');
    return status === 0 ? (existsSync(path) ? readFileSync(path, 'utf8') : '') : null;
  }

  const cases = (seed: number) =>
    fc.sample(fc.tuple(fc.array(line, { minLength: 3, maxLength: 30 }), steps(3), steps(2)), {
      numRuns: 75,
      seed,
    });

  async function compare(
    seed: number,
    context: number,
    judge: (text: string) => string | null,
    check: (ours: Applied | NotApplied, theirs: string | null) => void,
  ): Promise<void> {
    for (const [old, changes, later] of cases(seed)) {
      const [before, now] = [asText(old), asText(edited(old, changes))];
      if (before === now || now === '') continue;
      write('a/mm/f.c', before);
      write('b/mm/f.c', now);
      const diff = spawnSync(
        'git',
        ['diff', '--no-index', '--no-prefix', `-U${context}`, 'a/mm/f.c', 'b/mm/f.c'],
        {
          cwd: folder,
          encoding: 'utf8',
        },
      ).stdout;
      write('p.diff', diff);
      const text = asText(edited(old, later));
      check(applyFile(text, await one(diff)), judge(text));
    }
  }

  it('does what git apply does wherever that applies, and needs fuzz or a first hunk that moved elsewhere', async () => {
    let [same, fuzzy] = [0, 0];
    const judge = (text: string): string | null => judged('git', ['apply', 'p.diff'], text);
    await compare(11, 3, judge, (ours, theirs) => {
      if (theirs !== null) {
        expect(applied(ours).text).toBe(theirs);
        same++;
      } else if (!('failed' in ours)) {
        expect(ours.fuzz.some((fuzz) => fuzz > 0) || ours.offsets[0] !== 0 || ours.offsets.at(-1) !== 0).toBe(
          true,
        );
        fuzzy++;
      }
    });
    expect(same).toBeGreaterThan(20);
    expect(fuzzy).toBeGreaterThan(3);
  });

  it.skipIf(!hasPatch)(
    'does what patch does, except to put lines anywhere or over a hunk before',
    async () => {
      let [same, stricter] = [0, 0];
      const args = ['-p1', '-f', '-N', '-s', '-r', '-', '--no-backup-if-mismatch', '-i', 'p.diff'];
      const judge = (text: string): string | null => judged('patch', args, text);
      for (const context of [3, 1])
        await compare(20 + context, context, judge, (ours, theirs) => {
          if ('failed' in ours) {
            if (theirs !== null) stricter++;
            return;
          }
          expect(theirs).toBe(ours.text);
          same++;
        });
      expect(same).toBeGreaterThan(50);
      expect(stricter).toBeLessThan(same / 5);
    },
  );
});
