/**
 * Which events of a program that runs alone can have an effect on the machine, given what is known of their operands.
 * Those that have none need not be run, nor the tests that lead only to them.
 */
import type { Event } from '#event/event.js';
import type { Expression } from '#event/expression.js';
import { TESTS_OF_ENTRIES } from '#event/leaves-entries-alone.js';
import type { EventProgram } from '#event/program.js';
import { inGranule, isPast } from './position.js';
import type { Known } from './probe.js';

/** What the whole program holds, as far as single events depend on it. */
export interface Surroundings {
  readonly space: 'user' | 'kernel' | 'guest' | 'unknown';
  /** Does anything record where this CPU's own walk is? */
  readonly walks: boolean;
  /** Are entries written in halves? */
  readonly halves: boolean;
  /** Does it matter since when the page-table lock is held? */
  readonly reclaim: boolean;
  /** Are tables put on lists that go through them? */
  readonly nodes: boolean;
  /** Does another party notice what it does? */
  readonly beside: boolean;
}

export function surroundingsOf(
  events: readonly Event<Expression>[],
  { space, reclaimed, beside }: EventProgram,
): Surroundings {
  const has = (kinds: readonly string[]): boolean => events.some((event) => kinds.includes(event.kind));
  return {
    space,
    walks: has(['walk']),
    halves: has(['write-low', 'write-high', 'read-low', 'read-high', 'use-halves']),
    nodes: events.some((event) => event.kind === 'node' && event.does !== 'out'),
    beside: beside === true,
    reclaim:
      reclaimed === true && events.some((event) => event.kind === 'batch-flush' && event.others === true),
  };
}

/**
 * Can running the event change the machine or violate something? False when it does nothing but give its result.
 * `values` gives every value that an operand can have, null where that is not known. Containers are not judged here.
 */
export function hasEffect(
  event: Event<Expression>,
  around: Surroundings,
  values: (expression: Expression) => readonly Known[] | null,
): boolean {
  const all = (expression: Expression, harmless: (value: Exclude<Known, null>) => boolean): boolean =>
    values(expression)?.every((value) => value !== null && harmless(value)) === true;
  const elsewhere = (entry: Expression): boolean =>
    all(entry, (value) =>
      value.kind === 'entry-pointer'
        ? value.table === 'other' || value.gap === 'before' || value.gap === 'past'
        : true,
    );
  const foreignMemory = (memory: Expression): boolean =>
    all(memory, (value) => value.kind !== 'memory' || value.who !== 'W');
  switch (event.kind) {
    case 'set':
    case 'change':
      // A store of the witness's page at another address makes it an alias.
      return !(
        elsewhere(event.entry) &&
        all(event.value, (value) => value.kind !== 'entry-value' || value.of !== 'W')
      );
    case 'clear':
    case 'write-low':
    case 'write-high':
      return !elsewhere(event.entry);
    case 'read-low':
    case 'read-high':
    case 'recheck':
      // They find out what the entry holds, and with it that the tables above are linked.
      return !elsewhere(event.entry);
    case 'read':
    case 'alloc':
    case 'withdraw':
      return false;
    case 'get':
    case 'take-reference':
    case 'put':
    case 'free':
    case 'reuse':
    case 'retire':
    case 'deposit':
    case 'rely':
      return !foreignMemory(event.memory);
    case 'lock':
      if (around.beside || (event.class === 'rmap' && around.space === 'user' && event.mode !== 'read'))
        return true;
      return event.class === 'mmap' || event.class === 'mmu' || (event.class === 'ptl' && around.reclaim);
    case 'assert-held':
      return event.class === 'mmap' || event.class === 'mmu';
    case 'unlock':
      return (
        around.walks ||
        around.beside ||
        (event.class === 'rmap' && around.space === 'user' && event.mode !== 'read') ||
        event.class === 'mmap' ||
        event.class === 'mmu' ||
        (event.class === 'ptl' && around.space === 'user')
      );
    case 'interrupts':
      return around.walks || around.halves || around.beside;
    case 'rcu-read':
      return around.walks || around.beside || around.halves || around.space === 'guest';
    case 'barrier':
      return event.strength !== 'compiler' || around.halves;
    case 'notify-start':
    case 'notify-end':
    case 'notify-invalidate':
      return !(
        (event.start !== undefined &&
          all(event.start, (value) => value.kind === 'address' && value.gap !== '?' && isPast(value.gap))) ||
        (event.end !== undefined &&
          all(event.end, (value) => value.kind === 'address' && value.gap !== '?' && !isPast(value.gap)))
      );
    case 'batch-add':
      return !(
        event.address !== undefined &&
        all(
          event.address,
          (value) => value.kind === 'address' && value.gap !== '?' && !inGranule(value.gap, 2),
        )
      );
    case 'clear-range':
      return !(
        all(event.start, (value) => value.kind === 'address' && value.gap !== '?' && isPast(value.gap)) ||
        all(event.end, (value) => value.kind === 'address' && value.gap !== '?' && !isPast(value.gap))
      );
    case 'visit':
      return around.beside && !foreignMemory(event.memory);
    case 'node':
      return around.nodes && !all(event.memory, (value) => value.kind !== 'memory' || value.what !== 'table');
    case 'container-add':
    case 'container-take':
    case 'container-move':
    case 'container-init':
      return false;
    case 'use-halves':
    case 'flush':
    case 'lazy-mmu':
    case 'isb':
    case 'ipi-all':
    case 'rcu-wait':
    case 'gather-start':
    case 'gather-track':
    case 'gather-page':
    case 'gather-table':
    case 'gather-flush':
    case 'gather-free':
    case 'gather-end':
    case 'batch-flush':
    case 'pending':
    case 'walk':
    case 'touch':
    case 'cpu':
    case 'operation-end':
    case 'interrupt':
    case 'start':
    case 'witness':
      return true;
  }
}

