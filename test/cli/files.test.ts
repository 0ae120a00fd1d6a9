import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readInputs } from '#cli/read-input.js';
import { describeFailure } from '#cli/report-failure.js';
import { writeOutput } from '#cli/write-output.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shootdown-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const failure = async (promise: Promise<unknown>): Promise<string> =>
  promise.then(() => 'no failure', describeFailure);

describe('readInputs', () => {
  it('reads files in the order given', async () => {
    writeFileSync(join(folder, 'a'), 'A');
    writeFileSync(join(folder, 'b'), 'B');
    const inputs = await readInputs([join(folder, 'b'), join(folder, 'a')]);
    expect(inputs.map((i) => Buffer.from(i.bytes).toString())).toEqual(['B', 'A']);
  });
  it('says in one line what is wrong with a name', async () => {
    writeFileSync(join(folder, 'empty'), '');
    expect(await failure(readInputs([folder]))).toBe(`${folder}: is a directory; name a file`);
    expect(await failure(readInputs([join(folder, 'none')]))).toBe(`${join(folder, 'none')}: no such file`);
    expect(await failure(readInputs([join(folder, 'empty')]))).toBe(`${join(folder, 'empty')}: is empty`);
    expect(await failure(readInputs(['-', '-']))).toBe('- can be named only once');
  });
});

describe('writeOutput', () => {
  it('replaces a file whole and leaves nothing beside it', async () => {
    const file = join(folder, 'out.txt');
    writeFileSync(file, 'before');
    await writeOutput('after\n', file);
    expect(readFileSync(file, 'utf8')).toBe('after\n');
    expect(readdirSync(folder)).toEqual(['out.txt']);
  });
  it('names the file that the user named when it cannot be written', async () => {
    const file = join(folder, 'no', 'such', 'out.txt');
    expect(await failure(writeOutput('x', file))).toBe(`${file}: no such file or directory`);
    expect(await failure(writeOutput('x', folder))).toBe(`${folder}: is a directory`);
    expect(readdirSync(folder)).toEqual([]);
  });
});
