import { describe, expect, it } from 'vitest';
import { renderJson } from '#report/render-json.js';
import type { ReviewDocument } from '#review/document.js';
import { readDocument } from '#review/read-document.js';
import { documentOf, sampleFinding, samplePatch } from '../report/sample-document.js';

/** Every optional field is there. */
const full: ReviewDocument = {
  ...documentOf({
    ...samplePatch,
    findings: [{ ...sampleFinding, suppressed: { by: 'suppression', reason: 'known' } }],
    mail: {
      subject: '[PATCH] x',
      from: { name: 'Ada', address: 'ada@example.org' },
      replyTo: [],
      to: [{ name: '', address: 'l@example.org' }],
      cc: [],
      date: null,
      inReplyTo: null,
      references: ['a@b'],
      part: 1,
      of: 2,
    },
    diff: [
      {
        oldPath: null,
        newPath: 'mm/a.c',
        hunks: [{ oldStart: 0, oldLines: 0, newStart: 1, newLines: 1, heading: '', lines: ['+int a;'] }],
      },
    ],
  }),
  idleSuppressions: [
    {
      state: 'expired',
      hazard: 'missing-flush',
      reason: 'r',
      path: null,
      function: 'f',
      expires: '2020-01-01',
      file: 's.yml',
      line: 2,
    },
  ],
};

describe('readDocument', () => {
  it('reads back what was written, field for field', () => {
    expect(readDocument(renderJson(full), 'r.json')).toEqual(full);
    expect(readDocument(renderJson(documentOf(samplePatch)), 'r.json')).toEqual(documentOf(samplePatch));
  });
  it.each([
    ['{', 'r.json: is no JSON; write one with --format json'],
    ['[]', 'r.json: is no review, version 1: the whole: Invalid input: expected object, received array'],
    ['{"version":2}', 'r.json: is no review, version 1: version: Invalid input: expected 1'],
    [
      renderJson(full).replace('"free-before-flush"', '"no-such-hazard"'),
      'r.json: is no review, version 1: patches.0.findings.0.hazard: Invalid option',
    ],
    [
      renderJson(full).replace('"line": 868', '"line": "868"'),
      'r.json: is no review, version 1: patches.0.findings.0.line: Invalid input: expected number, received string',
    ],
  ])('refuses %.20j', (text, message) => {
    expect(() => readDocument(text, 'r.json')).toThrow(message);
  });
});
