/**
 * Compiled rules: what kernel primitives do, as events over their parameters. `rules/` validates the YAML of the
 * top-level `rules/` folder and compiles it to these; nothing here knows C.
 *
 * The file shape and its text expressions are described in docs/rules.md.
 */
import type { Event } from '#event/event.js';
import type { Expression } from '#event/expression.js';
import type { FactName, FactValue, MachineFile } from '#event/machine-facts.js';
import type { EventProgram, GuestWalkers } from '#event/program.js';
import type { Level } from '#event/value.js';

/** All parts must hold for the machine. Empty: every machine. */
export interface MachineCondition {
  readonly arch?: readonly string[];
  readonly notArch?: readonly string[];
  readonly facts?: Readonly<Partial<Record<FactName, FactValue>>>;
  /** Configuration symbols (with `CONFIG_`) that must be `y` or `n`. */
  readonly config?: Readonly<Record<string, 'y' | 'n'>>;
}

export type RuleStep =
  /** A name for later steps; `fresh` results of events (`into`, `old`) are names too. */
  | { readonly kind: 'let'; readonly name: string; readonly value: Expression }
  /** `when` guards the step. Operands use `param` and `var` (names of earlier steps). */
  | { readonly kind: 'event'; readonly event: Event<Expression>; readonly when: Expression | null };

export interface CallRule {
  /** C name of the function or macro. */
  readonly name: string;
  /** Formal parameter names in order; `...` last for any more. */
  readonly parameters: readonly string[];
  readonly condition: MachineCondition;
  readonly steps: readonly RuleStep[];
  /** Value of the call; null: a fresh unknown. */
  readonly returns: Expression | null;
  /** Writes through pointer arguments: `*ptlp = …`; the key is the parameter. */
  readonly out: Readonly<Record<string, Expression>>;
  /** `iterate`: a loop macro; steps run once a round before the body, `more` says whether there is a round, `out` sets cursors. */
  readonly form: 'call' | 'iterate';
  readonly more: Expression | null;
  /** Does not return (BUG, panic). */
  readonly stops: boolean;
  /** Does not return when this holds (BUG_ON, VM_BUG_ON): the path goes on with its negation. */
  readonly stopsIf?: Expression;
  /** C functions whose bodies this rule stands for: if a patch touches one of them, bodies replace the rule in `clients`. */
  readonly bodies: readonly string[];
  /** Names of client files in rules/clients (without .c). */
  readonly clients: readonly string[];
  /** Functions that the primitive calls back, after its own steps: `walk_page_range(mm, start, end, ops, private)` calls members of
   *  the constant table `ops`; `on_each_cpu(func, info, wait)` calls `func`. Absent members are skipped. */
  readonly callbacks?: readonly {
    readonly parameter: string;
    readonly member: string | null;
    readonly args: readonly Expression[];
    /** A last argument more: a struct whose fields hold these (`struct mm_walk` with its `private`). */
    readonly fields?: Readonly<Record<string, Expression>>;
    /** The function runs on CPUs, in interrupts of others: `all` or the `others`; absent: as a plain call. */
    readonly cpus?: 'all' | 'others';
    /** Parameters: which CPUs (a mask), a function that is asked for each of them, and whether the call waits. */
    readonly mask?: string;
    readonly condition?: string;
    readonly wait?: string;
    /** Position of that struct among the arguments, where it is not the last. */
    readonly at?: number;
    /** Is it called back? Absent: nobody knows. */
    readonly when?: Expression;
  }[];
  /** Only tables of this address space are touched by it: a guest's second stage. */
  readonly space?: 'guest';
  /** Who walks those tables in software without their lock. */
  readonly walkers?: GuestWalkers;
  /** One access to the memory behind a pointer that nothing comes between: `old` names what was there, `value` is stored. */
  readonly memory?: readonly { readonly pointer: string; readonly old: string; readonly value: Expression }[];
  /** The call runs the body of this function, with the same arguments, where that body is in view. */
  readonly runs?: string;
  /** Parameter that names a function: the call is one of that function, with the arguments behind it. */
  readonly forwards?: string;
  /** Kernel file (and line in 6.12) where it is defined: shown by `shootdown rules`. */
  readonly source: string;
  /** YAML file and line of the rule itself. */
  readonly at: string;
}

