/** Scenarios on machines, as text: the verdict of each and, where one goes wrong, the run in a column per CPU. */
import type { MachineFile } from '#event/machine-facts.js';
import type { TraceStep } from '#machine/run.js';
import { runScenario } from '#machine/run-scenario.js';
import { parseScenarios } from '#machine/scenario.js';

const WIDTH = 100;

/**
 * Runs every scenario of `files` on those of `machines` that it names. `failed` counts verdicts that are not the
 * expected ones, and situations that should occur and do not. Throws RuleError for a file that cannot be read as
 * scenarios.
 */
export function runScenarios(
  files: readonly { readonly name: string; readonly text: string }[],
  machines: readonly MachineFile[],
): { readonly text: string; readonly failed: number } {
  const lines: string[] = [];
  let failed = 0;
  let runs = 0;
  for (const file of files) {
    for (const scenario of parseScenarios(file.name, file.text)) {
      for (const machine of machines) {
        const expected = scenario.expect.get(machine.name);
        if (expected === undefined) continue;
        const result = runScenario(scenario, machine);
        const wrong = result.verdict !== expected || result.never.length > 0;
        runs += 1;
        if (wrong) failed += 1;
        lines.push(
          `${wrong ? 'FAIL' : 'ok  '} ${scenario.name} on ${machine.name}: ${result.verdict} (${result.states} states)`,
        );
        if (result.verdict !== expected) lines.push(`     expected ${expected}`);
        for (const situation of result.never)
          lines.push(`     never happens, but should sometimes: ${situation}`);
        if (result.violation !== null) {
          lines.push(`     ${result.violation.message}`, `     then: ${result.violation.consequence}`, '');
          lines.push(...columns(result.trace, scenario.names), '');
        }
      }
    }
  }
  const unknown = runs === 0 ? ' (no scenario names one of the machines)' : '';
  lines.push(`${runs} runs, ${failed} not as expected${unknown}`);
  return { text: `${lines.join('\n')}\n`, failed };
}

/** One column for each CPU, time going down. */
function columns(trace: readonly TraceStep[], names: readonly string[]): string[] {
  const count = Math.max(names.length, ...trace.map((step) => step.cpu + 1));
  const width = Math.max(24, Math.floor((WIDTH - 5) / count) - 2);
  const row = (cells: readonly string[]): string =>
    `     ${cells.map((cell) => cell.padEnd(width)).join('  ')}`.trimEnd();
  const lines = [
    row(
      Array.from({ length: count }, (_, cpu) =>
        names[cpu] === undefined ? `CPU${cpu}` : `CPU${cpu} ${names[cpu]}`,
      ),
    ),
  ];
  for (const step of trace) {
    const own = step.who === names[step.cpu];
    const text = wrap(own ? step.what : `(${step.who}) ${step.what}`, width);
    for (const change of step.changes) {
      const to = change.to === '' ? 'as before' : change.to;
      if (own)
        text.push(...wrap(`  ${change.what}: ${change.from === '' ? '' : `${change.from} -> `}${to}`, width));
    }
    for (const part of text)
      lines.push(row(Array.from({ length: count }, (_, cpu) => (cpu === step.cpu ? part : ''))));
  }
  return lines;
}

function wrap(text: string, width: number): string[] {
  const indent = /^ */.exec(text)?.[0] ?? '';
  const lines: string[] = [];
  let line = indent;
  for (const word of text.trim().split(' ')) {
    if (line.trim() !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = `${indent}  ${word}`;
    } else line = line.trim() === '' ? line + word : `${line} ${word}`;
  }
  lines.push(line);
  return lines;
}
