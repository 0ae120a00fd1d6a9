import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readJobs } from '#cli/read-jobs.js';
import { jobsForScan, jobsForSeries } from '#cli/review-parts.js';
import { UsageError } from '#cli/usage-error.js';
import type { ReviewDocument } from '#review/document.js';
import { ensureBuilt, MAIN } from '../bot/app.js';

const ROOT = join(import.meta.dirname, '../..');
const KERNEL = join(ROOT, 'fixtures/kernel');
const PATCHES = join(ROOT, 'fixtures/patches');

const folder = mkdtempSync(join(tmpdir(), 'shootdown-parts-'));
beforeAll(ensureBuilt);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Threads load compiled code: these run the built program. */
function run(...args: string[]): {
  readonly code: number | null;
  readonly text: string;
  readonly said: string;
} {
  const done = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', maxBuffer: 1 << 27 });
  return { code: done.status, text: done.stdout, said: done.stderr };
}

/** How long it took is the only thing that may differ. */
const untimed = (text: string): string => text.replace(/"milliseconds": \d+/, '"milliseconds": 0');

const document = (text: string): ReviewDocument => JSON.parse(text) as ReviewDocument;

describe('scan', () => {
  const scan = (jobs: number) =>
    run('scan', 'mm', 'arch/x86/mm', '--tree', KERNEL, '--format', 'json', '--jobs', String(jobs));

  it('gives the same bytes with 1, 2 and 4 threads', () => {
    const [one, two, four] = [scan(1), scan(2), scan(4)];
    expect(document(one.text).patches[0]?.files).toContain('mm/khugepaged.c');
    expect(document(one.text).stats.states).toBeGreaterThan(0);
    expect(untimed(two.text)).toBe(untimed(one.text));
    expect(untimed(four.text)).toBe(untimed(one.text));
    expect([one, two, four].map(({ said }) => said)).toEqual(['', '', '']);
  });

  it('searches a file that is named twice once', () => {
    const { text } = run(
      'scan',
      'mm/vmalloc.c',
      'mm',
      'mm/vmalloc.c',
      '--tree',
      KERNEL,
      '--format',
      'json',
      '--machine',
      'arm64',
    );
    const files = document(text).patches[0]?.files ?? [];
    expect(files.filter((file) => file === 'mm/vmalloc.c')).toHaveLength(1);
    expect(files[0]).toBe('mm/vmalloc.c');
  });
});

describe('check', () => {
  const check = (jobs: number) =>
    run(
      'check',
      join(PATCHES, 'khugepaged-no-sync.wrong.patch'),
      join(PATCHES, 'hot-remove-free-before-flush.wrong.patch'),
      '--tree',
      KERNEL,
      '--format',
      'json',
      '--machine',
      'arm64,x86-64',
      // How far edits are tried depends on the time that they take.
      '--no-suggest',
      '--jobs',
      String(jobs),
    );

  it('gives the same bytes with 1, 2 and 4 threads', () => {
    const [one, two, four] = [check(1), check(2), check(4)];
    expect(
      document(one.text).patches.map(({ findings }) => findings.map(({ hazard, line }) => [hazard, line])),
    ).toEqual([[['flush-without-ipi', 17]], [['free-before-flush', expect.any(Number)]]]);
    expect(untimed(two.text)).toBe(untimed(one.text));
    expect(untimed(four.text)).toBe(untimed(one.text));
    expect([one.code, two.code, four.code]).toEqual([1, 1, 1]);
  });
});

describe('reviewOnThreads', () => {
  const files = ['mm/khugepaged.c', 'mm/vmalloc.c', 'mm/mmu_gather.c'];

  /** Runs it in a process of its own, on six parts; `on` is the sink of progress. */
  function threads(jobs: number, on: string): Outcome {
    const work = {
      source: { kind: 'scan', folder: KERNEL, files: [...files, ...files] },
      machines: ['arm64'],
      existing: true,
      suggestions: false,
    };
    const script = `
      const { reviewOnThreads } = await import(${JSON.stringify(join(ROOT, 'dist/cli/review-parts.js'))});
      const counted = [], shown = [];
      const without = (index, reason) => ({ patch: { files: [], undecided: [{ reason }] }, states: 0 });
      const { parts, left } = await reviewOnThreads(${JSON.stringify(work)}, { count: 6, weight: (n) => -n, without }, ${jobs}, ${on});
      const told = parts.map(({ patch, states }) => ({ files: patch.files, searched: states > 0, reason: patch.undecided[0]?.reason ?? null }));
      console.log(JSON.stringify({ told, left, counted, shown, listeners: process.listenerCount('SIGINT') }));`;
    const file = join(folder, 'run.mjs');
    writeFileSync(file, script);
    const done = spawnSync(process.execPath, [file], { encoding: 'utf8' });
    expect(done.stderr).toBe('');
    return JSON.parse(done.stdout) as Outcome;
  }

  it('stops when it is interrupted, keeps what is done, and says what is not', () => {
    const { told, left, listeners } = threads(
      1,
      "{ visible: false, show() {}, clear() {}, count(done) { if (done === 1) process.kill(process.pid, 'SIGINT'); } }",
    );
    expect(told[0]).toEqual({ files: ['mm/khugepaged.c'], searched: true, reason: null });
    expect(left).toBeGreaterThanOrEqual(1);
    expect(told[5]).toEqual({ files: [], searched: false, reason: 'interrupted before it was reviewed' });
    expect(told.filter(({ reason }) => reason === 'interrupted before it was reviewed')).toHaveLength(left);
    expect(listeners).toBe(0);
  });

  it('tells what is searched and how many parts are done where somebody looks', () => {
    const { left, counted, shown } = threads(
      2,
      '{ visible: true, show(event) { shown.push(event.file); }, clear() {}, count(done) { counted.push(done); } }',
    );
    expect(left).toBe(0);
    expect(counted).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...new Set(shown)].sort()).toEqual([...files].sort());
  });
});

interface Outcome {
  readonly told: readonly {
    readonly files: readonly string[];
    readonly searched: boolean;
    readonly reason: string | null;
  }[];
  readonly left: number;
  readonly counted: readonly number[];
  readonly shown: readonly string[];
  readonly listeners: number;
}

describe('how many threads', () => {
  it('starts none for a few patches, and no more than there are parts', () => {
    expect(jobsForSeries(null, 1)).toBe(1);
    expect(jobsForSeries(8, 3)).toBe(3);
    expect(jobsForSeries(8, 0)).toBe(1);
    expect(jobsForScan(8, 2)).toBe(2);
    expect(jobsForScan(null, 0)).toBe(1);
  });
  it('refuses what is no number of threads', () => {
    expect(readJobs('4')).toBe(4);
    for (const text of ['0', '-1', '1.5', 'many', '']) expect(() => readJobs(text)).toThrow(UsageError);
  });
});
