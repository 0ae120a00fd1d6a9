/** Expressions of event programs on a state. What the operands leave open forks through `Step.choose`. */
import type { Expression, Operator } from '#event/expression.js';
import {
  ANY,
  AREAS,
  type EntryPointer,
  type EntryValue,
  encodeValue,
  type Gap,
  isOwnPage,
  LEVELS,
  type Level,
  type MemoryValue,
  OPAQUE,
  type Value,
  type Who,
} from '#event/value.js';
import { complement, joinEntry, maskEntry } from './bits.js';
import { alignSlot, numberedEntry, otherEntry, stepSlot } from './blocks.js';
import { isAlone, nextNode } from './list-nodes.js';
import { complementOf, exactly, frameOf, hasNumbers, isWord, positionOf, wordIsPresent } from './numbers.js';
import {
  addressEnd,
  addressIn,
  advance,
  alignDown,
  alignUp,
  compare,
  firstAddressOf,
  granuleOf,
  inGranule,
  isPast,
  lastGranule,
} from './position.js';
import { type Attribute, comparedName, noneValue, type Step, unknownEntry } from './step.js';

const PAGE_SHIFT = 12;
/** Masks of at least this size keep an address or page number whole. */
const WIDE_MASK = 2 ** 36;

type Operation = Extract<Expression, { readonly op: Operator }>;

const int = (n: number): Value => ({ kind: 'int', n });
/** One object each: they are known by sight. */
const [FALSE, TRUE] = [int(0), int(1)];
const GAPS = [...LEVELS, 'far', 'past', 'past-pmd', 'past-pud', '?'] as const;
const ADDRESSES = new Map<Gap | '?', Value>(GAPS.map((gap) => [gap, { kind: 'address', gap }]));
/** Here, too, one object each: the numbers of values are looked up by them. */
const addressAt = (gap: Gap | '?'): Value => ADDRESSES.get(gap) ?? ANY;
const movedTo = (pointer: EntryPointer, gap: EntryPointer['gap']): EntryPointer =>
  pointer.gap === gap ? pointer : { ...pointer, gap };
const bool = (b: boolean): Value => (b ? TRUE : FALSE);

export function evaluate(step: Step, expression: Expression): Value {
  switch (expression.op) {
    case 'const':
      return expression.value;
    case 'var':
      return step.variable(expression.name);
    case 'param':
      throw new Error(`the rule parameter ${expression.name} was never replaced`);
    case 'choice':
      return choice(step, expression);
    case '&&': {
      const [a, b] = expression.args;
      if (a === undefined || b === undefined) return ANY;
      return bool(isTrue(step, a) && isTrue(step, b));
    }
    case '||': {
      const [a, b] = expression.args;
      if (a === undefined || b === undefined) return ANY;
      return bool(isTrue(step, a) || isTrue(step, b));
    }
    case 'longer':
      return bool(isLonger(step, expression.args));
    case 'select': {
      const [on, a, b] = expression.args;
      if (on === undefined || a === undefined || b === undefined) return ANY;
      return evaluate(step, isTrue(step, on) ? a : b);
    }
    default:
      return operate(step, expression);
  }
}

/** Does the branch go to `then`? */
export function isTrue(step: Step, expression: Expression): boolean {
  const value = evaluate(step, expression);
  return value.kind === 'int' ? value.n !== 0 : truth(step, value, () => describe(expression));
}

export function truth(step: Step, value: Value, key: () => string): boolean {
  switch (value.kind) {
    case 'int':
      return value.n !== 0;
    case 'some':
      if (value.is === 'any' || value.is === 'non-negative') return step.yes(key());
      return true;
    case 'entry-value': {
      const known = step.settleMaps(value);
      return known.maps !== 'none';
    }
    case 'address':
      // A number that is used as an address somewhere may be 0 as any other.
      return isPast(value.gap) || value.gap === '?' ? step.yes(key()) : true;
    case 'opaque':
    case 'symbol':
    case 'entry-pointer':
    case 'memory':
      return true;
  }
}

type Asked = Extract<Expression, { readonly op: 'choice' }>;

interface Texts {
  readonly options: readonly string[];
  /** Under which its answer is noted, but for arguments. */
  readonly note: string;
}

/** Of questions: they are asked again and again. */
const textsOf = new WeakMap<Asked, Texts>();

function choice(step: Step, expression: Asked): Value {
  let texts = textsOf.get(expression);
  if (texts === undefined) {
    texts = { options: expression.of.map(encodeValue), note: `choice:${expression.key}` };
    textsOf.set(expression, texts);
  }
  const { options } = texts;
  let { key } = expression;
  let name = texts.note;
  if (expression.args !== undefined && expression.args.length > 0) {
    const args = expression.args.map((arg) => encodeValue(evaluate(step, arg))).join(', ');
    key = `${key}(${args})`;
    // The tab parts the key, by which liveness knows the choice, from the arguments.
    name = `${name}\t${args}`;
  }
  if (expression.stable !== true) return expression.of[step.choose(key, options)] ?? ANY;
  const known = step.state.extra.get(name);
  if (known !== undefined) {
    const at = options.indexOf(known);
    if (at >= 0) return expression.of[at] as Value;
  }
  const at = step.ask(key, options);
  const { remembered } = step.machine;
  if (options.length > 1 && (remembered === null || remembered.has(key)))
    step.state.note(name, options[at] as string);
  const chosen = expression.of[at] ?? ANY;
  if (step.machine.bringer === expression.key && !isOwnPage(chosen)) step.forgetBrought();
  return chosen;
}

