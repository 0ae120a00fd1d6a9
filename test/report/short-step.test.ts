import { describe, expect, it } from 'vitest';
import { shortStep, withoutBranches } from '#report/short-step.js';
import { sampleFinding } from './sample-document.js';

describe('shortStep', () => {
  it('keeps the beginning and the answer of a long branch', () => {
    const long = `finds: ${'call(arg0, arg1, '.repeat(20)}0) is not 0`;
    const short = shortStep(long);
    expect(short.length).toBeLessThanOrEqual(77);
    expect(short).toMatch(/^finds: call\(arg0, .* \.\.\. .*is not 0$/);
  });
  it('leaves everything else as it is', () => {
    const act = `flushes ${'a long range '.repeat(20)}`.trim();
    expect(shortStep(act)).toBe(act);
    expect(shortStep('finds: entry pte: page')).toBe('finds: entry pte: page');
  });
});

describe('withoutBranches', () => {
  const [, clear, free] = sampleFinding.trace;
  if (clear === undefined || free === undefined) throw new Error('the sample has these steps');
  const branch = { ...clear, what: 'finds: x is not 0', text: '\tif (x) {', changes: [] };
  it('keeps steps that change something and the one that goes wrong', () => {
    const telling = { ...branch, what: 'finds: entry pte: page', changes: clear.changes };
    const trace = [branch, telling, clear, branch, { ...free, what: 'finds: the wrong half', changes: [] }];
    const { finding, branches } = withoutBranches({ ...sampleFinding, trace });
    expect(finding.trace.map((s) => s.what)).toEqual([
      'finds: entry pte: page',
      'clears the pte entry',
      'finds: the wrong half',
    ]);
    expect(branches).toEqual(['if (x) {']);
  });
});
