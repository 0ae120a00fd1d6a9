import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import AjvDraft04 from 'ajv-draft-04';
import addFormats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { renderSarif } from '#report/render-sarif.js';
import type { ReviewDocument } from '#review/document.js';
import { loadRules } from '#rules/load-rules.js';
import { documentOf, sampleFinding, samplePatch, withFinding } from './sample-document.js';

const pages = loadRules().hazards;
/** The schema that OASIS publishes for SARIF 2.1.0, as Microsoft's test package ships it. */
const schema = JSON.parse(
  readFileSync(
    createRequire(import.meta.url)
      .resolve('@microsoft/jest-sarif')
      .replace(/lib\/.*$/, 'lib/schemas/sarif-2.1.0-rtm.5.json'),
    'utf8',
  ),
);
const ajv = new AjvDraft04.default({ strict: false, allErrors: true, unicodeRegExp: false });
addFormats.default(ajv);
const validate = ajv.compile(schema);

/** The only run of a log that keeps to the schema. */
const runOf = (document: ReviewDocument) => {
  const log = JSON.parse(renderSarif(document, pages));
  validate(log);
  expect(validate.errors ?? []).toEqual([]);
  expect(log.runs).toHaveLength(1);
  return log.runs[0];
};

describe('the schema', () => {
  it('refuses what is no SARIF, so that its consent means something', () => {
    const log = JSON.parse(renderSarif(documentOf(samplePatch), pages));
    log.runs[0].results[0].level = 'fatal';
    expect(validate(log)).toBe(false);
  });
  it.each([
    ['nothing to review', documentOf()],
    ['a fixed finding', withFinding({ status: 'fixed', severity: 'note', side: 'old' })],
    ['no run and no related line', withFinding({ trace: [], related: [], suggestion: null })],
    ['a silenced finding', withFinding({ suppressed: { by: 'suppression', reason: 'known' } })],
    ['a path with blanks and more', withFinding({ file: 'mm/ä b%#?.c' })],
  ])('accepts %s', (_, document) => {
    expect(runOf(document).tool.driver.name).toBe('shootdown');
  });
  it('accepts every hazard, with its page as help', () => {
    const findings = pages.map(({ id }) => ({ ...sampleFinding, hazard: id, fingerprint: id }));
    const { rules } = runOf(documentOf({ ...samplePatch, findings })).tool.driver;
    expect(rules).toHaveLength(pages.length);
    for (const rule of rules) {
      expect(rule.help.markdown).toContain('## Right order');
      expect(rule.fullDescription.text).toMatch(/^[A-Z].*\.$/);
    }
  });
});

it('gives each finding a rule, a place, a level and a fingerprint', () => {
  const run = runOf(documentOf(samplePatch));
  expect(run.tool.driver).toMatchObject({
    name: 'shootdown',
    version: '0.1.0',
    rules: [
      {
        id: 'free-before-flush',
        name: 'FreeBeforeFlush',
        shortDescription: { text: pages.find((p) => p.id === 'free-before-flush')?.title },
        defaultConfiguration: { level: 'error' },
      },
    ],
  });
  expect(run.results[0]).toMatchObject({
    ruleId: 'free-before-flush',
    ruleIndex: 0,
    level: 'error',
    baselineState: 'new',
    locations: [
      { physicalLocation: { artifactLocation: { uri: 'arch/arm64/mm/mmu.c' }, region: { startLine: 868 } } },
    ],
    partialFingerprints: { 'shootdown/v1': 'f1', primaryLocationLineHash: 'f1:1' },
  });
});

it('numbers equal fingerprints, since GitHub takes equal ones for one alert', () => {
  const run = runOf(documentOf(samplePatch, samplePatch));
  expect(
    run.results.map(
      (r: { partialFingerprints: Record<string, string> }) => r.partialFingerprints.primaryLocationLineHash,
    ),
  ).toEqual(['f1:1', 'f1:2']);
});