const descriptions = new WeakMap<Operation, string>();

/** A text for an expression that names no variable: two programs that ask the same ask it alike. */
function describe(expression: Expression): string {
  switch (expression.op) {
    case 'const':
      return encodeValue(expression.value);
    case 'var':
    case 'param':
      return '_';
    case 'choice':
      return expression.key;
    default: {
      let text = descriptions.get(expression);
      if (text === undefined) {
        text = `${expression.op}(${expression.args.map(describe).join(', ')})`;
        descriptions.set(expression, text);
      }
      return text;
    }
  }
}

const comparisons = new WeakMap<Operation, string>();

/** The same for a comparison, by what it asks: `a > b` asks what `b < a` does, and `a != b` what `a == b` does. */
function describeComparison(expression: Operation): string {
  let text = comparisons.get(expression);
  if (text === undefined) {
    const { op, args } = expression;
    const texts = args.map(describe);
    if (op === '>' || op === '<=') texts.reverse();
    text = `${op === '==' || op === '!=' ? '==' : '<'}(${texts.join(', ')})`;
    comparisons.set(expression, text);
  }
  return text;
}

/** Is [start, end) longer than so many bytes? What the texts of its ends do not settle is taken to be, and is said. */
function isLonger(step: Step, args: readonly Expression[]): boolean {
  const [start, end, bytes] = args;
  if (start === undefined || end === undefined || bytes === undefined) return true;
  const size = evaluate(step, bytes);
  const length = lengthOf(start, end);
  if (length !== null && size.kind === 'int') return length > size.n;
  step.assume('a range of unknown length is flushed as a whole');
  return true;
}

/** Bytes between two addresses whose texts differ by a constant. */
function lengthOf(start: Expression, end: Expression): number | null {
  const [from, to] = [offsetOf(start), offsetOf(end)];
  return JSON.stringify(from.base) === JSON.stringify(to.base) ? to.bytes - from.bytes : null;
}

function offsetOf(expression: Expression): { readonly base: Expression; readonly bytes: number } {
  if (expression.op !== '+' && expression.op !== '-') return { base: expression, bytes: 0 };
  const [left, right] = expression.args;
  if (left === undefined || right?.op !== 'const' || right.value.kind !== 'int')
    return { base: expression, bytes: 0 };
  const { base, bytes } = offsetOf(left);
  return { base, bytes: expression.op === '+' ? bytes + right.value.n : bytes - right.value.n };
}

