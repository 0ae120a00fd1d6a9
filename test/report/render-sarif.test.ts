import { expect, it } from 'vitest';
import { renderSarif } from '#report/render-sarif.js';
import { documentOf, samplePatch, withFinding } from './sample-document.js';

const runOf = (text: string) => JSON.parse(text).runs[0];

it('gives each finding a rule, a place, a level and a fingerprint', () => {
  const run = runOf(renderSarif(documentOf(samplePatch)));
  expect(run.tool.driver).toEqual({
    name: 'shootdown',
    version: '0.1.0',
    rules: [{ id: 'free-before-flush' }],
  });
  expect(run.results[0]).toMatchObject({
    ruleId: 'free-before-flush',
    ruleIndex: 0,
    level: 'error',
    baselineState: 'new',
    locations: [
      { physicalLocation: { artifactLocation: { uri: 'arch/arm64/mm/mmu.c' }, region: { startLine: 868 } } },
    ],
    partialFingerprints: { 'shootdown/v1': 'f1' },
  });
});

it('gives the run as one thread a CPU, in execution order', () => {
  const [flow] = runOf(renderSarif(documentOf(samplePatch))).results[0].codeFlows;
  const order = flow.threadFlows.map((t: { id: string; locations: { executionOrder: number }[] }) => [
    t.id,
    t.locations.map((l) => l.executionOrder),
  ]);
  expect(order).toEqual([
    ['CPU0', [2, 3]],
    ['CPU1', [1, 4]],
  ]);
});

it('gives a suggestion as replacements of whole lines', () => {
  const [fix] = runOf(renderSarif(documentOf(samplePatch))).results[0].fixes;
  expect(fix.artifactChanges[0].replacements).toEqual([
    { deletedRegion: { startLine: 868, startColumn: 1, endLine: 869, endColumn: 1 } },
    {
      deletedRegion: { startLine: 871, startColumn: 1, endLine: 871, endColumn: 1 },
      insertedContent: { text: '\tfree_mapped_page(page);\n' },
    },
  ]);
});

it('marks what a patch fixes as absent and says what was not decided', () => {
  const run = runOf(renderSarif(withFinding({ status: 'fixed', severity: 'note' })));
  expect(run.results[0].baselineState).toBe('absent');
  expect(run.invocations[0].toolExecutionNotifications[0].message.text).toBe(
    'drop_mapped_block was not decided (limit): 200000 states on x86-ipi',
  );
});
