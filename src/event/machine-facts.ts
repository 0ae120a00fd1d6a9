/** Facts about a machine and its kernel build, as compiled from rules/machines/*.yaml (DESIGN.md rule 9). */
export interface MachineFile {
  readonly name: string;
  readonly title: string;
  /** Kbuild architecture folder (`x86`, `arm64`): arch/<arch>. */
  readonly arch: string;
  /** Configuration symbols with `CONFIG_`, as `y`, `n`, `m`, or a number or string text. Unlisted: see rule 9. */
  readonly config: Readonly<Record<string, string>>;
  /** Run-time and hardware facts, read one by one through `Facts.get` so that verdicts can be shared. */
  readonly facts: Readonly<Record<FactName, FactValue>>;
  /** Where each fact comes from: manual section or kernel file. */
  readonly sources: Readonly<Record<string, string>>;
}

export type FactValue = boolean | string | number;

/**
 * `remote-flush`: `ipi` (completes by interrupting each CPU), `broadcast` (instruction), `hypercall` (may skip preempted vCPUs).
 * `flush-interrupts-walkers`: does a completed flush imply that every CPU with interrupts off was waited for?
 * `lazy-cpus`: `kept-skipped` (a lazy CPU keeps the tables loaded and is skipped unless tables were freed), `none`.
 * `walk-cache`: does hardware cache table entries? `page-flush-depth`/`range-flush-depth`/`kernel-range-flush-depth`:
 * `leaf` or `walk`. `page-flush-drops-all-walk-caches`: INVLPG-like.
 * `table-free`: `rcu` (mmu_gather frees tables after a grace period), `page` (like pages, after the flush).
 * `entry-halves`: are entries read and written in two halves? `store-order`: `tso` or `weak` (a store is buffered until a barrier).
 * `break-before-make`: is a live entry's replacement forbidden? `tlbi-needs-isb`: local completion at isb.
 * `gup-fast`: does a lockless GUP walker exist? `kernel-entry-deferral`: can kernel flushes be deferred to kernel entry?
 * `sync-one`: does tlb_remove_table_sync_one() send an IPI? `flush-notifies-secondary`: does flush_tlb_* reach IOMMU SVA TLBs?
 * `lazy-mmu-batch`: are flushes held back between arch_enter_lazy_mmu_mode() and arch_leave_lazy_mmu_mode()?
 * `top-links-in-registers`: do CPUs keep the links to pmd tables until the address space's register is written? (default: no)
 * `table-in-sections`: do two hardware entries, for 1 MB each, link a page table that is one to the kernel? (default: no)
 * `kernel-clear-purges`: does clearing an entry of the kernel's tables purge it on all CPUs by itself? (default: no)
 * `consequence-*`: what happens there, as text for reports.
 */
export type FactName =
  | 'remote-flush'
  | 'flush-interrupts-walkers'
  | 'lazy-cpus'
  | 'walk-cache'
  | 'page-flush-depth'
  | 'range-flush-depth'
  | 'kernel-range-flush-depth'
  | 'page-flush-drops-all-walk-caches'
  | 'table-free'
  | 'entry-halves'
  | 'store-order'
  | 'break-before-make'
  | 'tlbi-needs-isb'
  | 'gup-fast'
  | 'kernel-entry-deferral'
  | 'sync-one'
  | 'flush-notifies-secondary'
  | 'preempted-vcpus'
  | 'lazy-mmu-batch'
  | 'top-links-in-registers'
  | 'table-in-sections'
  | 'kernel-clear-purges'
  | 'consequence-stale-page'
  | 'consequence-stale-table'
  | 'consequence-live-replace';

/** Reads facts and remembers which were read: a verdict depends on those alone. */
export interface Facts {
  get(name: FactName): FactValue;
  readonly read: ReadonlySet<FactName>;
}
