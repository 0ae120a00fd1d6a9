// The question that shootdown answers, as far as one function's text can answer it: for each hazard, is there a path
// through a function on which page-table changes, flushes, waits, unlocks and frees come in the wrong order?
//
// Names are those of the kernel's primitives. Calls are not followed, machines are not told apart, and where a hazard
// needs to know who else runs (walkers, other CPUs), only the text that would keep them out is asked for. This is what
// a semantic patch can ask in one pass, and what bench/scan.mjs measures against.
//
// spatch --sp-file bench/coccinelle/page-table-order.cocci --dir mm --jobs 2 -D report

virtual report

// free-before-flush, table-free-before-flush, reuse-under-deferred-flush

@unflushed exists@
identifier clear =~ "^(ptep|pmdp|pudp)_(huge_)?get_and_clear(_full)?$|^(pte|pmd|pud|p4d|pgd)_clear$|^huge_ptep_get_and_clear$|^pte_clear_not_present_full$";
identifier flush =~ "^(local_|__)?flush_(tlb|hugetlb_tlb|pmd_tlb|pud_tlb)|^tlb_(flush|finish|remove)|^(ptep|pmdp|pudp)_(huge_)?(clear_flush|collapse_flush)|^arch_tlbbatch_flush$|^try_to_unmap_flush";
identifier release =~ "^(__)?free_pages?$|^free_(hugepage_table|pagetable|reserved_page|unref_page)$|^put_page$|^folio_put|^(pte|pmd|pud|p4d)_free(_kernel|_defer)?$|^pagetable_(pte|pmd|pud|p4d)?_?(free|dtor)";
position at, after;
@@
clear@at(...)
... when != flush(...)
release@after(...)

@script:python depends on report@
at << unflushed.at;
after << unflushed.after;
@@
coccilib.report.print_report(after[0], "freed without a flush since the clear in line %s" % at[0].line)

// free-before-clear

@linked exists@
identifier clear =~ "^(pte|pmd|pud|p4d|pgd)_clear$";
identifier release =~ "^free_(hugepage_table|pagetable|reserved_page)$|^(__)?free_pages?$|^(pte|pmd|pud|p4d)_free(_kernel)?$|^pagetable_free$";
position at, before;
@@
release@before(...)
... when != release(...)
clear@at(...)

@script:python depends on report@
before << linked.before;
at << linked.at;
@@
coccilib.report.print_report(before[0], "freed before the clear in line %s" % at[0].line)

// missing-flush: a path to the function's end

@flushed@
identifier change =~ "^(ptep|pmdp|pudp)_(huge_)?get_and_clear(_full)?$|^(pte|pmd|pud|p4d|pgd)_clear$|^huge_ptep_get_and_clear$|^(ptep|pmdp|pudp|huge_ptep)_set_wrprotect$|^pte_clear_not_present_full$";
identifier flush =~ "^(local_|__)?flush_(tlb|hugetlb_tlb|pmd_tlb|pud_tlb)|^tlb_(flush|finish|remove)|^(ptep|pmdp|pudp)_(huge_)?(clear_flush|collapse_flush)|^arch_tlbbatch_flush$|^try_to_unmap_flush|^set_tlb_ubc_flush_pending$";
position at;
@@
change@at(...)
...
flush(...)

@unfinished@
identifier change =~ "^(ptep|pmdp|pudp)_(huge_)?get_and_clear(_full)?$|^(pte|pmd|pud|p4d|pgd)_clear$|^huge_ptep_get_and_clear$|^(ptep|pmdp|pudp|huge_ptep)_set_wrprotect$|^pte_clear_not_present_full$";
position at != flushed.at;
@@
change@at(...)

@script:python depends on report@
at << unfinished.at;
@@
coccilib.report.print_report(at[0], "no flush on some path to the function's end")

// unlock-before-flush

@unlocked exists@
identifier change =~ "^(ptep|pmdp|pudp)_(huge_)?get_and_clear(_full)?$|^(pte|pmd|pud|p4d|pgd)_clear$|^huge_ptep_get_and_clear$|^(ptep|pmdp|pudp|huge_ptep)_set_wrprotect$";
identifier flush =~ "^(local_|__)?flush_(tlb|hugetlb_tlb|pmd_tlb|pud_tlb)|^tlb_(flush|finish)|^(ptep|pmdp|pudp)_(huge_)?(clear_flush|collapse_flush)|^arch_tlbbatch_flush$|^try_to_unmap_flush|^set_tlb_ubc_flush_pending$";
identifier unlock =~ "^spin_unlock$|^pte_unmap_unlock$";
position at, after;
@@
change@at(...)
... when != flush(...)
unlock@after(...)

@script:python depends on report@
at << unlocked.at;
after << unlocked.after;
@@
coccilib.report.print_report(after[0], "unlocked without a flush since the change in line %s" % at[0].line)

