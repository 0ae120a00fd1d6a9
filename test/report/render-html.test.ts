import { describe, expect, it } from 'vitest';
import { renderHtml } from '#report/render-html.js';
import { runStates } from '#report/run-states.js';
import { loadRules } from '#rules/load-rules.js';
import { documentOf, sampleFinding, samplePatch, withFinding } from './sample-document.js';

const pages = loadRules().hazards;

describe('renderHtml', () => {
  it('asks the network for nothing and runs nothing but its own script', () => {
    const html = renderHtml(documentOf(samplePatch), pages);
    expect(html).not.toMatch(
      /<(?:link|img|iframe|object|base|form)\b|\b(?:src|srcset|data|action)=|url\(|@import/i,
    );
    expect(html.match(/href="[^#][^"]*"/g) ?? []).toEqual([]);
    expect(html).toMatch(/Content-Security-Policy" content="default-src 'none';/);
  });
  it('shows what a patch says as text, wherever it stands', () => {
    const nasty = '</script><script>alert(1)</script>"\'<img src=x onerror=alert(1)>&amp;';
    const step = {
      ...sampleFinding.trace[1],
      cpu: 0,
      who: nasty,
      what: nasty,
      file: nasty,
      line: 3,
      text: nasty,
    };
    const html = renderHtml(
      documentOf({
        ...samplePatch,
        subject: nasty,
        findings: [
          {
            ...sampleFinding,
            file: nasty,
            function: nasty,
            message: nasty,
            why: nasty,
            consequence: nasty,
            assumptions: [nasty],
            closedBy: nasty,
            machines: [nasty],
            related: [{ file: nasty, side: 'new', line: 3, what: nasty, text: nasty }],
            trace: [{ ...step, changes: [{ what: nasty, from: nasty, to: nasty }] }],
          },
        ],
      }),
      pages,
    );
    expect(html).not.toContain('<img');
    expect(html.match(/<script/g)).toHaveLength(2);
    expect(html).not.toContain('<script>alert');
  });
  it('links each step to its line, and both exist once', () => {
    const html = renderHtml(documentOf(samplePatch), pages);
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map((m) => m[1]);
    expect(new Set(ids).size).toBe(ids.length);
    const targets = [...html.matchAll(/ href="#([^"]+)"/g)].map((m) => m[1]);
    for (const target of targets) expect(ids, target).toContain(target);
    expect(targets).toContain('p1f1-new-arch-arm64-mm-mmu-c-868');
  });
  it('leaves out the run of what a patch fixes, and what is silenced', () => {
    expect(renderHtml(withFinding({ status: 'fixed' }), pages)).not.toContain('class="run"');
    const silenced = renderHtml(withFinding({ suppressed: { by: 'baseline', reason: 'known' } }), pages);
    expect(silenced).not.toContain('<article');
    expect(silenced).toContain('1 silenced;');
  });
  it('explains the hazard with its page', () => {
    const html = renderHtml(documentOf(samplePatch), pages);
    expect(html).toContain('<summary>About this hazard</summary>');
    expect(html).toMatch(/<h5>Right order<\/h5>\s*<pre tabindex="0"><code>/);
  });
  it('says that there is nothing', () => {
    expect(renderHtml(documentOf(), pages)).toContain('Nothing to review.');
  });
});

describe('runStates', () => {
  it('carries each value on until it changes', () => {
    const rows = runStates(sampleFinding.trace).map(({ what, group, values, changedAt }) => [
      what,
      group,
      values,
      changedAt,
    ]);
    expect(rows).toEqual([
      ['TLB of CPU1', 'TLB', Array(4).fill('page, writable'), [0]],
      ['page', 'Memory', ['in use', 'in use', 'free', 'free'], [2]],
      ['pte entry', 'Entries', ['page', 'none', 'none', 'none'], [1]],
    ]);
  });
  it('shows the former value before the first change, and nothing where a value ends', () => {
    const step = (from: string, to: string) => ({
      cpu: 0,
      who: 'program',
      what: 'x',
      file: null,
      line: null,
      changes: [{ what: 'CPU0 walk cache', from, to }],
    });
    const idle = { ...step('', ''), changes: [] };
    const [row] = runStates([idle, step('a', 'b'), idle, step('b', '')]);
    expect(row?.values).toEqual(['a', 'b', 'b', 'nothing']);
    expect(row?.group).toBe('Walk caches');
  });
});
