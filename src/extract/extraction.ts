/** What extraction hands on, and how far it may go. */

import type { EventProgram } from '#event/program.js';

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
  }[];
}

export interface ExtractOptions {
  /** Rules of these names are ignored: their bodies are followed instead (rule 3). */
  readonly bodies: ReadonlySet<string>;
  readonly outermost: boolean;
  readonly nodeLimit: number;
  readonly depthLimit: number;
}
