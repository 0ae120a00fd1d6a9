import { describe, expect, it } from 'vitest';
import { applyBaseline, baselineOf, readBaseline } from '#review/baseline.js';
import type { ReviewDocument } from '#review/document.js';
import { matchesGlob } from '#review/match-glob.js';
import { applySuppressions, readSuppressions } from '#review/suppressions.js';
import { documentOf, sampleFinding, samplePatch, withFinding } from '../report/sample-document.js';

const read = (text: string) => readSuppressions(text, 'shootdown.yml');
const entry = (more = '') => `suppressions:\n  - hazard: free-before-flush\n    reason: known\n${more}`;
const day = { today: '2026-11-21', complete: true };
const marks = (document: ReviewDocument) => document.patches[0]?.findings.map((f) => f.suppressed ?? null);

describe('readSuppressions', () => {
  it('reads an entry with its scope and place, and leaves other keys alone', () => {
    const text = `machines: [arm64]\n${entry('    path: arch/**/mmu.c\n    function: drop_*\n    expires: 2027-02-28\n')}`;
    expect(read(text)).toEqual([
      {
        hazard: 'free-before-flush',
        reason: 'known',
        path: 'arch/**/mmu.c',
        function: 'drop_*',
        expires: '2027-02-28',
        file: 'shootdown.yml',
        line: 3,
      },
    ]);
    expect(read('suppressions:\n')).toEqual([]);
  });
  it.each([
    ['suppressions:\n  - hazard: free-before-flush\n', 'shootdown.yml:2:5: shape: suppressions.0.reason'],
    [entry().replace('known', "'  '"), 'shootdown.yml:3:13: shape: suppressions.0.reason: say why'],
    [
      entry().replace('free-before-flush', 'no-such'),
      'shootdown.yml:2:13: unknown-hazard: no hazard `no-such`',
    ],
    [entry('    expires: 2027-02-30\n'), 'shootdown.yml:4:14: shape: suppressions.0.expires'],
    [entry('    untill: 2027-02-28\n'), 'shootdown.yml:4:5: shape: unknown key `untill`'],
    [
      `${entry()}  - { hazard: free-before-flush, reason: twice }\n`,
      'shootdown.yml:4:5: duplicate: the same hazard',
    ],
    ['suppresions: []\n', 'shootdown.yml:1:1: shape: no list `suppressions`'],
    ['suppressions: [\n', 'shootdown.yml:2:1: syntax'],
  ])('says where %j is wrong', (text, message) => {
    expect(() => read(text)).toThrow(message);
  });
});

describe('applySuppressions', () => {
  it('marks what it covers and keeps the finding', () => {
    const after = applySuppressions(documentOf(samplePatch), read(entry('    path: arch/arm64/\n')), day);
    expect(marks(after)).toEqual([{ by: 'suppression', reason: 'known' }]);
    expect(after.idleSuppressions).toBeUndefined();
  });
  it.each([
    ['another hazard', entry().replace('free-before-flush', 'missing-flush')],
    ['another path', entry('    path: mm/*.c\n')],
    ['another function', entry('    function: drop_mapped\n')],
    ['an ended one', entry('    expires: 2026-11-20\n')],
  ])('leaves a finding alone: %s', (_, text) => {
    expect(marks(applySuppressions(documentOf(samplePatch), read(text), day))).toEqual([null]);
  });
  it('counts on its last day', () => {
    const last = read(entry('    expires: 2026-11-21\n'));
    expect(marks(applySuppressions(documentOf(samplePatch), last, day))).toEqual([
      { by: 'suppression', reason: 'known' },
    ]);
  });
  it('never silences what a patch fixes', () => {
    expect(marks(applySuppressions(withFinding({ status: 'fixed' }), read(entry()), day))).toEqual([null]);
  });

  const idle = (text: string, options: { complete: boolean }, patch = samplePatch) =>
    applySuppressions(documentOf(patch), read(text), { ...day, ...options }).idleSuppressions?.map(
      ({ state, line }) => [state, line],
    ) ?? [];
  const decided = { ...samplePatch, undecided: [], findings: [] };
  it('lists what has ended, and what silences nothing in functions that were searched', () => {
    expect(idle(entry('    expires: 2020-01-01\n'), { complete: false })).toEqual([['expired', 2]]);
    expect(idle(entry('    function: drop_mapped_range\n'), { complete: false }, decided)).toEqual([
      ['unused', 2],
    ]);
    expect(idle(entry(), { complete: true }, decided)).toEqual([['unused', 2]]);
  });
  it('does not call unused what this review could not have shown', () => {
    expect(idle(entry('    path: mm/memory.c\n'), { complete: true }, decided)).toEqual([]);
    expect(idle(entry(), { complete: false }, decided)).toEqual([]);
    const open = { ...samplePatch, findings: [] };
    expect(idle(entry('    function: drop_mapped_block\n'), { complete: true }, open)).toEqual([]);
  });
});

describe('matchesGlob', () => {
  it.each([
    ['mm/*.c', 'mm/memory.c', true],
    ['mm/*.c', 'mm/kasan/shadow.c', false],
    ['mm/', 'mm/kasan/shadow.c', true],
    ['**/mmu.c', 'mmu.c', true],
    ['**/mmu.c', 'arch/arm64/mm/mmu.c', true],
    ['**/mmu.c', 'arch/arm64/mm/xmmu.c', false],
    ['a/**/b/*.c', 'a/x/b/b/y.c', true],
    ['*b*', 'abcb', true],
    ['*/*', 'a/b/c', false],
    ['', '', true],
    ['', 'a', false],
    ['arch/*/mm/**', 'arch/x86/mm/pat/a.c', true],
    ['a?c', 'abc', true],
    ['a?c', 'a/c', false],
    ['a.c', 'abc', false],
  ])('%s and %s: %s', (pattern, text, fits) => {
    expect(matchesGlob(pattern, text)).toBe(fits);
  });
  it('does not blow up on many stars', () => {
    expect(matchesGlob('*a'.repeat(200), 'a'.repeat(4000).concat('b'))).toBe(false);
  });
});

describe('baseline', () => {
  const other = { ...sampleFinding, fingerprint: 'f2', file: 'mm/memory.c' };
  const both = documentOf({ ...samplePatch, findings: [other, sampleFinding] });
  it('marks what it knows, by fingerprint and file', () => {
    const baseline = readBaseline(JSON.stringify(baselineOf(documentOf(samplePatch))), 'b.json');
    expect(marks(applyBaseline(both, baseline).document)).toEqual([
      null,
      { by: 'baseline', reason: 'in the baseline' },
    ]);
    const moved = withFinding({ file: 'arch/x86/mm/init_64.c' });
    expect(marks(applyBaseline(moved, baseline).document)).toEqual([null]);
  });
  it('is written in one order and counts what is gone', () => {
    expect(baselineOf(both).findings.map((f) => f.fingerprint)).toEqual(['f1', 'f2']);
    expect(applyBaseline(documentOf(samplePatch), baselineOf(both)).gone).toBe(1);
  });
  it('leaves what a patch fixes and what a suppression covers out of a new baseline', () => {
    const document = applySuppressions(both, read(entry('    path: mm/memory.c\n')), day);
    expect(baselineOf(document).findings.map((f) => f.fingerprint)).toEqual(['f1']);
    expect(baselineOf(withFinding({ status: 'fixed' })).findings).toEqual([]);
  });
  it('refuses another file', () => {
    expect(() => readBaseline('{"version": 2}', 'b.json')).toThrow('b.json:1:13: shape: version');
  });
});