it('gives the run as one thread a CPU, in execution order, every step with a place', () => {
  const [flow] = runOf(documentOf(samplePatch)).results[0].codeFlows;
  type Step = {
    executionOrder: number;
    location: { physicalLocation: { region: { startLine: number } } };
    properties?: { place: string };
  };
  const order = flow.threadFlows.map((t: { id: string; locations: Step[] }) => [
    t.id,
    t.locations.map((l) => [
      l.executionOrder,
      l.location.physicalLocation.region.startLine,
      l.properties?.place ?? 'own',
    ]),
  ]);
  expect(order).toEqual([
    [
      'CPU0',
      [
        [2, 866, 'own'],
        [3, 868, 'own'],
      ],
    ],
    [
      'CPU1',
      [
        [1, 868, 'of the step before'],
        [4, 868, 'of the step before'],
      ],
    ],
  ]);
});

it('keeps the end of a run that is too long to be shown', () => {
  const step = { cpu: 0, who: 'program', what: 'goes on', file: null, line: null, changes: [] };
  const trace = [...Array.from({ length: 300 }, () => step), ...sampleFinding.trace];
  const [flow] = runOf(withFinding({ trace })).results[0].codeFlows;
  const orders = flow.threadFlows.flatMap((t: { locations: { executionOrder: number }[] }) =>
    t.locations.map((l) => l.executionOrder),
  );
  expect(orders).toHaveLength(200);
  expect(Math.max(...orders)).toBe(304);
  expect(flow.message.text).toBe('How it goes wrong; the first 104 steps are left out');
});

it('stands on a line of the diff, and says where it goes wrong', () => {
  const hunk = {
    oldStart: 700,
    oldLines: 2,
    newStart: 710,
    newLines: 3,
    heading: '',
    lines: [' a', '-b', '+c', '+d'],
  };
  const file = { oldPath: sampleFinding.file, newPath: sampleFinding.file, hunks: [hunk] };
  const [away] = runOf(documentOf({ ...samplePatch, diff: [file] })).results;
  expect(away.locations[0].physicalLocation.region.startLine).toBe(712);
  expect(away.relatedLocations[0]).toMatchObject({
    message: { text: 'the line where it goes wrong' },
    physicalLocation: { region: { startLine: 868 } },
  });
  const near = { ...file, hunks: [{ ...hunk, newStart: 867, newLines: 3 }] };
  const [inside] = runOf(documentOf({ ...samplePatch, diff: [near] })).results;
  expect(inside.locations[0].physicalLocation.region.startLine).toBe(868);
});

it('gives a suggestion as replacements of whole lines', () => {
  const [fix] = runOf(documentOf(samplePatch)).results[0].fixes;
  expect(fix.artifactChanges[0].replacements).toEqual([
    { deletedRegion: { startLine: 868, startColumn: 1, endLine: 869, endColumn: 1 } },
    {
      deletedRegion: { startLine: 871, startColumn: 1, endLine: 871, endColumn: 1 },
      insertedContent: { text: '\tfree_mapped_page(page);\n' },
    },
  ]);
});

it('keeps a silenced finding with the reason', () => {
  const run = runOf(withFinding({ suppressed: { by: 'suppression', reason: 'one board only' } }));
  expect(run.results[0].suppressions).toEqual([
    {
      kind: 'external',
      status: 'accepted',
      justification: 'one board only',
      properties: { by: 'suppression' },
    },
  ]);
  expect(runOf(documentOf(samplePatch)).results[0].suppressions).toBeUndefined();
});

it('marks what a patch fixes as absent and says what was not decided', () => {
  const run = runOf(withFinding({ status: 'fixed', severity: 'note' }));
  expect(run.results[0].baselineState).toBe('absent');
  expect(run.invocations[0].toolExecutionNotifications[0].message.text).toBe(
    'drop_mapped_block was not decided (limit): 200000 states on x86-ipi',
  );
});

it('names suppressions that silence nothing', () => {
  const idle = {
    state: 'unused',
    hazard: 'missing-flush',
    reason: 'r',
    path: null,
    function: null,
    expires: null,
    file: '.github/shootdown.yml',
    line: 4,
  } as const;
  const run = runOf({ ...documentOf(samplePatch), idleSuppressions: [idle] });
  expect(run.invocations[0].toolConfigurationNotifications[0].message.text).toBe(
    'The suppression of missing-flush at .github/shootdown.yml:4 silences nothing',
  );
});
