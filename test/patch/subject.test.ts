import { expect, it } from 'vitest';
import { parseSubject } from '#patch/subject.js';

it.each([
  ['[PATCH] mm: x', 1, null, null],
  ['[PATCH v3 02/11] mm: x', 3, 2, 11],
  ['[PATCH 02/11 v3] mm: x', 3, 2, 11],
  ['[PATCH net-next v2 1/4] mm: x', 2, 1, 4],
  ['[PATCH v2 net-next 1/4] mm: x', 2, 1, 4],
  ['[RFC PATCH] mm: x', 1, null, null],
  ['[RFC,v2,20/20] mm: x', 2, 20, 20],
  ['[PATCH RESEND V4 1/2] mm: x', 4, 1, 2],
  ['[PATCH 1 of 3] mm: x', 1, 1, 3],
  ['[PATCH1/8] mm: x', 1, 1, 8],
  ['[PATCHv2 1/8] mm: x', 2, 1, 8],
  ['[PATCH] [v5] mm: x', 5, null, null],
  ['[PATCH 6.12 007/100] mm: x', 1, 7, 100],
  ['[PATCH 6.1/6.6 3/5] mm: x', 1, 3, 5],
])('%s', (subject, version, part, of) => {
  expect(parseSubject(subject)).toMatchObject({
    version,
    part,
    of,
    isPatch: true,
    isReply: false,
    isPull: false,
    title: 'mm: x',
  });
});

it.each([
  ['Re: [PATCH 1/2] mm: x'],
  ['RE: Re: [PATCH] mm: x'],
  ['Aw: mm: x'],
  ['Fwd: [PATCH] mm: x'],
  ['Re[2]: mm: x'],
])('%s is a reply', (subject) => {
  expect(parseSubject(subject)).toMatchObject({ isReply: true, title: 'mm: x' });
});

it('knows pull requests, and words that only look like replies', () => {
  expect(parseSubject('[GIT PULL] mm fixes').isPull).toBe(true);
  expect(parseSubject('[PATCH] Revert: re: the lock')).toMatchObject({
    isReply: false,
    title: 'Revert: re: the lock',
  });
  expect(parseSubject('resend: x').isReply).toBe(false);
});
