import { describe, expect, it } from 'vitest';
import { constant, integer } from '#event/expression.js';
import { search } from '#explore/search.js';
import { createModel } from '#machine/create-model.js';
import { assumptionsOf } from '#machine/explain-run.js';
import { factsOf } from '#machine/facts.js';
import {
  addr,
  clear,
  entry,
  flushPage,
  flushRange,
  freeTable,
  gather,
  hazards,
  leaf,
  machine,
  newPage,
  op,
  page,
  program,
  putOld,
  quiet,
  range,
  symbol,
  tableOf,
  unlink,
  v,
} from './programs.js';

const kernel = { space: 'kernel' as const };
const present = { when: op('is-present', v('old')) };

describe('a page behind a pte', () => {
  it('may be dropped after clear and flush', () => {
    for (const machine of ['x86-64', 'x86-64-kvm', 'x86-32-pae', 'arm64'])
      expect(hazards(program([clear('pte'), present, flushPage(), putOld]), machine, quiet)).toEqual([]);
  });
  it('may not be dropped before the flush', () => {
    for (const machine of ['x86-64', 'arm64'])
      expect(hazards(program([clear('pte'), present, putOld, flushPage()]), machine, quiet)).toEqual([
        'free-before-flush page',
      ]);
  });
  it('may not be freed before the clear', () => {
    const lines = [
      ['p', op('page-of', op('read', entry('pte')))] as const,
      { when: op('is-present', op('read', entry('pte'))) },
      { kind: 'free' as const, memory: v('p') },
      clear('pte'),
      flushPage(),
    ];
    expect(hazards(program(lines, kernel), 'arm64')).toEqual(['free-before-clear page']);
  });
  it('is owed a flush at the end of the operation', () => {
    expect(hazards(program([clear('pte')], kernel), 'x86-64')).toEqual(['missing-flush entry:pte']);
    expect(hazards(program([clear('pte')], { ...kernel, outermost: false }), 'x86-64')).toEqual([]);
  });
  it('needs no flush where the entry held nothing', () => {
    expect(
      hazards(
        program(
          [
            ['old', op('read', entry('pte'))],
            { when: op('is-none', v('old')) },
            { kind: 'set', entry: entry('pte'), value: leaf(newPage) },
          ],
          kernel,
        ),
        'arm64',
      ),
    ).toEqual([]);
  });
  it('is not covered by a flush of another address, of this CPU, of another space', () => {
    expect(hazards(program([clear('pte'), present, flushPage('past'), putOld], kernel), 'x86-64')).toEqual([
      'flush-scope-too-narrow page',
    ]);
    expect(
      hazards(program([clear('pte'), present, { ...flushRange(), reach: 'self' }, putOld], kernel), 'x86-64'),
    ).toEqual(['flush-scope-too-narrow page']);
    expect(
      hazards(
        program([clear('pte'), present, { ...flushRange(), space: symbol('kernel') }, putOld]),
        'x86-64',
        quiet,
      ),
    ).toEqual(['flush-scope-too-narrow page']);
  });
  it('stays while somebody holds another reference', () => {
    const keep = { kind: 'get' as const, memory: op('page-of', v('old')) };
    expect(
      hazards(program([clear('pte'), present, keep, putOld, flushPage(), putOld]), 'x86-64', quiet),
    ).toEqual([]);
  });
  it('is freed by the caller who passed it, not by the drop of the mapping reference', () => {
    const drop = { kind: 'put' as const, memory: constant(page) };
    expect(hazards(program([clear('pte'), present, drop, flushPage()]), 'x86-64', quiet)).toEqual([]);
  });
});

