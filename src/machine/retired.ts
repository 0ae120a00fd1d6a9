/**
 * Address ranges of the kernel that are given back lazily (mm/vmalloc.c, free_vmap_area_noflush()): they lie on a list
 * until somebody flushes all of it and gives it out again, on any CPU and at any time.
 */
import type { Event } from '#event/event.js';
import type { Value } from '#event/value.js';
import { leafLinked } from './hardware.js';
import { CHANGED, LEAF, LEAF_FLAGS } from './state.js';
import { levelAt, type Step } from './step.js';

const RETIRED = 'retired';

/**
 * The range is on the list. Nobody uses its addresses before they were flushed, so what CPUs may still hold of them does
 * no harm; what is still linked can be cached again behind that flush.
 */
export function runRetire(step: Step, { memory }: Extract<Event<Value>, { readonly kind: 'retire' }>): void {
  if (memory.kind !== 'memory' || memory.what !== 'range' || memory.who !== 'W') return;
  const linked = leafLinked(step);
  if (linked !== null && linked >= 0) {
    failRetired(step, linked);
    return;
  }
  step.state.note(RETIRED, 'yes');
  for (let level = 0; level <= 2; level += 1) {
    step.set(CHANGED + level, 0);
    for (let cls = 0; cls < step.machine.layout.classes; cls += 1) {
      step.setClassByte(cls, LEAF + level, 0);
      step.setClassByte(cls, LEAF_FLAGS + level, 0);
    }
  }
}

/** A live entry of the level changes: its range must not be on the list yet. */
export function checkRetired(step: Step, level: number): void {
  if (step.state.extra.has(RETIRED)) failRetired(step, level);
}

function failRetired(step: Step, level: number): void {
  step.fail(
    'free-before-clear',
    'range',
    `the address range is queued to be given out again while its ${levelAt(level)} entry still maps a page: another CPU may flush the range before the entry is cleared, and hand it out`,
    'consequence-stale-page',
  );
}
