import { expect, it } from 'vitest';
import { b4Results, b4Unreviewed } from '#report/render-b4.js';
import { documentOf, sampleFinding, samplePatch, withFinding } from './sample-document.js';

it('answers with the fields and words of the protocol', () => {
  const [result, ...more] = b4Results(documentOf(samplePatch));
  expect(more).toEqual([]);
  expect(result).toMatchObject({
    tool: 'shootdown',
    status: 'fail',
    summary: '1 error: free-before-flush in drop_mapped_range; 1 of 2 functions decided',
    url: '',
  });
  expect(result?.details).toContain('error[free-before-flush] arch/arm64/mm/mmu.c:868');
});

it.each([
  ['pass', { status: 'fixed' }],
  ['pass', { status: 'existing' }],
  ['pass', { suppressed: { by: 'baseline', reason: 'known' } }],
  ['warn', { severity: 'warning' }],
  ['warn', { closedBy: '[PATCH 2/2] mend it' }],
] as const)('is %s for %j', (status, change) => {
  expect(b4Results(withFinding(change))[0]?.status).toBe(status);
});

it('has nothing to say about a patch that touches no page tables, or about no patch', () => {
  const bare = { ...samplePatch, analysed: [], findings: [], undecided: [] };
  expect(b4Results(documentOf(bare))).toEqual([]);
  expect(b4Results(documentOf())).toEqual([]);
  expect(b4Results(documentOf({ ...bare, findings: [sampleFinding] }))).toHaveLength(1);
});

it('warns where a patch could not be reviewed', () => {
  expect(b4Unreviewed('mm/memory.c: hunk 1\ndoes not apply')).toEqual([
    {
      tool: 'shootdown',
      status: 'warn',
      summary: 'not reviewed: mm/memory.c: hunk 1 does not apply',
      url: '',
      details: '',
    },
  ]);
});
