import { describe, expect, it } from 'vitest';
import { parseInputs } from '#patch/parse-patches.js';

const diff = 'diff --git a/mm/a.c b/mm/a.c\n--- a/mm/a.c\n+++ b/mm/a.c\n@@ -1 +1 @@\n-int a;\n+int b;\n';
const mail = (part: number): string =>
  `From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\nFrom: A <a@example.org>\nDate: Mon, 1 Jan 2024 00:00:00 +0000\nSubject: [PATCH ${part}/2] part ${part}\n\nWhy.\n---\n\n${diff}-- \n2.39.5\n\n`;
const input = (name: string, text: string) => ({ name, bytes: Buffer.from(text) });

describe('parseInputs', () => {
  it('puts the mails of a series in order, whatever files they come in', async () => {
    const series = await parseInputs([input('2', mail(2)), input('1', mail(1))]);
    expect(series.patches.map((p) => p.part)).toEqual([1, 2]);
    expect(series.notes.filter((n) => n.includes('incomplete'))).toEqual([]);
  });
  it('keeps the order in which plain diffs are named', async () => {
    const series = await parseInputs([input('z', diff), input('a', diff)]);
    expect(series.patches.map((p) => p.subject)).toEqual(['z', 'a']);
  });
  it('names the input at fault', async () => {
    await expect(
      parseInputs([input('good', mail(1)), input('bad', 'From here on, prose.\n')]),
    ).rejects.toThrow('bad: ');
  });
});