/** C types that carry tracked values, and what a parameter of that type may be at a root's entry. */
export interface TypeRule {
  readonly type: string;
  readonly pointers: number;
  readonly is:
    | 'entry-pointer'
    | 'entry-value'
    | 'memory-page'
    | 'memory-table'
    | 'address'
    | 'mm'
    | 'vma'
    | 'gather'
    | 'range'
    | 'lock'
    | 'table-lock'
    | 'container'
    /** Names a guest: nothing is known of it but whose tables the function is about. */
    | 'guest';
  readonly level: Level | null;
  /** Only for parameters of these names: C says `u64 *` for much else. */
  readonly named?: readonly string[];
  /** Levels that a pointer or value of unknown level may have. */
  readonly levels?: readonly Level[];
  readonly space?: 'guest';
}

/** Fields with a meaning: `vma->vm_mm`, `vmf->pmd`, `vmf->ptl`, `walk->vma`. */
export interface FieldRule {
  readonly struct: string;
  readonly field: string;
  /** Expression over `param base`. */
  readonly value: Expression;
}

/** A compile-time constant of the kernel as an expression of the machine: PAGE_SIZE, PMD_SIZE, PTRS_PER_PTE, TASK_SIZE, init_mm. */
export interface ConstantRule {
  readonly name: string;
  readonly value: Expression;
  readonly condition: MachineCondition;
}

export interface ClientFile {
  readonly name: string;
  /** Kernel-style C; each function named `cpu0`, `cpu1` is one CPU's program; `client` is `cpu0`. */
  readonly text: string;
}

export interface HazardPage {
  readonly id: HazardId;
  readonly title: string;
  readonly severity: 'error' | 'warning';
  /** The whole page, Markdown. */
  readonly page: string;
}

export type HazardId =
  | 'free-before-clear'
  | 'free-before-flush'
  | 'table-free-before-flush'
  | 'table-free-without-sync'
  | 'flush-without-ipi'
  | 'missing-flush'
  | 'unlock-before-flush'
  | 'reuse-under-deferred-flush'
  | 'table-free-under-deferred-flush'
  | 'torn-pte-read'
  | 'split-pte-write-order'
  | 'flush-scope-too-narrow'
  | 'shared-table-walk-race'
  | 'break-before-make'
  | 'notifier-order';

/** Another party that runs beside the checked code. */
export interface ActorFile {
  readonly name: string;
  readonly title: string;
  readonly program: EventProgram;
  /** Joins when the witness's space and the machine's facts match. */
  readonly condition: MachineCondition;
  readonly space: 'user' | 'kernel';
  /** What checked code must do for the actor to run beside it in a review; null: scenarios only. */
  readonly joins: 'table-free' | 'table-walk' | 'lockless-read' | null;
  /** File of the tree whose functions that walk kernel tables are run in place of the program, or null. */
  readonly code: string | null;
}

/** Rules by name. In a built package each is read when it is first asked for. */
export type CallRules = Pick<ReadonlyMap<string, readonly CallRule[]>, 'get' | 'has' | 'keys'>;

export interface RuleSet {
  readonly calls: CallRules;
  /**
   * Function → calls some rule of which stands, on some machine, for the function's body, in the order of the rules. It is
   * left out where that can only be the call of its own name.
   */
  readonly standing: ReadonlyMap<string, readonly string[]>;
  readonly types: readonly TypeRule[];
  readonly fields: readonly FieldRule[];
  readonly constants: ReadonlyMap<string, readonly ConstantRule[]>;
  readonly machines: readonly MachineFile[];
  readonly actors: readonly ActorFile[];
  readonly clients: ReadonlyMap<string, ClientFile>;
  readonly hazards: readonly HazardPage[];
  /** Header files that are searched for definitions besides what a file includes; path prefixes that make a file worth checking. */
  readonly paths: readonly string[];
}
