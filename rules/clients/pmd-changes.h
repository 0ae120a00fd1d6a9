/*
 * An entry changes in one way, and is flushed where the primitive says so. Without a flush users could go on with what
 * they had: writing, without marking it as dirty, or (entry gone) reaching the page as it was.
 * `write` is the flag by which users may write.
 */
static void change_pmd(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmdp, unsigned long write)
{
	pmd_t entry = pmdp_get(pmdp);
	unsigned long old, now;
	int what;

	if (!pmd_leaf(entry) || !pmd_write(entry) || !pmd_dirty(entry))
		return;
	shootdown_words(_PAGE_PRESENT);
	/* Words, not structs of one: flags are followed bit by bit. */
	old = whole_entry();
	what = shootdown_change();
	if (what == 0) {
		now = old & ~write;
		set_pmd(pmdp, pmd_wrprotect(entry));
	} else if (what == 1) {
		now = old & ~_PAGE_DIRTY;
		set_pmd(pmdp, pmd_mkclean(entry));
	} else {
		now = old ^ other_flags(what);
		set_pmd(pmdp, pmd_mkinvalid(entry));
	}
	if (huge_pmd_needs_flush(old, now))
		flush_tlb_range(vma, addr & PMD_MASK, (addr & PMD_MASK) + PMD_SIZE);
}