describe('a store that is not visible yet', () => {
  const start = { ...flushPage(), timing: 'started' as const, depth: 'walk' as const, reach: 'all' as const };
  const full = { kind: 'barrier' as const, strength: 'full' as const };
  const store = { kind: 'barrier' as const, strength: 'store' as const };
  it('is not helped by an invalidation that starts before it', () => {
    expect(
      hazards(program([clear('pte'), present, start, full, { kind: 'isb' }, putOld], kernel), 'arm64'),
    ).toEqual(['flush-scope-too-narrow page']);
    expect(
      hazards(program([clear('pte'), present, store, start, full, { kind: 'isb' }, putOld], kernel), 'arm64'),
    ).toEqual([]);
  });
  it('needs completion: a full barrier, and an isb for this CPU', () => {
    expect(hazards(program([clear('pte'), present, store, start, putOld], kernel), 'arm64')).toEqual([
      'free-before-flush page',
    ]);
    expect(hazards(program([clear('pte'), present, store, start, full, putOld], kernel), 'arm64')).toEqual([
      'free-before-flush page',
    ]);
    expect(hazards(program([clear('pte'), present, store, start, full, putOld]), 'arm64', quiet)).toEqual([]);
  });
  it('is at once visible on x86', () => {
    expect(hazards(program([clear('pte'), present, start, full, putOld], kernel), 'x86-64')).toEqual([]);
  });
});

describe('a table behind a pmd', () => {
  const table = { levels: ['pte', 'pmd'] as const };
  const isTable = { when: op('is-table', v('old')) };
  it('may be freed after clear, flush of walk caches and an IPI', () => {
    const lines = [unlink, isTable, flushRange(), { kind: 'ipi-all' as const }, freeTable()];
    for (const machine of ['x86-64', 'x86-64-kvm', 'arm64'])
      expect(hazards(program(lines, table), machine, quiet)).toEqual([]);
  });
  it('needs more than a flush where the flush interrupts nobody', () => {
    const lines = [unlink, isTable, flushRange(), freeTable()];
    expect(hazards(program(lines, table), 'x86-64', quiet)).toEqual([]);
    expect(hazards(program(lines, table), 'x86-64-kvm', quiet)).toEqual(['flush-without-ipi table:pte']);
    expect(hazards(program(lines, table), 'arm64', quiet)).toEqual(['flush-without-ipi table:pte']);
  });
  it('may be freed by RCU', () => {
    expect(
      hazards(program([unlink, isTable, flushRange(), freeTable('rcu')], table), 'arm64', quiet),
    ).toEqual([]);
  });
  it('may not be freed before the flush', () => {
    expect(hazards(program([unlink, isTable, freeTable(), flushRange()], table), 'x86-64', quiet)).toEqual([
      'table-free-before-flush table:pte',
    ]);
    expect(
      hazards(program([unlink, isTable, freeTable('rcu'), flushRange()], table), 'arm64', quiet),
    ).toEqual(['table-free-before-flush table:pte']);
  });
  it('is not covered by a flush of leaves, nor by one that leaves lazy CPUs out', () => {
    expect(hazards(program([unlink, isTable, flushPage(), freeTable('rcu')], table), 'arm64', quiet)).toEqual(
      ['flush-scope-too-narrow table:pte'],
    );
    expect(
      hazards(program([unlink, isTable, flushPage(), freeTable('rcu')], table), 'x86-64', quiet),
    ).toEqual(['flush-scope-too-narrow table:pte']);
    expect(
      hazards(program([unlink, isTable, flushRange(), freeTable()], { ...table, ...kernel }), 'arm64'),
    ).toEqual(['flush-scope-too-narrow table:pte']);
  });
  it('that came in as an argument has a history', () => {
    expect(hazards(program([{ kind: 'free', memory: tableOf('pte') }], kernel), 'x86-64')).toEqual([
      'free-before-clear table:pte',
      'table-free-before-flush table:pte',
    ]);
    expect(
      hazards(program([flushRange(), { kind: 'free', memory: tableOf('pte') }], kernel), 'x86-64'),
    ).toContain('free-before-clear table:pte');
  });
  it('that was never linked may go at once', () => {
    expect(
      hazards(
        program(
          [{ kind: 'alloc', what: 'table', into: 't' }, { when: v('t') }, { kind: 'free', memory: v('t') }],
          table,
        ),
        'arm64',
      ),
    ).toEqual([]);
  });
});

