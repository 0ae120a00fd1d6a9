/** What extraction hands on, and how far it may go. */

import type { EventProgram } from '#event/program.js';
import type { Kind } from './value.js';

export interface Extraction {
  readonly program: EventProgram;
  /** Functions whose bodies are in the program. */
  readonly followed: readonly string[];
  /** Calls cut off by a limit, and bodies that could not be lowered: function and reason. */
  readonly gaps: readonly {
    readonly function: string;
    readonly file: string;
    readonly kind: 'parse' | 'limit' | 'resolve';
    readonly reason: string;
    /** Runs end there: `kindCallers`. */
    readonly ends?: true;
  }[];
}

/** Which of several programs that run together this one is. */
export interface Together {
  /** CPU that it runs on, and how many there are. */
  readonly cpu: number;
  readonly of: number;
  /** Memory that some program stores to: a variable of all programs. */
  readonly cells: ReadonlyMap<string, Kind>;
}

/** Names of global functions that are followed into other files, with the file where that is known; null: looked for. */
export type Linked = ReadonlyMap<string, string | null>;

export interface ExtractOptions {
  readonly together?: Together;
  /** Rules of these names are ignored: their bodies are followed instead (rule 3). */
  readonly bodies: ReadonlySet<string>;
  readonly outermost: boolean;
  readonly linked: Linked;
  readonly nodeLimit: number;
  readonly depthLimit: number;
  /**
   * No other side is compared with. Runs end at a call that a limit cuts off and that is handed an entry: what the entry
   * holds behind it is not known (else they go on as if it were as before: both sides of a patch do). And two areas that
   * are handed over are two. A program that leaves entries alone is of no interest then: it comes out empty.
   */
  readonly kindCallers?: boolean;
}
