import { chooseRenderer, type RenderFlags } from './choose-renderer.js';
import { type FailOn, fails } from './fails.js';
import { readInputs } from './read-input.js';
import { readSilence, type SilenceFlags } from './silence.js';
import { writeReport } from './write-report.js';

/** Options as commander gives them. */
export interface RenderCommandFlags extends RenderFlags, SilenceFlags {
  readonly failOn: FailOn;
}

/** `shootdown render`: a review that was written as JSON in another format; nothing is reviewed again. */
export async function render(file: string, flags: RenderCommandFlags): Promise<number> {
  const renderer = await chooseRenderer(flags);
  const silence = await readSilence(flags, false);
  const [{ readDocument }, { loadRules }] = await Promise.all([
    import('#review/read-document.js'),
    import('#rules/load-rules.js'),
  ]);
  const [input] = await readInputs([file]);
  if (input === undefined) throw new Error('one name gives one input');
  const read = readDocument(Buffer.from(input.bytes).toString('utf8'), input.name);
  const { document, notes } = await silence(read);
  await writeReport(renderer(document, loadRules().hazards), flags.output ?? null, notes);
  return fails(document, flags.failOn, ['introduced', 'existing']) ? 1 : 0;
}
