/*
 * An entry changes in one way, and is flushed where the primitive says so. Without a flush users could go on with what
 * they had: writing, without marking it as dirty, or (entry gone) reaching the page as it was.
 * `write` is the flag by which users may write.
 */
static void change_pte(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep, unsigned long write)
{
	pte_t entry = ptep_get(ptep);
	unsigned long old, now;
	int what;

	if (!pte_present(entry) || !pte_write(entry) || !pte_dirty(entry))
		return;
	shootdown_words(_PAGE_PRESENT);
	/* Words, not structs of one: flags are followed bit by bit. */
	old = whole_entry();
	what = shootdown_change();
	if (what == 0) {
		now = old & ~write;
		set_pte(ptep, pte_wrprotect(entry));
	} else if (what == 1) {
		now = old & ~_PAGE_DIRTY;
		set_pte(ptep, pte_mkclean(entry));
	} else {
		now = old ^ other_flags(what);
		set_pte(ptep, pte_mkinvalid(entry));
	}
	if (pte_needs_flush(old, now))
		flush_tlb_page(vma, addr);
}
