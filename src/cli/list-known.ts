/** What is known, as tables: `machines`, `rules`, `hazards` and the page of one hazard. Pure: rules in, text out. */
import type { MachineFile } from '#event/machine-facts.js';
import type { CallRule, RuleSet } from '#rules/rule.js';
import { describeStep } from './describe-step.js';
import { UsageError } from './usage-error.js';

/** Each machine with its facts, where each comes from, and the configuration that it fixes. */
export function listMachines(machines: readonly MachineFile[]): string {
  const blocks = machines.map((machine) => {
    const rows = Object.entries(machine.facts)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => [name, String(value), machine.sources[name] ?? ''] as const);
    const symbols = Object.entries(machine.config)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([symbol, value]) => `  ${symbol}=${value}`);
    return [`${machine.name}: ${machine.title} (arch/${machine.arch})`, ...table(rows), ...symbols].join(
      '\n',
    );
  });
  return `${blocks.join('\n\n')}\n`;
}

/** Each rule: the call, its events in short, the kernel file that it comes from. `name` restricts it to one call. */
export function listRules(rules: RuleSet, name: string | null): string {
  if (name !== null && !rules.calls.has(name)) throw new UsageError(`no rule for ${name}`);
  const calls = (name === null ? [...rules.calls.keys()] : [name])
    .flatMap((call) => rules.calls.get(call) ?? [])
    .sort((a, b) => (a.name === b.name ? (a.at < b.at ? -1 : 1) : a.name < b.name ? -1 : 1));
  return calls.map((rule) => `${describeRule(rule)}\n`).join('');
}

/** Id, severity and title of each hazard. */
export function listHazards(rules: RuleSet): string {
  return `${table(
    rules.hazards.map((h) => [h.id, h.severity, h.title]),
    '',
  ).join('\n')}\n`;
}

/** The page of a hazard. Throws UsageError that names the known ids. */
export function explainHazard(rules: RuleSet, id: string): string {
  const hazard = rules.hazards.find((h) => h.id === id);
  if (hazard === undefined) {
    throw new UsageError(`no hazard ${id}; known: ${rules.hazards.map((h) => h.id).join(', ')}`);
  }
  return `${hazard.page.trimEnd()}\n`;
}

function describeRule(rule: CallRule): string {
  const lines = [`${rule.name}(${rule.parameters.join(', ')})${describeCondition(rule)}`];
  for (const step of rule.steps) if (step.kind === 'event') lines.push(`    ${describeStep(step)}`);
  if (rule.stops) lines.push('    does not return');
  lines.push(`    from ${rule.source === '' ? 'an unstated place' : rule.source}`);
  return lines.join('\n');
}

function describeCondition({ condition }: CallRule): string {
  const parts = [
    ...(condition.arch ? [`arch ${condition.arch.join(' or ')}`] : []),
    ...(condition.notArch ? [`not arch ${condition.notArch.join(', ')}`] : []),
    ...Object.entries(condition.facts ?? {}).map(([k, v]) => `${k} ${String(v)}`),
    ...Object.entries(condition.config ?? {}).map(([k, v]) => `${k}=${v}`),
  ];
  return parts.length === 0 ? '' : `  where ${parts.join(', ')}`;
}

/** A longer cell pushes the rest of its own row aside, not of all rows. */
const WIDEST = 34;

/** Columns as wide as their widest cell, up to a bound; the last one is not padded. */
function table(rows: readonly (readonly string[])[], indent = '  '): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries())
      widths[i] = Math.min(WIDEST, Math.max(widths[i] ?? 0, cell.length));
  }
  return rows.map((row) =>
    (indent + row.map((cell, i) => `${cell.padEnd(widths[i] ?? 0)}  `).join('')).trimEnd(),
  );
}
