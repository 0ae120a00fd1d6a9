import { describe, expect, it } from 'vitest';
import { calledIn, identifiersIn } from '#c/identifiers.js';

describe('identifiersIn', () => {
  it('leaves comments, literals and numbers out', () => {
    const text = 'a = b1 /* c */ + "d" + \'e\' + 0x1f; // g\nh();';
    expect([...identifiersIn(text, 0, text.length)]).toEqual(['a', 'b1', 'h']);
  });

  it('keeps to the range', () => {
    const text = 'one two three';
    expect([...identifiersIn(text, 4, 7)]).toEqual(['two']);
  });
});

describe('calledIn', () => {
  it('keeps names that a parenthesis follows', () => {
    const text = 'a = b(c) + d [e] + f  (g); /* h() */ "i()"';
    expect([...calledIn(text, 0, text.length)]).toEqual(['b', 'f']);
  });
});
