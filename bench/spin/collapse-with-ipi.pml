/*
 * khugepaged.yaml, good-collapse-with-ipi: the table is reused after every CPU took an interrupt; GUP-fast has them off.
 * SIBLING, bad-collapse-neither-flush-nor-sync: it is reused right after it was unlinked.
 */
#define CPUS 2
#include "machine.pml"

bool inside;         /* GUP-fast has a pointer into the table */
bool reused;
byte references;

proctype khugepaged()
{
	byte n;
	entry = NONE;
#ifndef SIBLING
	flush_all(0, n);
	interrupt_all(0, n);
#endif
	d_step {
		check_unreachable(OLD, n);
		assert(!inside);
		reused = true
	}
}

proctype gup_fast()
{
	byte dir;
	masked[1] = true;
	atomic { dir = entry; inside = (dir == OLD) };
	if
	:: dir == OLD ->
		assert(!reused);         /* reads the pte */
		references++;
		if
		:: entry != dir -> references--
		:: else
		fi
	:: else
	fi;
	d_step { inside = false; masked[1] = false }
}

init {
	atomic { run hardware(0); run hardware(1); run khugepaged(); run gup_fast() }
}
