/**
 * What kernel lists carry, one fixture an item: prefixes of subjects, covers, versions, trailers, bodies and encodings,
 * in the order in which docs of list tools speak of them. The fixtures' texts are made up.
 */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { applyFile } from '#patch/apply-patch.js';
import { parseInputs, parsePatches } from '#patch/parse-patches.js';
import { type Patch, PatchError, type PatchSeries } from '#patch/series.js';

const folder = new URL('../../fixtures/mail/', import.meta.url);
const bytes = (name: string): Uint8Array => readFileSync(new URL(name, folder));
const read = (name: string): Promise<PatchSeries> => parsePatches(bytes(name), name);

async function only(name: string): Promise<Patch> {
  const { patches } = await read(name);
  expect(patches).toHaveLength(1);
  return patches[0] ?? expect.fail();
}

const added = ({ files }: Patch): string[] =>
  files.flatMap(({ hunks }) =>
    hunks.flatMap(({ lines }) => lines.filter(({ kind }) => kind === 'add').map(({ text }) => text)),
  );
const ids = ({ patches }: PatchSeries): (string | null)[] => patches.map(({ messageId }) => messageId);

async function failure(run: Promise<unknown>): Promise<string> {
  const error = await run.then(
    () => null,
    (reason: unknown) => reason,
  );
  return error instanceof PatchError ? `${error.code}: ${error.message}` : expect.fail(String(error));
}

describe('prefixes', () => {
  it('reads every form; answers and pull requests start no patch', async () => {
    const { patches, notes } = await read('prefixes.mbox');
    expect(patches.map(({ version, part, of, files }) => [version, part, of, files[0]?.newPath])).toEqual([
      [3, 2, 11, 'mm/form1.c'],
      [2, 1, 4, 'mm/form2.c'],
      [1, null, null, 'mm/form3.c'],
      [1, null, null, 'mm/form4.c'],
      [1, 1, 3, 'mm/form5.c'],
      [1, 1, 8, 'mm/form6.c'],
      [2, 3, 4, 'mm/form7.c'],
      [5, 3, 4, 'mm/form8.c'],
      [4, 5, 6, 'mm/form9.c'],
      [1, 7, 100, 'mm/form10.c'],
    ]);
    expect(notes).toContain('2 mails without a patch of its own left out');
    expect(notes).toContain('incomplete series "mm: form 2": parts 2, 3, 4 of 4 not in the input');
  });
});

describe('covers', () => {
  it('does not take a diff that a cover quotes', async () => {
    const { patches } = await read('cover-quotes-diff.mbox');
    expect(patches.map(({ files }) => files.map(({ newPath }) => newPath))).toEqual([['mm/real.c']]);
  });

  it('hands what a cover says of the whole series on to its parts', async () => {
    const { patches, notes } = await read('b4-cover.mbox');
    for (const patch of patches)
      expect(patch.trailers).toEqual({
        'base-commit': '0123456789abcdef0123456789abcdef01234567',
        'change-id': '20261020-zap-order-0123456789ab',
        'prerequisite-change-id': '20261001-walk-order-ba9876543210:v5',
        'prerequisite-patch-id':
          '1111111111111111111111111111111111111111\n2222222222222222222222222222222222222222',
        'prerequisite-message-id': '<walk-order@example.org>',
        'Signed-off-by': 'Ada Writer <ada@example.org>',
      });
    expect(patches.map(({ version, part, of }) => [version, part, of])).toEqual([
      [2, 1, 2],
      [2, 2, 2],
    ]);
    expect(notes).toEqual([
      '"[PATCH v2 1/2] mm: first step" says that it builds on <walk-order@example.org>, 20261001-walk-order-ba9876543210, not in the input',
    ]);
  });
});

describe('versions', () => {
  it('takes the second of two versions when it answers the first', async () => {
    const series = await read('reply-version.mbox');
    expect(ids(series)).toEqual(['rv2.1@example.org', 'rv2.2@example.org']);
    expect(series.patches.flatMap(added)).toEqual(['\tversion(2);', '\tversion(2);']);
    expect(series.notes).toEqual(['version 1 left out: version 2 of "mm: step 1" is newer']);
  });

  it('takes one part that was sent again alone, and says what is missing', async () => {
    const { patches, notes } = await read('reroll-alone.eml');
    expect(patches).toMatchObject([{ version: 2, part: 3, of: 7, inReplyTo: 'ra1.3@example.org' }]);
    expect(notes).toEqual(['incomplete series: parts 1, 2, 4, 5, 6, 7 of 7 not in the input']);
  });

  it('knows a series that changed all its titles by its change-id', async () => {
    const series = await read('change-id.mbox');
    expect(ids(series)).toEqual(['ch2.1@example.org']);
    expect(series.notes).toEqual(['version 1 left out: version 2 of "mm: zap in order, part" is newer']);
  });
});

describe('trailers', () => {
  it('puts a patch after the one that it depends on, and says what is not there', async () => {
    const series = await read('depends-on.mbox');
    expect(ids(series)).toEqual(['ground@example.org', 'top@example.org', 'else@example.org']);
    expect(series.notes).toEqual([
      '"[PATCH] mm: elsewhere" says that it builds on <nowhere@example.org>, not in the input',
    ]);
  });

  it('finds base-commit before the signature as well as after it', async () => {
    expect((await only('signature-last.patch')).trailers).toEqual({
      'base-commit': '0123456789abcdef0123456789abcdef01234567',
      'prerequisite-patch-id': '3333333333333333333333333333333333333333',
    });
    expect((await only('format-patch.patch')).trailers['base-commit']).toBe(
      '0123456789abcdef0123456789abcdef01234567',
    );
  });
});

