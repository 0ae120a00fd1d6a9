/*
 * deferred-vunmap-flush.yaml, bad-touch-before-entry-work: a CPU in user mode is left out and flushes too late.
 * SIBLING, good-touch-after-entry-work: it flushes first thing in the kernel.
 */
#define CPUS 2
#include "machine.pml"

bool in_user;
bool owed;           /* CPU 1 flushes when it enters the kernel */
bool reused;

proctype vunmap()
{
	entry = NONE;
	held[0] = NONE;
	atomic {
		if
		:: in_user -> owed = true
		:: else -> asked[1] = true
		fi
	};
	!asked[1];
	reused = true
}

/* Uses the address, through the TLB or else through the entry. */
inline touch()
{
	d_step {
		if
		:: held[1] == OLD || entry == OLD -> assert(!reused)
		:: else
		fi
	}
}

inline flush_owed()
{
	if
	:: owed -> atomic { held[1] = NONE; owed = false }
	:: else
	fi
}

proctype isolated()
{
	in_user = true;
	in_user = false;
#ifdef SIBLING
	flush_owed();
	touch()
#else
	touch();
	flush_owed()
#endif
}

init {
	atomic { run hardware(0); run hardware(1); run vunmap(); run isolated() }
}
