/** One event on a state: operands evaluated, then handed to the file of its group. */
import type { Event } from '#event/event.js';
import type { Expression } from '#event/expression.js';
import type { Value } from '#event/value.js';
import { openBlock } from './blocks.js';
import { evaluate } from './evaluate.js';
import {
  runCpu,
  runInterrupt,
  runInterrupts,
  runIpi,
  runLock,
  runNotify,
  runRcuRead,
  runRcuWait,
  runRecheck,
  runVisit,
  runWalk,
} from './events-cpus.js';
import {
  orderHalves,
  runChange,
  runClear,
  runClearRange,
  runRead,
  runReadHalf,
  runSet,
  runUseHalves,
  runWriteHalf,
  settleWas,
} from './events-entries.js';
import {
  runAlloc,
  runBatch,
  runContainer,
  runDeposit,
  runFree,
  runGather,
  runGet,
  runPut,
  runRely,
  runReuse,
} from './events-memory.js';
import { runNode } from './events-nodes.js';
import { runBarrier, runFlush, runIsb, runLazyMmu } from './flush.js';
import { runWitness } from './numbers.js';
import { checkReturn, checkTouch, chooseHistories } from './relies.js';
import { runRetire } from './retired.js';
import type { Step } from './step.js';

const WRITTEN = new Set(['into', 'old', 'kind']);

/** By event: its fields with expressions. Events run again and again. */
const operandFields = new WeakMap<Event<Expression>, readonly string[]>();

/** The event with values for expressions. */
function evaluateEvent(step: Step, event: Event<Expression>): Event<Value> {
  let fields = operandFields.get(event);
  if (fields === undefined) {
    fields = Object.entries(event).flatMap(([field, value]) =>
      WRITTEN.has(field) || typeof value !== 'object' ? [] : [field],
    );
    operandFields.set(event, fields);
  }
  if (fields.length === 0) return event as Event<never>;
  const result: Record<string, unknown> = { ...event };
  for (const field of fields) result[field] = replace(step, result[field]);
  return result as unknown as Event<Value>;
}

function replace(step: Step, value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if ('op' in value) return evaluate(step, value as Expression);
  return Object.fromEntries(Object.entries(value).map(([field, part]) => [field, replace(step, part)]));
}

/** Runs the event; `cleared` are slots that it may write and that hold 0 where it does not. Returns it with its values. */
export function runEvent(step: Step, source: Event<Expression>, cleared: readonly number[]): Event<Value> {
  if ((source.kind === 'clear' || source.kind === 'change') && source.was !== undefined)
    settleWas(step, evaluate(step, source.entry), source.was);
  const event = evaluateEvent(step, source);
  step.state.clearVars(step.cpu, cleared);
  perform(step, event);
  return event;
}

function perform(step: Step, event: Event<Value>): void {
  switch (event.kind) {
    case 'set':
      runSet(step, event);
      return;
    case 'clear':
      runClear(step, event);
      return;
    case 'change':
      runChange(step, event);
      return;
    case 'write-low':
    case 'write-high':
      runWriteHalf(step, event);
      return;
    case 'read':
      runRead(step, event);
      return;
    case 'read-low':
    case 'read-high':
      runReadHalf(step, event);
      return;
    case 'use-halves':
      runUseHalves(step, event);
      return;
    case 'clear-range':
      runClearRange(step, event);
      return;
    case 'flush':
      chooseHistories(step);
      orderHalves(step);
      runFlush(step, event);
      if (
        !step.blocked &&
        event.reach !== 'self' &&
        step.machine.layout.programs > 1 &&
        step.fact('flush-interrupts-walkers') !== true
      )
        step.state.note('silent flush', 'yes');
      return;
    case 'barrier':
      orderHalves(step);
      runBarrier(step, event.strength);
      return;
    case 'isb':
      runIsb(step);
      return;
    case 'lazy-mmu':
      runLazyMmu(step, event.on);
      return;
    case 'interrupt':
      if (event.phase !== 'end') chooseHistories(step);
      runInterrupt(step, event);
      return;
    case 'start':
      step.state.note('started', 'yes');
      return;
    case 'ipi-all':
      chooseHistories(step);
      orderHalves(step);
      runIpi(step);
      return;
    case 'rcu-wait':
      chooseHistories(step);
      runRcuWait(step);
      return;
    case 'interrupts':
      runInterrupts(step, event.on);
      return;
    case 'rcu-read':
      runRcuRead(step, event.enter);
      return;
    case 'lock':
    case 'unlock':
    case 'assert-held':
      runLock(step, event);
      return;
    case 'alloc':
      runAlloc(step, event);
      return;
    case 'get':
    case 'take-reference':
      runGet(step, event);
      return;
    case 'put':
      runPut(step, event);
      return;
    case 'free':
      runFree(step, event);
      return;
    case 'retire':
      runRetire(step, event);
      return;
    case 'reuse':
      runReuse(step, event);
      return;
    case 'deposit':
      runDeposit(step, event);
      return;
    case 'withdraw':
      return;
    case 'rely':
      runRely(step, event);
      return;
    case 'node':
      runNode(step, event);
      return;
    case 'container-add':
    case 'container-take':
    case 'container-move':
    case 'container-init':
      runContainer(step, event);
      return;
    case 'gather-start':
    case 'gather-track':
    case 'gather-page':
    case 'gather-table':
    case 'gather-flush':
    case 'gather-free':
    case 'gather-end':
      if (event.kind === 'gather-flush') chooseHistories(step);
      runGather(step, event);
      return;
    case 'batch-add':
    case 'batch-flush':
    case 'pending':
      if (event.kind === 'batch-flush') chooseHistories(step);
      runBatch(step, event);
      return;
    case 'notify-start':
    case 'notify-end':
    case 'notify-invalidate':
      runNotify(step, event);
      return;
    case 'walk':
      runWalk(step, event);
      return;
    case 'visit':
      runVisit(step, event);
      return;
    case 'recheck':
      runRecheck(step, event);
      return;
    case 'touch':
      checkTouch(step, event.write);
      return;
    case 'cpu':
      runCpu(step, event);
      return;
    case 'witness':
      runWitness(step, event);
      if (event.block !== undefined) openBlock(step, event.block, event.whole);
      return;
    case 'operation-end':
      checkReturn(step, true, false);
      return;
  }
}
