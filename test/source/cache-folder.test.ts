import { fork } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openCache } from '#source/cache-folder.js';

let folder = '';
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'shootdown-cache-')), 'kept');
});
afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (found: Uint8Array | null): string | null =>
  found === null ? null : new TextDecoder().decode(found);
const entries = (): string[] => readdirSync(folder).sort();
const only = (): string => join(folder, entries()[0] ?? '');

describe('a folder of kept things', () => {
  test('gives back what was put there, in another run too', () => {
    openCache(folder, '1').put('key', bytes('what was found'));
    expect(text(openCache(folder, '1').get('key'))).toBe('what was found');
    expect(openCache(folder, '1').get('other key')).toBeNull();
  });
  test('replaces what is there', () => {
    const cache = openCache(folder, '1');
    cache.put('key', bytes('first'));
    cache.put('key', bytes('second'));
    expect(text(cache.get('key'))).toBe('second');
    expect(entries()).toHaveLength(1);
  });
  test('nobody else can read it', () => {
    openCache(folder, '1').put('key', bytes('x'));
    expect(readFileSync(only()).length).toBe(13);
  });
  test('is made only when something is put there', () => {
    expect(openCache(folder, '1').get('key')).toBeNull();
    expect(existsSync(folder)).toBe(false);
  });
  test('another version of the tool does not see it', () => {
    openCache(folder, '1').put('key', bytes('old'));
    expect(openCache(folder, '2').get('key')).toBeNull();
  });
});

describe('damage', () => {
  test('a truncated entry is as good as none, and goes', () => {
    const cache = openCache(folder, '1');
    cache.put('key', bytes('what was found'));
    truncateSync(only(), 16);
    expect(cache.get('key')).toBeNull();
    expect(entries()).toEqual([]);
    truncateAll(cache);
  });
  const truncateAll = (cache: ReturnType<typeof openCache>): void => {
    cache.put('key', bytes('again'));
    truncateSync(only(), 0);
    expect(cache.get('key')).toBeNull();
  };
  test('one changed byte is noticed', () => {
    const cache = openCache(folder, '1');
    cache.put('key', bytes('what was found'));
    const damaged = readFileSync(only());
    damaged[20] = (damaged[20] ?? 0) ^ 1;
    writeFileSync(only(), damaged);
    expect(cache.get('key')).toBeNull();
  });
  test('a folder that cannot be written is done without', () => {
    writeFileSync(join(folder, '..', 'file'), '');
    const cache = openCache(join(folder, '..', 'file', 'kept'), '1');
    cache.put('key', bytes('x'));
    expect(cache.get('key')).toBeNull();
  });
});

describe('size', () => {
  const limits = { bytes: 4_000, entryBytes: 1_500 };
  const large = new Uint8Array(1_000);
  const aged = (key: string, minutes: number): void => {
    const before = new Set(existsSync(folder) ? entries() : []);
    openCache(folder, '1', limits).put(key, large);
    const path = join(folder, entries().find((name) => !before.has(name)) ?? '');
    const time = new Date(Date.now() - minutes * 60_000);
    utimesSync(path, time, time);
  };
  test('what was not used for the longest goes first', () => {
    aged('oldest', 50);
    aged('older', 40);
    aged('newer', 30);
    openCache(folder, '1', limits).put('newest', large);
    const cache = openCache(folder, '1', limits);
    expect(['oldest', 'older', 'newer', 'newest'].filter((key) => cache.get(key) !== null)).toEqual([
      'newer',
      'newest',
    ]);
  });
  test('what is used stays', () => {
    aged('oldest', 500);
    aged('older', 400);
    aged('newer', 300);
    openCache(folder, '1', limits).get('oldest');
    openCache(folder, '1', limits).put('newest', large);
    const cache = openCache(folder, '1', limits);
    expect(['oldest', 'older', 'newer', 'newest'].filter((key) => cache.get(key) !== null)).toEqual([
      'oldest',
      'newest',
    ]);
  });
  test('entries of other versions go before any of this one', () => {
    openCache(folder, '0', limits).put('other', large);
    aged('oldest', 50);
    aged('older', 40);
    openCache(folder, '1', limits).put('newest', large);
    expect(openCache(folder, '0', limits).get('other')).toBeNull();
    expect(openCache(folder, '1', limits).get('older')).not.toBeNull();
  });
  test('what is too large is not kept', () => {
    const cache = openCache(folder, '1', limits);
    cache.put('key', new Uint8Array(2_000));
    expect(cache.get('key')).toBeNull();
  });
  test('what a killed program left goes, what another one is writing stays', () => {
    openCache(folder, '1', limits).put('key', large);
    const [left, writing] = [join(folder, 'unfinished-1-a'), join(folder, 'unfinished-2-b')];
    for (const path of [left, writing]) writeFileSync(path, 'half');
    const time = new Date(Date.now() - 7_200_000);
    utimesSync(left, time, time);
    openCache(folder, '1', limits).put('other', large);
    expect([left, writing].map((path) => existsSync(path))).toEqual([false, true]);
  });
});

test('several programs write the same entry: whoever reads it finds one of theirs whole', async () => {
  const script = join(folder, '..', 'writer.mjs');
  // What put() does, as another program does it at the same time.
  writeFileSync(
    script,
    `import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
     import { crc32 } from 'node:zlib';
     const [, , folder, name, letter] = process.argv;
     mkdirSync(folder, { recursive: true });
     const body = Buffer.alloc(200_000, letter);
     const head = Buffer.alloc(12);
     head.writeUInt32LE(0x73646331, 0); head.writeUInt32LE(body.length, 4); head.writeUInt32LE(crc32(body), 8);
     for (let n = 0; n < 40; n++) {
       writeFileSync(folder + '/unfinished-' + process.pid + '-' + n, Buffer.concat([head, body]));
       renameSync(folder + '/unfinished-' + process.pid + '-' + n, folder + '/' + name);
     }`,
  );
  const cache = openCache(folder, '1');
  cache.put('key', new Uint8Array(200_000).fill(0x61));
  const name = entries()[0] ?? '';
  let running = 3;
  for (const letter of ['b', 'c', 'd'])
    fork(script, [folder, name, letter], { execArgv: [] }).on('exit', () => {
      running -= 1;
    });
  const seen = new Set<string>();
  let reads = 0;
  while (running > 0) {
    const body = cache.get('key');
    expect(body).not.toBeNull();
    const [first = 0] = body ?? [];
    expect(body?.every((byte) => byte === first)).toBe(true);
    seen.add(String.fromCharCode(first));
    reads += 1;
    if (reads % 5 === 0) cache.put('key', new Uint8Array(200_000).fill(0x61));
    await new Promise((done) => setTimeout(done, 1));
  }
  expect([...seen].every((letter) => 'abcd'.includes(letter))).toBe(true);
  expect(entries()).toEqual([name]);
});
