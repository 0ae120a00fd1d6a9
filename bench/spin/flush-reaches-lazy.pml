/*
 * table-frees.yaml, good-flush-reaches-lazy-cpu: the flush in front of a table's free interrupts lazy CPUs as well.
 * SIBLING, bad-flush-skips-lazy-cpu: it leaves them out.
 */
#define CPUS 2
#include "machine.pml"

bool lazy[CPUS];

proctype tlb_remove_table()
{
	byte n;
	entry = NONE;
#ifdef SIBLING
	flush_but(0, n, lazy[n]);
#else
	flush_all(0, n);
#endif
	check_unreachable(OLD, n)
}

proctype kernel_thread()
{
	lazy[1] = true
}

init {
	atomic { run hardware(0); run hardware(1); run tlb_remove_table(); run kernel_thread() }
}
