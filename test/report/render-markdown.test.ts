import { describe, expect, it } from 'vitest';
import { renderMarkdown } from '#report/render-markdown.js';
import { documentOf, samplePatch, withFinding } from './sample-document.js';

describe('renderMarkdown', () => {
  it('has a section for the patch and one for the finding', () => {
    const lines = renderMarkdown(documentOf(samplePatch)).split('\n');
    expect(lines).toContain('### error: `free-before-flush` (introduced)');
    expect(lines).toContain('`arch/arm64/mm/mmu.c:868` in `drop_mapped_range`');
    expect(lines).toContain('- Happens on: `arm64`, `x86-ipi`');
  });

  it('lets no tag or mention of others through', () => {
    const text = renderMarkdown(withFinding({ message: 'see <img src=x> and @everyone', related: [] }));
    expect(text).toContain('see &lt;img src=x&gt; and &#64;everyone');
  });

  it('fences code that holds fences', () => {
    const related = [{ file: 'mm/a.c', side: 'new' as const, line: 1, what: '', text: '/* ``` */' }];
    const text = renderMarkdown(withFinding({ related }));
    expect(text).toContain('````c\n');
  });

  it('says when there was nothing to review', () => {
    expect(renderMarkdown(documentOf())).toBe('Nothing to review.\n');
  });
});
