/**
 * What a program does to page tables, TLBs and memory. One vocabulary serves extracted kernel code, actors and
 * hand-written scenarios.
 *
 * `X` is what operands are: `Expression` in programs, `Value` once the machine has evaluated them.
 */
import type { Level } from './value.js';

/** What a flush covers. */
export type FlushScope<X> =
  /** One entry's page: `stride` is the level whose leaf size is invalidated. */
  | { readonly kind: 'page'; readonly address: X; readonly stride: Level }
  /** start <= a < end, visiting one address per leaf of `stride`. */
  | { readonly kind: 'range'; readonly start: X; readonly end: X; readonly stride: Level }
  /** Everything of the address space `space`. */
  | { readonly kind: 'space' }
  /** Everything, global entries too. */
  | { readonly kind: 'all' };

export interface Flush<X> {
  readonly kind: 'flush';
  readonly scope: FlushScope<X>;
  /** Whose translations: an mm or `kernel`. A flush of another space does not cover the witness. Absent: the witness's. */
  readonly space?: X;
  /** `leaf`: TLB entries of leaves only; `walk`: walk caches too. `machine`: what this machine's such instruction covers. */
  readonly depth: 'leaf' | 'walk' | 'machine';
  /** `self`: this CPU; `all`: every CPU that may hold it; `all-but-lazy`: CPUs in lazy TLB mode are left out. */
  readonly reach: 'self' | 'all' | 'all-but-lazy';
  /**
   * `done`: on return; `deferred`: some CPU does it later (at kernel entry, at its next switch); `started`: a later
   * barrier completes it; `before-user`: only this CPU can hold the translation, and a later flush must come before it
   * runs user code again.
   */
  readonly timing: 'done' | 'deferred' | 'started' | 'before-user';
  /** On which levels the invalidation acts when the instruction carries a level hint. */
  readonly hint?: Level;
  /** Bytes from one visited address to the next, where only the program knows: the scope's `stride` holds if this is no number. */
  readonly bytes?: X;
  /** The level hint as arm64 numbers it (DDI 0487, TTL field): 3 for pte, 2 for pmd, 1 for pud; any other number is none. */
  readonly ttl?: X;
  /** Number of the address space that the instruction names. It counts where the program says which the witness has. */
  readonly asid?: X;
  /**
   * Of a guest's translation: `second` removes what is cached of its second stage alone, `first` what was combined with
   * the guest's own tables, which counts once the second stage is done. Of a user's on sparc64: `second` the table in
   * memory that refills come from (TSB), `first` the TLB. Absent: both.
   */
  readonly stage?: 'first' | 'second';
  /** Does it also invalidate secondary TLBs that share the CPU's page tables (IOMMU SVA)? */
  readonly secondary?: boolean;
}

