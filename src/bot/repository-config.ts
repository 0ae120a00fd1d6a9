/**
 * `.github/shootdown.yml` of the base branch: what a repository wants of its reviews. It is never read from the pull
 * request, which could silence itself that way.
 */
import { z } from 'zod';
import type { FailOn } from '#cli/fails.js';
import { readSuppressions, type Suppression } from '#review/suppressions.js';
import { Source } from '#rules/parse-yaml.js';

export const CONFIG_PATH = '.github/shootdown.yml';

export interface RepositoryConfig {
  /** Machine names; empty means all. */
  readonly machines: readonly string[];
  /** Globs of files to review; empty means all that bear on page tables. One that starts with `!` takes out. */
  readonly paths: readonly string[];
  readonly failOn: FailOn;
  /** Findings not to post; the same list as `check --suppressions` takes. */
  readonly suppressions: readonly Suppression[];
}

export const defaultConfig: RepositoryConfig = { machines: [], paths: [], failOn: 'never', suppressions: [] };

const shape = z.strictObject({
  machines: z.array(z.string()).optional(),
  paths: z.array(z.string().min(1)).optional(),
  'fail-on': z.enum(['error', 'warning', 'never']).optional(),
  suppressions: z.unknown().optional(),
});

/**
 * Throws RuleError with line and column: what is no YAML, unknown keys and machines, values of the wrong kind, what
 * `readSuppressions` refuses.
 */
export function readConfig(text: string, knownMachines: readonly string[]): RepositoryConfig {
  const source = new Source(CONFIG_PATH, text);
  if (source.data === null) return defaultConfig;
  const read = source.as(shape);
  const machines = read.machines ?? [];
  machines.forEach((name, index) => {
    if (!knownMachines.includes(name)) {
      const known = knownMachines.join(', ');
      throw source.error('shape', `no machine \`${name}\`; known: ${known}`, ['machines', index]);
    }
  });
  return {
    machines,
    paths: read.paths ?? [],
    failOn: read['fail-on'] ?? 'never',
    suppressions: read.suppressions == null ? [] : readSuppressions(text, CONFIG_PATH),
  };
}