function operate(step: Step, expression: Operation): Value {
  const [first, second, third] = expression.args;
  const a = first === undefined ? ANY : evaluate(step, first);
  const b = second === undefined ? ANY : evaluate(step, second);
  const c = third === undefined ? ANY : evaluate(step, third);
  const level = expression.level ?? 'pte';
  switch (expression.op) {
    case '!':
      return bool(!truth(step, a, () => describe(expression.args[0] ?? expression)));
    case '<<':
    case '>>':
      // Page numbers stand in the same order as the addresses that they are made from.
      if (a.kind === 'address') return a;
      return arithmetic(step, expression.op, a, b);
    case '~':
      return complementOf(step, a) ?? complement(a) ?? arithmetic(step, '~', a, b);
    case '*':
    case '/':
    case '%':
    case '^':
      return arithmetic(step, expression.op, a, b);
    case '+':
    case '-':
      return sum(step, expression.op, a, b);
    case '&':
      return maskEntry(step, a, b) ?? and(step, a, b);
    case '|':
      return joinEntry(step, a, b) ?? or(step, a, b);
    case '==':
      return bool(equal(step, a, b, () => describeComparison(expression)));
    case '!=':
      return bool(!equal(step, a, b, () => describeComparison(expression)));
    case '<':
      return bool(less(step, a, b, () => describeComparison(expression)));
    case '>':
      return bool(less(step, b, a, () => describeComparison(expression)));
    case '<=':
      return bool(!less(step, b, a, () => describeComparison(expression)));
    case '>=':
      return bool(!less(step, a, b, () => describeComparison(expression)));
    case 'min':
      return less(step, a, b, () => describe(expression)) ? a : b;
    case 'max':
      return less(step, a, b, () => describe(expression)) ? b : a;
    case 'numbered-entry':
      return numberedEntry(step, level, a) ?? OPAQUE;
    case 'align-down':
    case 'align-up': {
      if (a.kind === 'entry-pointer') return alignSlot(step, a, b, expression.op === 'align-up');
      if (a.kind === 'int' && b.kind === 'int' && b.n > 0 && hasNumbers(step))
        return int((expression.op === 'align-down' ? Math.floor(a.n / b.n) : Math.ceil(a.n / b.n)) * b.n);
      if (a.kind !== 'address') return a.kind === 'int' ? ANY : a;
      const to = sizeOf(b);
      if (to === undefined) return addressAt('?');
      return addressAt(
        expression.op === 'align-down' ? alignDown(step, a.gap, to) : alignUp(step, a.gap, to),
      );
    }
    case 'addr-end':
      if (a.kind !== 'address') return ANY;
      return addressAt(addressEnd(step, a.gap, b.kind === 'address' ? b.gap : '?', level));
    case 'entry':
      return childEntry(step, a, b, level);
    case 'first-entry':
      if (a.kind !== 'memory' || a.what !== 'table') return a.kind === 'entry-pointer' ? a : OPAQUE;
      return {
        kind: 'entry-pointer',
        level: a.level,
        table: whoOf(a),
        gap: whoOf(a) === 'other' ? 'at' : '?',
      };
    case 'step':
      return stepPointer(step, a, b);
    case 'slot':
      if (a.kind === 'entry-pointer' && a.slot !== undefined) return stepSlot(step, a, b) ?? a;
      if (a.kind !== 'entry-pointer' || b.kind !== 'address' || b.gap === '?') return a;
      return movedTo(a, b.gap === 'pte' ? 'at' : isPast(b.gap) ? 'past' : 'before');
    case 'couple': {
      const to = positionOf(step, b);
      // Its slot is exact: whether the address goes with it is the program's affair.
      if (a.kind === 'entry-pointer' && a.slot !== undefined) return a;
      // An address that lies anywhere says nothing: the pointer's own steps do. Tables off the path are all alike.
      if (a.kind !== 'entry-pointer' || a.table === 'other') return a;
      if (to.kind !== 'address' || to.gap === '?') return a;
      return movedTo(a, slotFor(to.gap, a.level));
    }
    case 'read':
      return a.kind === 'entry-pointer' ? readEntry(step, a) : ANY;
    case 'page-of':
      return frameOf(step, a) ?? targetOf(step, a, 'page');
    case 'table-of':
      return targetOf(step, a, 'table');
    case 'table-holding':
      if (a.kind === 'entry-pointer') return { kind: 'memory', what: 'table', level: a.level, who: a.table };
      return a.kind === 'memory' ? a : OPAQUE;
    case 'is-present':
    case 'is-none':
    case 'is-leaf':
    case 'is-table':
    case 'is-soft':
      return test(step, expression, a);
    case 'is-write':
      return flag(step, expression, a, 'write');
    case 'is-dirty':
      return flag(step, expression, a, 'dirty');
    case 'is-young':
      return flag(step, expression, a, 'young');
    case 'is-exec':
      return flag(step, expression, a, 'exec');
    case 'is-cont':
      return flag(step, expression, a, 'cont');
    case 'same':
      return bool(sameValue(step, a, b));
    case 'make-leaf':
      // An entry made from a number stays that number.
      return hasNumbers(step) && isWord(a) ? a : made(level, 'page', a);
    case 'make-table':
      return { ...noneValue(level), maps: 'table', of: a.kind === 'memory' ? a.who : 'new' };
    case 'make-soft':
      return { ...noneValue(level), maps: 'soft', of: a.kind === 'memory' ? a.who : 'new' };
    case 'none-value':
      return noneValue(level);
    case 'with-write':
      return withFlag(step, a, b, 'write');
    case 'with-dirty':
      return withFlag(step, a, b, 'dirty');
    case 'with-young':
      return withFlag(step, a, b, 'young');
    case 'with-exec':
      return withFlag(step, a, b, 'exec');
    case 'with-cont':
      return withFlag(step, a, b, 'cont');
    case 'with-attributes':
      return withAttributes(a, b);
    case 'with-present':
      return withPresent(step, a, b);
    case 'range-of':
      return a.kind === 'memory' && a.who === 'W' ? addressAt('pte') : addressAt('?');
    case 'range-at':
      if (a.kind === 'address' && a.gap !== '?' && !inGranule(a.gap, 0))
        return { kind: 'memory', what: 'range', level: 'pte', who: 'other' };
      return { kind: 'memory', what: 'range', level: 'pte', who: 'W' };
    case 'level-of':
      return 'level' in a ? int(LEVELS.indexOf(a.level)) : ANY;
    case 'address-of':
      return firstAddress(step, a);
    case 'address-in':
      return someAddress(step, a);
    case 'entry-above':
      return linkOf(a);
    case 'as-memory':
      return a.kind === 'memory' ? a : int(0);
    case 'is-number':
      return bool(a.kind === 'int');
    case 'is-empty':
      return bool(isEmpty(step, a));
    case 'next-node':
      return nextNode(step, a, b, c);
    case 'at':
    case 'this-cpu':
      throw new Error(`${expression.op} of a rule was never replaced`);
    case '&&':
    case '||':
    case 'longer':
    case 'select':
      throw new Error(`${expression.op} is evaluated lazily`);
  }
}

const whoOf = (memory: MemoryValue): Who => (memory.who === 'new' ? 'other' : memory.who);

