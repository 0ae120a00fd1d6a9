#include <asm/book3s/64/pgtable.h>

/* An entry that everything is allowed with, and what may be taken from it or become different, by number. */
static unsigned long whole_entry(void)
{
	return _PAGE_PTE | _PAGE_PRESENT | _PAGE_READ | _PAGE_WRITE | _PAGE_EXEC | _PAGE_ACCESSED | _PAGE_DIRTY | 0x12200000;
}

static unsigned long other_flags(int what)
{
	switch (what) {
	case 2:
	case 3:
		return _PAGE_READ;
	case 4:
	case 5:
		return _PAGE_EXEC;
	case 6:
		return _PAGE_TOLERANT;
	case 7:
		return _PAGE_SAO;
	default:
		return 0x40000000;
	}
}
