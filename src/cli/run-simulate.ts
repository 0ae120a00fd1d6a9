import { chooseMachines } from './choose-machines.js';
import { UsageError } from './usage-error.js';
import { writeOutput } from './write-output.js';

export interface SimulateFlags {
  readonly machine: readonly string[];
  readonly output?: string;
}

/** `shootdown simulate`: runs hand-written scenarios; exit code 1 where a verdict is not the expected one. */
export async function runSimulate(files: readonly string[], flags: SimulateFlags): Promise<number> {
  const [{ loadRules }, { readInputs }, { runScenarios }] = await Promise.all([
    import('#rules/load-rules.js'),
    import('./read-input.js'),
    import('./simulate.js'),
  ]);
  const rules = loadRules();
  const names = chooseMachines(flags.machine, rules.machines);
  const machines = rules.machines.filter((m) => names.length === 0 || names.includes(m.name));
  const scenarios = (await readInputs(files)).map((input) => ({
    name: input.name,
    text: decode(input.name, input.bytes),
  }));
  const result = runScenarios(scenarios, machines);
  await writeOutput(result.text, flags.output ?? null);
  return result.failed > 0 ? 1 : 0;
}

function decode(name: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UsageError(`${name}: is not UTF-8 text`);
  }
}
