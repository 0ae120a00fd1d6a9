import { expect, it } from 'vitest';
import { missingStep } from '#report/missing-step.js';
import { sampleFinding } from './sample-document.js';

it('names the step at the finding, else the last one, else none', () => {
  expect(missingStep(sampleFinding).wrong).toBe(2);
  expect(missingStep({ ...sampleFinding, line: 1 }).wrong).toBe(3);
  expect(missingStep({ ...sampleFinding, hazard: 'missing-flush', line: 866 }).wrong).toBe(3);
  expect(missingStep({ ...sampleFinding, trace: [] })).toEqual({
    what: 'a TLB flush that covers the entry',
    before: null,
    wrong: null,
  });
});
