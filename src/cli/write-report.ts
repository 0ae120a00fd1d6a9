import type { Report } from './choose-renderer.js';
import { writeFolder, writeOutput } from './write-output.js';

/** Says the notes on stderr, then writes the report: to stdout, a file, or a folder of files. */
export async function writeReport(
  report: Report,
  output: string | null,
  notes: readonly string[],
): Promise<void> {
  for (const note of [...notes, ...report.notes]) process.stderr.write(`shootdown: note: ${note}\n`);
  if (report.files !== undefined && output !== null) await writeFolder(report.files, output);
  else await writeOutput(report.text, output);
}