/** Bytes as a granule: null for less than a page, undefined when not known. */
function sizeOf(value: Value): Level | null | undefined {
  if (value.kind === 'int') return granuleOf(Math.abs(value.n));
  if (value.kind === 'symbol' && value.name.startsWith('size:')) return value.name.slice(5) as Level;
  return undefined;
}

function arithmetic(step: Step, op: string, a: Value, b: Value): Value {
  if (op === '~' && a.kind === 'int') return int(-a.n - 1);
  const exact = exactly(step, op, a, b);
  if (exact !== null) return exact;
  // Page numbers, and the operand of an instruction made from an address, keep its position.
  if (a.kind === 'address' && b.kind === 'int' && b.n >= PAGE_SHIFT && (op === '>>' || op === '<<')) return a;
  if (a.kind !== 'int' || b.kind !== 'int') return ANY;
  switch (op) {
    case '*':
      return bounded(a.n * b.n);
    case '/':
      return b.n === 0 ? ANY : int(Math.trunc(a.n / b.n));
    case '%':
      return b.n === 0 ? ANY : int(a.n % b.n);
    case '<<':
      return bounded(a.n * 2 ** b.n);
    case '>>':
      return int(Math.floor(a.n / 2 ** b.n));
    case '^':
      return Math.abs(a.n) < 2 ** 31 && Math.abs(b.n) < 2 ** 31 ? int(a.n ^ b.n) : ANY;
    default:
      return ANY;
  }
}

const HALF_WORD = 0x10000;

/** Sizes stay exact; counters stop at 3, so that loops that count have finitely many states. */
function bounded(n: number): Value {
  const size = Math.abs(n);
  if (size <= 3 || (size >= 64 && Number.isInteger(Math.log2(size)))) return int(n);
  // Two counters in one word (mm->tlb_flush_batched): each stops at 3.
  if (size < 4 * HALF_WORD && size > HALF_WORD && size % HALF_WORD <= 3) return int(n);
  return { kind: 'some', is: n > 0 ? 'positive' : 'negative' };
}

function signOf(value: Value): 'positive' | 'negative' | 'zero' | 'non-negative' | null {
  if (value.kind === 'int') return value.n > 0 ? 'positive' : value.n < 0 ? 'negative' : 'zero';
  if (value.kind !== 'some') return null;
  return value.is === 'any' || value.is === 'nonzero' ? null : value.is;
}

function sum(step: Step, op: '+' | '-', a: Value, b: Value): Value {
  const exact = exactly(step, op, a, b);
  if (exact !== null) return exact;
  if (a.kind === 'address' || (b.kind === 'address' && op === '+')) {
    const address = a.kind === 'address' ? a : (b as Extract<Value, { kind: 'address' }>);
    const other = a.kind === 'address' ? b : a;
    return moveAddress(step, op, address.gap, other);
  }
  if (a.kind === 'entry-pointer' && b.kind === 'entry-pointer' && op === '-')
    if (a.slot !== undefined && b.slot !== undefined) return int(a.slot - b.slot);
  if (a.kind === 'entry-pointer') return stepPointer(step, a, op === '+' ? b : negative(b));
  if (a.kind === 'int' && b.kind === 'int') {
    const n = op === '+' ? a.n + b.n : a.n - b.n;
    const counts = Math.abs(b.n) === 1 || Math.abs(a.n) === 1;
    return counts && Math.abs(n) > 3 && Math.abs(n) <= 64
      ? bounded(n)
      : Math.abs(n) <= 64
        ? int(n)
        : bounded(n);
  }
  const sa = signOf(a);
  const sb = signOf(op === '+' ? b : negative(b));
  if (sa === null || sb === null) return ANY;
  if (sa === 'zero') return op === '+' ? b : negative(b);
  if (sb === 'zero') return a;
  if (sa === 'negative' && sb === 'negative') return { kind: 'some', is: 'negative' };
  if (sa === 'negative' || sb === 'negative') {
    if (sa === 'positive' && b.kind === 'int' && Math.abs(b.n) === 1)
      return { kind: 'some', is: 'non-negative' };
    return ANY;
  }
  return { kind: 'some', is: sa === 'positive' || sb === 'positive' ? 'positive' : 'non-negative' };
}

function negative(value: Value): Value {
  if (value.kind === 'int') return int(-value.n);
  if (value.kind !== 'some') return ANY;
  switch (value.is) {
    case 'positive':
      return { kind: 'some', is: 'negative' };
    case 'negative':
      return { kind: 'some', is: 'positive' };
    case 'nonzero':
      return value;
    case 'any':
    case 'non-negative':
      return ANY;
  }
}

function moveAddress(step: Step, op: '+' | '-', gap: Gap | '?', by: Value): Value {
  if (by.kind === 'address') return op === '-' ? distance(gap, by.gap) : ANY;
  if (by.kind === 'int' && by.n === 0) return addressAt(gap);
  const forward = by.kind === 'int' ? (op === '+') === by.n > 0 : op === '+';
  const size = sizeOf(by);
  if (size === undefined) {
    const sign = signOf(by);
    if (op === '+' && isPast(gap) && (sign === 'positive' || sign === 'non-negative' || sign === 'zero'))
      return addressAt(gap);
    return addressAt('?');
  }
  if (size === null) return addressAt(forward ? gap : isPast(gap) ? '?' : gap);
  if (forward) return addressAt(advance(step, gap, size));
  // Backwards from w's granule of that size: before w, in no granule that is known.
  return addressAt(gap === '?' || isPast(gap) ? '?' : gap === 'far' ? 'far' : levelAbove(gap, size));
}

