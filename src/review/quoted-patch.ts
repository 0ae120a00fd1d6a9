/** What a report needs of the patch itself: the mail it came in, and the hunks that its findings are about. */
import type { FilePatch, HunkLine, Patch } from '#patch/series.js';
import type { Finding, QuotedFile, ReviewedPatch } from './document.js';

/** The fields `mail` and `diff` of a reviewed patch, each only where there is something to say. */
export function quotedPatch(
  patch: Patch,
  findings: readonly Finding[],
): Pick<ReviewedPatch, 'mail' | 'diff'> {
  const { envelope, inReplyTo, references, part, of } = patch;
  const introduced = findings.filter((finding) => finding.status === 'introduced');
  return {
    ...(envelope === undefined ? {} : { mail: { ...envelope, inReplyTo, references, part, of } }),
    ...(introduced.length === 0 ? {} : { diff: filesOf(patch, introduced).map(quoted) }),
  };
}

/** A finding in a file that the patch leaves alone comes from some change to another: then all may be to blame. */
function filesOf(patch: Patch, findings: readonly Finding[]): readonly FilePatch[] {
  const isNamed = (file: FilePatch, finding: Finding): boolean =>
    finding.file === file.newPath || finding.file === file.oldPath;
  const named = patch.files.filter((file) => findings.some((finding) => isNamed(file, finding)));
  const allNamed = findings.every((finding) => named.some((file) => isNamed(file, finding)));
  return allNamed ? named : patch.files.filter((file) => file.hunks.length > 0);
}

function quoted(file: FilePatch): QuotedFile {
  return {
    oldPath: file.oldPath,
    newPath: file.newPath,
    hunks: file.hunks.map(({ oldStart, oldLines, newStart, newLines, heading, lines }) => ({
      oldStart,
      oldLines,
      newStart,
      newLines,
      heading,
      lines: lines.map((line) => signOf(line.kind) + line.text),
    })),
  };
}

function signOf(kind: HunkLine['kind']): string {
  switch (kind) {
    case 'context':
      return ' ';
    case 'add':
      return '+';
    case 'remove':
      return '-';
  }
}
