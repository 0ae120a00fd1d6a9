/*
 * What the models have in common: CPUS processors whose hardware loads translations into TLBs (or links into walk
 * caches) and drops them whenever it likes, and takes flush interrupts whenever interrupts are on.
 *
 * entry: what the followed entry holds now. held[c]: what CPU c may still translate with. 0 is nothing.
 */
#define NONE 0
#define OLD 1

byte entry = OLD;
#ifndef NO_TLB
byte held[CPUS];
#endif
bool masked[CPUS];   /* interrupts off */
bool asked[CPUS];    /* a flush was asked for and is not done */
bool signalled[CPUS];  /* an interrupt without a flush */

proctype hardware(byte c)
{
end:	do
#ifndef NO_TLB
	:: atomic { held[c] == NONE && entry != NONE -> held[c] = entry }
	:: held[c] != NONE -> held[c] = NONE
	:: atomic { asked[c] && !masked[c] -> held[c] = NONE; asked[c] = false }
#else
	:: atomic { asked[c] && !masked[c] -> asked[c] = false }
#endif
	:: atomic { signalled[c] && !masked[c] -> signalled[c] = false }
	od
}

/* Flushes this CPU, interrupts those of the others that are not skipped and waits until each has flushed. */
#define flush_all(me, n) flush_but(me, n, false)
inline flush_but(me, n, skipped)
{
#ifndef NO_TLB
	held[me] = NONE;
#endif
	n = 0;
	do
	:: n < CPUS && n != me && !(skipped) -> asked[n] = true; n++
	:: n < CPUS && (n == me || (skipped)) -> n++
	:: n == CPUS -> break
	od;
	n = 0;
	do
	:: n < CPUS && !asked[n] -> n++
	:: n == CPUS -> break
	od
}

/* Interrupts the others and waits until each has taken it. */
inline interrupt_all(me, n)
{
	n = 0;
	do
	:: n < CPUS && n != me -> signalled[n] = true; n++
	:: n == me -> n++
	:: n == CPUS -> break
	od;
	n = 0;
	do
	:: n < CPUS && !signalled[n] -> n++
	:: n == CPUS -> break
	od
}

/* Nobody may translate with what is freed, and nothing leads to it. */
inline check_unreachable(what, n)
{
	d_step {
		assert(entry != what);
		n = 0;
#ifndef NO_TLB
		do
		:: n < CPUS -> assert(held[n] != what); n++
		:: else -> break
		od
#endif
	}
}

inline lock(l)
{
	atomic { !l -> l = true }
}