// table-free-without-sync, flush-without-ipi, shared-table-walk-race

@unsynced exists@
identifier unlink =~ "^(pmd|pud|p4d|pgd)_clear$|^(pmdp|pudp)_(huge_get_and_clear|collapse_flush|huge_clear_flush)$";
identifier sync =~ "^tlb_remove_table_sync_(one|rcu)$|^synchronize_rcu$|^call_rcu$|^kick_all_cpus_sync$|^smp_call_function|^on_each_cpu";
identifier release =~ "^(pte|pmd|pud|p4d)_free(_kernel)?$|^free_(pte|pmd|pud)_table$|^free_pagetable$|^(__)?free_pages?$|^pagetable_(pte|pmd|pud)?_?(free|dtor)";
position at, after;
@@
unlink@at(...)
... when != sync(...)
release@after(...)

@script:python depends on report@
at << unsynced.at;
after << unsynced.after;
@@
coccilib.report.print_report(after[0], "table freed without a wait since it was unlinked in line %s" % at[0].line)

// flush-scope-too-narrow

@narrow exists@
identifier unlink =~ "^(pmd|pud|p4d|pgd)_clear$";
identifier flush =~ "^flush_tlb_page|^local_flush_tlb|^__flush_tlb_one|^flush_tlb_fix_spurious_fault";
identifier whole =~ "^flush_tlb_(mm|range|all|kernel_range)|^tlb_(flush|finish)";
identifier release =~ "^(pte|pmd|pud|p4d)_free(_kernel)?$|^free_(pte|pmd|pud)_table$|^free_pagetable$|^(__)?free_pages?$";
position at, after;
@@
unlink(...)
... when != whole(...)
flush@at(...)
... when != whole(...)
release@after(...)

@script:python depends on report@
at << narrow.at;
after << narrow.after;
@@
coccilib.report.print_report(after[0], "table freed after the narrow flush in line %s" % at[0].line)

// table-free-under-deferred-flush, reuse-under-deferred-flush

@deferred exists@
identifier defer =~ "^set_tlb_ubc_flush_pending$|^arch_tlbbatch_add_pending$";
identifier flush =~ "^try_to_unmap_flush|^arch_tlbbatch_flush$|^flush_tlb_batched_pending$|^flush_tlb_(mm|range|all)";
identifier release =~ "^(__)?free_pages?$|^free_unref_page|^put_page$|^folio_put|^(pte|pmd|pud)_free";
position at, after;
@@
defer@at(...)
... when != flush(...)
release@after(...)

@script:python depends on report@
at << deferred.at;
after << deferred.after;
@@
coccilib.report.print_report(after[0], "freed while the flush of line %s is deferred" % at[0].line)

// break-before-make

@replaced exists@
identifier set =~ "^set_(pte|pmd|pud|huge_pte)(_at)?$|^__set_(pte|pmd|pud)(_at)?$";
identifier again =~ "^set_(pte|pmd|pud|huge_pte)(_at)?$|^__set_(pte|pmd|pud)(_at)?$";
identifier undo =~ "_clear|^flush_tlb|^(local_|__)flush_tlb";
expression list before;
expression entry, value, other;
position at, after;
@@
set@at(before, entry, value)
... when != undo(...)
again@after(before, entry, other)

@script:python depends on report@
at << replaced.at;
after << replaced.after;
@@
coccilib.report.print_report(after[0], "set again without a clear and a flush since line %s" % at[0].line)

// torn-pte-read

@torn@
typedef pte_t, pmd_t, pud_t;
pte_t *ptep;
pmd_t *pmdp;
pud_t *pudp;
position at;
@@
(
 *ptep@at
|
 *pmdp@at
|
 *pudp@at
)

@script:python depends on report@
at << torn.at;
@@
coccilib.report.print_report(at[0], "read in one piece by the compiler's grace only")

// split-pte-write-order

@halves exists@
expression entry;
position at, after;
@@
(
entry->pte_low@at = ...;
... when != smp_wmb()
entry->pte_high@after = ...;
|
entry->pmd_low@at = ...;
... when != smp_wmb()
entry->pmd_high@after = ...;
)

@script:python depends on report@
at << halves.at;
after << halves.after;
@@
coccilib.report.print_report(after[0], "high half after the low one of line %s" % at[0].line)

// notifier-order

@outside exists@
identifier change =~ "^(ptep|pmdp|pudp)_(huge_)?(get_and_clear(_full)?|clear_flush)$|^(pte|pmd|pud)_clear$|^huge_ptep_(get_and_clear|clear_flush)$";
position at, after;
@@
mmu_notifier_invalidate_range_end@at(...)
... when != mmu_notifier_invalidate_range_start(...)
change@after(...)

@script:python depends on report@
at << outside.at;
after << outside.after;
@@
coccilib.report.print_report(after[0], "changed after the notifier section that ended in line %s" % at[0].line)
