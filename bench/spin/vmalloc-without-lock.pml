/*
 * hot-remove.yaml, bad-vmalloc-walks-without-lock: a walker without the lock is in a table that is freed.
 * SIBLING, good-vmalloc-locks-whole-walk: it takes init_mm's page-table lock for all of the walk.
 */
#define CPUS 2
#include "machine.pml"

bool init_mm_lock;
bool table_freed;
byte second;         /* what vmalloc's own entry in the table holds */

proctype hot_remove()
{
	byte n;
	lock(init_mm_lock);
	entry = NONE;
	flush_all(0, n);
	check_unreachable(OLD, n);
	table_freed = true;
	init_mm_lock = false
}

proctype vmalloc()
{
	byte dir;
#ifdef SIBLING
	lock(init_mm_lock);
#endif
	dir = entry;
	if
	:: dir == OLD ->
		d_step { assert(!table_freed); second = 1 }
	:: else
	fi;
#ifdef SIBLING
	init_mm_lock = false
#endif
}

init {
	atomic { run hardware(0); run hardware(1); run hot_remove(); run vmalloc() }
}
