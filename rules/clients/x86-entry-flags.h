/* An entry that everything is allowed with, and what may be taken from it or become different, by number. */
static unsigned long whole_entry(void)
{
	return _PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED | _PAGE_DIRTY | 0x12200000;
}

static unsigned long other_flags(int what)
{
	switch (what) {
	case 2:
		return _PAGE_PRESENT;
	case 3:
		return _PAGE_USER;
	case 4:
		return _PAGE_NX;
	case 5:
		return _PAGE_PWT;
	case 6:
		return _PAGE_PCD;
	case 7:
		return _PAGE_PKEY_BIT0;
	default:
		return 0x40000000;
	}
}