function levelAbove(gap: Level, size: Level): Gap {
  const at = Math.max(LEVELS.indexOf(gap), LEVELS.indexOf(size) + 1);
  return LEVELS[at] ?? 'far';
}

function distance(a: Gap | '?', b: Gap | '?'): Value {
  const order = compare(a, b);
  if (order === null) return ANY;
  return order === 0 ? int(0) : { kind: 'some', is: order > 0 ? 'positive' : 'negative' };
}

function and(step: Step, a: Value, b: Value): Value {
  const exact = exactly(step, '&', a, b);
  if (exact !== null) return exact;
  // A mask that leaves the bits of the address that matter.
  if (a.kind === 'address' && b.kind === 'int' && b.n >= WIDE_MASK) return a;
  if (a.kind === 'address' && b.kind === 'int' && b.n < 0) {
    const to = granuleOf(-b.n);
    return addressAt(alignDown(step, a.gap, to));
  }
  if (a.kind === 'int' && b.kind === 'int') {
    if (a.n >= 0 && b.n >= 0 && Math.max(a.n, b.n) < 2 ** 31) return int(a.n & b.n);
    return Number.isSafeInteger(a.n) && Number.isSafeInteger(b.n)
      ? int(Number(BigInt(a.n) & BigInt(b.n)))
      : ANY;
  }
  if ((a.kind === 'int' && a.n === 0) || (b.kind === 'int' && b.n === 0)) return int(0);
  return ANY;
}

function or(step: Step, a: Value, b: Value): Value {
  const exact = exactly(step, '|', a, b);
  if (exact !== null) return exact;
  if (a.kind === 'address' && b.kind === 'int') return addressAt(lastGranule(step, a.gap, b.n));
  if (a.kind === 'address' && b.kind !== 'address') return a;
  if (b.kind === 'address' && a.kind !== 'address') return b;
  if (a.kind === 'int' && b.kind === 'int') {
    if (Math.abs(a.n) < 2 ** 31 && Math.abs(b.n) < 2 ** 31) return int(a.n | b.n);
    return Number.isSafeInteger(a.n) && Number.isSafeInteger(b.n)
      ? int(Number(BigInt(a.n) | BigInt(b.n)))
      : ANY;
  }
  const nonzero = (v: Value): boolean =>
    v.kind === 'int'
      ? v.n !== 0
      : v.kind === 'some' && (v.is === 'nonzero' || v.is === 'positive' || v.is === 'negative');
  if (a.kind === 'int' && a.n === 0) return b;
  if (b.kind === 'int' && b.n === 0) return a;
  return nonzero(a) || nonzero(b) ? { kind: 'some', is: 'nonzero' } : ANY;
}

function isPointerLike(value: Value): boolean {
  return (
    value.kind === 'entry-pointer' ||
    value.kind === 'memory' ||
    value.kind === 'symbol' ||
    value.kind === 'opaque' ||
    value.kind === 'address'
  );
}

const isObject = (name: string): boolean => name.startsWith('@') || name === 'kernel';

function equal(step: Step, a: Value, b: Value, key: () => string): boolean {
  if (a.kind === 'int' && b.kind === 'int') return a.n === b.n;
  if (a.kind === 'some' || b.kind === 'some') {
    const [some, other] = a.kind === 'some' ? [a, b] : [b as Extract<Value, { kind: 'some' }>, a];
    if (other.kind === 'int') {
      if (other.n === 0 && (some.is === 'nonzero' || some.is === 'positive' || some.is === 'negative'))
        return false;
      if (other.n < 0 && (some.is === 'positive' || some.is === 'non-negative')) return false;
      if (other.n > 0 && some.is === 'negative') return false;
    }
    return step.yes(key());
  }
  if (a.kind === 'entry-value' && b.kind === 'entry-value') return sameEntry(step, a, b, key);
  if (a.kind === 'entry-value' || b.kind === 'entry-value') {
    const [entry, other] = a.kind === 'entry-value' ? [a, b] : [b as EntryValue, a];
    if (other.kind === 'int' && other.n === 0) return step.settleMaps(entry).maps === 'none';
    return step.yes(key());
  }
  if (a.kind === 'address' && b.kind === 'address') {
    const order = compare(a.gap, b.gap);
    return order === null ? step.yes(key()) : order === 0;
  }
  if (a.kind === 'int' || b.kind === 'int') {
    const number = a.kind === 'int' ? a.n : (b as { n: number }).n;
    return number === 0 || isPointerLike(a.kind === 'int' ? b : a) ? false : step.yes(key());
  }
  if (a.kind === 'entry-pointer' && b.kind === 'entry-pointer') {
    if (a.level !== b.level || a.table !== b.table)
      return a.table === 'other' && b.table === 'other' ? step.yes(key()) : false;
    if (a.slot !== undefined && b.slot !== undefined) return a.slot === b.slot;
    if (a.gap === '?' || b.gap === '?') return step.yes(key());
    return a.gap === b.gap ? (a.gap === 'at' && a.table !== 'other') || step.yes(key()) : false;
  }
  if (a.kind === 'memory' && b.kind === 'memory') {
    if (a.what !== b.what) return false;
    if (a.who !== b.who) return false;
    return a.who === 'other' || a.who === 'new' ? step.yes(key()) : a.what !== 'table' || a.level === b.level;
  }
  if (a.kind === 'symbol' && b.kind === 'symbol') {
    if (a.name === b.name) return true;
    // Structs that programs were handed by name are different ones.
    if (isObject(a.name) && isObject(b.name)) return false;
  }
  return step.yes(key());
}

