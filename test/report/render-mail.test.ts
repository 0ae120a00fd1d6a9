import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import parseMime from 'emailjs-mime-parser';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanLine } from '#report/clean-text.js';
import { type MailReply, mailbox, renderMail } from '#report/render-mail.js';
import type { Finding, MailOrigin, QuotedFile, ReviewedPatch } from '#review/document.js';
import { documentOf, sampleFinding, samplePatch } from './sample-document.js';

const origin: MailOrigin = {
  subject: '[PATCH v2] arm64/mm: free pages as they are unmapped',
  from: { name: 'Jörg, the Author', address: 'joerg@example.org' },
  replyTo: [],
  to: [{ name: '', address: 'linux-mm@example.org' }],
  cc: [
    { name: 'Ada "A" Example', address: 'ada@example.org' },
    { name: 'Twice', address: 'JOERG@example.org' },
    { name: '', address: 'linux-mm@example.org' },
  ],
  date: 'Mon, 01 Jan 2024 10:00:00 +0100',
  inReplyTo: '20240101.0@example.org',
  references: ['20231201.9@example.org', '20240101.0@example.org'],
  part: null,
  of: null,
};

const diff: QuotedFile = {
  oldPath: 'arch/arm64/mm/mmu.c',
  newPath: 'arch/arm64/mm/mmu.c',
  hunks: [
    {
      oldStart: 100,
      oldLines: 1,
      newStart: 100,
      newLines: 2,
      heading: 'static void elsewhere(void)',
      lines: [' \tint unrelated;', '+\tint another;'],
    },
    {
      oldStart: 852,
      oldLines: 20,
      newStart: 852,
      newLines: 20,
      heading: 'static void drop_mapped_range(unsigned long addr)',
      lines: [
        ...Array.from({ length: 14 }, (_, i) => ` \tearlier(${852 + i});`),
        ' \t\tpte_clear(&init_mm, addr, ptep);',
        '-\t\tflush_tlb_kernel_range(addr, addr + PAGE_SIZE);',
        ' \t\tif (page)',
        ' \t\tfree_mapped_page(page);',
        ' \t}',
        '+\tflush_tlb_kernel_range(start, end);',
        ' }',
      ],
    },
  ],
};

const patch: ReviewedPatch = {
  ...samplePatch,
  messageId: '20240101.1@example.org',
  mail: origin,
  diff: [diff],
};
const options = {
  from: { name: 'Rae Reviewer', address: 'rae@example.net' },
  date: new Date('2026-11-21T08:00:00Z'),
};
const one = (change: Partial<ReviewedPatch> = {}): MailReply => {
  const [reply] = renderMail(documentOf({ ...patch, ...change }), options);
  if (reply === undefined) throw new Error('no reply was written');
  return reply;
};
const withFindings = (...changes: readonly Partial<Finding>[]): Partial<ReviewedPatch> => ({
  findings: changes.map((change) => ({ ...sampleFinding, ...change })),
});
/** Parsed by a parser that the program does not use. */
const parse = (text: string) => {
  const mail = parseMime(Buffer.from(text.replace(/\r?\n/g, '\r\n')));
  const header = (name: string) => mail.headers[name]?.[0];
  const content = Buffer.from(mail.content ?? mail.childNodes[0]?.content ?? []).toString('utf8');
  return { header, body: content.replace(/\r\n/g, '\n') };
};
const bodyOf = (change: Partial<ReviewedPatch> = {}): readonly string[] =>
  parse(one(change).text).body.trimEnd().split('\n');
const quotedLines = (body: readonly string[]): readonly string[] =>
  body.filter((line) => line.startsWith('>') || line === '[ ... ]');

