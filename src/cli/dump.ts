import type { RuleSet } from '#rules/rule.js';
import type { PatchedState } from '#source/snapshot.js';
import { UsageError } from './usage-error.js';

/**
 * What a stage makes of one function, for debugging: `request` is `cfg:FUNCTION` or `events:FUNCTION`. The review
 * does not show its stages yet, so every request is refused.
 */
export function dump(
  request: string,
  _states: readonly PatchedState[],
  _rules: RuleSet,
  _machines: readonly string[],
): string {
  const [kind, name] = request.split(':', 2);
  if ((kind !== 'cfg' && kind !== 'events') || !name)
    throw new UsageError('--dump: write cfg:FUNCTION or events:FUNCTION');
  throw new UsageError(`--dump ${kind} is not available yet`);
}