describe('replacing a live entry', () => {
  const set = { kind: 'set' as const, entry: entry('pte'), value: leaf(newPage) };
  const read = [['old', op('read', entry('pte'))] as const, present];
  it('is forbidden where break-before-make is required', () => {
    expect(hazards(program([...read, set, flushPage()], kernel), 'arm64')).toEqual([
      'break-before-make entry:pte',
    ]);
    expect(hazards(program([...read, set, flushPage()], kernel), 'x86-64')).toEqual([]);
    expect(hazards(program([...read, set], kernel), 'x86-64')).toEqual(['missing-flush entry:pte']);
    expect(hazards(program([...read, clear('pte'), set, flushPage()], kernel), 'arm64')).toEqual([
      'break-before-make entry:pte',
    ]);
    expect(hazards(program([...read, clear('pte'), flushPage(), set], kernel), 'arm64')).toEqual([]);
  });
});

describe('permissions', () => {
  const protect = {
    kind: 'change' as const,
    entry: entry('pte'),
    value: op('with-write', op('read', entry('pte')), integer(0)),
  };
  const allow = {
    kind: 'change' as const,
    entry: entry('pte'),
    value: op('with-write', op('read', entry('pte')), integer(1)),
  };
  const read = [['old', op('read', entry('pte'))] as const, present];
  it('that are lowered need a flush, raised ones do not', () => {
    expect(hazards(program([...read, protect], kernel), 'x86-64')).toEqual(['missing-flush entry:pte']);
    expect(hazards(program([...read, protect, flushPage()], kernel), 'x86-64')).toEqual([]);
    expect(hazards(program([...read, allow], kernel), 'arm64')).toEqual([]);
  });
  it('need none when the old entry could not be written', () => {
    expect(
      hazards(program([...read, protect, { when: op('is-write', v('old')) }, flushPage()], kernel), 'x86-64'),
    ).toEqual([]);
  });
  it('are relied on before a copy', () => {
    const rely = {
      kind: 'rely' as const,
      memory: op('page-of', v('old')),
      on: 'no-writable-translation' as const,
    };
    expect(hazards(program([...read, protect, rely, flushPage()], kernel), 'x86-64')).toEqual([
      'missing-flush page',
    ]);
    expect(hazards(program([...read, protect, flushPage(), rely], kernel), 'x86-64')).toEqual([]);
  });
});

describe('the page-table lock', () => {
  const lock = symbol('ptl');
  const take = { kind: 'lock' as const, lock, class: 'ptl' as const };
  const drop = { kind: 'unlock' as const, lock, class: 'ptl' as const };
  it('may not be dropped before the flush', () => {
    expect(hazards(program([take, clear('pte'), drop, flushPage()]), 'x86-64', quiet)).toEqual([
      'unlock-before-flush entry:pte',
    ]);
    expect(hazards(program([take, clear('pte'), flushPage(), drop]), 'x86-64', quiet)).toEqual([]);
  });
  it('may be when the duty is recorded', () => {
    const batch = { kind: 'batch-add' as const, address: addr('pte') };
    expect(
      hazards(program([take, clear('pte'), batch, drop, { kind: 'batch-flush' }]), 'x86-64', quiet),
    ).toEqual([]);
    expect(
      hazards(program([take, clear('pte'), drop, flushPage()]), 'x86-64', {
        fixed: new Map([['tlb_flush_pending raised at entry', ['yes']]]),
      }),
    ).toEqual([]);
  });
  it('may not be when the page now stands at another address', () => {
    const move = {
      kind: 'set' as const,
      entry: constant({ kind: 'entry-pointer', level: 'pte', table: 'A', gap: 'at' }),
      value: v('old'),
    };
    const raised = { fixed: new Map([['tlb_flush_pending raised at entry', ['yes']]]) };
    expect(
      hazards(program([take, clear('pte'), present, move, drop, flushPage()]), 'x86-64', raised),
    ).toEqual(['unlock-before-flush entry:pte']);
    expect(
      hazards(program([take, clear('pte'), present, move, flushPage(), drop]), 'x86-64', raised),
    ).toEqual([]);
  });
});

