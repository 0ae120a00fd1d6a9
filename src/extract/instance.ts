/** One call of a function: its values so far, and where its blocks begin in the program. */

import type { BlockId, CFunction } from '#c/ir.js';
import type { NodeId, Site } from '#event/program.js';
import type { Val } from './value.js';

export interface Instance {
  readonly fn: CFunction;
  readonly number: number;
  readonly values: Map<number, Val>;
  readonly labels: Map<BlockId, NodeId>;
  readonly via: Site[];
  readonly depth: number;
  readonly stack: readonly string[];
}