export type Event<X> =
  // -- entries. `entry` evaluates to an entry pointer (null or opaque: nothing happens).
  | {
      readonly kind: 'set';
      readonly entry: X;
      readonly value: X;
      readonly atomic?: boolean;
      readonly order?: 'plain' | 'once';
      readonly old?: string;
    }
  /** `old` names the variable that receives the value that was there. `was`: what the kernel requires it to have been. */
  | {
      readonly kind: 'clear';
      readonly entry: X;
      readonly old?: string;
      readonly was?: 'page' | 'table';
      readonly atomic?: boolean;
    }
  /** Present entry to other attributes of the same target (write-protect, clean, age). `value` is computed from the old one, `was` as above. */
  | {
      readonly kind: 'change';
      readonly entry: X;
      readonly value: X;
      readonly was?: 'page' | 'table';
      readonly atomic?: boolean;
      readonly old?: string;
    }
  | {
      readonly kind: 'write-low' | 'write-high';
      readonly entry: X;
      readonly value: X;
      readonly order?: 'plain' | 'once';
    }
  | { readonly kind: 'read'; readonly entry: X; readonly into: string }
  | { readonly kind: 'read-low' | 'read-high'; readonly entry: X; readonly into: string }
  /** Joins two halves read before into one value: torn when they never stood together. */
  | { readonly kind: 'use-halves'; readonly low: X; readonly high: X; readonly into?: string }
  /** The range [start, end) of a whole mapping is cleared without naming entries (vunmap_range and kin). */
  | { readonly kind: 'clear-range'; readonly start: X; readonly end: X; readonly space?: X }
  // -- TLB maintenance
  | Flush<X>
  /** `store`: earlier entry stores become visible to walkers; `full`: and invalidations started by this CPU complete on all. `compiler`: no reordering by the compiler. */
  | { readonly kind: 'barrier'; readonly strength: 'compiler' | 'store' | 'full' | 'local' }
  /** Context synchronisation on this CPU (`isb`, serialising instruction). */
  | { readonly kind: 'isb' }
  /** Between the two, machines that batch in lazy MMU mode hold flushes back; leaving it does them. */
  | { readonly kind: 'lazy-mmu'; readonly on: boolean }
  // -- synchronisation
  /**
   * What stands between `begin` and `end` runs on CPU `cpu`, in an interrupt: its registers, its TLB. `begin` waits
   * until that CPU takes interrupts. `flushes`: it was there to flush. `skip`: it was asked whether it needs the
   * interrupt, and gets none now.
   */
  | {
      readonly kind: 'interrupt';
      readonly cpu: number;
      readonly phase: 'begin' | 'end' | 'skip';
      readonly flushes?: boolean;
    }
  /** What stood before put things in place: now the other CPUs' programs start. */
  | { readonly kind: 'start' }
  /** Returns when every other CPU took an interrupt: waits for sections with interrupts off. */
  | { readonly kind: 'ipi-all' }
  | { readonly kind: 'rcu-wait' }
  | { readonly kind: 'interrupts'; readonly on: boolean }
  | { readonly kind: 'rcu-read'; readonly enter: boolean }
  /** `lock` evaluates to a symbol or to an entry pointer (the page-table lock of its table). `class`: see `LockClass`. */
  | {
      readonly kind: 'lock' | 'unlock';
      readonly lock: X;
      readonly class: LockClass;
      readonly mode?: 'read' | 'write';
    }
  /** The kernel states that the lock is held here (lockdep assertions). */
  | {
      readonly kind: 'assert-held';
      readonly lock: X;
      readonly class: LockClass;
      readonly mode?: 'read' | 'write';
    }
  // -- memory
  | { readonly kind: 'alloc'; readonly what: 'page' | 'table'; readonly into: string }
  | { readonly kind: 'get'; readonly memory: X }
  /** Drops one reference; frees when it was the last. */
  | { readonly kind: 'put'; readonly memory: X }
  /** `when`: at once, after an RCU grace period, or (`unlinked`) the object was never visible to anybody. */
  | { readonly kind: 'free'; readonly memory: X; readonly when?: 'now' | 'rcu' }
  /** The memory is given new content or a new owner without going through the allocator (address range handed out again, merge). */
  | { readonly kind: 'reuse'; readonly memory: X }
  /** An address range goes to who flushes it before he gives it out again (vmalloc's lazy list). Nobody uses it until then. */
  | { readonly kind: 'retire'; readonly memory: X }
  | { readonly kind: 'deposit' | 'withdraw'; readonly memory: X }
  /** The page's content is copied, merged or written to disk: nobody may write it through a stale translation. */
  | {
      readonly kind: 'rely';
      readonly memory: X;
      readonly on: 'no-translation' | 'no-writable-translation' | 'no-walker' | 'no-secondary';
    }
  // -- containers: lists, arrays, batches that carry pages, tables, ranges or areas
  | { readonly kind: 'container-add'; readonly container: X; readonly item: X }
  /** `into` gets any member: the witness's if the container holds it (choice), `other` else. */
  | {
      readonly kind: 'container-take';
      readonly container: X;
      readonly into: string;
      readonly remove: boolean;
      /** What a member can be that somebody out of view put in. */
      readonly unseen?: X;
      /** What choices call the member: an answer about the last one says nothing about this one. */
      readonly names?: string;
    }
  | { readonly kind: 'container-move'; readonly from: X; readonly to: X }
  | { readonly kind: 'container-init'; readonly container: X }
  /**
   * Lists that go through tables themselves, each of which is head and link (`page->lru` of deposited tables): `memory`
   * begins a list of its own, comes behind `of`, or leaves the list that it is on.
   */
  | {
      readonly kind: 'node';
      readonly does: 'alone' | 'behind' | 'out';
      readonly memory: X;
      readonly of?: X;
    }
  // -- mmu_gather. `gather` is a symbol.
  | { readonly kind: 'gather-start'; readonly gather: X; readonly full: X }
  /** The range [address, address + size of `stride`) joins what the gather will flush. */
  | {
      readonly kind: 'gather-track';
      readonly gather: X;
      readonly address: X;
      readonly stride: Level;
      readonly end?: X;
    }
  | { readonly kind: 'gather-page'; readonly gather: X; readonly memory: X; readonly flushes?: boolean }
  /** Queues a table; `tables`: the flush will reach walk caches. `sync`: how the free waits for lockless walkers on this machine. */
  | { readonly kind: 'gather-table'; readonly gather: X; readonly memory: X; readonly address?: X }
  | { readonly kind: 'gather-flush' | 'gather-free' | 'gather-end'; readonly gather: X }
  // -- deferred unmap flush of reclaim
  | { readonly kind: 'batch-add'; readonly address?: X }
  /** `others`: what reclaim on other CPUs batched for this mm is flushed too. */
  | { readonly kind: 'batch-flush'; readonly others?: boolean }
  /** tlb_flush_pending raised or dropped: others know that a flush is owed. */
  | { readonly kind: 'pending'; readonly raised: boolean }
  // -- secondary TLBs
  | { readonly kind: 'notify-start' | 'notify-end'; readonly start?: X; readonly end?: X }
  | { readonly kind: 'notify-invalidate'; readonly start?: X; readonly end?: X }
  // -- software walkers and other parties (actors, scenarios, extracted walkers)
  /** Loads the entry and goes on into the table or page it names: that object must stay. */
  | { readonly kind: 'walk'; readonly entry: X; readonly into: string }
  /** Goes on in the table that an entry read before names: the table must stay until the walk is over. */
  | { readonly kind: 'visit'; readonly memory: X }
  | { readonly kind: 'take-reference'; readonly memory: X }
  | { readonly kind: 'recheck'; readonly entry: X; readonly against: X; readonly into: string }
  /** The CPU uses the address as a program would, through whatever translation it holds. */
  | { readonly kind: 'touch'; readonly write: boolean }
  /** The CPU leaves or enters the kernel, takes up or drops the address space, goes lazy: flushes deferred to there are done by rules. */
  | {
      readonly kind: 'cpu';
      readonly does:
        | 'enter-kernel'
        | 'leave-kernel'
        | 'go-lazy'
        | 'leave-lazy'
        | 'switch-mm'
        | 'preempt-vcpu'
        | 'run-vcpu'
        | 'deferred-flush'
        /** Loads the page tables of `of`: the witness's when that is `@mm`, others that do not hold it else. */
        | 'load-tables'
        /** It found that no other CPU has the tables loaded or kept anything of them: only this one may hold translations. */
        | 'alone'
        /** Another guest's context is loaded: instructions act on it from the next context synchronisation on. */
        | 'switch-vmid';
      readonly of?: X;
      /** Are the translations that this CPU kept of those tables dropped? */
      readonly flush?: X;
    }
  /**
   * Which address is followed, as a number: from here on integers stand for addresses too, and stay exact. For small
   * programs that check what a primitive does with numbers: strides, shifts, fields of an instruction's operand.
   * `present`: the flag by which entries that are given as numbers say that they are. `block`: number of the level at
   * which the entries around the witness's are told apart; with `whole` they belong to contiguous blocks.
   */
  | {
      readonly kind: 'witness';
      readonly address: X;
      readonly asid?: X;
      readonly present?: X;
      readonly block?: X;
      readonly whole?: X;
    }
  /** The outermost operation returns: nothing may be owed any more. */
  | { readonly kind: 'operation-end' };

/**
 * What a lock protects, as far as the model needs it. `ptl`: page-table lock of a user table; `kernel-ptl`: init_mm's;
 * `mmap`: mmap_lock; `vma`: per-VMA lock; `rmap`: i_mmap_rwsem, anon_vma lock; `hotplug`: mem_hotplug_lock;
 * `mmu`: KVM's mmu_lock; `other`: named, but protects no entries.
 */
export type LockClass = 'ptl' | 'kernel-ptl' | 'mmap' | 'vma' | 'rmap' | 'hotplug' | 'mmu' | 'other';

export type EventKind = Event<unknown>['kind'];