function sameValue(step: Step, a: Value, b: Value): boolean {
  const same = equal(step, a, b, () => 'same entry value');
  const [entry, other] = a.kind === 'entry-value' ? [a, b] : [b, a];
  if (same && step.machine.kind && entry.kind === 'entry-value' && entry.of === 'W' && other.kind === 'some')
    step.state.note(comparedName(LEVELS.indexOf(entry.level)), 'yes');
  return same;
}

function sameEntry(step: Step, a: EntryValue, b: EntryValue, key: () => string): boolean {
  if (a.half !== undefined || b.half !== undefined) return sameHalf(step, a, b);
  if (encodeValue(a) === encodeValue(b)) return a.of === 'W' || a.maps === 'none' ? true : step.yes(key());
  const [x, y] = [step.settleMaps(a), step.settleMaps(b)];
  if (x.maps !== y.maps) return false;
  if (x.maps === 'none') return true;
  if (x.of !== y.of) return false;
  if (x.maps === 'table') return x.of === 'W' || step.yes(key());
  for (const name of ['write', 'dirty', 'young', 'exec', 'cont'] as const) {
    const [left, right] = [x[name], y[name]];
    if (left === right) continue;
    if (left !== '?' && right !== '?') return false;
    if (step.attribute(x, name) !== step.attribute(y, name)) return false;
  }
  return x.of === 'W' || step.yes(key());
}

/** Halves of two different values may hold the same bits: only whole values differ for sure. */
function sameHalf(step: Step, a: EntryValue, b: EntryValue): boolean {
  const [x, y] = [step.settleMaps(a), step.settleMaps(b)];
  const present = (v: EntryValue): boolean => v.maps === 'page' || v.maps === 'table';
  if (present(x) !== present(y)) return false;
  if (!present(x) || x.of === y.of) return true;
  const half = a.half ?? 'low';
  if (halvesEqual(step, half, x.of, y.of)) return true;
  return step.context(halfKey(half, x.of, y.of), ['yes', 'no']) === 'yes';
}

const halfKey = (half: 'low' | 'high', a: string, b: string): string =>
  `${half} halves of ${[a, b].sort().join(' and ')} are equal`;

/** Was it decided that these two targets share the bits of this half, directly or by way of a third? */
export function halvesEqual(
  step: Step,
  half: 'low' | 'high',
  a: EntryValue['of'],
  b: EntryValue['of'],
): boolean {
  const reached = new Set<EntryValue['of']>([a]);
  for (const from of reached)
    for (const to of ['W', 'A', 'other', 'new'] as const)
      if (step.state.extra.get(`ctx:${halfKey(half, from, to)}`) === 'yes') reached.add(to);
  return reached.has(b);
}

function less(step: Step, a: Value, b: Value, key: () => string): boolean {
  if (a.kind === 'int' && b.kind === 'int') return a.n < b.n;
  if (a.kind === 'address' && b.kind === 'address') {
    const order = compare(a.gap, b.gap);
    if (order !== null) return order < 0;
    return step.yes(key());
  }
  // Bounds written as numbers: 0 is before every address that is mapped, the largest is past them all.
  if (a.kind === 'address' && b.kind === 'int' && a.gap !== '?') {
    if (b.n >= Number.MAX_SAFE_INTEGER) return true;
    return b.n <= 0 ? false : step.yes(key());
  }
  if (a.kind === 'int' && b.kind === 'address' && b.gap !== '?') {
    if (a.n >= Number.MAX_SAFE_INTEGER) return false;
    return a.n <= 0 ? true : step.yes(key());
  }
  if (
    a.kind === 'entry-pointer' &&
    b.kind === 'entry-pointer' &&
    a.table === b.table &&
    a.gap !== '?' &&
    b.gap !== '?' &&
    a.gap !== b.gap
  ) {
    const order = ['before', 'at', 'past'];
    return order.indexOf(a.gap) < order.indexOf(b.gap);
  }
  if (a.kind === 'entry-pointer' && b.kind === 'entry-pointer')
    if (a.slot !== undefined && b.slot !== undefined) return a.slot < b.slot;
  const [sa, sb] = [signOf(a), signOf(b)];
  const low = (s: string | null): boolean => s === 'negative' || s === 'zero';
  if (sa !== null && sb !== null) {
    if (low(sa) && sb === 'positive') return true;
    if (sa === 'negative' && (sb === 'zero' || sb === 'non-negative')) return true;
    if ((sa === 'positive' || sa === 'non-negative') && low(sb)) return false;
    if (sa === 'zero' && low(sb)) return false;
  }
  return step.yes(key());
}