describe('headers of a reply', () => {
  it('continue the thread of the patch', () => {
    const { header } = parse(one().text);
    expect(header('in-reply-to')?.value).toBe('<20240101.1@example.org>');
    expect(header('references')?.value.split(/\s+/)).toEqual([
      '<20231201.9@example.org>',
      '<20240101.0@example.org>',
      '<20240101.1@example.org>',
    ]);
    expect(header('subject')?.value).toBe('Re: [PATCH v2] arm64/mm: free pages as they are unmapped');
  });
  it('take the parent of a patch without References as the start of the thread', () => {
    const { header } = parse(one({ mail: { ...origin, references: [] } }).text);
    expect(header('references')?.value.split(/\s+/)).toEqual([
      '<20240101.0@example.org>',
      '<20240101.1@example.org>',
    ]);
  });
  it('do not double Re:, and survive names and subjects that are not ASCII', () => {
    const subject = `Re: [PATCH] mm: größer ${'und größer '.repeat(12)}`.trim();
    const { text } = one({ mail: { ...origin, subject } });
    expect(parse(text).header('subject')?.value).toBe(subject);
    const head = text.slice(0, text.indexOf('\n\n'));
    expect(head).toMatch(/^[\n -~]*$/);
    for (const line of head.split('\n')) expect(line.length, line).toBeLessThanOrEqual(78);
  });
  it('go to the sender, and to everybody else once', () => {
    const { header } = parse(one().text);
    expect(header('to')?.value).toEqual([{ name: 'Jörg, the Author', address: 'joerg@example.org' }]);
    expect(header('cc')?.value).toEqual([
      { name: '', address: 'linux-mm@example.org' },
      { name: 'Ada "A" Example', address: 'ada@example.org' },
    ]);
    expect(header('from')?.value).toEqual([{ name: 'Rae Reviewer', address: 'rae@example.net' }]);
  });
  it('obey Reply-To', () => {
    const { header } = parse(
      one({ mail: { ...origin, replyTo: [{ name: '', address: 'l@example.org' }] } }).text,
    );
    expect(header('to')?.value).toEqual([{ name: '', address: 'l@example.org' }]);
  });
  it('say that a tool wrote it, and keep Patchwork from taking a suggestion for a patch', () => {
    const { text } = one();
    expect(text).toContain('\nAuto-Submitted: auto-generated\n');
    expect(text).toContain('\nX-Patchwork-Hint: ignore\n');
    expect(one(withFindings({ suggestion: null })).text).not.toContain('X-Patchwork-Hint');
  });
  it('have the same Message-ID for the same answer, another for another', () => {
    const id = (reply: MailReply) => parse(reply.text).header('message-id')?.value;
    expect(id(one())).toMatch(/^<shootdown-[0-9a-f]{24}@example\.net>$/);
    expect(id(one())).toBe(id(one()));
    expect(id(one(withFindings({ fingerprint: 'other' })))).not.toBe(id(one()));
  });
  it('cannot be broken out of', () => {
    const mail = {
      ...origin,
      subject: 'a\nBcc: victim@example.org\n\nbody',
      references: ['x@y>\nBcc: <z@example.org'],
      cc: [{ name: 'N\nBcc: victim@example.org', address: 'n@example.org' }],
    };
    const head = one({ mail }).text.split('\n\n')[0];
    expect(head).not.toMatch(/^Bcc:/m);
  });
  it('tell a patch that came in no mail from one that did', () => {
    const { mail: _, ...bare } = patch;
    const [reply] = renderMail(documentOf({ ...bare, messageId: null }), options);
    expect(reply?.unthreaded).toBe(true);
    expect(reply?.text).not.toMatch(/^(In-Reply-To|References):/m);
    expect(one().unthreaded).toBe(false);
  });
});

