import { expect, test } from 'vitest';
import { Session } from '#review/session.js';
import { loadRules } from '#rules/load-rules.js';

const session = (): Session =>
  new Session(loadRules(), {
    machines: [],
    existing: false,
    limits: { states: 1_000, milliseconds: 1_000 },
    now: () => 0,
    onProgress: () => {},
  });

test('a search that came to its end counts half of what one that was cut off counts', () => {
  const settled = session();
  settled.states += 600;
  settled.spend('f', 600, true);
  expect(settled.spent('f')).toBe(300);

  const open = session();
  open.states += 600;
  open.spend('f', 600, false);
  expect(open.spent('f')).toBe(600);
});

test('what was spent before does not count after a new start', () => {
  const trial = session();
  trial.states += 600;
  trial.spend('f', 600, true);
  trial.startOver();
  expect(trial.spent('f')).toBe(0);
  trial.states += 100;
  trial.spend('f', 100, false);
  expect(trial.spent('f')).toBe(100);
});
