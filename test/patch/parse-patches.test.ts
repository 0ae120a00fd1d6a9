import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseInputs, parsePatches } from '#patch/parse-patches.js';
import { type FilePatch, type Patch, PatchError, type PatchSeries } from '#patch/series.js';

const folder = new URL('../../fixtures/mail/', import.meta.url);
const bytes = (name: string): Uint8Array => readFileSync(new URL(name, folder));
const read = (name: string): Promise<PatchSeries> => parsePatches(bytes(name), name);
const text = (value: string): Promise<PatchSeries> => parsePatches(Buffer.from(value), 'input');

async function only(name: string): Promise<Patch> {
  const { patches } = await read(name);
  expect(patches).toHaveLength(1);
  return patches[0] ?? expect.fail();
}

function fileOf(patch: Patch, index = 0): FilePatch {
  return patch.files[index] ?? expect.fail();
}

function added(file: FilePatch): string[] {
  return file.hunks.flatMap((hunk) =>
    hunk.lines.filter(({ kind }) => kind === 'add').map((line) => line.text),
  );
}

async function failure(run: Promise<unknown>): Promise<PatchError> {
  const error = await run.then(
    () => null,
    (reason: unknown) => reason,
  );
  return error instanceof PatchError ? error : expect.fail(`no PatchError: ${String(error)}`);
}

describe('one mail', () => {
  it('reads headers, changelog, trailers and hunks of git format-patch', async () => {
    const patch = await only('format-patch.patch');
    expect(patch).toMatchObject({
      subject: '[PATCH] mm: clear the entry last',
      author: 'Ada Writer <ada@example.org>',
      messageId: 'one@example.org',
      commit: 'abcdef0123456789abcdef0123456789abcdef01',
      version: 1,
      part: null,
      of: null,
    });
    expect(patch.body.split('\n')[0]).toBe('The old value is not needed any more.');
    expect(patch.body).not.toContain('1 file changed');
    expect(patch.trailers).toEqual({
      Fixes: '0123456789ab ("mm: zap")',
      'Signed-off-by': 'Ada Writer <ada@example.org>\nBob Merger <bob@example.org>',
      'base-commit': '0123456789abcdef0123456789abcdef01234567',
      'change-id': '20261103-zap-0011223344',
    });
    const [hunk] = fileOf(patch).hunks;
    expect(hunk).toMatchObject({
      oldStart: 10,
      oldLines: 9,
      newStart: 10,
      newLines: 9,
      heading: 'static void zap_one(struct mm_struct *mm, pte_t *ptep)',
    });
    expect(hunk?.lines.at(-1)).toEqual({ kind: 'context', text: '' });
    expect(hunk?.lines.filter(({ kind }) => kind === 'remove')).toEqual([
      { kind: 'remove', text: '\t\tpte_clear(mm, 0, ptep);' },
    ]);
  });

  it.each([['quoted-printable.eml'], ['base64.eml'], ['latin1.eml']])('decodes %s', async (name) => {
    const patch = await only(name);
    expect(added(fileOf(patch))).toEqual(['\tnote(mm, "größer = =3D", 1);']);
    expect(fileOf(patch).hunks[0]?.lines.some((line) => line.crlf)).toBe(false);
    expect(patch.body).toContain('Suggested by Jörg.');
  });

  it('decodes an RFC 2047 subject over two lines and an encoded author', async () => {
    expect(await only('encoded-subject.eml')).toMatchObject({
      subject: '[PATCH v2 1/1] mm: größer is not more',
      author: 'Jörg Schreiber <joerg@example.org>',
      version: 2,
      part: 1,
      of: 1,
    });
  });

  it('undoes format=flowed where the sender did stuff lines', async () => {
    const file = fileOf(await only('flowed-stuffed.eml'));
    expect(added(file)).toEqual(['\tlong_call(mm, step);']);
    expect(file.hunks[0]?.lines[0]).toEqual({ kind: 'context', text: '\tint step;' });
  });

  it('leaves a diff alone that only claims to be flowed', async () => {
    const file = fileOf(await only('flowed-raw.eml'));
    expect(added(file)).toEqual(['\ttrailing_space(mm); ']);
    expect(file.hunks[0]?.lines[0]).toEqual({ kind: 'context', text: '\tint step;' });
  });

  it('takes author and date from the body', async () => {
    expect(await only('in-body-from.eml')).toMatchObject({
      author: 'Carla Author <carla@example.org>',
      date: 'Mon, 2 Nov 2026 08:00:00 +0000',
      body: 'Text.',
    });
  });

  it('takes what is below scissors, even from a reply', async () => {
    expect(await only('scissors.eml')).toMatchObject({
      subject: '[PATCH] mm: take the lock',
      body: 'Text.\n\nTested-by: Dan Tester <dan@example.org>',
      trailers: { 'Tested-by': 'Dan Tester <dan@example.org>' },
    });
  });

  it('takes the line ends of a mail for the mail’s', async () => {
    const file = fileOf(await only('crlf.eml'));
    expect(file.newPath).toBe('mm/zap.c');
    expect(file.hunks[0]?.lines.every((line) => line.crlf === undefined && !line.text.includes('\r'))).toBe(
      true,
    );
  });

  it('takes the line ends of the lines alone for the file’s', async () => {
    const file = fileOf(await only('crlf-file.diff'));
    expect(file.hunks[0]?.lines.every((line) => line.crlf === true && !line.text.includes('\r'))).toBe(true);
  });

  it('finds an attached patch', async () => {
    const patch = await only('attachment.eml');
    expect(patch.body).toContain('The text.');
    expect(added(fileOf(patch))).toEqual(['\tmutex_lock(&zap_lock);']);
  });

  it('does not take marks in prose for a diff', async () => {
    const patch = await only('marks-in-prose.patch');
    expect(patch.files.map((file) => [file.newPath, file.hunks.length])).toEqual([['mm/zap.c', 1]]);
    expect(patch.trailers).toEqual({ 'Reviewed-by': 'Dan Tester <dan@example.org>' });
  });
});

