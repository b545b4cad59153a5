// SPDX-License-Identifier: GPL-2.0
/*
 * Takes a token from each of two limits on calls, or none, within a second:
 *
 *	take NAME NAME
 *
 * With librein installed: cc take.c $(pkg-config --cflags --libs rein)
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rein.h>

static uint64_t in_a_second(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec + 1) * 1000000000ULL + now.tv_nsec;
}

static int say(int ret, const struct rein_take_result *result)
{
	if (!ret) {
		printf("taken, waited %.3f s\n", result->waited_ns / 1e9);
		return 0;
	}
	printf("not taken: %s\n", *result->message ? result->message : strerror(-ret));
	/* A limit said no, and it will not always do so. */
	if (result->limit_id && result->retry_after_ns != REIN_DEV_NEVER)
		printf("try again in %.3f s\n", result->retry_after_ns / 1e9);
	return 1;
}

int main(int argc, char **argv)
{
	struct rein_take_want wants[2] = { { .tokens = 1 }, { .tokens = 1 } };
	struct rein_take_result result;
	uint64_t deadline = in_a_second();
	int fd, ret;

	if (argc != 3) {
		fprintf(stderr, "usage: take NAME NAME\n");
		return 1;
	}
	snprintf(wants[0].name, sizeof(wants[0].name), "%s", argv[1]);
	snprintf(wants[1].name, sizeof(wants[1].name), "%s", argv[2]);

	fd = rein_dev_open();
	if (fd < 0) {
		fprintf(stderr, "%s: %s\n", REIN_DEV_PATH, strerror(-fd));
		return 1;
	}
	/* The deadline stays where it is, so a signal doesn't prolong the wait. */
	do
		ret = rein_take_deadline(fd, wants, 2, deadline, &result);
	while (ret == -EINTR);
	close(fd);
	return say(ret, &result);
}
