// SPDX-License-Identifier: GPL-2.0
#include "span.h"

#include <time.h>

#include "rein.h"

uint64_t span_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

/* What is left of a span that began then; of REIN_FOREVER_NS all of it. */
uint64_t span_left(uint64_t span_ns, uint64_t since_ns)
{
	uint64_t spent = span_now() - since_ns;

	if (span_ns == REIN_FOREVER_NS)
		return span_ns;
	return span_ns > spent ? span_ns - spent : 0;
}
