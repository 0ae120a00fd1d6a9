import type { Linked } from '#extract/extraction.js';
import type { ChangedName } from './changed-functions.js';

/** A thing to check: a root with the side it is read from, and the bodies that stand in for their rules. */
export interface Task {
  readonly label: string;
  readonly root: string;
  readonly file: string;
  readonly changed: ChangedName;
  readonly bodies: ReadonlySet<string>;
  readonly client: string | null;
  /** Functions on the way to the changed one that stand in other files than the root. */
  readonly linked: Linked;
}
