import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderText } from '#report/render-text.js';
import { documentOf, sampleFinding, samplePatch, withFinding } from './sample-document.js';

const plain = { color: false, width: 80 } as const;
const lines = (text: string): string[] => text.split('\n');
// biome-ignore lint/suspicious/noControlCharactersInRegex: looking for control characters.
const ESCAPES = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/;

describe('renderText', () => {
  it('opens a finding with severity, hazard, place, function and status', () => {
    const text = renderText(withFinding({ file: 'mm/a.c', function: 'f', related: [], trace: [] }), plain);
    expect(lines(text)).toContain('error[free-before-flush] mm/a.c:868 in f (introduced)');
  });

  it('moves function and status below when the header line is too long', () => {
    const text = lines(renderText(documentOf(samplePatch), plain));
    const at = text.indexOf('error[free-before-flush] arch/arm64/mm/mmu.c:868');
    expect(text[at + 1]).toBe('  in drop_mapped_range (introduced)');
  });

  it('marks the line of the finding and labels the related ones', () => {
    const text = lines(renderText(documentOf(samplePatch), plain));
    const at = text.indexOf('>   868 |         free_mapped_page(page);');
    expect(at).toBeGreaterThan(0);
    expect(text[at + 1]).toBe('        |         ^^^^^^^^^^^^^^^^^^^^^^^ the page is freed here');
    expect(text).toContain('    866 |         pte_clear(&init_mm, addr, ptep);');
    expect(text).toContain('        | ----------------------------------- the flush comes only here');
  });

  it('shows lines that only the old file has with a minus', () => {
    expect(lines(renderText(documentOf(samplePatch), plain))).toContain(
      '  - 867 |         flush_tlb_kernel_range(addr, addr + PAGE_SIZE);',
    );
  });

  it('puts each step in the column of its CPU, with what it changes beneath', () => {
    const text = lines(renderText(documentOf(samplePatch), plain));
    expect(text).toContain('  CPU0                                  | CPU1 a thread');
    expect(text).toContain('    2 clears the pte entry (line 866)   |');
    expect(text).toContain('      ~ pte entry: page -> none         |');
    expect(text).toContain('                                        |   1 hardware: caches the translation');
  });

  it('says a value alone when there was none before, and when it ends', () => {
    const changes = [
      { what: 'CPU0 TLB', from: '', to: 'the page' },
      { what: 'lock', from: 'held', to: '' },
    ];
    const trace = [{ cpu: 0, who: 'program', what: 'goes on', file: null, line: null, changes }];
    const text = lines(renderText(withFinding({ trace }), plain));
    expect(text).toContain('      ~ CPU0 TLB: the page');
    expect(text).toContain('      ~ lock: held -> nothing');
  });

  it('marks the missing step before the step that goes wrong', () => {
    const text = lines(renderText(documentOf(samplePatch), plain));
    const missing = text.findIndex((l) => l.startsWith('    ! missing: a TLB flush that covers'));
    const wrong = text.findIndex((l) => l.startsWith('  > 3 frees the page (line 868)'));
    expect(missing).toBeGreaterThan(0);
    expect(wrong).toBe(missing + 2);
  });

  it('says a missing flush where the run ends, not at the change that needs it', () => {
    const text = lines(renderText(withFinding({ hazard: 'missing-flush', line: 866 }), plain));
    const missing = text.findIndex((l) => l.includes('! missing: a TLB flush'));
    const last = text.findIndex((l) => l.includes('> 4 writes through'));
    expect(missing).toBeGreaterThan(0);
    expect(last).toBeGreaterThan(missing);
  });

  it('lists the steps of more CPUs than fit beside each other under one another', () => {
    const step = (cpu: number) => ({
      cpu,
      who: 'program',
      what: `does ${cpu}`,
      file: null,
      line: null,
      changes: [],
    });
    const text = renderText(withFinding({ trace: [0, 1, 2, 3].map(step) }), plain);
    expect(lines(text)).toContain('    2 CPU1: does 1');
  });

  it('names machines, consequence, assumptions, confidence and who closes it', () => {
    const text = renderText(withFinding({ closedBy: '[PATCH 2/2] flush first' }), plain);
    for (const line of [
      '  Happens on     arm64, x86-ipi',
      '  Clean on       x86-pae',
      '  Not built on   riscv',
      '  Consequence    CPU1 writes to a page that belongs to somebody else.',
      '  Assumes        - memory_notify() changes no entries',
      '  Confidence     high: the whole function was followed',
      '  Closed by      a later patch: [PATCH 2/2] flush first',
    ]) {
      expect(lines(text)).toContain(line);
    }
  });

  it('shows the suggestion as a diff with the text of known lines', () => {
    const text = lines(renderText(documentOf(samplePatch), plain));
    expect(text).toContain('    @@ arch/arm64/mm/mmu.c:868 @@');
    expect(text).toContain('    -         free_mapped_page(page);');
    expect(text).toContain('    + free_mapped_page(page);');
    expect(text).toContain('  Suggested edit: no new violation found in 214 states on 2 machines');
  });

  it('shows the lines around edits once, and the text of what they take away', () => {
    const file = 'mm/a.c';
    const suggestion = {
      edits: [
        {
          file,
          line: 12,
          remove: 0,
          insert: ['\t\tflush(a);'],
          removed: [],
          above: ['\t\tclear(a);', ''],
          below: ['\t\tfree(a);', '\t}'],
        },
        {
          file,
          line: 14,
          remove: 1,
          insert: [],
          removed: ['\tflush(a);'],
          above: ['\t\tfree(a);', '\t}'],
          below: ['\treturn 0;'],
        },
      ],
      states: 1_234_567,
      machines: ['arm64'],
    };
    const text = lines(renderText(withFinding({ suggestion }), plain));
    const from = text.indexOf('  Suggested edit: no new violation found in 1,234,567 states on 1 machine');
    expect(from).toBeGreaterThan(0);
    expect(text.slice(from + 1, from + 10)).toEqual([
      '    @@ mm/a.c:12 @@',
      '              clear(a);',
      '',
      '    +         flush(a);',
      '              free(a);',
      '      }',
      '    - flush(a);',
      '      return 0;',
      expect.any(String),
    ]);
  });

  it('shows no run for what a patch fixes', () => {
    const text = renderText(withFinding({ status: 'fixed', severity: 'note' }), plain);
    expect(text).toContain('(fixed)');
    expect(text).not.toContain('How it goes wrong');
    expect(text).toContain('Happened on');
  });

  it('counts what was analysed and names what was not, with the reason', () => {
    const text = renderText(documentOf(samplePatch), plain);
    expect(lines(text)).toContain('1 error; 1 of 2 touched functions analysed.');
    expect(text).toContain('  not decided: drop_mapped_block (arch/arm64/mm/mmu.c): limit reached: 200000');
  });

  it('labels the line of the finding with the step that goes wrong there', () => {
    const related = sampleFinding.related.filter((r) => r.line !== 868);
    expect(lines(renderText(withFinding({ related }), plain))).toContain(
      '        |         ^^^^^^^^^^^^^^^^^^^^^^^ frees the page',
    );
  });

  it('counts only touched functions, and names others that are not decided', () => {
    const undecided = [{ function: 'helper', file: 'mm/b.c', kind: 'resolve' as const, reason: 'no body' }];
    const text = lines(renderText(documentOf({ ...samplePatch, findings: [], undecided }), plain));
    expect(text).toContain('No finding; all 2 touched functions analysed.');
    expect(text).toContain('  not decided: helper (mm/b.c): not resolved: no body');
  });

  it('says when a patch touches nothing that matters', () => {
    const patch = { ...samplePatch, findings: [], analysed: [], undecided: [], context: 'hunks' as const };
    expect(renderText(documentOf(patch), plain)).toBe(
      `${patch.subject}\n\nNo finding; no touched function bears on page tables; only the hunks were seen.\n`,
    );
  });

  it('says when there was nothing to review', () => {
    expect(renderText(documentOf(), plain)).toBe('Nothing to review.\n');
  });

  it('numbers the patches of a series', () => {
    const patch = { ...samplePatch, subject: 'one', findings: [] };
    const text = renderText(documentOf(patch, { ...patch, subject: 'two' }), plain);
    expect(lines(text).filter((l) => /^\d\/2/.test(l))).toEqual(['1/2 one', '2/2 two']);
  });

  it('uses escape sequences only for colours that were asked for', () => {
    expect(renderText(documentOf(samplePatch), { color: true, width: 80 })).toContain('\u001b[31m');
    expect(renderText(documentOf(samplePatch), plain)).not.toMatch(ESCAPES);
  });

  it('keeps to the width and lets no control character through, whatever the texts are', () => {
    const words = fc.string({ unit: 'binary-ascii', maxLength: 90 });
    fc.assert(
      fc.property(words, words, words, fc.integer({ min: 60, max: 120 }), (subject, message, code, width) => {
        const finding = {
          ...sampleFinding,
          message,
          related: [{ file: sampleFinding.file, side: 'new' as const, line: 868, what: message, text: code }],
          trace: sampleFinding.trace.map((t) => ({ ...t, what: message, text: code })),
          suggestion: null,
        };
        const text = renderText(documentOf({ ...samplePatch, subject, findings: [finding] }), {
          color: false,
          width,
        });
        expect(text).not.toMatch(ESCAPES);
        for (const line of lines(text)) expect(line.length).toBeLessThanOrEqual(width);
      }),
      { numRuns: 60 },
    );
  });
});
