import { describe, expect, it } from 'vitest';
import { asReplacement, readHunks } from '#bot/diff-lines.js';

const PATCH = `@@ -10,3 +10,4 @@ void f(void)
 \tclear(p);
+\tfree(p);
 \tflush(p);
 }
@@ -30,2 +31,2 @@ void g(void)
-\told();
+\tnew();
 \tlast();`;
const hunks = readHunks(PATCH);
const file = 'mm/a.c';
const edit = (line: number, remove: number, ...insert: readonly string[]) => ({ file, line, remove, insert });

describe('edits as one replacement of lines of the diff', () => {
  it('restates the line that something is put in front of', () => {
    expect(asReplacement([edit(11, 0, '\tflush(p);')], file, hunks)).toEqual({
      first: 11,
      last: 11,
      lines: ['\tflush(p);', '\tfree(p);'],
    });
  });
  it('restates what stands between two edits', () => {
    expect(asReplacement([edit(11, 1), edit(13, 0, '\tfree(p);')], file, hunks)).toEqual({
      first: 11,
      last: 13,
      lines: ['\tflush(p);', '\tfree(p);', '}'],
    });
  });
  it.each([
    ['in another file', [{ ...edit(11, 1), file: 'mm/b.c' }]],
    ['in two files', [edit(11, 1), { ...edit(11, 1), file: 'mm/b.c' }]],
    ['in two hunks', [edit(11, 1), edit(32, 0, '\tfree(p);')]],
    ['in front of the first line shown', [edit(9, 1, '\tflush(p);')]],
    ['behind the last line shown', [edit(20, 0, '\tflush(p);')]],
    ['taking away a line that is not shown', [edit(13, 2)]],
    ['of no lines at all', []],
  ])('is none for edits %s', (_, edits) => {
    expect(asReplacement(edits, file, hunks)).toBeNull();
  });
});
