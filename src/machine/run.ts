/**
 * The machine: what CPUs, TLBs, walk caches, locks, RCU and interrupts do with an event. Knows no C, does no IO.
 * docs/model.md is its specification. This file is what the machine shows to the outside.
 */
import type { Event } from '#event/event.js';
import type { Value } from '#event/value.js';
import type { HazardId } from '#rules/rule.js';

/** A named choice that was made in a step: key (callee and provenance, or the machine's own) and encoded value. */
export interface Choice {
  readonly key: string;
  readonly value: string;
  /** The answer is the same each time in one run. */
  readonly stable?: true;
}

/** One step of a run: which CPU, at which node of its program, which choices, and what happened. */
export interface Action {
  readonly cpu: number;
  readonly node: number;
  readonly choices: readonly Choice[];
  /** What the step took for granted because operands did not decide it: shown with the finding. */
  readonly assumes?: readonly string[];
}

/** Choices that a replay must follow: for each key the values in order of occurrence. */
export type ChoiceVector = ReadonlyMap<string, readonly string[]>;

export interface Violation {
  readonly hazard: HazardId;
  /** The witness object: `page`, `table:pte`, `range`, `entry:pmd`, … Compared between before and after. */
  readonly object: string;
  readonly cpu: number;
  readonly node: number;
  /** One sentence in the kernel's terms: what relied on what, and why it does not hold. */
  readonly message: string;
  /** Machine fact that names the consequence, or a plain text. */
  readonly consequence: string;
}

/** Shown per step of a trace: a part of the machine's state, before and after. */
export interface StateChange {
  readonly what: string;
  readonly from: string;
  readonly to: string;
}

/** A run made readable: one element per step that changed something, hardware's and ambient actors' own steps put in. */
export interface TraceStep {
  readonly cpu: number;
  /** `program`, the actor's name, or `hardware`. */
  readonly who: string;
  readonly what: string;
  readonly event: Event<Value> | null;
  readonly node: number | null;
  readonly changes: readonly StateChange[];
}
/*
 * The folder's functions:
 *   create-model.ts  createModel({ programs, facts, fixed?, names? }): Model<State, Action, Violation>
 *                    programs: EventProgram[], one per CPU; facts: Facts; fixed: ChoiceVector
 *   facts.ts         factsOf(machine: MachineFile): Facts
 *   explain-run.ts   explainRun(model config, path): TraceStep[]   replays the path; throws if it does not replay
 */