describe('several mails', () => {
  it('puts parts in order, leaves cover and reply out, unescapes From', async () => {
    const { patches, notes } = await read('series-out-of-order.mbox');
    expect(patches.map(({ part, of, version, files }) => [part, of, version, files[0]?.newPath])).toEqual([
      [1, 3, 3, 'mm/part1.c'],
      [2, 3, 3, 'mm/part2.c'],
      [3, 3, 3, 'mm/part3.c'],
    ]);
    expect(patches[0]?.body).toBe('From here on it is locked.\n\n>From a quote.');
    expect(patches[0]?.inReplyTo).toBe('cover@example.org');
    expect(notes).toEqual(['1 mail without a patch of its own left out']);
  });

  it('keeps the newest version only', async () => {
    const { patches, notes } = await read('two-versions.mbox');
    expect(patches.map(({ messageId }) => messageId)).toEqual(['v2.1@example.org', 'v2.2@example.org']);
    expect(notes).toEqual(['version 1 left out: version 2 of "mm: pair 2" is newer']);
  });

  it('fills a partial re-roll from the version before', async () => {
    const { patches, notes } = await read('partial-reroll.mbox');
    expect(patches.map(({ messageId }) => messageId)).toEqual([
      't.1@example.org',
      't2.2@example.org',
      't.3@example.org',
    ]);
    expect(notes).toEqual(['parts that version 2 does not send again are taken from version 1']);
  });

  it('notes missing parts', async () => {
    const { patches, notes } = await read('missing-part.mbox');
    expect(patches.map(({ part }) => part)).toEqual([1, 4]);
    expect(notes).toEqual(['incomplete series: parts 2, 3 of 4 not in the input']);
  });

  it('orders parts that no reference joins', async () => {
    expect((await read('unthreaded.mbox')).patches.map(({ part }) => part)).toEqual([1, 2]);
  });

  it('keeps a change and its revert of the same title, in the order given', async () => {
    expect((await read('change-and-revert.mbox')).patches.map(({ messageId }) => messageId)).toEqual([
      'a@example.org',
      'b@example.org',
    ]);
  });

  it('joins the parts of a series that come as a file each', async () => {
    const whole = Buffer.from(bytes('unthreaded.mbox')).toString();
    const cut = whole.indexOf('From 0', 10);
    const series = await parseInputs([
      { bytes: Buffer.from(whole.slice(0, cut)), name: '2.patch' },
      { bytes: Buffer.from(whole.slice(cut)), name: '1.patch' },
    ]);
    expect(series.patches.map(({ part }) => part)).toEqual([1, 2]);
    expect(series.notes).toEqual([]);
  });

  it('reads git log oldest first', async () => {
    const { patches } = await read('git-log.txt');
    expect(patches.map(({ subject, commit }) => [subject, commit?.[0]])).toEqual([
      ['mm: first', 'a'],
      ['mm: second', 'b'],
    ]);
  });
});

