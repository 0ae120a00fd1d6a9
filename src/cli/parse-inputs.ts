import { parsePatches } from '#patch/parse-patches.js';
import type { PatchSeries } from '#patch/series.js';
import type { Input } from './read-input.js';

/**
 * The series that several inputs make. Mails of one series often come one to a file, in any order: mails are read
 * together, everything else in the order named. Throws PatchError that names the input at fault.
 */
export async function parseInputs(inputs: readonly Input[]): Promise<PatchSeries> {
  const each: PatchSeries[] = [];
  for (const input of inputs) each.push(await parsePatches(input.bytes, input.name));
  if (inputs.length > 1 && inputs.every(isMailbox)) {
    return parsePatches(Buffer.concat(inputs.flatMap(({ bytes }) => [bytes, NEWLINE])), 'the mails');
  }
  return { patches: each.flatMap((s) => s.patches), notes: each.flatMap((s) => s.notes) };
}

const NEWLINE = Buffer.from('\n');

const isMailbox = ({ bytes }: Input): boolean => Buffer.from(bytes.subarray(0, 5)).toString() === 'From ';
