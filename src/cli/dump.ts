import type { ReviewOptions } from '#review/document.js';
import { dumpStage } from '#review/dump-stage.js';
import type { RuleSet } from '#rules/rule.js';
import type { PatchedState } from '#source/snapshot.js';
import { UsageError } from './usage-error.js';

/** What a stage makes of one function, for debugging: `request` is `cfg:FUNCTION` or `events:FUNCTION`. */
export function dump(
  request: string,
  states: readonly PatchedState[],
  rules: RuleSet,
  options: ReviewOptions,
): string {
  const [kind, ...rest] = request.split(':');
  const name = rest.join(':');
  if ((kind !== 'cfg' && kind !== 'events') || name === '')
    throw new UsageError('--dump: write cfg:FUNCTION or events:FUNCTION');
  return dumpStage(kind, name, states, rules, options);
}
