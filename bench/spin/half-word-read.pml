/*
 * half-word-entries.yaml, good-flush-by-interrupt-before-unlock: A reads an entry in halves with interrupts off while
 * B and C zap and flush and C and D fault new pages in. The low half of a new page may equal that of another one.
 * SIBLING, bad-lockless-read-of-changing-entry: the flush comes after the lock is dropped.
 */
#define CPUS 4
#include "machine.pml"

#define NEW 2
#define THIRD 3

bool ptl;
byte low_of[4];      /* the low half of each page's entry; the high half is the page's own number */

inline zap_end(me, n)
{
#ifdef SIBLING
	ptl = false;
	flush_all(me, n)
#else
	flush_all(me, n);
	ptl = false
#endif
}

proctype ptep_get_lockless()
{
	byte low, high, again;
	masked[0] = true;
	low = low_of[entry];
	high = entry;
	again = low_of[entry];
	if
	:: low == again && low != 0 -> assert(high != NONE && low_of[high] == low)
	:: else
	fi;
	masked[0] = false
}

proctype madvise_b()
{
	byte n;
	lock(ptl);
	entry = NONE;
	zap_end(1, n)
}

proctype fault_and_madvise_c()
{
	byte n;
	lock(ptl);
	if
	:: entry == NONE -> entry = NEW
	:: else
	fi;
	ptl = false;
	lock(ptl);
	entry = NONE;
	zap_end(2, n)
}

proctype fault_d()
{
	lock(ptl);
	if
	:: entry == NONE -> entry = THIRD
	:: else
	fi;
	ptl = false
}

init {
	atomic {
		low_of[OLD] = 1;
		if :: low_of[NEW] = 1 :: low_of[NEW] = 2 fi;
		if :: low_of[THIRD] = 1 :: low_of[THIRD] = low_of[NEW] :: low_of[THIRD] = 3 fi;
		run hardware(0); run hardware(1); run hardware(2); run hardware(3);
		run ptep_get_lockless(); run madvise_b(); run fault_and_madvise_c(); run fault_d()
	}
}
