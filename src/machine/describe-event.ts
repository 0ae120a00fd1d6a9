/** Events in the kernel's terms, for traces of runs that have no source line to show. */
import type { Event } from '#event/event.js';
import { type EntryValue, LEVELS, type Value } from '#event/value.js';

export function describeEvent(event: Event<Value>): string {
  switch (event.kind) {
    case 'set':
      return `sets ${target(event.entry)} to ${value(event.value)}`;
    case 'clear':
      return `clears ${target(event.entry)}`;
    case 'change':
      return `changes ${target(event.entry)} to ${value(event.value)}`;
    case 'write-low':
      return `stores the low half of ${target(event.entry)}: ${value(event.value)}`;
    case 'write-high':
      return `stores the high half of ${target(event.entry)}: ${value(event.value)}`;
    case 'read':
      return `reads ${target(event.entry)}`;
    case 'read-low':
      return `reads the low half of ${target(event.entry)}`;
    case 'read-high':
      return `reads the high half of ${target(event.entry)}`;
    case 'use-halves':
      return 'uses the two halves as one value';
    case 'clear-range':
      return 'clears a range of entries';
    case 'flush': {
      const reach =
        event.reach === 'self' ? 'this CPU' : event.reach === 'all' ? 'all CPUs' : 'all CPUs but lazy ones';
      const scope =
        event.scope.kind === 'page'
          ? 'one page'
          : event.scope.kind === 'range'
            ? 'a range'
            : event.scope.kind === 'space'
              ? 'the whole address space'
              : 'everything';
      const timing = {
        done: '',
        deferred: ', deferred',
        started: ', not waited for',
        'before-user': ', on this CPU before it runs user code again',
      }[event.timing];
      const depth = event.depth === 'leaf' ? ', leaf entries only' : '';
      return `flushes ${scope} on ${reach}${depth}${timing}`;
    }
    case 'barrier':
      return `${event.strength} barrier`;
    case 'isb':
      return 'synchronises its own pipeline';
    case 'lazy-mmu':
      return event.on
        ? 'enters lazy MMU mode: flushes are held back'
        : 'leaves lazy MMU mode: flushes that were held back are done';
    case 'interrupt':
      return event.phase === 'begin'
        ? `CPU${event.cpu} takes the interrupt`
        : event.phase === 'end'
          ? `CPU${event.cpu} returns from the interrupt`
          : `CPU${event.cpu} gets no interrupt now`;
    case 'start':
      return 'the other CPUs start';
    case 'ipi-all':
      return 'interrupts every CPU and waits';
    case 'rcu-wait':
      return 'waits for an RCU grace period';
    case 'interrupts':
      return event.on ? 'interrupts on' : 'interrupts off';
    case 'rcu-read':
      return event.enter ? 'enters an RCU read section' : 'leaves the RCU read section';
    case 'lock':
      return `takes the ${event.class} lock${event.mode === 'read' ? ' for read' : ''}`;
    case 'unlock':
      return `drops the ${event.class} lock`;
    case 'assert-held':
      return `holds the ${event.class} lock`;
    case 'alloc':
      return `allocates a ${event.what}`;
    case 'get':
    case 'visit':
      return `goes on in ${value(event.memory)}`;
    case 'take-reference':
      return `takes a reference on ${value(event.memory)}`;
    case 'put':
      return `drops a reference of ${value(event.memory)}`;
    case 'free':
      return event.when === 'rcu' ? `lets RCU free ${value(event.memory)}` : `frees ${value(event.memory)}`;
    case 'reuse':
      return `gives ${value(event.memory)} to somebody else`;
    case 'retire':
      return `queues ${value(event.memory)} to be flushed and given out again`;
    case 'deposit':
      return `deposits ${value(event.memory)}`;
    case 'withdraw':
      return `withdraws ${value(event.memory)}`;
    case 'rely':
      return `relies on ${value(event.memory)}: ${event.on.replaceAll('-', ' ')}`;
    case 'container-add':
      return `adds ${value(event.item)} to a list`;
    case 'container-take':
      return 'takes from a list';
    case 'container-move':
      return 'moves a list';
    case 'container-init':
      return 'starts an empty list';
    case 'node':
      return event.does === 'alone'
        ? `begins a list with ${value(event.memory)}`
        : event.does === 'out'
          ? `takes ${value(event.memory)} off its list`
          : `puts ${value(event.memory)} on a list`;
    case 'gather-start':
      return 'opens an mmu_gather';
    case 'gather-track':
      return 'records the entry in the mmu_gather';
    case 'gather-page':
      return `queues ${value(event.memory)} in the mmu_gather`;
    case 'gather-table':
      return `queues ${value(event.memory)} in the mmu_gather`;
    case 'gather-flush':
      return 'flushes what the mmu_gather recorded';
    case 'gather-free':
      return 'frees what the mmu_gather queued';
    case 'gather-end':
      return 'finishes the mmu_gather: flush, then free';
    case 'batch-add':
      return 'adds the entry to the deferred unmap flush';
    case 'batch-flush':
      return event.others === true
        ? 'flushes what reclaim has batched for the mm'
        : 'does the deferred unmap flush';
    case 'pending':
      return event.raised ? 'raises tlb_flush_pending' : 'drops tlb_flush_pending';
    case 'notify-start':
      return 'opens a notifier section: secondary MMUs drop the range and stay out';
    case 'notify-end':
      return 'closes the notifier section';
    case 'notify-invalidate':
      return 'invalidates secondary MMUs';
    case 'walk':
      return `walks through ${target(event.entry)}`;
    case 'recheck':
      return `reads ${target(event.entry)} again and compares`;
    case 'touch':
      return event.write ? 'writes to the address' : 'reads the address';
    case 'cpu':
      return event.does === 'alone'
        ? 'finds that no other CPU ever had these tables loaded'
        : event.does.replaceAll('-', ' ');
    case 'witness':
      return 'chooses the address that is followed';
    case 'operation-end':
      return 'the operation is over';
  }
}

function target(entry: Value): string {
  if (entry.kind !== 'entry-pointer') return 'an entry';
  if (entry.table === 'A') return `the ${entry.level} entry of the second address`;
  return entry.table === 'W' && entry.gap === 'at'
    ? `the ${entry.level} entry`
    : `another ${entry.level} entry`;
}

function value(of: Value): string {
  switch (of.kind) {
    case 'memory': {
      const name = of.what === 'table' ? `${of.level} table` : of.what === 'range' ? 'address range' : 'page';
      return of.who === 'W' ? `the ${name}` : of.who === 'new' ? `a new ${name}` : `another ${name}`;
    }
    case 'entry-value':
      return entry(of);
    case 'int':
      return of.n === 0 ? 'none' : String(of.n);
    default:
      return 'something';
  }
}

function entry(of: EntryValue): string {
  switch (of.maps) {
    case 'none':
      return 'none';
    case '?':
      return 'a value not known';
    case 'soft':
      return 'software data, not present';
    case 'table':
      return of.of === 'W' ? `the ${LEVELS[LEVELS.indexOf(of.level) - 1] ?? ''} table` : 'another table';
    case 'page':
      return `${of.of === 'W' ? 'the page' : of.of === 'new' ? 'a new page' : 'another page'}${of.write === false ? ', read-only' : of.write === true ? ', writable' : ''}`;
  }
}
