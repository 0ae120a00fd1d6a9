/*
 * hot-remove.yaml, good-clear-flush-free: a kernel page goes after clear and flush.
 * SIBLING, bad-free-before-flush: it goes between the two.
 */
#define CPUS 2
#include "machine.pml"

proctype remove_pte_table()
{
	byte n;
	entry = NONE;
#ifdef SIBLING
	check_unreachable(OLD, n);
#endif
	flush_all(0, n);
	check_unreachable(OLD, n)
}

init {
	atomic { run hardware(0); run hardware(1); run remove_pte_table() }
}
