import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { b4Check, parseTracking } from '#cli/b4-check.js';

const patchFile = 'fixtures/patches/khugepaged-no-sync.wrong.patch';
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shootdown-b4-'));
  vi.stubEnv('B4_TRACKING_FILE', undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

/** The answer to a mail on standard input, parsed as b4 would. */
const answer = async (mail: string, tree: string) => {
  let out = '';
  vi.spyOn(process, 'stdin', 'get').mockReturnValue(
    Readable.from([Buffer.from(mail)]) as unknown as typeof process.stdin,
  );
  vi.spyOn(process.stdout, 'write').mockImplementation((text: unknown, ...rest: readonly unknown[]) => {
    out += String(text);
    const done = rest.at(-1);
    if (typeof done === 'function') done();
    return true;
  });
  const code = await b4Check({ tree, machine: [] });
  vi.restoreAllMocks();
  expect(code).toBe(0);
  return JSON.parse(out);
};

it('fails a patch that brings in a hazard', async () => {
  const [result, ...more] = await answer(readFileSync(patchFile, 'utf8'), 'fixtures/kernel');
  expect(more).toEqual([]);
  expect(result).toMatchObject({
    tool: 'shootdown',
    status: 'fail',
    summary: '1 error: flush-without-ipi in collapse_free_table',
  });
});

it('has nothing to say about a cover letter', async () => {
  expect(await answer(readFileSync('fixtures/mail/cover.eml', 'utf8'), 'fixtures/kernel')).toEqual([]);
});

it('warns where the patch does not apply', async () => {
  const mail = readFileSync(patchFile, 'utf8').replaceAll('mm_dec_nr_ptes', 'mm_dec_nr_others');
  const [result] = await answer(mail, 'fixtures/kernel');
  expect(result.status).toBe('warn');
  expect(result.summary).toMatch(/^not reviewed: .*mm\/khugepaged\.c/);
});

describe('with the commits of b4', () => {
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-C', join(folder, 'tree'), ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trimEnd();

  it('reviews a later patch on top of the ones before it', async () => {
    const tree = join(folder, 'tree');
    mkdirSync(tree);
    cpSync('fixtures/kernel', tree, { recursive: true });
    git('init', '-q', '-b', 'main');
    git('config', 'user.name', 'Ada Example');
    git('config', 'user.email', 'ada@example.org');
    git('add', '-A');
    git('commit', '-q', '-m', 'kernel');
    git('checkout', '-q', '-b', 'b4/review/20261121-change-abc');
    const file = join(tree, 'mm/khugepaged.c');
    const before = readFileSync(file, 'utf8');
    // The first patch moves the code, so that the second applies to the branch alone.
    writeFileSync(
      file,
      before.replace('\tmm_dec_nr_ptes(mm);\n', '\tcond_resched();\n\tmm_dec_nr_ptes(mm);\n'),
    );
    git('commit', '-q', '-a', '-m', 'mm/khugepaged: first');
    const first = git('rev-parse', 'HEAD');
    writeFileSync(file, readFileSync(file, 'utf8').replace('\ttlb_remove_table_sync_one();\n', ''));
    git('commit', '-q', '-a', '-m', 'mm/khugepaged: second');
    const mail = git('format-patch', '--stdout', '-1').replace(
      /^Subject: .*$/m,
      'Subject: [PATCH 2/2] mm/khugepaged: second\nMessage-ID: <two@example.org>',
    );
    git('commit', '-q', '--allow-empty', '-m', 'notes of b4');
    git('checkout', '-q', 'main');
    const tracking = {
      series: { 'change-id': '20261121-change-abc', 'first-patch-commit': first },
      patches: [
        { 'header-info': { msgid: 'one@example.org' } },
        { 'header-info': { msgid: 'two@example.org' } },
      ],
    };
    writeFileSync(join(folder, 'tracking.json'), JSON.stringify(tracking));

    const [alone] = await answer(mail, tree);
    expect(alone.status).toBe('warn');
    vi.stubEnv('B4_TRACKING_FILE', join(folder, 'tracking.json'));
    const [result] = await answer(mail, tree);
    expect(result).toMatchObject({
      status: 'fail',
      summary: '1 error: flush-without-ipi in collapse_free_table',
    });
  });
});

describe('parseTracking', () => {
  const good = {
    series: { 'change-id': 'c-1', 'first-patch-commit': 'abcdef012345' },
    patches: [{ 'header-info': { msgid: '<a@b>' } }, {}],
  };
  it('takes the branch, the first commit and the ids', () => {
    expect(parseTracking(JSON.stringify(good))).toEqual({
      branch: 'refs/heads/b4/review/c-1',
      first: 'abcdef012345',
      messageIds: ['a@b', ''],
    });
  });
  it.each([
    '',
    '{}',
    'null',
    JSON.stringify({ ...good, patches: {} }),
    JSON.stringify({ ...good, series: { ...good.series, 'first-patch-commit': '--output=x' } }),
    JSON.stringify({ ...good, series: { ...good.series, 'change-id': '../../main' } }),
  ])('takes nothing from %j', (text) => {
    expect(parseTracking(text)).toBeNull();
  });
});