describe('reclaim', () => {
  const batch = { kind: 'batch-add' as const, address: addr('pte') };
  it('may not free before the batch is flushed', () => {
    expect(
      hazards(program([clear('pte'), present, batch, putOld, { kind: 'batch-flush' }]), 'x86-64', quiet),
    ).toEqual(['reuse-under-deferred-flush page']);
    expect(
      hazards(program([clear('pte'), present, batch, { kind: 'batch-flush' }, putOld]), 'x86-64', quiet),
    ).toEqual([]);
  });
});

describe('mmu_gather', () => {
  const start = { kind: 'gather-start' as const, gather, full: integer(0) };
  const track = { kind: 'gather-track' as const, gather, address: addr('pte'), stride: 'pte' as const };
  const queue = { kind: 'gather-page' as const, gather, memory: op('page-of', v('old')) };
  const end = { kind: 'gather-end' as const, gather };
  const table = { levels: ['pte', 'pmd'] as const };
  it('flushes what was recorded before it frees', () => {
    for (const machine of ['x86-64', 'arm64'])
      expect(hazards(program([start, clear('pte'), present, track, queue, end]), machine, quiet)).toEqual([]);
  });
  it('flushes nothing that was not recorded', () => {
    expect(hazards(program([start, clear('pte'), present, queue, end]), 'x86-64', quiet)).toEqual([
      'free-before-flush page',
    ]);
  });
  it('does not flush at another stride', () => {
    expect(
      hazards(
        program([start, clear('pte'), present, { ...track, stride: 'pmd' }, queue, end]),
        'arm64',
        quiet,
      ),
    ).toContain('flush-scope-too-narrow page');
  });
  it('of the caller must know the range of a queued page', () => {
    expect(hazards(program([clear('pte'), present, queue], { outermost: false }), 'x86-64', quiet)).toEqual([
      'free-before-flush page',
    ]);
    expect(
      hazards(program([clear('pte'), present, track, queue], { outermost: false }), 'x86-64', quiet),
    ).toEqual([]);
  });
  it('that is full frees before what is tracked later', () => {
    const atOnce = { ...queue, flushes: true };
    expect(hazards(program([start, clear('pte'), present, atOnce, track, end]), 'x86-64', quiet)).toEqual([
      'free-before-flush page',
    ]);
    // The same call leaves the flush to its caller, or finds the address tracked.
    expect(hazards(program([start, clear('pte'), present, queue, track, end]), 'x86-64', quiet)).toEqual([]);
    expect(hazards(program([start, clear('pte'), present, track, atOnce, end]), 'x86-64', quiet)).toEqual([]);
  });
  it('without memory for its list frees a table at once', () => {
    const queueTable = { kind: 'gather-table' as const, gather, memory: v('t'), address: addr('pte') };
    const read = [
      start,
      ['t', op('table-of', op('read', entry('pmd')))] as const,
      { when: op('is-table', op('read', entry('pmd'))) },
    ];
    expect(hazards(program([...read, queueTable, unlink, end], table), 'arm64', quiet)).toEqual([
      'free-before-clear table:pte',
    ]);
    expect(hazards(program([...read, unlink, queueTable, end], table), 'arm64', quiet)).toEqual([]);
  });
  it('frees tables after its flush, by RCU where the machine says so', () => {
    const free = {
      kind: 'gather-table' as const,
      gather,
      memory: op('table-of', v('old')),
      address: addr('pte'),
    };
    const lines = [start, unlink, { when: op('is-table', v('old')) }, free, end];
    for (const machine of ['x86-64', 'x86-64-kvm', 'arm64'])
      expect(hazards(program(lines, table), machine, quiet)).toEqual([]);
    expect(
      hazards(
        program(
          [
            start,
            ['t', op('table-of', op('read', entry('pmd')))],
            { when: op('is-table', op('read', entry('pmd'))) },
            { ...free, memory: v('t') },
            end,
            unlink,
          ],
          table,
        ),
        'arm64',
        quiet,
      ),
    ).toContain('free-before-clear table:pte');
  });
});