describe('body of a reply', () => {
  it('quotes the hunk alone, trimmed, and comments under the line', () => {
    const body = bodyOf();
    expect(quotedLines(body)).toEqual([
      '> diff --git a/arch/arm64/mm/mmu.c b/arch/arm64/mm/mmu.c',
      '> @@ -852,20 +852,20 @@ static void drop_mapped_range(unsigned long addr)',
      '[ ... ]',
      '>  \tearlier(863);',
      '>  \tearlier(864);',
      '>  \tearlier(865);',
      '>  \t\tpte_clear(&init_mm, addr, ptep);',
      '> -\t\tflush_tlb_kernel_range(addr, addr + PAGE_SIZE);',
      '>  \t\tif (page)',
      '>  \t\tfree_mapped_page(page);',
    ]);
    const at = body.indexOf('>  \t\tfree_mapped_page(page);');
    expect(body.slice(at + 1, at + 3)).toEqual([
      '',
      'In drop_mapped_range(), can a CPU still hold a translation of what is',
    ]);
    expect(body[0]).toBe('On Mon, 01 Jan 2024 10:00:00 +0100, Jörg, the Author wrote:');
  });
  it('puts the comment below the change where the change comes after the line', () => {
    const body = bodyOf(withFindings({ line: 866, related: [], suggestion: null }));
    expect(quotedLines(body).at(-1)).toBe('> -\t\tflush_tlb_kernel_range(addr, addr + PAGE_SIZE);');
  });
  it('names the code where the hunks do not show the line', () => {
    const far = { ...sampleFinding.related[1], line: 2000, file: sampleFinding.file };
    const related = [{ side: 'new' as const, what: 'frees it', text: '\tput_page(page);', ...far }];
    const body = bodyOf(withFindings({ line: 2000, related, trace: [] })).join('\n');
    expect(body).toMatch(/In drop_mapped_range\(\), [^?]*freed\sat\sfree_mapped_page\(page\)\?/);
  });
  it('wraps its own text at 72 and never a quoted line', () => {
    const long = `+\tcall(${'argument, '.repeat(20)}last);`;
    const [, hunk] = diff.hunks;
    if (hunk === undefined) throw new Error('the sample has two hunks');
    const lines = hunk.lines.map((line) => (line.includes('if (page)') ? long : line));
    const body = bodyOf({ diff: [{ ...diff, hunks: [{ ...hunk, lines }] }] });
    expect(body).toContain(`> ${long}`);
    for (const line of body) if (!line.startsWith('>')) expect(line.length, line).toBeLessThanOrEqual(72);
  });
  it('shows the run in two indented columns with code and without line numbers', () => {
    const body = bodyOf();
    const head = body.findIndex((line) => /^ {4}CPU0 +\| CPU1/.test(line));
    expect(body[head + 1]).toMatch(/^ {4}-+\+-+$/);
    const run = body.slice(head, body.indexOf('', head));
    expect(run.join('\n')).toContain('pte_clear(&init_mm, addr');
    expect(run.join('\n')).not.toMatch(/line \d/);
    for (const line of run) expect(line).toMatch(/^ {4}/);
  });
  it('tells the way by its last branches, not by a row for each', () => {
    const branch = (text: string) => ({
      cpu: 0,
      who: 'program',
      what: `finds: ${'long(arg0) & '.repeat(30)}1 is not 0`,
      file: sampleFinding.file,
      line: 860,
      text,
      changes: [],
    });
    const trace = [
      branch('\tif (one)'),
      branch('\ti < 9;'),
      branch('\t} else if (two) {'),
      ...sampleFinding.trace,
    ];
    const body = bodyOf(withFindings({ trace })).join('\n');
    expect(body).toContain('The way there is past if (one); if (two).');
    expect(body).not.toContain('finds:');
  });
  it('is plain text in a civil tone, and ends in a footer that says what wrote it', () => {
    const body = bodyOf();
    const sign = body.indexOf('-- ');
    expect(body.slice(sign).join(' ')).toMatch(
      /^-- {2}Found by shootdown 0\.1\.0, a tool .* passed on by Rae Reviewer, .* If it is wrong, please say why/,
    );
    const own = body.slice(0, sign).filter((line) => !line.startsWith('>'));
    expect(own.join('\n')).not.toMatch(/`|critical|BUG|WRONG|-by:/);
  });
  it('says nothing that list software takes as a command', () => {
    const body = bodyOf(withFindings({ message: 'pw-bot: cr', consequence: 'pw-bot: reject' }));
    expect(body.join('\n')).not.toContain('pw-bot:');
  });
  it('says which parts of the series were not seen, and which functions were not decided', () => {
    const body = bodyOf({ mail: { ...origin, part: 2, of: 3 } }).join(' ');
    expect(body).toContain('Not seen here: parts 1, 3 of the series.');
    expect(body).toContain('Not decided, so nothing is said about: drop_mapped_block().');
  });
  it('keeps text that is not ASCII, and lines that are longer than mail allows', () => {
    const [, hunk] = diff.hunks;
    if (hunk === undefined) throw new Error('the sample has two hunks');
    const long = `+\t/* ${'ü=x '.repeat(400)}*/ `;
    const lines = hunk.lines.map((line) => (line.includes('if (page)') ? long : line));
    const { text } = one({ diff: [{ ...diff, hunks: [{ ...hunk, lines }] }] });
    for (const line of text.split('\n')) expect(Buffer.byteLength(line)).toBeLessThan(998);
    expect(parse(text).body).toContain(`> ${long.trimEnd()}`);
  });
});

describe('which patches get a reply', () => {
  it.each([
    ['fixed', { status: 'fixed' }],
    ['existing', { status: 'existing' }],
    ['closed by a later patch', { closedBy: '[PATCH 2/2] put it right' }],
    ['silenced', { suppressed: { by: 'baseline', reason: 'known' } }],
  ] as const)('not one whose finding is %s', (_, change) => {
    expect(renderMail(documentOf({ ...patch, ...withFindings(change) }), options)).toEqual([]);
  });
  it('one reply a patch, named in the order of the series', () => {
    const second = { ...patch, mail: { ...origin, subject: '[PATCH 2/2] mm: Ünder /../ way' } };
    const replies = renderMail(documentOf(patch, second), options);
    expect(replies.map((r) => r.fileName)).toEqual([
      '0001-re-arm64-mm-free-pages-as-they-are-unmapped.eml',
      '0002-re-mm-nder-way.eml',
    ]);
  });
  it('makes a mailbox that splits again, with From at a line start escaped', () => {
    const replies = renderMail(
      documentOf(patch, { ...patch, ...withFindings({ consequence: 'From then on, all is lost' }) }),
      options,
    );
    const box = mailbox(replies);
    expect(box.match(/^From mboxrd@z /gm)).toHaveLength(2);
    expect(box).toContain('\n>From then on');
    const parts = box.split(/^From mboxrd@z .*\n/m).slice(1);
    expect(parts.map((part) => part.replace(/^>(>*From )/gm, '$1').trimEnd())).toEqual(
      replies.map((r) => r.text.trimEnd()),
    );
    expect(mailbox([])).toBe('');
  });
});

describe('whatever the names are', () => {
  it('headers parse back to what went in, in lines of ASCII', () => {
    const name = fc.string({ unit: 'grapheme', maxLength: 60 });
    const address = fc.stringMatching(/^[a-z0-9+_-]{1,20}@[a-z0-9]{1,12}\.org$/);
    fc.assert(
      fc.property(name, address, name, (sender, at, subject) => {
        const mail = {
          ...origin,
          from: { name: sender, address: at },
          cc: [],
          to: [],
          subject: `[PATCH] ${subject}`,
        };
        const { text } = one({ mail });
        const head = text.slice(0, text.indexOf('\n\n'));
        expect(head).toMatch(/^[\n\t -~]*$/);
        const { header } = parse(text);
        const plain = (s: string) => cleanLine(s).replace(/\s+/g, ' ').trim();
        expect(plain(header('subject')?.value)).toBe(plain(`Re: [PATCH] ${subject}`));
        expect(header('to')?.value).toEqual([{ name: expect.anything(), address: at }]);
        expect(plain(header('to')?.value[0].name)).toBe(plain(sender));
      }),
      { numRuns: 300, examples: [['\\', '0@a.org', '']] },
    );
  });
});

const has = (command: string, ...args: readonly string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore' }).status === 0;

describe('other programs', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'shootdown-mail-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.skipIf(!has('python3', '-c', 'import email'))('Python parses a reply without a defect', () => {
    const script = [
      'import sys, email, email.policy, json',
      'm = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)',
      'out = {"defects": [str(d) for d in m.defects] + [str(d) for v in m.values() for d in v.defects],',
      '  "subject": m["subject"], "parent": m["in-reply-to"], "to": m["to"].addresses[0].display_name,',
      '  "type": m.get_content_type(), "body": m.get_content()}',
      'print(json.dumps(out))',
    ].join('\n');
    const out = JSON.parse(execFileSync('python3', ['-c', script], { input: one().text }).toString());
    expect(out).toMatchObject({
      defects: [],
      subject: 'Re: [PATCH v2] arm64/mm: free pages as they are unmapped',
      parent: '<20240101.1@example.org>',
      to: 'Jörg, the Author',
      type: 'text/plain',
    });
    expect(out.body.trimEnd()).toBe(parse(one().text).body.trimEnd());
  });

  // Debian's package is git-email. Without it the test is listed as skipped.
  it.skipIf(!existsSync(join(execFileSync('git', ['--exec-path']).toString().trim(), 'git-send-email')))(
    'git send-email takes a reply as it is',
    () => {
      const file = join(folder, one().fileName);
      writeFileSync(file, one().text);
      const said = execFileSync(
        'git',
        [
          'send-email',
          '--dry-run',
          '--confirm=never',
          '--suppress-cc=author',
          '--from=rae@example.net',
          file,
        ],
        {
          cwd: folder,
          env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null' },
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      ).toString();
      expect(said).toContain('In-Reply-To: <20240101.1@example.org>');
      expect(said).toContain('Subject: Re: [PATCH v2] arm64/mm: free pages as they are unmapped');
      expect(said).toContain('Ada \\"A\\" Example');
      expect(said).toMatch(/References: (<[^>]+>\s+)*<20240101\.1@example\.org>/);
      expect(said).toContain('Result: OK');
    },
  );
});
