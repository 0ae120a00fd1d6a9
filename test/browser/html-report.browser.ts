/**
 * The HTML report in a real browser. `npm run test:browser` runs it, apart from the other tests, since it needs
 * Chromium; SHOOTDOWN_CHROMIUM names the program.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderHtml } from '#report/render-html.js';
import { loadRules } from '#rules/load-rules.js';
import { documentOf, sampleFinding, samplePatch } from '../report/sample-document.js';

let browser: Browser;
let folder = '';
let address = '';
beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: process.env.SHOOTDOWN_CHROMIUM ?? '/usr/bin/chromium',
    // A container has no user namespaces for the sandbox; the page is our own.
    args: ['--no-sandbox'],
  });
  folder = mkdtempSync(join(tmpdir(), 'shootdown-html-'));
  const file = join(folder, 'report.html');
  const second = { ...sampleFinding, fingerprint: 'f2', function: 'another' };
  const document = documentOf({ ...samplePatch, findings: [sampleFinding, second] });
  writeFileSync(file, renderHtml(document, loadRules().hazards));
  address = pathToFileURL(file).href;
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Opens the report; everything that goes wrong or wants the network is kept. */
async function open(
  options: Parameters<Browser['newPage']>[0] = {},
): Promise<{ page: Page; trouble: string[] }> {
  const page = await browser.newPage(options);
  const trouble: string[] = [];
  page.on('pageerror', (error) => trouble.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') trouble.push(message.text());
  });
  page.on('request', (request) => {
    if (request.url() !== address) trouble.push(`wants ${request.url()}`);
  });
  await page.goto(address);
  return { page, trouble };
}

/** What the first run shows. */
async function shown(page: Page) {
  const run = page.locator('.run').first();
  const state = await run
    .locator('.state tr[data-row]')
    .evaluateAll((rows) =>
      rows.map((row) => [
        row.querySelector('th')?.textContent,
        row.querySelector('td')?.textContent,
        row.classList.contains('changed'),
      ]),
    );
  return {
    position: await run.locator('.position').textContent(),
    now: await run.locator('.now').textContent(),
    current: await run.locator('.steps > li[aria-current="step"]').getAttribute('id'),
    mark: await run.locator('.mark.current text').textContent(),
    line: await page.locator('.finding').first().locator('.code .current .n').allTextContents(),
    state,
  };
}

describe('stepping through a run', () => {
  it('goes by keyboard alone, from the top of the page', async () => {
    const { page, trouble } = await open();
    // Tab until the player has the focus, as somebody without a mouse would.
    for (let i = 0; i < 20; i++) {
      await page.keyboard.press('Tab');
      if (await page.evaluate(() => document.activeElement?.classList.contains('player'))) break;
    }
    expect(await shown(page)).toEqual({
      position: 'Step 1 of 4',
      now: 'CPU1 a thread, hardware: caches the translation',
      current: 'p1f1-step-1',
      mark: '1',
      line: [],
      state: [
        ['TLB of CPU1', 'page, writable', true],
        ['page', 'in use', false],
        ['pte entry', 'page', false],
      ],
    });
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    expect(await shown(page)).toEqual({
      position: 'Step 3 of 4',
      now: 'CPU0, program: frees the page',
      current: 'p1f1-step-3',
      mark: '3',
      line: ['868'],
      state: [
        ['TLB of CPU1', 'page, writable', false],
        ['page', 'free', true],
        ['pte entry', 'none', false],
      ],
    });
    await page.keyboard.press('ArrowLeft');
    expect((await shown(page)).state).toContainEqual(['page', 'in use', false]);
    await page.keyboard.press('End');
    await page.keyboard.press('ArrowRight');
    expect((await shown(page)).position).toBe('Step 4 of 4');
    await page.keyboard.press('Home');
    expect((await shown(page)).position).toBe('Step 1 of 4');
    expect(trouble).toEqual([]);
    await page.close();
  });

  it('goes by mouse: marks, steps, buttons; each run for itself', async () => {
    const { page, trouble } = await open();
    await page.locator('.mark').nth(2).click();
    expect((await shown(page)).position).toBe('Step 3 of 4');
    await page.locator('.steps > li').nth(1).click();
    expect((await shown(page)).position).toBe('Step 2 of 4');
    await page.getByRole('button', { name: 'Next' }).first().click();
    expect((await shown(page)).position).toBe('Step 3 of 4');
    expect(await page.locator('.run').nth(1).locator('.position').textContent()).toBe('Step 1 of 4');
    await page.locator('#p1f1-step-2 a').click();
    expect(new URL(page.url()).hash).toBe('#p1f1-new-arch-arm64-mm-mmu-c-866');
    expect(trouble).toEqual([]);
    await page.close();
  });

  it('leaves keys alone that belong to the browser', async () => {
    const { page } = await open();
    await page.locator('.player').first().focus();
    await page.keyboard.press('Control+ArrowRight');
    await page.keyboard.press('x');
    expect((await shown(page)).position).toBe('Step 1 of 4');
    await page.close();
  });
});