describe('notifiers', () => {
  it('keep secondary MMUs out while an entry changes', () => {
    const open = { kind: 'notify-start' as const, start: addr('pte'), end: addr('past') };
    const close = { kind: 'notify-end' as const, start: addr('pte'), end: addr('past') };
    const asked = { fixed: new Map([['mmu notifier section open at entry', ['no']]]) };
    expect(
      hazards(program([open, clear('pte'), present, flushPage(), close, putOld]), 'x86-64', asked),
    ).toEqual([]);
    expect(hazards(program([clear('pte'), present, flushPage(), putOld]), 'x86-64', asked)).toEqual([
      'notifier-order page',
    ]);
    expect(
      hazards(program([clear('pte'), present, flushPage(), open, close, putOld]), 'x86-64', asked),
    ).toEqual([]);
    const set = { kind: 'set' as const, entry: entry('pte'), value: leaf(newPage) };
    expect(hazards(program([clear('pte'), present, flushPage(), set, open, close]), 'x86-64', asked)).toEqual(
      ['notifier-order entry:pte'],
    );
  });
});

describe('an address range', () => {
  it('may be handed out again after the flush', () => {
    const clearRange = { kind: 'clear-range' as const, start: addr('pte'), end: addr('past') };
    const reuse = { kind: 'reuse' as const, memory: range };
    expect(hazards(program([clearRange, reuse, flushRange()], kernel), 'x86-64')).toEqual([
      'reuse-under-deferred-flush range',
    ]);
    expect(hazards(program([clearRange, flushRange(), reuse], kernel), 'x86-64')).toEqual([]);
  });
  it('may not be under a flush that a CPU does later', () => {
    const deferred = { ...flushRange(), timing: 'deferred' as const };
    const clearRange = { kind: 'clear-range' as const, start: addr('pte'), end: addr('past') };
    expect(
      hazards(program([clearRange, deferred, { kind: 'reuse', memory: range }], kernel), 'x86-64'),
    ).toEqual(['reuse-under-deferred-flush range']);
    expect(
      hazards(
        program([unlink, { when: op('is-table', v('old')) }, deferred, freeTable()], {
          ...kernel,
          levels: ['pmd'],
        }),
        'x86-64',
      ),
    ).toEqual(['table-free-under-deferred-flush table:pte']);
  });
});

describe('found on real kernel code', () => {
  it('a pointer of unknown position is placed once, for all of its copies', () => {
    const pointer = constant({ kind: 'entry-pointer', level: 'pte', table: 'W', gap: '?' });
    const lines = [
      ['p', pointer] as const,
      { kind: 'clear' as const, entry: v('p'), old: 'old' },
      { kind: 'read' as const, entry: v('p'), into: 'again' },
      { when: op('is-present', v('again')) },
      { kind: 'rely' as const, memory: constant(page), on: 'no-translation' as const },
    ];
    const model = createModel({ programs: [program(lines, kernel)], facts: factsOf(machine('x86-64')) });
    const asked = search(model, { states: 10_000, expired: () => false, collect: 50 }).violations.map(
      (run) =>
        run.steps
          .flatMap(({ action }) => action.choices)
          .filter(({ key }) => key.endsWith('is at the witness')).length,
    );
    expect(asked.length).toBeGreaterThan(0);
    expect(Math.max(...asked)).toBe(1);
  });
  it('an entry off the path is not torn when nobody changes it', () => {
    const other = constant({ kind: 'entry-pointer', level: 'pte', table: 'other', gap: 'at' });
    const lines = [
      { kind: 'read-low' as const, entry: other, into: 'low' },
      { kind: 'read-high' as const, entry: other, into: 'high' },
      { kind: 'use-halves' as const, low: v('low'), high: v('high'), into: 'value' },
    ];
    expect(hazards(program(lines, { ...kernel, outermost: false }), 'x86-32-pae')).toEqual([]);
  });
});

describe('what a run takes for granted', () => {
  it('names the flush whose addresses are not known', () => {
    const lines = [clear('pte'), present, flushPage('?'), clear('pmd')];
    const result = search(
      createModel({ programs: [program(lines, kernel)], facts: factsOf(machine('x86-64')) }),
      { states: 10_000, expired: () => false, collect: 10 },
    );
    expect(result.violations.flatMap(assumptionsOf)).toContain(
      'a flush whose addresses are not known covers the entry that was changed',
    );
  });
});