const LOOKS: ReadonlySet<string> = new Set([...TESTS_OF_ENTRIES, 'address-of', 'address-in']);

/**
 * Can evaluating the expression find out something about the witness's entries? A test of an entry that was reached
 * shows that the tables above it are linked, whatever its answer is used for.
 */
export function looks(
  expression: Expression,
  values: (expression: Expression) => readonly Known[] | null,
): boolean {
  if (expression.op === 'const' || expression.op === 'var' || expression.op === 'param') return false;
  const args = expression.args ?? [];
  if (args.some((arg) => looks(arg, values))) return true;
  const bits =
    (expression.op === '&' || expression.op === '|') &&
    args.some((arg) => arg.op === 'const' && arg.value.kind === 'symbol');
  if (!LOOKS.has(expression.op) && !bits) return false;
  return args.some(
    (arg) =>
      values(arg)?.every(
        (value) => value !== null && (value.kind !== 'entry-value' || value.of === 'other'),
      ) !== true,
  );
}

/** What is known of the result of an event; null where it may be anything. Containers' members are asked of `inside`. */
export function resultsOf(
  event: Event<Expression>,
  values: (expression: Expression) => readonly Known[] | null,
  inside: (container: Expression) => readonly Known[] | null,
): readonly Known[] | null {
  switch (event.kind) {
    case 'alloc':
      return [
        { kind: 'int', n: 0 },
        { kind: 'memory', what: event.what, level: 'pte', who: 'new' },
      ];
    case 'read':
    case 'walk':
      return values({ op: 'read', args: [event.entry] });
    case 'set':
    case 'change':
    case 'clear': {
      const entries = values(event.entry);
      return entries?.every(
        (entry) => entry?.kind === 'entry-pointer' && (entry.table === 'other' || entry.gap !== 'at'),
      )
        ? values({ op: 'read', args: [event.entry] })
        : null;
    }
    case 'container-take': {
      const members = inside(event.container);
      const unseen = event.unseen === undefined ? [] : values(event.unseen);
      return members === null || unseen === null ? null : [{ kind: 'opaque' }, ...members, ...unseen];
    }
    default:
      return null;
  }
}
