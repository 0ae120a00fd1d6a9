/** Patches as mails, as git format-patch writes them. */
import { createTwoFilesPatch } from 'diff';

/**
 * @param about `id` of the message, `subject` behind `[PATCH] `, and the `lines` of what is said above the `---`
 * @param diff from its `diff --git` line to the end of its last hunk
 */
export function mailOf({ id, subject, lines }, diff) {
  return [
    'From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001',
    'From: Patch Author <author@example.org>',
    'Date: Mon, 2 Nov 2026 10:00:00 +0000',
    `Subject: [PATCH] ${subject}`,
    `Message-ID: <${id}@example.org>`,
    '',
    ...lines,
    '---',
    `${diff.replace(/\n+$/, '')}\n-- \n2.39.5\n`,
  ].join('\n');
}

/** The difference of two texts of one file, with git's first line and without times. */
export function diffOf(file, before, after) {
  const diff = createTwoFilesPatch(`a/${file}`, `b/${file}`, before, after, '', '', { context: 3 })
    .replace(/^=+\n/, '')
    .replace(/^(---|\+\+\+) ([^\t\n]*)\t?$/gm, '$1 $2');
  return `diff --git a/${file} b/${file}\n${diff}`;
}
