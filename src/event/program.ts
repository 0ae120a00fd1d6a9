/**
 * Event programs: guarded graphs with finite state (DESIGN.md rule 6). Extraction, clients, actors and scenarios all
 * give this form; the machine runs it.
 */
import type { Event } from './event.js';
import type { Expression } from './expression.js';
import type { Level, Value } from './value.js';

/** A place in the source that a step can be shown at. `line` is 1-based. */
export interface Site {
  readonly file: string;
  readonly line: number;
  readonly function: string;
  /** Call chain from the root, outermost first, when the site was reached through inlined calls. */
  readonly via?: readonly { readonly file: string; readonly line: number; readonly function: string }[];
}

export type NodeId = number;

export type ProgramNode =
  | {
      readonly kind: 'event';
      readonly event: Event<Expression>;
      readonly next: NodeId;
      readonly at: Site | null;
      readonly text?: string;
    }
  | {
      readonly kind: 'assign';
      readonly sets: readonly { readonly name: string; readonly value: Expression }[];
      readonly next: NodeId;
      readonly at: Site | null;
    }
  | {
      readonly kind: 'branch';
      readonly on: Expression;
      readonly then: NodeId;
      readonly else: NodeId;
      readonly at: Site | null;
      readonly text?: string;
    }
  /** The program returns `value`, or stops for good (BUG, panic): then nothing is owed. */
  | { readonly kind: 'return'; readonly value: Expression | null; readonly at: Site | null }
  | { readonly kind: 'stop'; readonly at: Site | null };

/**
 * Who walks a guest's tables in software without holding their lock. `rcu`: readers in RCU sections only; `rcu-shared`:
 * the same, but they hold mmu_lock for read; `interrupts`: readers that the flush waits for; `none`: nobody.
 */
export type GuestWalkers = 'rcu' | 'rcu-shared' | 'interrupts' | 'none';

/** One CPU's program. Node 0 is where it starts. */
export interface EventProgram {
  readonly name: string;
  readonly nodes: readonly ProgramNode[];
  /** Variables that hold a value at the start; all others are 0 until assigned. */
  readonly initial: ReadonlyMap<string, Value>;
  /** Variables that all programs which run together have in common: memory of the kernel. Absent: none. */
  readonly shared?: readonly string[];
  /** Those of them that one program reads or writes while another one writes: only there does it matter who goes first. */
  readonly contended?: readonly string[];
  /** Levels that the program touches: only these are kept in the witness's path. */
  readonly levels: readonly Level[];
  /** Which address space the witness lies in. */
  readonly space: 'user' | 'kernel' | 'guest' | 'unknown';
  /** For guests' tables; absent: nobody. */
  readonly walkers?: GuestWalkers;
  /**
   * May reclaim on another CPU have emptied the witness's entry before the program looked at it, with the flush still
   * batched? Absent: no.
   */
  readonly reclaimed?: boolean;
  /**
   * It runs beside another party and has no memory in common with it: it may be cut down as if it ran alone, to what
   * others can notice of it. Absent: no.
   */
  readonly beside?: boolean;
  /** Does it link a table that stood in another entry, with all that the table maps? Absent: no. */
  readonly movesTable?: boolean;
  /** Does it run while the kernel boots, before there are other CPUs? Absent: no. */
  readonly boot?: boolean;
  /** Does returning end the outermost operation, so that owed flushes are missing ones? */
  readonly outermost: boolean;
  /** What the run rests on and the search cannot check: calls not followed, positions not decided. */
  readonly assumptions: readonly string[];
}
