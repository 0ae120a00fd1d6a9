import { describe, expect, it } from 'vitest';
import { parsePatches } from '#patch/parse-patches.js';
import type { Patch } from '#patch/series.js';
import { emptyTree, overlay } from '#source/overlay-tree.js';
import { patchedStates } from '#source/patched-states.js';
import { SourceError, type Tree } from '#source/snapshot.js';

async function series(...diffs: readonly string[]): Promise<readonly Patch[]> {
  const mails = diffs.map(
    (diff, index) =>
      `From ${'0'.repeat(40)} Mon Sep 17 00:00:00 2001\nFrom: a@example.org\nSubject: [PATCH ${index + 1}/${diffs.length}] p${index + 1}\n\n---\n${diff}`,
  );
  return (await parsePatches(Buffer.from(mails.join('\n')), 'x')).patches;
}

const tree = (texts: Readonly<Record<string, string>>): Tree =>
  overlay(emptyTree, new Map(Object.entries(texts)));
const edit = (path: string, old: string, now: string): string =>
  `--- a/${path}\n+++ b/${path}\n@@ -1 +1 @@\n-${old}\n+${now}\n`;

describe('patchedStates on a tree', () => {
  it('applies each patch on top of the one before', async () => {
    const states = patchedStates(
      await series(edit('mm/a.c', 'one', 'two'), edit('mm/a.c', 'two', 'three')),
      tree({ 'mm/a.c': 'one\n', 'mm/b.c': 'b\n' }),
    );
    expect(
      states.map(({ before, after }) => [before.read('mm/a.c'), after.read('mm/a.c'), after.read('mm/b.c')]),
    ).toEqual([
      ['one\n', 'two\n', 'b\n'],
      ['two\n', 'three\n', 'b\n'],
    ]);
    expect(states.map(({ context, changed, partial }) => [context, changed, partial])).toEqual([
      ['tree', ['mm/a.c'], false],
      ['tree', ['mm/a.c'], false],
    ]);
  });

  it('adds, deletes, renames and copies, also in a ring', async () => {
    const diff = `diff --git a/mm/a.c b/mm/b.c
similarity index 100%
rename from mm/a.c
rename to mm/b.c
diff --git a/mm/b.c b/mm/a.c
similarity index 100%
rename from mm/b.c
rename to mm/a.c
diff --git a/mm/c.c b/mm/copy.c
similarity index 100%
copy from mm/c.c
copy to mm/copy.c
diff --git a/mm/c.c b/mm/c.c
deleted file mode 100644
--- a/mm/c.c
+++ /dev/null
@@ -1 +0,0 @@
-c
diff --git a/mm/new.c b/mm/new.c
new file mode 100644
--- /dev/null
+++ b/mm/new.c
@@ -0,0 +1 @@
+new
`;
    const [state] = patchedStates(
      await series(diff),
      tree({ 'mm/a.c': 'a\n', 'mm/b.c': 'b\n', 'mm/c.c': 'c\n' }),
    );
    const read = (path: string): string | null => state?.after.read(`mm/${path}.c`) ?? null;
    expect(['a', 'b', 'c', 'copy', 'new'].map(read)).toEqual(['b\n', 'a\n', null, 'c\n', 'new\n']);
    expect(state?.changed.toSorted()).toEqual(['mm/a.c', 'mm/b.c', 'mm/c.c', 'mm/copy.c', 'mm/new.c']);
  });

  it('names subject, file, hunk and reason when a patch does not apply', async () => {
    const patches = await series(edit('mm/a.c', 'one', 'two'), edit('mm/a.c', 'one', 'three'));
    const run = (): unknown => patchedStates(patches, tree({ 'mm/a.c': 'one\n' }));
    expect(run).toThrow(SourceError);
    expect(run).toThrow(
      '"[PATCH 2/2] p2" does not apply to the tree: mm/a.c: hunk 1 (@@ -1,1 +1,1 @@): its lines are not in the file, first of all "one"',
    );
    expect(() => patchedStates(patches, tree({}))).toThrow('mm/a.c: hunk 1 (@@ -1,1 +1,1 @@): no such file');
  });

  it('goes around files that are no text', async () => {
    const listed: Tree = { read: () => null, list: () => ['big.h'] };
    const [state] = patchedStates(await series(edit('mm/big.h', 'x', 'y')), listed);
    expect([state?.changed, state?.skipped]).toEqual([[], ['mm/big.h']]);
  });
});