function slotFor(gap: Gap | '?', level: Level): EntryPointer['gap'] {
  if (gap === '?') return '?';
  if (inGranule(gap, LEVELS.indexOf(level))) return 'at';
  return isPast(gap) ? 'past' : 'before';
}

function childEntry(step: Step, parent: Value, at: Value, level: Level): Value {
  const address = positionOf(step, at);
  const gap = address.kind === 'address' ? address.gap : '?';
  const l = LEVELS.indexOf(level);
  const other: Value = { kind: 'entry-pointer', level, table: 'other', gap: 'at' };
  switch (parent.kind) {
    case 'int':
      return parent.n === 0 ? parent : OPAQUE;
    case 'symbol':
    case 'opaque':
    case 'some': {
      const table = parent.kind === 'symbol' && parent.name === AREAS[1] ? 'A' : 'W';
      return { kind: 'entry-pointer', level, table, gap: slotFor(gap, level) };
    }
    case 'memory': {
      const who = whoOf(parent);
      if (parent.what !== 'table' || who === 'other') return other;
      return { kind: 'entry-pointer', level, table: who, gap: slotFor(gap, level) };
    }
    case 'entry-pointer': {
      if (LEVELS.indexOf(parent.level) > l && parent.gap === '?' && parent.table === 'W')
        return childEntry(step, placePointer(step, parent), address, level);
      if (LEVELS.indexOf(parent.level) <= l)
        return movedTo(parent, parent.table === 'other' ? 'at' : slotFor(gap, parent.level));
      if (parent.table === 'other' || (parent.gap !== 'at' && parent.gap !== '?')) return other;
      if (parent.table === 'W' && step.onPath(LEVELS.indexOf(parent.level))) {
        const above = LEVELS.indexOf(parent.level);
        step.settleTable(above);
        const value = step.entry(above);
        if (value.maps !== 'table' || value.of !== 'W') return other;
      }
      return { kind: 'entry-pointer', level, table: parent.table, gap: slotFor(gap, level) };
    }
    case 'entry-value': {
      // The walk goes on from a value read before (`pte_offset_map(&pmdval, addr)`).
      const value = step.settleMaps(parent);
      if (value.maps !== 'table' || value.of !== 'W') return other;
      return { kind: 'entry-pointer', level, table: 'W', gap: slotFor(gap, level) };
    }
    case 'address':
      return other;
  }
}

function stepPointer(step: Step, pointer: Value, count: Value): Value {
  if (pointer.kind !== 'entry-pointer') return pointer.kind === 'int' ? ANY : pointer;
  if (count.kind === 'int' && count.n === 0) return pointer;
  if (pointer.slot !== undefined) return stepSlot(step, pointer, count) ?? ANY;
  if (pointer.gap === '?' || pointer.table === 'other') return pointer;
  const sign = signOf(count);
  if (sign === 'positive') {
    if (pointer.gap !== 'before') return movedTo(pointer, 'past');
    const isAt = step.choose(`${pointer.level} pointer steps to the witness`, ['at', 'before']) === 0;
    return movedTo(pointer, isAt ? 'at' : 'before');
  }
  if (sign === 'negative') return movedTo(pointer, pointer.gap === 'past' ? '?' : 'before');
  return movedTo(pointer, '?');
}

/** First address that an entry maps, or that a table's entries map together: at w or before it in the same granule. */
function firstAddress(step: Step, value: Value): Value {
  if (value.kind === 'entry-pointer') {
    const placed = placePointer(step, value);
    if (placed.table !== 'W') return addressAt('?');
    if (placed.gap === 'past') return addressAt('past');
    if (placed.gap === 'at') return within(step, placed.level);
    return addressAt(LEVELS[LEVELS.indexOf(placed.level) + 1] ?? 'far');
  }
  if (value.kind !== 'memory') return ANY;
  if (value.who !== 'W') return addressAt('?');
  if (value.what !== 'table') return addressAt('pte');
  return within(step, LEVELS[LEVELS.indexOf(value.level) + 1] ?? 'pgd');
}

/** The start of w's granule: w's own page where the granule begins with it. */
function within(step: Step, level: Level): Value {
  if (level === 'pte') return addressAt('pte');
  const gap = step.once(firstAddressOf(level), [level, 'pte']) as Level;
  return addressAt(gap);
}

function someAddress(step: Step, value: Value): Value {
  if (value.kind !== 'entry-pointer' || value.table !== 'W' || value.gap !== 'at' || value.level === 'pte')
    return firstAddress(step, value);
  const options: readonly Gap[] = ['pte', value.level, value.level === 'pmd' ? 'past-pmd' : 'past-pud'];
  return addressAt(step.once(addressIn(value.level), options) as Gap);
}

