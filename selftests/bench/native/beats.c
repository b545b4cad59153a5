// SPDX-License-Identifier: GPL-2.0
/*
 * Beats of a watch that need no kernel, by librein's inline functions; and, to hold against
 * them, what sd_notify(3) does for WATCHDOG=1: a datagram to whoever supervises, with its
 * receipt. A thread has a slot of its own, one after the other as in the page that the kernel
 * gives them, but where threads share one.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rein.h>

#include "native.h"

static void *slot_make(bool refuses)
{
	static struct rein_watch_slot *page, *next;
	const size_t size = sysconf(_SC_PAGESIZE);

	(void)refuses;
	if (!page || next == page + size / sizeof(*page)) {
		page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (page == MAP_FAILED)
			abort();
		next = page;
	}
	return next++;
}

static unsigned long beat(void *const *slots, unsigned int n, unsigned long times)
{
	unsigned long i;

	(void)n;
	for (i = 0; i < times; i++)
		rein_beat(slots[0]);
	return times;
}

static unsigned long beat_shared(void *const *slots, unsigned int n, unsigned long times)
{
	unsigned long i;

	(void)n;
	for (i = 0; i < times; i++)
		rein_beat_shared(slots[0]);
	return times;
}

static unsigned long beat_at(void *const *slots, unsigned int n, unsigned long times)
{
	unsigned long i;

	(void)n;
	for (i = 0; i < times; i++)
		rein_beat_at(slots[0], now_ns());
	return times;
}

static void *notify_make(bool refuses)
{
	int *pair = malloc(2 * sizeof(*pair));

	(void)refuses;
	if (!pair || socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair))
		abort();
	return pair;
}

static unsigned long notify(void *const *pairs, unsigned int n, unsigned long times)
{
	static const char beat[] = "WATCHDOG=1";
	const int *pair = pairs[0];
	unsigned long i, came = 0;
	char got[64];

	(void)n;
	for (i = 0; i < times; i++)
		came += send(pair[0], beat, sizeof(beat) - 1, MSG_NOSIGNAL) > 0 &&
			recv(pair[1], got, sizeof(got), 0) > 0;
	return came;
}

const struct subject beat_subject = {
	.key = "beat",
	.situations = 1 << ONE | 1 << APART,
	.make = slot_make,
	.take = beat,
};

const struct subject beat_shared_subject = {
	.key = "beat_shared",
	.situations = 1 << ONE | 1 << SHARED | 1 << APART,
	.make = slot_make,
	.take = beat_shared,
};

const struct subject beat_at_subject = {
	.key = "beat_at",
	.situations = 1 << ONE | 1 << APART,
	.make = slot_make,
	.take = beat_at,
};

const struct subject notify_subject = {
	.key = "notify",
	.situations = 1 << ONE | 1 << APART,
	.make = notify_make,
	.take = notify,
};
