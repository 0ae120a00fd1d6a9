import type { FilePatch, HunkLine } from '#patch/series.js';

/** Writes a file of a patch as git would: the inverse of the parser, for round trips. */
export function formatDiff(file: FilePatch): string {
  const [left, right] = [file.oldPath ?? file.newPath ?? '', file.newPath ?? file.oldPath ?? ''];
  const header = [`diff --git a/${left} b/${right}`];
  if (file.change === 'add') header.push('new file mode 100644');
  if (file.change === 'delete') header.push('deleted file mode 100644');
  if (file.change === 'rename' || file.change === 'copy')
    header.push(`${file.change} from ${left}`, `${file.change} to ${right}`);
  if (file.change === 'mode') header.push('old mode 100644', 'new mode 100755');
  if (file.change === 'binary') header.push(`Binary files a/${left} and b/${right} differ`);
  if (file.hunks.length > 0) {
    header.push(
      file.oldPath === null ? '--- /dev/null' : `--- a/${left}`,
      file.newPath === null ? '+++ /dev/null' : `+++ b/${right}`,
    );
  }
  const hunks = file.hunks.flatMap((hunk) => [
    `@@ -${hunk.oldStart},${hunk.oldLines} +${hunk.newStart},${hunk.newLines} @@${hunk.heading === '' ? '' : ` ${hunk.heading}`}`,
    ...hunk.lines.flatMap(formatLine),
  ]);
  return `${[...header, ...hunks].join('\n')}\n`;
}

function formatLine(line: HunkLine): string[] {
  const mark = { context: ' ', add: '+', remove: '-' }[line.kind];
  return [
    `${mark}${line.text}${line.crlf ? '\r' : ''}`,
    ...(line.noNewline ? ['\\ No newline at end of file'] : []),
  ];
}