describe('headers', () => {
  it('takes ids out of comments', async () => {
    const { patches, notes } = await read('reply-comment.mbox');
    expect(patches.map(({ inReplyTo, references }) => [inReplyTo, references])).toEqual([
      ['rc.0@example.org', []],
      ['rc.0@example.org', ['rc.0@example.org', 'rc.1@example.org']],
    ]);
    expect(notes).toEqual([]);
  });
});

describe('bodies', () => {
  const lock = ['\tmutex_lock(&zap_lock);'];

  it.each([
    ['list-footer.eml', lock],
    ['base64-footer.eml', ['\tnote(mm, "größer");']],
    ['alternative.eml', ['\tcall(a->b == c);']],
    ['signed-mime.eml', lock],
    ['signed-inline.eml', lock],
    ['delsp.eml', lock],
  ])('%s', async (name, lines) => {
    const patch = await only(name);
    expect(patch.body).toBe('Why.');
    expect(patch.files.map(({ newPath, hunks }) => [newPath, hunks.length])).toEqual([['mm/zap.c', 1]]);
    expect(added(patch)).toEqual(lines);
    expect(patch.files[0]?.hunks[0]?.lines.at(-1)).toEqual({ kind: 'context', text: '\treturn;' });
  });

  it('takes attached mails for the patches that they are', async () => {
    const { patches } = await read('attached-mails.eml');
    expect(
      patches.map(({ subject, author, part, body }) => [subject, author, part, body.slice(0, 7)]),
    ).toEqual([
      ['[PATCH 1/2] mm: attached 1', 'Bob Builder <bob@example.org>', 1, 'Text 1.'],
      ['[PATCH 2/2] mm: attached 2', 'Bob Builder <bob@example.org>', 2, 'Text 2.'],
    ]);
  });

  it('refuses HTML, which shows a patch with other characters than it has', async () => {
    expect(await failure(read('html.eml'))).toBe(
      'not-a-patch: html.eml: "[PATCH] mm: lock" is an HTML mail: a patch is plain text',
    );
  });

  it('says of context diffs and of diffs of merges that they are not read', async () => {
    expect(await failure(read('context.diff'))).toContain('a context diff is not read');
    expect(await failure(read('merge.diff'))).toBe(
      'not-a-patch: merge.diff: the combined diff of a merge is not read: diff --cc mm/zap.c',
    );
    const { patches, notes } = await read('merge-and-plain.diff');
    expect(patches.map(({ files }) => files.map(({ newPath }) => newPath))).toEqual([['mm/plain.c']]);
    expect(notes).toEqual(['the combined diff of a merge is not read: diff --combined mm/zap.c']);
  });

  it('tells submodules, links, modes with content and quoted names apart', async () => {
    const { files } = await only('submodule.patch');
    expect(
      files.map(({ oldPath, newPath, change, hunks }) => [oldPath, newPath, change, hunks.length]),
    ).toEqual([
      ['sub', 'sub', 'binary', 0],
      [null, 'link', 'binary', 0],
      ['mm/run.sh', 'mm/run.sh', 'modify', 1],
      ['mm/ä.c', 'mm/quote "q".c', 'rename', 1],
    ]);
  });

  it('says that a mailer spoilt the white space when such a patch is applied', async () => {
    const [file] = (await only('tabs-to-spaces.eml')).files;
    const text = `${'\n'.repeat(9)}\tint step;\n\n\treturn;\n`;
    expect(applyFile(text, file ?? expect.fail())).toMatchObject({
      number: 1,
      reason: expect.stringContaining('with other white space'),
    });
  });
});

describe('what a thread comes in', () => {
  it('unpacks gzip, and no bomb', async () => {
    expect(ids(await read('thread.mbox.gz'))).toEqual(['gz1.1@example.org', 'gz1.2@example.org']);
    const bomb = gzipSync(Buffer.alloc(40 * 1024 * 1024, 0x20));
    expect(await failure(parsePatches(bomb, 'bomb'))).toContain('too-large: bomb: unpacks to more than');
    expect(await failure(parsePatches(Uint8Array.from([0x1f, 0x8b, 8, 0, 1]), 'x'))).toBe(
      'not-text: x: broken gzip data',
    );
  });

  it('reads UTF-16 of either order', async () => {
    const little = Buffer.from(`\ufeff${Buffer.from(bytes('noprefix.diff')).toString()}`, 'utf16le');
    for (const input of [little, Buffer.from(little).swap16()])
      expect((await parsePatches(input, 'x')).patches[0]?.files[0]?.newPath).toBe('mm/zap.c');
  });

  it('needs one patch among the many files of a mail box, whatever else is in it', async () => {
    const file = (name: string) => ({ name, bytes: bytes(name), folder: 'box' });
    const picture = { name: 'picture', bytes: Uint8Array.from([0, 1, 2]), folder: 'box' };
    const series = await parseInputs([
      file('reply.eml'),
      file('list-footer.eml'),
      picture,
      file('cover.eml'),
    ]);
    expect(ids(series)).toEqual(['lf@example.org']);
    expect(series.notes[0]).toBe('left out: picture: not a text file');
    expect(await failure(parseInputs([file('reply.eml'), file('cover.eml')]))).toBe(
      'not-a-patch: box: no patch in it',
    );
  });
});