describe('texts that are no mail', () => {
  it('reads git show', async () => {
    expect(await only('git-show.txt')).toMatchObject({
      subject: 'mm: shown',
      author: 'Ada Writer <ada@example.org>',
      commit: 'abcdef0123456789abcdef0123456789abcdef01',
      trailers: { 'Acked-by': 'Dan Tester <dan@example.org>' },
    });
  });

  it('reads a saved page: comments before, a tail glued to the last line', async () => {
    const patch = await only('saved-page.txt');
    expect(patch).toMatchObject({
      subject: '[RFC,v2,2/3] mm: page that was saved',
      messageId: '20261103.page@example.org',
      version: 2,
      part: 2,
      of: 3,
    });
    expect(patch.files.map(({ newPath, hunks }) => [newPath, hunks[0]?.heading])).toEqual([
      ['mm/zap.c', 'static void zap_one(struct mm_struct *mm)'],
      ['mm/more.c', 'static void zap_one(struct mm_struct *mm)'],
    ]);
  });

  it('reads diff -u: time stamps, new files, names with .orig, names without prefix', async () => {
    const patch = await only('plain.diff');
    expect(patch.subject).toBe('plain.diff');
    expect(patch.files.map(({ oldPath, newPath, change }) => [oldPath, newPath, change])).toEqual([
      ['mm/zap.c', 'mm/zap.c', 'modify'],
      [null, 'mm/new.c', 'add'],
      ['mm/near.c', 'mm/near.c', 'modify'],
    ]);
  });

  it('reads a git diff without prefixes', async () => {
    expect(fileOf(await only('noprefix.diff')).newPath).toBe('mm/zap.c');
  });

  it('reads a text whose ends were trimmed', async () => {
    const [first, second] = fileOf(await only('trimmed.txt')).hunks;
    expect(first?.lines[1]).toEqual({ kind: 'context', text: '' });
    expect(second).toMatchObject({ oldStart: 40, oldLines: 3, newLines: 4 });
  });

  it('reads UTF-16 with a mark', async () => {
    const { patches } = await parsePatches(
      Buffer.from(`\ufeff${Buffer.from(bytes('noprefix.diff')).toString()}`, 'utf16le'),
      'x',
    );
    expect(patches[0]?.files[0]?.newPath).toBe('mm/zap.c');
  });
});

it('reads every extended header of git', async () => {
  const { files } = await only('git-headers.patch');
  expect(
    files.map(({ oldPath, newPath, change, hunks }) => [oldPath, newPath, change, hunks.length]),
  ).toEqual([
    ['mm/old_name.c', 'mm/new name.c', 'rename', 1],
    ['mm/from.c', 'mm/moved.c', 'rename', 0],
    ['mm/model.c', 'mm/copy.c', 'copy', 0],
    ['scripts/run.sh', 'scripts/run.sh', 'mode', 0],
    ['Documentation/logo.gif', 'Documentation/logo.gif', 'binary', 0],
    ['Documentation/dot.png', 'Documentation/dot.png', 'binary', 0],
    [null, 'mm/added.c', 'add', 1],
    [null, 'mm/empty.h', 'add', 0],
    ['mm/gone.c', null, 'delete', 1],
    ['mm/spät.c', 'mm/spät.c', 'modify', 1],
  ]);
  expect(files[6]?.hunks[0]?.lines).toEqual([
    { kind: 'add', text: 'int added;' },
    { kind: 'add', text: 'int last;', noNewline: true },
  ]);
  expect(files[9]?.hunks[0]?.lines).toEqual([
    { kind: 'remove', text: 'int x;', noNewline: true },
    { kind: 'add', text: 'int x;' },
  ]);
});

