// The question that shootdown answers, as far as one function's text can answer it: is a page or a page table freed on
// some path after its entry was cleared, with no flush in between, or before the entry is cleared?
//
// Names are those of the kernel's primitives. Calls are not followed, pointers are not compared, machines are not told
// apart: this is what a semantic patch can ask in one pass, and what bench/scan.mjs measures against.
//
// spatch --sp-file bench/coccinelle/free-before-flush.cocci --dir mm --jobs 2 -D report

virtual report

@unflushed@
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

@linked@
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
