import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { chooseCache } from '#cli/choose-cache.js';

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'shootdown-home-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const body = new Uint8Array([1, 2, 3]);

test('is in the folder that XDG_CACHE_HOME names', async () => {
  chooseCache(true, { XDG_CACHE_HOME: join(home, 'kept'), HOME: home })?.put('key', body);
  expect(readdirSync(join(home, 'kept', 'shootdown'))).toHaveLength(1);
  expect(existsSync(join(home, '.cache'))).toBe(false);
});
test('is in ~/.cache without one, or when it names no absolute path', async () => {
  chooseCache(true, { HOME: home })?.put('key', body);
  chooseCache(true, { HOME: home, XDG_CACHE_HOME: 'kept' })?.put('other', body);
  expect(readdirSync(join(home, '.cache', 'shootdown'))).toHaveLength(2);
});
test('is not there with --no-cache', async () => {
  expect(chooseCache(false, { HOME: home })).toBeNull();
});
test('what is found again is what was put there', async () => {
  chooseCache(true, { HOME: home })?.put('key', body);
  expect(chooseCache(true, { HOME: home })?.get('key')).toEqual(body);
});
