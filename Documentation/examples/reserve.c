// SPDX-License-Identifier: GPL-2.0
/*
 * Reserves a token of each limit that is named, COUNT times, and waits for all of
 * these reservations at once, in one thread:
 *
 *	reserve COUNT NAME...
 *
 * Says of each when it was granted, counted from the first, and how much later
 * that was seen.
 *
 * With librein installed: cc reserve.c $(pkg-config --cflags --libs rein)
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <rein.h>

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static int fail(const char *what, int err)
{
	fprintf(stderr, "reserve: %s: %s\n", what, strerror(err));
	return 1;
}

/* One that is granted is kept for a second, so it is claimed at once. */
static void claim(unsigned int nth, int reservation)
{
	struct rein_take_result result;
	uint64_t seen = now_ns();
	static uint64_t first;
	int ret = rein_claim(reservation, &result);

	if (!ret && !first)
		first = result.granted_ns;
	if (!ret)
		printf("%u: granted after %.3f s, seen %.3f s later\n", nth,
		       (result.granted_ns - first) / 1e9, (seen - result.granted_ns) / 1e9);
	else
		printf("%u: not granted: %s\n", nth,
		       *result.message ? result.message : strerror(-ret));
	/* What was claimed stays taken; who gives up a place does the same. */
	rein_cancel(reservation);
}

static int wait_for_all(int epoll, int *reservations, unsigned int n)
{
	while (n) {
		struct epoll_event event;

		if (epoll_wait(epoll, &event, 1, -1) != 1) {
			if (errno == EINTR)
				continue;
			return fail("epoll_wait", errno);
		}
		/* To be closed, which takes it out of the set as well. */
		claim(event.data.u32, reservations[event.data.u32]);
		n--;
	}
	return 0;
}

static int reserve(int dev, int epoll, const struct rein_take_want *wants, unsigned int n,
		   unsigned int nth)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = nth };
	struct rein_take_result result;
	int fd;

	/* As long as it takes, and the default time to claim. */
	fd = rein_reserve_timeout(dev, wants, n, REIN_FOREVER_NS, 0, &result);
	if (fd < 0) {
		/* Refused: there is no descriptor, and nothing to wait for. */
		fail(*result.message ? result.message : "no reservation", -fd);
		return fd;
	}
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) {
		rein_cancel(fd);
		return -errno;
	}
	return fd;
}

int main(int argc, char **argv)
{
	struct rein_take_want wants[REIN_TAKE_NAMES_MAX] = { 0 };
	unsigned int count = argc > 2 ? atoi(argv[1]) : 0, i;
	int *reservations = calloc(count + 1, sizeof(int));
	int dev, epoll, n = argc - 2, ret;

	if (n < 1 || n > REIN_TAKE_NAMES_MAX || !count || !reservations) {
		fprintf(stderr, "usage: reserve COUNT NAME...\n");
		return 1;
	}
	for (i = 0; i < (unsigned int)n; i++) {
		snprintf(wants[i].name, sizeof(wants[i].name), "%s", argv[i + 2]);
		wants[i].tokens = 1;
	}
	dev = rein_dev_open();
	if (dev < 0)
		return fail(REIN_DEV_PATH, -dev);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0)
		return fail("epoll_create1", errno);
	for (i = 0; i < count; i++) {
		reservations[i] = reserve(dev, epoll, wants, n, i);
		if (reservations[i] < 0)
			return 1;
	}
	ret = wait_for_all(epoll, reservations, count);
	free(reservations);
	return ret;
}