/** The entry that links a table. */
function linkOf(value: Value): Value {
  if (value.kind !== 'memory' || value.what !== 'table')
    return value.kind === 'entry-pointer' ? value : OPAQUE;
  const level = LEVELS[LEVELS.indexOf(value.level) + 1];
  if (level === undefined) return OPAQUE;
  return { kind: 'entry-pointer', level, table: whoOf(value), gap: 'at' };
}

/** The pointer with its position in the table chosen. */
export function placePointer(step: Step, pointer: EntryPointer): EntryPointer {
  if (pointer.gap !== '?' || pointer.table === 'other') return pointer;
  const at = step.choose(`${pointer.level} pointer is at the witness`, ['yes', 'no']) === 0;
  step.settlePointer(pointer, at ? 'at' : 'before');
  return { ...pointer, gap: at ? 'at' : 'before' };
}

/** What the entry holds now, as the reading CPU sees it. */
export function readEntry(step: Step, pointer: EntryPointer): EntryValue {
  const level = LEVELS.indexOf(pointer.level);
  const placed = placePointer(step, pointer);
  if (placed.table === 'other' || placed.gap !== 'at')
    return otherEntry(step, placed) ?? unknownEntry(level, 'other');
  const value = placed.table === 'W' ? step.entry(level) : step.alias(level);
  // What is asked of the value later is asked of the entry, too.
  if (placed.table === 'W' && (step.state.entries[level] ?? 0) === 0) step.putEntry(level, value);
  if (placed.table === 'A' && (step.state.entries[LEVELS.length + level] ?? 0) === 0)
    step.putAlias(level, value);
  return value;
}

function targetOf(step: Step, value: Value, what: 'page' | 'table'): Value {
  if (value.kind === 'memory') return value;
  if (value.kind !== 'entry-value') return value.kind === 'int' ? value : OPAQUE;
  const known = step.settleMaps(value);
  const who = known.of === 'A' ? 'other' : known.of;
  if (what === 'page')
    return {
      kind: 'memory',
      what,
      level: value.level,
      who: known.maps === 'page' ? who : known.maps === 'soft' ? known.of : 'other',
    };
  const below = LEVELS[Math.max(0, LEVELS.indexOf(value.level) - 1)] as Level;
  return { kind: 'memory', what, level: below, who: known.maps === 'table' ? who : 'other' };
}

function test(step: Step, expression: Operation, value: Value): Value {
  if (value.kind === 'int' && value.n === 0) return bool(expression.op === 'is-none');
  const word = wordIsPresent(step, value);
  if (value.kind !== 'entry-value' && word === null) return bool(step.yes(describe(expression)));
  const maps = value.kind === 'entry-value' ? step.settleMaps(value).maps : word === true ? 'page' : 'soft';
  switch (expression.op) {
    case 'is-present':
      return bool(maps === 'page' || maps === 'table');
    case 'is-none':
      return bool(maps === 'none');
    case 'is-leaf':
      return bool(maps === 'page');
    case 'is-table':
      return bool(maps === 'table');
    default:
      return bool(maps === 'soft');
  }
}

function flag(step: Step, expression: Operation, value: Value, name: Attribute): Value {
  if (value.kind === 'int' && value.n === 0) return int(0);
  if (value.kind !== 'entry-value') return bool(step.yes(describe(expression)));
  const known = step.settleMaps(value);
  return bool(known.maps !== 'none' && step.attribute(known, name));
}

function made(level: Level, maps: 'page', memory: Value): EntryValue {
  // The bits of an entry made into an entry again.
  if (memory.kind === 'entry-value') return { ...memory, level };
  return {
    kind: 'entry-value',
    level,
    maps,
    of: memory.kind === 'memory' ? memory.who : 'new',
    write: '?',
    dirty: '?',
    young: true,
    exec: '?',
    cont: false,
  };
}

function withFlag(step: Step, value: Value, on: Value, name: Attribute): Value {
  if (value.kind !== 'entry-value') return value;
  return { ...value, [name]: truth(step, on, () => `with ${name}`) };
}

/** Rights, and what hardware has noted, as in another entry; what the entry maps stays. */
function withAttributes(value: Value, other: Value): Value {
  if (value.kind !== 'entry-value' || other.kind !== 'entry-value') return value;
  const { write, dirty, young, exec, cont } = other;
  return { ...value, write, dirty, young, exec, cont };
}

function withPresent(step: Step, value: Value, on: Value): Value {
  if (value.kind !== 'entry-value') return value;
  const known = step.settleMaps(value);
  const present = truth(step, on, () => 'with present');
  if (!present) return known.maps === 'page' ? { ...known, maps: 'soft' } : known;
  return known.maps === 'soft' ? { ...known, maps: 'page' } : known;
}

/** Containers: members are noted as texts; one that nobody filled here may hold anything. */
function isEmpty(step: Step, container: Value): boolean {
  const alone = isAlone(step, container);
  if (alone !== null) return alone;
  if (container.kind !== 'symbol') return step.yes('container is empty');
  const box = step.state.extra.get(`box:${container.name}`);
  if (box === undefined || box === 'u;x' || box === 'u') return step.yes(`${container.name} is empty`);
  return box === '';
}