describe('what is no good patch', () => {
  it.each([
    ['reply.eml', 'reply.eml: a reply, not a patch'],
    ['cover.eml', 'cover.eml: a cover letter without its patches'],
    ['pull.eml', 'pull.eml: a pull request, not a patch'],
    ['prose.txt', 'prose.txt: no patch in it'],
  ])('%s is not-a-patch', async (name, message) => {
    expect(await failure(read(name))).toMatchObject({ code: 'not-a-patch', message });
  });

  it('says that an empty input is empty', async () => {
    expect(await failure(text(' \n'))).toMatchObject({ code: 'not-a-patch', message: 'input: empty' });
  });

  it.each([
    ['truncated.patch', 'mm/zap.c: hunk 1 (@@ -10,9 +10,9 @@', 'the text ends'],
    ['wrapped.patch', 'mm/zap.c: hunk 1 (@@ -10,5 +10,6 @@', '"step);"'],
    ['excess.patch', 'mm/zap.c: hunk 1 (@@ -10,5 +10,6 @@', '"+\\tmore(mm);"'],
  ])('%s is truncated, with file and hunk named', async (name, place, reason) => {
    const error = await failure(read(name));
    expect(error.code).toBe('truncated');
    expect(error.message).toContain(place);
    expect(error.message).toContain(reason);
  });

  it.each([['dotdot.diff'], ['absolute.diff'], ['git-folder.diff']])('%s is bad-path', async (name) => {
    expect((await failure(read(name))).code).toBe('bad-path');
  });

  it('rejects a rename that leaves the tree', async () => {
    const diff =
      'diff --git a/mm/x.c b/mm/y.c\nsimilarity index 100%\nrename from mm/x.c\nrename to ../y.c\n';
    expect((await failure(text(diff))).code).toBe('bad-path');
  });

  it('rejects binary input', async () => {
    expect((await failure(parsePatches(Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 0, 1]), 'x'))).code).toBe(
      'not-text',
    );
    expect(
      (
        await failure(
          parsePatches(
            Uint8Array.from({ length: 400 }, (_, i) => 1 + (i % 8)),
            'x',
          ),
        )
      ).code,
    ).toBe('not-text');
  });

  it('bounds the size, the files and the hunks', async () => {
    expect((await failure(parsePatches(new Uint8Array(33 * 1024 * 1024), 'x'))).code).toBe('too-large');
    const file = (n: number): string => `--- a/f${n}.c\n+++ b/f${n}.c\n@@ -1 +1 @@\n-a\n+b\n`;
    expect((await failure(text(Array.from({ length: 5001 }, (_, n) => file(n)).join('')))).code).toBe(
      'too-large',
    );
    const hunks = Array.from({ length: 20001 }, (_, n) => `@@ -${n + 1} +${n + 1} @@\n-a\n+b\n`).join('');
    expect((await failure(text(`--- a/f.c\n+++ b/f.c\n${hunks}`))).code).toBe('too-large');
  });

  it('rejects absurd counts without a try to serve them', async () => {
    const error = await failure(text('--- a/f.c\n+++ b/f.c\n@@ -1,999999999 +1,999999999 @@\n a\n'));
    expect(error.code).toBe('truncated');
  });

  it.each([
    ['spaces', `Subject: [PATCH] x\n\n${' '.repeat(200_000)}x\n`],
    ['brackets', `Subject: ${'['.repeat(100_000)}\n\nx\n`],
    ['encoded words', `Subject: ${'=?utf-8?q?'.repeat(20_000)}\n\nx\n`],
    ['dashes', `Subject: [PATCH] x\n\n${'-'.repeat(200_000)}>8\n`],
    ['From lines', 'From a b\n'.repeat(50_000)],
    ['diff headings', 'diff mbox series\n\n'.repeat(20_000)],
    ['diff lines', `${'diff --git a/x b/x\n'.repeat(50_000)}`],
    ['commit lines', `commit ${'0'.repeat(40)}\n`.repeat(20_000)],
    ['message ids', `Subject: [PATCH] x\nReferences: ${'<'.repeat(100_000)}\n\nx\n`],
  ])('is not slowed down by many %s', async (_, input) => {
    const start = performance.now();
    expect((await failure(text(input))).code).toBe('not-a-patch');
    expect(performance.now() - start).toBeLessThan(2000);
  });
});