describe('reading', () => {
  it('works without scripts', async () => {
    const { page } = await open({ javaScriptEnabled: false });
    expect(await page.locator('.controls').first().isVisible()).toBe(false);
    expect(await page.locator('#p1f1-step-3').isVisible()).toBe(true);
    expect(await page.locator('#p1f1-step-3').innerText()).toContain('page: in use -> free');
    await page.close();
  });

  it('fits a phone: nothing hangs over, buttons can be hit', async () => {
    const { page } = await open({ viewport: { width: 360, height: 740 } });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(wide).toBeLessThanOrEqual(360);
    const box = await page.getByRole('button', { name: 'Next' }).first().boundingBox();
    expect(box?.height).toBeGreaterThanOrEqual(44);
    await page.close();
  });

  it.each(['light', 'dark'] as const)('has enough contrast: %s', async (colorScheme) => {
    const { page } = await open({ colorScheme });
    // Every piece of text against what it stands on, by WCAG 2.1's formula (1.4.3): 4.5 to 1.
    const poor = await page.evaluate(() => {
      const parse = (text: string): number[] => (text.match(/[\d.]+/g) ?? []).map(Number);
      const luminance = ([r = 0, g = 0, b = 0]: number[]): number => {
        const [x, y, z] = [r, g, b].map((v) =>
          v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4,
        );
        return 0.2126 * (x ?? 0) + 0.7152 * (y ?? 0) + 0.0722 * (z ?? 0);
      };
      const under = (element: Element | null): number[] => {
        for (let at = element; at !== null; at = at.parentElement) {
          const colour = parse(getComputedStyle(at).backgroundColor);
          if (colour.length === 3 || (colour[3] ?? 0) > 0) return colour;
        }
        return [255, 255, 255];
      };
      const found: string[] = [];
      for (const element of document.querySelectorAll('body *:not(svg *, script, style)')) {
        const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent?.trim() !== '');
        if (!own) continue;
        const [a, b] = [luminance(parse(getComputedStyle(element).color)), luminance(under(element))];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < 4.5) found.push(`${element.tagName}.${element.className} ${ratio.toFixed(2)}`);
      }
      return found;
    });
    expect(poor).toEqual([]);
    await page.close();
  });

  it('tells a screen reader what is there: names, order of headings, the current step', async () => {
    const { page } = await open();
    const player = page.getByRole('group', { name: /Run of 4 steps; arrow keys move/ }).first();
    expect(await player.getAttribute('aria-describedby')).toBe('p1f1-now');
    expect(await page.locator('#p1f1-now').getAttribute('aria-live')).toBe('polite');
    expect(await page.getByRole('article').count()).toBe(2);
    const levels = await page
      .locator('h1, h2, h3, h4, h5, h6')
      .evaluateAll((all) => all.map((h) => Number(h.tagName.slice(1))));
    levels.forEach((level, i) => expect(level - (levels[i - 1] ?? 0), `heading ${i}`).toBeLessThanOrEqual(1));
    await page.close();
  });
});
