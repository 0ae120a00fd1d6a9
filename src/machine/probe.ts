/**
 * Which values an expression can have where only some variables are known: `evaluate` on a machine of which nothing
 * else is known, once for every way in which its questions can be answered.
 */
import type { Expression } from '#event/expression.js';
import { type EntryValue, encodeValue, LEVELS, type Value } from '#event/value.js';
import { evaluate, truth } from './evaluate.js';
import { KeyTable, layoutFor, State, ValueTable } from './state.js';
import { type Attribute, levelAt, type Machine, noneValue, Step, unknownEntry } from './step.js';

/** What is known of a value: null is anything. An entry value off the witness's path stands for all such of its level. */
export type Known = Value | null;

/** Where a value is null nothing is known of it; an entry value that is not the witness's is told by its level alone. */
export function knownText(known: Known): string {
  if (known === null) return '?';
  if (known.kind === 'entry-value') return `foreign ${known.level}`;
  return encodeValue(known);
}

/** What knowing a value of the machine comes to: entry values of the path and pointers not yet placed can change. */
export function knowledgeOf(value: Value): Known {
  switch (value.kind) {
    case 'entry-value':
      return value.of === 'other' && value.half === undefined && value.torn === undefined
        ? unknownEntry(LEVELS.indexOf(value.level), 'other')
        : null;
    case 'entry-pointer':
      return value.gap === '?' && value.table !== 'other' ? null : value;
    default:
      return value;
  }
}

/** More values than this are not told apart. */
const MOST_VALUES = 12;
/** Ways to answer the questions of one expression that are gone through. */
const MOST_WAYS = 256;

/** Thrown where an operand of which nothing is known was needed. One for all: to make an error takes long. */
const UNKNOWN = new Error('an operand of which nothing is known');

class Probe extends Step {
  constructor(
    machine: Machine,
    state: State,
    private readonly knowledge: (name: string) => Known,
  ) {
    super(machine, state, 0, 0);
  }

  override variable(name: string): Value {
    const known = this.knowledge(name);
    if (known === null) throw UNKNOWN;
    return known;
  }

  override note(): string | undefined {
    throw UNKNOWN;
  }

  override onPath(): boolean {
    return true;
  }

  override settleTable(): void {}

  override putEntry(): void {}

  override settlePointer(): void {}

  /** The entry leads to the witness's table, or it does not. */
  override entry(level: number): EntryValue {
    if (this.choose(`entry ${level}`, ['W', 'other']) === 1) return noneValue(levelAt(level));
    return { ...unknownEntry(level, 'W'), maps: level === 0 ? 'page' : 'table' };
  }

  override alias(level: number): EntryValue {
    return unknownEntry(level, 'A');
  }

  override settleMaps(value: EntryValue): EntryValue {
    if (value.maps !== '?') return value;
    const options = ['page', 'table', 'none', 'soft'] as const;
    const maps = options[this.choose('maps', options)] ?? 'none';
    return maps === 'none' ? noneValue(value.level) : { ...value, maps };
  }

  override attribute(value: EntryValue, name: Attribute): boolean {
    const known = value[name];
    return known === '?' ? this.yes(name) : known;
  }
}

const EITHER: Expression = {
  op: 'choice',
  key: 'either',
  of: [
    { kind: 'int', n: 0 },
    { kind: 'int', n: 1 },
  ],
};

/** The expression with a choice for each condition of which something is not known. */
function withOpenTests(expression: Expression, known: (name: string) => Known): Expression {
  if (expression.op === 'const' || expression.op === 'var' || expression.op === 'param') return expression;
  if (expression.op === 'choice') return expression;
  const args = expression.args.map((arg) => withOpenTests(arg, known));
  const [test, ...ways] = args;
  if (expression.op === 'select' && test !== undefined && mentionsUnknown(test, known))
    return { ...expression, args: [EITHER, ...ways] };
  return args.every((arg, n) => arg === expression.args[n]) ? expression : { ...expression, args };
}

function mentionsUnknown(expression: Expression, known: (name: string) => Known): boolean {
  switch (expression.op) {
    case 'const':
    case 'param':
      return false;
    case 'var':
      return known(expression.name) === null;
    case 'choice':
      return (expression.args ?? []).some((arg) => mentionsUnknown(arg, known));
    default:
      return expression.args.some((arg) => mentionsUnknown(arg, known));
  }
}

export class Prober {
  private readonly machine: Machine;
  private readonly start: State;

  constructor() {
    const layout = layoutFor(1, 1);
    this.machine = {
      programs: [],
      facts: {
        read: new Set(),
        get: () => {
          throw UNKNOWN;
        },
      },
      fixed: new Map(),
      kind: false,
      remembered: null,
      only: null,
      layout,
      values: new ValueTable(),
      space: 'unknown',
      levels: new Set(),
      whole: true,
      ambient: true,
      buffers: true,
      pageBrought: false,
      bringer: null,
      brought: [],
      names: [],
      reclaimed: false,
      unloaded: false,
      movesTable: false,
      given: new Set(),
      walkers: 'none',
      shared: new Map(),
    };
    this.start = State.fresh(
      new KeyTable(),
      [0],
      [[]],
      new Array<number>(LEVELS.length * 2).fill(0),
      new Array<number>(LEVELS.length).fill(0),
      new Uint8Array(layout.size),
    );
  }

  /** Every value the expression can have, each as far as it stays known; null where that is not told. */
  values(expression: Expression, known: (name: string) => Known): readonly Known[] | null {
    const found = new Map<string, Known>();
    const asked = withOpenTests(expression, known);
    const complete = this.each(known, (probe) => {
      const value = knowledgeOf(evaluate(probe, asked));
      found.set(knownText(value), value);
    });
    return complete && found.size <= MOST_VALUES ? [...found.values()] : null;
  }

  /** Which ways a branch on the expression can go. */
  ways(
    expression: Expression,
    known: (name: string) => Known,
  ): { readonly yes: boolean; readonly no: boolean } {
    let [yes, no] = [false, false];
    const complete = this.each(known, (probe) => {
      if (truth(probe, evaluate(probe, expression), () => 'test')) yes = true;
      else no = true;
    });
    return complete ? { yes, no } : { yes: true, no: true };
  }

  /** Runs `look` for each way to answer; false when something unknown was needed or there are too many. */
  private each(known: (name: string) => Known, look: (probe: Probe) => void): boolean {
    const probe = new Probe(this.machine, this.start, known);
    for (let ways = 0; ways < MOST_WAYS; ways += 1) {
      probe.begin(this.start.copy());
      try {
        look(probe);
      } catch (error) {
        if (error === UNKNOWN) return false;
        throw error;
      }
      if (!probe.goesOn()) return true;
    }
    return false;
  }
}
