/* A range of entries by their numbers, one of which is followed. */
static unsigned long first_address(void)
{
	shootdown_numbers();
	return 0x40000000 + shootdown_first_entry() * PAGE_SIZE;
}

/* The first entry of the range, or the last one. */
static pte_t one_entry(unsigned long start, unsigned long end, int whole)
{
	unsigned long addr = shootdown_first() ? start : end - PAGE_SIZE;

	shootdown_entries_at(addr, whole);
	return __ptep_get(shootdown_entry(addr));
}

/* Is it one of a contiguous block, or one by itself, as was asked for? */
static bool stands_as(pte_t entry, int whole)
{
	return pte_present(entry) && pte_write(entry) && (whole ? pte_cont(entry) : !pte_cont(entry));
}
