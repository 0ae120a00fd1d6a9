/* Times the verifier inside its process: from the start of its main() to its exit, so that neither the start of the
 * process nor the dynamic linker counts. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int pan_main(int argc, char *argv[]);

static struct timespec start;

static void report(void)
{
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	fprintf(stderr, "nanoseconds %lld\n",
		(end.tv_sec - start.tv_sec) * 1000000000LL + (end.tv_nsec - start.tv_nsec));
}

int main(int argc, char *argv[])
{
	clock_gettime(CLOCK_MONOTONIC, &start);
	atexit(report);
	return pan_main(argc, argv);
}
