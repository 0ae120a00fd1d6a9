import { describe, expect, it } from 'vitest';
import { renderJson } from '#report/render-json.js';
import { documentOf, sampleFinding, samplePatch } from './sample-document.js';

describe('renderJson', () => {
  it('gives exactly the document and a newline', () => {
    const document = documentOf(samplePatch);
    const text = renderJson(document);
    expect(JSON.parse(text)).toEqual(document);
    expect(text.endsWith('}\n')).toBe(true);
  });

  it('keeps the published order of keys whatever order they were built in', () => {
    const reversed = Object.fromEntries(Object.entries(sampleFinding).reverse()) as typeof sampleFinding;
    const patch = { ...samplePatch, findings: [reversed] };
    expect(renderJson(documentOf(patch))).toBe(renderJson(documentOf(samplePatch)));
    expect(Object.keys(JSON.parse(renderJson(documentOf(samplePatch))).patches[0].findings[0])).toEqual([
      'fingerprint',
      'hazard',
      'status',
      'severity',
      'confidence',
      'why',
      'file',
      'side',
      'line',
      'function',
      'message',
      'machines',
      'safeOn',
      'notBuiltOn',
      'related',
      'trace',
      'consequence',
      'assumptions',
      'closedBy',
      'suggestion',
    ]);
  });
});
