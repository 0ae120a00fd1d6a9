import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
  it('reads a maildir, oldest mail first', async () => {
    for (const part of ['cur', 'new', 'tmp']) mkdirSync(join(folder, part));
    writeFileSync(join(folder, 'cur', '1700000002.M1P1.host:2,S'), 'B');
    writeFileSync(join(folder, 'new', '1700000010.M1P1.host'), 'C');
    writeFileSync(join(folder, 'new', '900000001.M1P1.host'), 'A');
    writeFileSync(join(folder, 'tmp', '1.half'), 'X');
    writeFileSync(join(folder, 'cur', '.hidden'), 'X');
    const inputs = await readInputs([folder]);
    expect(inputs.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(['A', 'B', 'C']);
    expect(new Set(inputs.map((input) => input.folder))).toEqual(new Set([folder]));
  });
  it('reads the patch files of a folder by number, and a quilt folder by its series', async () => {
    for (const name of ['0010-c.patch', '0002-b.patch', '0001-a.patch', 'notes.txt'])
      writeFileSync(join(folder, name), name);
    const names = async (): Promise<string[]> =>
      (await readInputs([folder])).map(({ bytes }) => Buffer.from(bytes).toString());
    expect(await names()).toEqual(['0001-a.patch', '0002-b.patch', '0010-c.patch']);
    writeFileSync(
      join(folder, 'series'),
      '# order\n0010-c.patch -p1\n\n0001-a.patch # first\n/etc/passwd\n../x\n',
    );
    expect(await names()).toEqual(['0010-c.patch', '0001-a.patch']);
  });
  it('says in one line what is wrong with a name', async () => {
    writeFileSync(join(folder, 'empty'), '');
    expect(await failure(readInputs([folder]))).toBe(
      `${folder}: is a directory, and no maildir or patch files are in it`,
    );
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
